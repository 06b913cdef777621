"""Who gets in, what a browser may be made to do, and what a name may do to a page."""

import hashlib
import re
from pathlib import Path

import pytest
from flask import Flask

from server import activity
from server.clock import now_ns
from server.refusal_ring import Seen
from server.settings import Settings
from server.store import apps, audit, operators
from server.store.database import INSTALLATION, writing
from tests.conftest import Clock, Tenant
from tests.server.console.operator import Operator, operator, words

PAGES = [
    "", "/live", "/audit", "/document", "/document/live", "/apps/acme/chat",
    "/apps/acme/chat/live", "/nope",
]  # fmt: skip
FORMS = {
    "/apps/acme/chat/edition": {"edition": "enterprise"},
    "/apps/acme/chat/secret": {},
    "/apps/acme/chat/delete": {"key": "acme/chat"},
    "/apps/acme/chat/try": {"kind": "users", "to": "bob", "text": "hi"},
    "/apps/acme/chat/stream": {"user": "bob"},
    "/sign-out": {},
}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"


@pytest.fixture
def olga(app: Flask) -> Operator:
    return operator(app)


def nothing_changed(acme: Tenant, before: apps.App) -> None:
    assert acme.row == before
    assert acme.get("/users/bob/offline_msg_count").json["data"] == {"bob": 0}


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_a_page_without_signing_in(
    app: Flask, acme: Tenant, path: str
) -> None:
    answer = app.test_client().get(f"/console{path}")

    assert answer.status_code in (303, 401)
    assert "acme" not in answer.text
    if answer.status_code == 303:
        assert re.match(r"(\.\./)*console/sign-in\?next=", answer.headers["Location"])


@pytest.mark.parametrize("path", FORMS)
def test_nobody_changes_anything_without_signing_in(
    app: Flask, acme: Tenant, path: str
) -> None:
    before = acme.row

    answer = app.test_client().post(f"/console{path}", data=FORMS[path])

    assert answer.status_code == 401
    nothing_changed(acme, before)


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("csrf", ["", "0" * 64, "\udc80", None])
def test_a_form_of_another_site_does_nothing(
    acme: Tenant, olga: Operator, path: str, csrf: str | None
) -> None:
    before = acme.row
    if csrf is None:  # another session's
        csrf = operator(olga.client.application, "other").csrf()
    form = FORMS[path] | {"csrf": csrf.encode("utf-8", "surrogatepass")}

    answer = olga.client.post(f"/console{path}", data=form)

    assert answer.status_code == 403
    nothing_changed(acme, before)
    assert olga.get().status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
@pytest.mark.parametrize("path", [*FORMS, "/sign-in"])
def test_a_form_must_come_from_our_own_page(
    acme: Tenant, olga: Operator, path: str, headers: dict[str, str]
) -> None:
    before = acme.row
    form = FORMS.get(path, {"key": olga.key}) | {"csrf": olga.csrf()}

    answer = olga.client.post(f"/console{path}", data=form, headers=headers)

    assert answer.status_code == 403
    nothing_changed(acme, before)


def test_our_own_page_may(acme: Tenant, olga: Operator) -> None:
    headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    form = {"edition": "enterprise", "csrf": olga.csrf()}

    olga.client.post("/console/apps/acme/chat/edition", data=form, headers=headers)

    assert acme.row.edition == "enterprise"


def test_nothing_is_changed_by_opening_a_page(acme: Tenant, olga: Operator) -> None:
    before = acme.row
    for path, form in FORMS.items():
        answer = olga.client.get(f"/console{path}", query_string=form)
        assert answer.status_code == 404

    nothing_changed(acme, before)


def cookie_of(answer) -> str:
    return answer.headers["Set-Cookie"].partition(";")[0].partition("=")[2]


def test_a_session_that_was_planted_is_not_taken_over(app: Flask) -> None:
    client = app.test_client()
    client.set_cookie("weir-console", "planted" * 6)
    key = operators.create("olga")

    answer = Operator(client, key).sign_in()

    assert cookie_of(answer) != "planted" * 6
    planted = app.test_client()
    planted.set_cookie("weir-console", "planted" * 6)
    assert planted.get("/console").status_code == 303


def test_signing_in_again_ends_the_session_before(app: Flask, olga: Operator) -> None:
    old = olga.client.get_cookie("weir-console", path="/")
    assert old is not None

    olga.sign_in()

    new = olga.client.get_cookie("weir-console", path="/")
    assert new is not None
    assert new.value != old.value
    assert operators.session(old.value) is None
    assert operators.session(new.value) is not None


def test_a_session_that_nobody_uses_is_over(olga: Operator, clock: Clock) -> None:
    clock.forward(3599)
    assert olga.get().status_code == 200
    clock.forward(3599)
    assert olga.get().status_code == 200
    clock.forward(3601)

    answer = olga.get()

    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("&over=1")
    assert "Max-Age=0" in answer.headers["Set-Cookie"]


def test_a_page_that_asks_by_itself_keeps_no_session_alive(
    olga: Operator, clock: Clock
) -> None:
    for _ in range(6):
        clock.forward(601)
        last = olga.get("/live")

    assert last.status_code == 401


def test_a_session_ends_after_half_a_day_however_busy(
    olga: Operator, clock: Clock
) -> None:
    for _ in range(24):
        assert olga.get().status_code == 200
        clock.forward(1801)

    assert olga.get().status_code == 303


@pytest.mark.parametrize("end", ["sign-out", "rotate", "delete"])
def test_a_session_ends_with_what_it_was_made_by(olga: Operator, end: str) -> None:
    kept = olga.client.get_cookie("weir-console", path="/")
    assert kept is not None

    if end == "sign-out":
        assert olga.post("/sign-out").status_code == 303
    elif end == "rotate":
        operators.rotate("olga")
    else:
        operators.delete("olga")

    assert operators.session(kept.value) is None
    assert olga.get().status_code == 303
    if end != "sign-out":
        assert olga.sign_in().status_code == 403


def test_tries_of_keys_are_counted_as_token_requests_are(app: Flask) -> None:
    client = app.test_client()

    tries = [
        client.post("/console/sign-in", data={"key": f"WEIR-{n}"}) for n in range(61)
    ]

    assert [each.status_code for each in tries] == [403] * 60 + [429]
    assert tries[-1].headers["Retry-After"] == "1"
    assert "Too many attempts" in words(tries[-1])


def test_tries_of_sessions_are_counted_too(app: Flask) -> None:
    client = app.test_client()
    client.set_cookie("weir-console", "x")
    tries = []
    for n in range(61):
        client.set_cookie("weir-console", f"guess-{n}")
        tries.append(client.get("/console/live").status_code)

    assert tries == [401] * 60 + [429]


@pytest.mark.parametrize(
    ("wanted", "location"),
    [
        ("audit?of=acme/chat", "../console/audit?of=acme/chat"),
        ("", "../console"),
        ("//evil.example", "../console"),
        ("/evil", "../console"),
        ("https://evil.example\r\nX: y", "../console"),
        ("\\\\evil.example", "../console"),
    ],
)
def test_signing_in_leads_nowhere_else(app: Flask, wanted: str, location: str) -> None:
    key = operators.create("olga")

    answer = app.test_client().post(
        "/console/sign-in", data={"key": key, "next": wanted}
    )

    assert answer.headers["Location"] == location


@pytest.mark.parametrize("path", [*PAGES, "/sign-in", "/assets/console.js"])
def test_every_answer_is_hardened(acme: Tenant, olga: Operator, path: str) -> None:
    with olga.get(path) as answer:
        headers = answer.headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "no-" in headers["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in headers


def test_nothing_stands_inline(acme: Tenant, olga: Operator) -> None:
    for path in PAGES:
        text = olga.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text)


@pytest.mark.parametrize(
    ("base", "secure"), [("http://localhost", False), ("https://weir.example", True)]
)
def test_the_cookie_is_for_nobody_else(app: Flask, base: str, secure: bool) -> None:
    key = operators.create("olga")

    cookie = Operator(app.test_client(), key).sign_in(base_url=base)

    told = cookie.headers["Set-Cookie"]
    assert "HttpOnly" in told
    assert "SameSite=Strict" in told
    assert "Path=/" in told
    assert "Domain" not in told
    assert ("Secure" in told) == secure
    assert told.startswith("__Host-weir-console=" if secure else "weir-console=")


def test_keys_and_sessions_are_kept_only_as_hashes(
    olga: Operator, settings: Settings
) -> None:
    cookie = olga.client.get_cookie("weir-console", path="/")
    assert cookie is not None
    olga.get()

    kept = b"".join(
        each.read_bytes()
        for each in Path(settings.state_dir).rglob("*")
        if each.is_file()
    )

    assert olga.key.encode() not in kept
    assert cookie.value.encode() not in kept
    if "sqlite" in settings.database_url:
        assert hashlib.sha256(olga.key.encode()).digest() in kept


def test_hostile_names_are_only_names(acme: Tenant, olga: Operator) -> None:
    caller = f"user:{HOSTILE}"
    seen = Seen(now_ns(), caller, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 429, HOSTILE)
    activity.refused(acme.row.uuid, seen)
    with writing(INSTALLATION), audit.acting_as(HOSTILE):
        audit.note("app.edition", HOSTILE, HOSTILE)
        audit.note("rules", HOSTILE, HOSTILE)
        audit.note("app.secret", "acme/chat", HOSTILE)
    query = dict.fromkeys(("q", "after", "deleted", "of", "app", "done"), HOSTILE)
    shown = [olga.get(path, query_string=query) for path in PAGES]
    shown += [olga.get(path) for path in PAGES]
    shown.append(olga.get(f"/apps/{HOSTILE}/{HOSTILE}"))
    shown.append(olga.get("/sign-in", query_string={"next": HOSTILE, "over": HOSTILE}))
    for form in ({"edition": HOSTILE}, {"kind": HOSTILE, "key": HOSTILE}):
        shown.append(olga.post("/apps/acme/chat/edition", **form))
        shown.append(olga.post("/apps/acme/chat/delete", **form))
    trial = dict.fromkeys(("from", "to", "text", "kind"), HOSTILE)
    shown.append(olga.post("/apps/acme/chat/try", **trial))

    met = 0
    for answer in shown:
        text = answer.text
        if answer.is_json:
            text = "".join(answer.json["parts"].values())
        met += "&lt;script&gt;alert(1)" in text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<img src=x" not in text.replace("&#34;", '"')
        assert "{{7*7}}" in text or "&lt;script" not in text
    assert met > 12


def test_a_form_that_is_too_long_is_refused(acme: Tenant, olga: Operator) -> None:
    form = {"csrf": olga.csrf(), "text": "x" * 300_000}

    answer = olga.client.post("/console/apps/acme/chat/try", data=form)

    assert answer.status_code == 413
    assert "That is too much" in words(answer)


def test_an_app_token_opens_no_console(acme: Tenant) -> None:
    headers = {"Authorization": f"Bearer {acme.token}"}

    assert acme.client.get("/console", headers=headers).status_code == 303
