"""Bodies that are JSON, or nearly: what they cannot do on any operation."""

import json
import re
import sqlite3
from collections.abc import Iterator

import orjson
import pytest

from server.settings import Settings
from tests.conftest import Clock, Tenant
from tests.wire.calls import BODIES, Furnished, furnish
from tests.wire.kept import Store

CAST = ("ada", "linus", "grace", "ken", "joan")

# What somebody who has read about mass assignment, or our tables, would add.
MORE: dict[str, object] = {
    "id": 1, "uuid": "3c1f9a60-7b52-11ee-9d0e-6f2b8c4d1a77", "app_id": 2, "app": "globex/chat",
    "org": "globex", "application": "globex/chat", "organization": "globex", "edition": "enterprise",
    "open_registration": True, "client_secret": "mine", "secret_hash": "mine", "token_key": "00" * 8,
    "password_hash": "mine", "is_admin": True, "admin": True, "isAdmin": True, "role": "admin",
    "roles": ["admin", "superadmin"], "superadmin": "grace", "scope": "app", "kind": "APP",
    "user_id": 1, "uid": 0, "activated": False, "created": 1, "modified": 1, "deleted": True,
    "affiliations": [{"owner": "grace"}], "affiliations_count": 0, "admins": ["grace"],
    "mute": True, "disabled": True, "blocked": True, "restricted": False, "limit": 0,
    "__proto__": {"admin": True}, "constructor": {"prototype": {"admin": True}},
    "__class__": "Caller", "_caller": {"kind": "APP"}, "self": None, "caller": None,
    "at_most": 0, "each_user": 0, "$where": "1", "$set": {"edition": "enterprise"},
    "user_count": -1, "timestamp": 0, "rate": 0, "quota": 0, "": 1, " ": 1, "\x00": 1,
}  # fmt: skip
REFUSE_UNKNOWN = {"PUT {A}/chatgroups/{gid}", "PUT {A}/chatrooms/{rid}"}
"""These say so where a field is none of theirs; all others look away."""


@pytest.fixture
def ours(acme: Tenant, clock: Clock) -> Furnished:
    return furnish(acme, clock, CAST)


@pytest.fixture
def store(ours: Furnished, settings: Settings) -> Iterator[Store]:
    store = Store(settings)
    yield store
    store.close()


def send(ours: Furnished, operation: str, content: bytes) -> tuple[int, str]:
    method, path = operation.split(" ", 1)
    answer = ours.send(
        method,
        ours.fill(path.replace("{A}", f"/{ours.tenant.key}")),
        data=content,
        content_type="application/json",
    )
    return answer.status_code, answer.text


def plain(text: str) -> str:
    """Without what differs between two calls that do the same."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "uuid", text)
    text = re.sub(r"wt1\.[A-Za-z0-9._-]+|\$argon2[^'\"]+|X'[0-9A-F]+'", "secret", text)
    return re.sub(r'\d{10,}|"duration":\d+', "n", text)


def rows(settings: Settings) -> list[str]:
    path = settings.database_url.removeprefix("sqlite://")
    connection = sqlite3.connect(path)
    try:
        return sorted(plain(line) for line in connection.iterdump())
    finally:
        connection.close()


def with_more(value: object) -> object:
    """Unknown fields in every object of a body that has none of its own."""
    if isinstance(value, list):
        return [with_more(each) for each in value]
    return MORE | value if isinstance(value, dict) else value


def test_fields_that_nobody_asked_for_do_nothing(
    ours: Furnished, store: Store, settings: Settings
) -> None:
    """Answer and every row are what they are without them, or all stays as it was."""
    wrong = []
    for operation in BODIES:
        body = ours.body(operation)
        without = send(ours, operation, orjson.dumps(body))
        kept = rows(settings)
        store.put_back()
        told = send(ours, operation, orjson.dumps(with_more(body)))
        if operation in REFUSE_UNKNOWN:
            assert told[0] == 400
            store.check_same()
        elif plain(told[1]) != plain(without[1]) or told[0] != without[0]:
            wrong.append(f"{operation}: {told} instead of {without}")
        elif rows(settings) != kept:
            wrong.append(f"{operation}: {set(rows(settings)) ^ set(kept)}")
        store.put_back()

    assert wrong == []


DEEP = 10_000
SAID = re.compile(r'"(desc|error_description)":"[^"]')
"""A refusal in one of the wire's forms."""
NO_JSON: dict[str, bytes] = {
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep where nobody looks": b'{"x":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "1e400": b'{"x":1e400}',
    "-1e400": b'{"x":-1e400}',
    "NaN": b'{"x":NaN}',
    "a lone surrogate": b'{"x":"\\ud800"}',
    "half a pair": b'{"\\udc00":1}',
    "bytes of a surrogate": b'{"x":"\xed\xa0\x80"}',
    "bytes that are no text": b'{"x":"\xff"}',
    "an overlong slash": b'{"x":"\xc0\xaf"}',
    "two values": b"{}{}",
    "a comment": b"{/**/}",
    "single quotes": b"{'x':1}",
    "a zero byte": b'{"x":1}\x00',
    "a mark of order": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("form", NO_JSON)
def test_what_is_no_json_is_refused_by_every_operation(
    ours: Furnished, store: Store, form: str
) -> None:
    wrong = []
    for operation in BODIES:
        status, text = send(ours, operation, NO_JSON[form])
        if status != 400 or not SAID.search(text):
            wrong.append(f"{operation}: {status} {text[:80]}")

    assert wrong == []
    store.check_same()


def twice(body: dict[str, object], key: str, first: object) -> bytes:
    """A body in which *key* stands twice: *first*, then what it was."""
    head = f"{{{json.dumps(key)}:{json.dumps(first)},".encode()
    return head + orjson.dumps(body)[1:]


def test_of_a_key_that_comes_twice_the_last_is_checked_and_done(
    ours: Furnished, store: Store, settings: Settings
) -> None:
    """One reading for all: no check can look at one and the call do the other."""
    for operation in BODIES:
        body = ours.body(operation)
        if not isinstance(body, dict):
            continue
        without = send(ours, operation, orjson.dumps(body))
        kept = rows(settings)
        store.put_back()
        for key in body:
            told = send(ours, operation, twice(body, key, {"never": "looked at"}))
            assert (told[0], plain(told[1])) == (without[0], plain(without[1])), key
            assert rows(settings) == kept, (operation, key)
            store.put_back()
