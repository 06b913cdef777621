"""Secrets, ids and addresses cannot be guessed, altered, or used for one another."""

import ast
import re
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask

from server import passwords
from server.clock import now_ms
from server.errors import ReachLimit
from server.limiting.guard import Guard
from server.limiting.loss import Counters
from server.limiting.ringfile import bytes_of, capacity_for
from server.limiting.rings import REMEMBERED
from server.settings import Settings
from server.store import apps, operators, tokens
from tests.conftest import ALICES_PASSWORD, Clock, Tenant, alices_hash
from tests.server.api.test_files import kept

SERVER = Path(__file__).parent.parent.parent / "server"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


def altered(text: str) -> list[str]:
    """Each character changed to every other of the alphabet, dropped, or doubled."""
    found = [text[1:], text[:-1], text + "A", text + "=", text + "\n", text.swapcase()]
    for at in range(len(text)):
        before, after = text[:at], text[at + 1 :]
        found += [before + each + after for each in LETTERS]
    return sorted(set(found) - {text})


@pytest.mark.parametrize("who", ["app", "user"])
def test_no_character_of_a_token_can_be_another(acme: Tenant, who: str) -> None:
    token = acme.token if who == "app" else acme.user_token("alice")
    opened = []
    for each in altered(token):
        try:
            tokens.read(each)
            opened.append(each)
        except (tokens.Malformed, tokens.Forged):
            continue

    assert opened == []
    assert tokens.read(token).app_id == acme.id


def history_address(acme: Tenant, clock: Clock) -> str:
    sent = {"to": ["bob"], "type": "txt", "body": {"msg": "hi"}}
    acme.post("/messages/users", json=sent)
    hour = datetime.fromtimestamp(now_ms() / 1000, timezone(timedelta(hours=8)))
    clock.forward(3600 + 60)
    told = acme.get(f"/chatmessages/{hour:%Y%m%d%H}")
    assert told.status_code == 200, told.text
    return str(told.json["data"][0]["url"]).partition("://")[2].partition("/")[2]


def test_no_character_of_a_signed_address_can_be_another(
    acme: Tenant, globex: Tenant, clock: Clock
) -> None:
    good = history_address(acme, clock)
    path, _, query = good.partition("?")
    expires, _, signature = query.partition("&Signature=")
    number = expires.removeprefix("Expires=")
    # Quoted: a client leaves out a newline, and what is left is the good address.
    spoilt = [
        f"{path}?{expires}&Signature={quote(each)}" for each in altered(signature)[::7]
    ]
    spoilt += [
        f"{path}?Expires={quote(each)}&Signature={signature}"
        for each in altered(number)[::3]
    ]
    spoilt += [
        f"{path}?Expires={int(number) + 10**9}&Expires={number}&Signature={signature}",
        f"{path}?{expires}",
        f"{path}?{expires}&Signature=",
        f"{path}?Signature={signature}",
        f"{path.replace('acme', 'globex')}?{query}",
        f"{path.replace('/chat/', '/chat2/')}?{query}",
        f"{path.replace('history/', 'history/%2e%2e/history/')}?{query}",
        f"{path[:-5]}0.gz?{query}" if path[-5:-3] != "0." else f"{path[:-5]}1.gz?{query}",
    ]  # fmt: skip

    statuses = {acme.client.get(f"/{each}").status_code for each in spoilt}

    assert statuses <= {403, 404}
    with acme.client.get(f"/{good}") as found:
        assert found.status_code == 200


def test_a_secret_opens_nothing_but_its_own(app: Flask, acme: Tenant) -> None:
    """A ticket is no token, a share-secret no signature, an app's secret no key."""
    user = acme.as_user("alice")
    ticket = user.post("/users/alice/stream/ticket", json={}).json["data"]["ticket"]
    share = kept(acme, b"x")["share-secret"]
    key = operators.create("olga")
    secrets = [ticket, share, key, acme.credentials.client_secret, acme.row.uuid]
    secrets += [acme.row.secret_hash.hex(), acme.row.token_key.hex()]

    for each in secrets:
        assert as_token(acme, each) == 401
    for each in [*secrets[:2], *secrets[3:], acme.token]:
        signed_in = app.test_client().post("/console/sign-in", data={"key": each})
        assert signed_in.status_code == 403
        guessing = app.test_client()
        guessing.set_cookie("weir-console", each)
        assert guessing.get("/console/live").status_code == 401
    for each in (acme.token, user.token, share, key):
        stream = f"/acme/chat/users/alice/stream?ticket={each}"
        assert acme.client.get(stream).status_code == 401
        grant = {"grant_type": "client_credentials", "client_id": acme.row.client_id}
        asked = acme.post("/token", json=grant | {"client_secret": each})
        assert asked.status_code == 400


def as_token(acme: Tenant, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return acme.client.get("/acme/chat/limits", headers=headers).status_code


def test_what_is_secret_is_random_and_long_enough(app: Flask, acme: Tenant) -> None:
    """256 bits of each; ids that are shown to everyone need none, they open nothing."""
    made = [apps._new_credentials() for _ in range(200)]
    keys = [operators._new_key() for _ in range(200)]
    shares = [kept(acme, b"x") for _ in range(5)]

    for found, bits in (
        ([each.client_secret.removeprefix("YXA6") for each in made], 256),
        ([each.removeprefix("WEIR-") for each in keys], 256),
        ([each["share-secret"] for each in shares], 256),
    ):
        assert len(set(found)) == len(found)
        assert min(map(len, found)) * 6 >= bits
        assert len(set("".join(found))) > 40
    assert {each["uuid"][14] for each in shares} == {"4"}  # of random ones
    assert len(tokens.secret_key("tokens")) == 32
    keys_of = {
        tokens.secret_key(name) for name in ("tokens", "history", "stream-tickets")
    }
    assert len(keys_of) == 3


SECRETIVE = re.compile(
    r"secret|signature|csrf|passw|ticket|credential|_hash|token_key|authorization"
)
COMPARED_OPENLY = {
    "name in _SECRET",  # the name of a setting
    "bytes(user[1]) != lease.token_key",  # both are ours: has it changed since
}


def test_secrets_are_compared_in_a_time_that_does_not_tell() -> None:
    """Python's own comparison stops at the first byte that differs."""
    openly = [
        f"{path.relative_to(SERVER)}:{node.lineno}: {ast.unparse(node)}"
        for path in SERVER.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare)
        and any(isinstance(each, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for each in node.ops)
        and SECRETIVE.search(ast.unparse(node).lower())
        and ast.unparse(node) not in COMPARED_OPENLY
    ]  # fmt: skip

    assert openly == []
    compared = "".join(path.read_text() for path in SERVER.rglob("*.py"))
    assert compared.count("hmac.compare_digest(") >= 3
    assert compared.count("tokens.same(") >= 5


def test_a_password_of_nobody_takes_as_long_to_be_refused(acme: Tenant) -> None:
    """CPU time, the least of several; without a hash to compare with it is none."""

    def least(password_hash: str | None) -> float:
        took = []
        for _ in range(4):
            began = time.thread_time()
            assert not passwords._verify("wrong", password_hash)
            took.append(time.thread_time() - began)
        return min(took)

    passwords._nobody()  # made once
    known, nobody = least(alices_hash()), least(None)

    assert known / 3 < nobody < known * 3
    assert passwords.matches(ALICES_PASSWORD, alices_hash())


ADDRESSES = 1_000


def test_the_guard_holds_a_thousand_addresses_in_bounded_memory(
    app: Flask, tmp_path: Path, clock: Clock
) -> None:
    """Each is held to its own count; those of the next second take their place."""
    place = tmp_path / "counters"
    counters = Counters(Settings(state_dir=tmp_path, counters_url=f"file://{place}"))
    guard_calls = 5
    guard = Guard(counters, guard_calls)

    for second in range(6):
        refused = 0
        for n in range(ADDRESSES):
            address = f"10.{second}.{n // 250}.{n % 250}"
            refused += sum(is_refused(guard, address) for _ in range(6))
        assert refused == ADDRESSES
        clock.forward(2)

    # Those of the seconds before give way: all six thousand would need twice as many.
    # A key drawn at random says which 16 of the rings may be an address's, so a file
    # of half the size is too small for some thousand once in 850 runs of this; one of
    # this size once in ten million.
    capacity = capacity_for(guard_calls)
    size = (place / f"rings-{capacity}").stat().st_size
    assert size <= bytes_of(capacity, 8_192) < 8 * 1024 * 1024
    # Of each address a hint where its count is, until there are too many of them.
    assert len(counters._reach()._places) <= REMEMBERED + 1


def is_refused(guard: Guard, address: str) -> bool:
    try:
        guard.admit(address)
    except ReachLimit:
        return True
    return False


def test_no_cache_between_keeps_what_was_for_one_caller(
    acme: Tenant, clock: Clock
) -> None:
    """A signed address would be good there for longer than it says."""
    file = kept(acme, b"x")["uuid"]
    signed = history_address(acme, clock)
    with acme.client.get(f"/{signed}") as found:
        assert found.headers["Cache-Control"] == "private"
    with acme.get(f"/chatfiles/{file}") as found:
        assert found.headers["Cache-Control"] == "private"

    grant = {"grant_type": "inherit", "username": "alice"}
    assert acme.post("/token", json=grant).headers["Cache-Control"] == "no-store"
