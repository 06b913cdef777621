"""What the pages say, and what their forms do."""

import dataclasses
import re
from pathlib import Path

import pytest
from flask import Flask

from server import console, rules
from server.limiting import shadow
from server.limiting.rings import Rings
from server.limiting.shadowbook import Refusal, ShadowBook
from server.rules import messages
from server.settings import Settings
from server.store import apps, audit, quotas
from server.store.database import database, writing
from tests.conftest import Clock, Tenant, make_tenant
from tests.server.console.operator import Operator, operator, words


@pytest.fixture
def olga(app: Flask) -> Operator:
    return operator(app)


def test_an_empty_server_says_how_an_app_is_made(olga: Operator) -> None:
    told = words(olga.get())

    assert "There is no app yet." in told
    assert "No app has called in the last 15 minutes." in told
    assert "No app has used 80 % of a figure." in told


def test_the_overview_shows_apps_with_their_editions(
    acme: Tenant, globex: Tenant, olga: Operator
) -> None:
    told = words(olga.get())

    assert "1 on Community Edition" in told
    assert "acme/chat Community Edition authorised" in told
    assert "globex/chat Enterprise Edition authorised" in told


def test_many_apps_are_shown_a_page_a_time_and_found_by_key(
    app: Flask, olga: Operator
) -> None:
    keys = [f"org-{n:03}/chat" for n in range(120)]
    for key in keys:
        apps.create(*key.split("/"), "community")
    seen: list[str] = []
    path = ""

    while path is not None:
        page = olga.get(path).text
        seen += re.findall(r'href="[./]*console/apps/([^"]+)">', page)
        more = re.search(r'href="[./]*console([^"]*)#apps" rel="next"', page)
        path = more[1].replace("&amp;", "&") if more else None

    assert seen == keys
    found = olga.get("?q=ORG-07").text
    assert re.findall(r'console/apps/([^"]+)">', found) == keys[70:80]
    assert "No app has “%” in its key" in words(olga.get("?q=%25"))


def test_who_is_near_a_limit_is_told(
    acme: Tenant, globex: Tenant, clock: Clock, olga: Operator
) -> None:
    for _ in range(8):
        acme.get("/users/alice")
    for _ in range(8):
        globex.get("/users/alice")

    told = words(olga.get())

    assert re.search(
        r"acme/chat Users: single app call limit 10 times/second .* 8 of 10", told
    )
    assert "globex/chat Users:" not in told


def test_a_quota_that_is_nearly_used_is_told(acme: Tenant, olga: Operator) -> None:
    figure = messages.DAILY_SYSTEM_PUSH_MESSAGES.stated("community")
    assert figure is not None
    with writing(acme.id):
        quotas._USE.one(
            acme.id, messages.DAILY_SYSTEM_PUSH_MESSAGES.name, 19_675, figure.value - 1
        )

    told = words(olga.get())

    assert f"{figure.value - 1:,} of {figure.value:,} today near" in told


def test_an_apps_page_has_every_figure_of_its_edition_with_its_place(
    acme: Tenant, olga: Operator
) -> None:
    told = words(olga.get("/apps/acme/chat"))

    for interface in rules.INTERFACES:
        for rule in interface.rules:
            of_edition = rule.told("community")
            if of_edition is not None:
                assert f"{of_edition['limit']} {of_edition['doc']}" in told


def test_an_apps_page_shows_its_use_now(acme: Tenant, olga: Operator) -> None:
    for _ in range(3):
        acme.get("/users/alice")

    told = words(olga.get("/apps/acme/chat"))
    live = olga.get("/apps/acme/chat/live").json

    assert "single app call limit 10 times/second limits.md:18 3 of 10" in told
    assert "3 of 10" in live["parts"]["use-users.calls"]
    assert "2 users, 0 groups" in told


def test_refusals_are_told_with_caller_and_rule(acme: Tenant, olga: Operator) -> None:
    for _ in range(11):
        acme.get("/users/alice")

    told = words(olga.get("/apps/acme/chat"))

    assert "the app GET /users/{username} single app call limit 10" in told


def test_the_edition_is_changed_and_written_down(acme: Tenant, olga: Operator) -> None:
    changed = olga.post("/apps/acme/chat/edition", edition="enterprise")

    assert changed.status_code == 303
    assert acme.row.edition == "enterprise"
    (entry, *_) = audit.page(subject="acme/chat", limit=9)
    assert (entry.actor, entry.action) == ("olga", "app.edition")
    assert entry.words == "from community to enterprise"
    assert "olga Edition changed acme/chat from community" in words(olga.get("/audit"))


def test_an_edition_that_is_none_is_refused_in_words(
    acme: Tenant, olga: Operator
) -> None:
    refused = olga.post("/apps/acme/chat/edition", edition="<gold>")

    assert refused.status_code == 400
    assert "'<gold>' is no edition; known are community, enterprise." in words(refused)
    assert acme.row.edition == "community"


def test_a_rotated_secret_is_shown_once_and_works(acme: Tenant, olga: Operator) -> None:
    shown = olga.post("/apps/acme/chat/secret")

    client_id, secret = re.findall(r"<code>(YXA6[^<]+)</code></dd>", shown.text)
    assert shown.headers["Cache-Control"] == "no-store"
    grant = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": secret,
    }
    assert acme.as_nobody().post("/token", json=grant).status_code == 200
    assert acme.get("/users/alice").status_code == 401
    assert secret not in olga.get("/apps/acme/chat").text


def test_an_app_is_deleted_only_when_its_key_was_typed(
    acme: Tenant, olga: Operator
) -> None:
    refused = olga.post("/apps/acme/chat/delete", key="acme/lounge")

    assert refused.status_code == 400
    assert "Nothing is deleted: 'acme/lounge' was typed" in words(refused)
    assert apps.find("acme", "chat") is not None

    assert olga.post("/apps/acme/chat/delete", key="acme/chat").status_code == 303
    assert apps.find("acme", "chat") is None
    assert olga.get("/apps/acme/chat").status_code == 404


def test_a_message_sent_from_the_page_is_a_call_like_any_other(
    acme: Tenant, olga: Operator
) -> None:
    form = {"kind": "users", "to": "bob, alice", "from": "alice", "text": "<b>hi</b>"}

    tried = olga.post("/apps/acme/chat/try", **form)

    told = words(tried)
    assert "POST /acme/chat/messages/users" in told
    assert '"msg": "<b>hi</b>"' in told
    assert "<b>hi</b>" not in tried.text
    assert "Answer 200" in told
    assert 'messages.calls";r=' in told
    waiting = acme.get("/users/bob/offline_msg_count").json
    assert waiting["data"] == {"bob": 1}


def test_what_the_api_refuses_is_shown_as_it_says_it(
    acme: Tenant, olga: Operator
) -> None:
    told = words(olga.post("/apps/acme/chat/try", kind="users", to="", text="x"))

    assert "Answer 400" in told
    assert "to must be provided" in told


def test_the_document_links_each_figure_and_tells_its_use(
    acme: Tenant, olga: Operator
) -> None:
    whole = olga.get("/document")
    of_acme = words(olga.get("/document?app=acme/chat"))

    assert 'href="#users.calls"' in whole.text
    assert rules.DIGEST in whole.text
    assert "POST /users" in words(whole)
    assert "Use of all apps together." in words(whole)
    assert "0 of 10" in of_acme
    assert olga.get("/document?app=no/such").status_code == 404


def test_a_document_that_strayed_from_the_rules_is_said_to_have(
    olga: Operator, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tmp_path / "limits.md"
    changed.write_text("| Users | 11 times/second |\n")
    monkeypatch.setattr("server.console.document_page._document", changed)

    assert "says something else by now" in words(olga.get("/document"))

    changed.unlink()
    assert "The document is not beside this server." in words(olga.get("/document"))


def test_the_audit_is_shown_a_page_a_time(app: Flask, olga: Operator) -> None:
    for n in range(70):
        apps.create("org", f"app-{n:02}", "community")

    first, second = olga.get("/audit").text, None
    older = re.search(r'href="([^"]+)" rel="next"', first)
    assert older is not None
    second = olga.get(
        "/" + older[1].replace("&amp;", "&").partition("console/")[2]
    ).text

    names = re.findall(r">org/(app-\d\d)<", first + second)
    assert names == [f"app-{n:02}" for n in reversed(range(70))]
    assert "Nothing is written of “nobody”." in words(olga.get("/audit?of=nobody"))
    assert olga.get("/audit?before=" + "9" * 40).status_code == 200


def test_what_is_not_there_is_said_not_to_be(olga: Operator) -> None:
    for path in ("/nope", "/apps/no/such", "/apps/no/such/live", "/assets/nope.js"):
        answer = olga.get(path)
        assert answer.status_code == 404, path
        assert "There is no such page" in words(answer)


def test_an_app_whose_edition_the_table_lost_is_shown(
    app: Flask, olga: Operator
) -> None:
    make_tenant(app, "acme/chat", "gold")

    assert "gold: not in the table" in words(olga.get())
    page = olga.get("/apps/acme/chat")
    assert page.status_code == 200
    assert "The table does not state the edition gold" in words(page)


def test_counters_out_of_reach_are_told_and_the_rest_is_shown(
    acme: Tenant, olga: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Rings, "take", fail)
    monkeypatch.setattr(Rings, "peek", fail)
    assert acme.get("/users/alice").status_code == 503

    overview = words(olga.get())
    page = words(olga.get("/apps/acme/chat"))

    assert "Counters are out of reach in 1 of 1 processes." in overview
    assert "Counters degraded" in overview
    assert "the use of rates is not known" in page
    assert "2 of 1,000,000" in page


def test_what_a_proposed_table_would_refuse_is_told(
    acme: Tenant,
    olga: Operator,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "A proposed table is counted beside" not in words(olga.get())
    folder = settings.state_dir / shadow.FOLDER
    book = ShadowBook(folder, "d", "next.md", 1_700_000_000_000, lambda *_: None)
    for app_id in (acme.id, acme.id, 99):
        refusal = Refusal(app_id, "users.calls", "community", 1_700_000_000_000)
        book.note(refusal)
    book.write()
    shadowed = dataclasses.replace(settings, shadow_table=Path("next.md"))
    monkeypatch.setattr("server.console.overview._settings", shadowed)
    console.kept.forget()

    told = words(olga.get())

    assert "next.md would have refused 3 calls since 2023-11-14 22:13:20 UTC" in told
    assert "acme/chat users.calls community 2" in told
    assert "one of the others users.calls community 1" in told


def test_a_page_asks_the_database_as_often_with_many_apps_as_with_few(
    app: Flask, olga: Operator
) -> None:
    asked: list[str] = []
    database.obj.connection().set_trace_callback(asked.append)
    counts = {}
    for most in (5, 150):
        for n in range(most):
            if apps.find("org", f"app-{n}") is None:
                apps.create("org", f"app-{n}", "community")
        for path in ("", "/live", "/document", "/audit", "/apps/org/app-1"):
            olga.get(path)  # what is kept for a while is kept now
            console.kept.forget()
            asked.clear()
            assert olga.get(path).status_code == 200
            counts.setdefault(path, []).append(len(asked))

    for path, (few, many) in counts.items():
        assert few == many < 30, (path, few, many)
