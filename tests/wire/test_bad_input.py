"""Every operation refuses what is bad in its wire form, and changes nothing.

An unknown app, tokens and things of another app, wrong types, paths that are none. Each
test walks all operations in one furnished app, and tells of all that were wrong.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from werkzeug.test import TestResponse

from server.settings import Settings
from tests.conftest import Clock, Tenant
from tests.wire.calls import BODIES, EVERY, Furnished, furnish
from tests.wire.kept import Store

CAST = ("ada", "linus", "grace", "ken", "joan")
STRANGERS = ("mallory", "trudy", "eve", "oscar", "craig")
NOBODIES = dict(
    zip(STRANGERS, ("nobody", "no-one", "none", "no-body", "nil"), strict=True)
)
NOTHING = {
    "gid": "70481920999999", "rid": "90317744999999", "msg_id": "1",
    "uuid": "3c1f9a60-7b52-11ee-9d0e-6f2b8c4d1a77",
    "file_id": "9e0b7c44-7b60-11ee-a1c7-0f4d2e6b8a13",
}  # fmt: skip

NAMING = [each for each in EVERY if "{" in each.replace("{A}", "")]
"""Operations whose paths name something."""


@dataclass
class Walk:
    """Two apps, what is kept of them, and what was found wrong."""

    ours: Furnished
    theirs: Furnished
    store: Store
    wrong: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, operation: str) -> Iterator[None]:
        """Note what is wrong with *operation*; what it did does not last."""
        try:
            yield
        except AssertionError as wrong:
            self.wrong.append(f"{operation}: {wrong}")
        finally:
            self.store.put_back()


@pytest.fixture
def walk(acme: Tenant, globex: Tenant, clock: Clock, settings: Settings) -> Iterator[Walk]:  # fmt: skip
    ours, theirs = furnish(acme, clock, CAST), furnish(globex, clock, STRANGERS)
    walk = Walk(ours, theirs, Store(settings))
    yield walk
    walk.store.close()
    assert not walk.wrong, "\n".join(walk.wrong)


def told(answer: TestResponse) -> str:
    asked = answer.request
    return f"{asked.method} {asked.path} -> {answer.status_code} {answer.text[:200]}"


def check_refused(answer: TestResponse, *statuses: int) -> None:
    """A 4xx in one of the wire's three forms."""
    assert 400 <= answer.status_code < 500, told(answer)
    assert not statuses or answer.status_code in statuses, told(answer)
    assert answer.content_type == "application/json; charset=utf-8", told(answer)
    body = answer.json
    if "desc" in body:
        assert {"desc", "timestamp", "duration"} <= set(body), told(answer)
    else:
        assert body["error"], told(answer)
        denied = answer.status_code == 401 and "/chatmessages" in answer.request.path
        assert ("error_description" in body) is not denied, told(answer)


def names_of(operation: str) -> list[str]:
    """The parameters in its path."""
    return re.findall(r"\{(\w+)\}", operation.replace("{A}", ""))


def test_the_calls_that_the_others_spoil_are_good_ones(walk: Walk) -> None:
    expected = {
        "GET {A}/chatmessages": 400,
        "GET {A}/chatmessages/{time}": 404,  # an hour without messages
    }
    for operation in EVERY:
        with walk.step(operation):
            answer = walk.ours.call(operation)
            assert answer.status_code == expected.get(operation, 200), told(answer)


def test_an_unknown_app_is_said_to_be_unknown(walk: Walk) -> None:
    for operation in EVERY:
        method, path = operation.split(" ", 1)
        with walk.step(operation):
            for key in ("acme/none", "none/chat", "ACME/chat", "acme/chat%2F", "%FF/chat"):  # fmt: skip
                target = walk.ours.fill(path.replace("{A}", f"/{key}"))
                answer = walk.ours.send(method, target, json={})
                check_refused(answer, 404)
                assert "Could not find application for " in answer.text, told(answer)
            walk.store.check_same()


def test_tokens_of_another_app_and_of_nobody_open_nothing(walk: Walk) -> None:
    theirs = walk.theirs.tenant
    tokens = (theirs.token, theirs.user_token("mallory"), walk.ours.tenant.token[:-2], "")  # fmt: skip
    for operation in EVERY:
        if operation == "POST {A}/token":
            continue  # it looks at none
        with walk.step(operation):
            for token in tokens:
                check_refused(walk.ours.call(operation, token=token), 401)
            walk.store.check_same()


def plain(answer: TestResponse, name: str) -> tuple[int, str]:
    """Status and text without what differs from call to call."""
    text = re.sub(r'"(timestamp|duration|unixtime)":\d+', "", answer.text)
    return answer.status_code, re.sub(r'"\d{15,}"', '"id"', text.replace(name, "?"))


def test_things_of_another_app_in_the_path_do_not_exist(walk: Walk) -> None:
    """By name, by id and, for users, by uuid: told as of what nobody has."""
    for operation in NAMING:
        with walk.step(operation):
            for name in set(names_of(operation)) - {"resource", "time"}:
                foreign = walk.theirs.params[name]
                pairs = [(foreign, NOTHING.get(name, "nobody"))]
                if foreign in STRANGERS:
                    pairs.append((uuid_of(walk.theirs, foreign), NOTHING["uuid"]))
                for there, nowhere in pairs:
                    answer = walk.ours.call(operation, **{name: there})
                    nothing = walk.ours.call(operation, **{name: nowhere})
                    assert plain(answer, there) == plain(nothing, nowhere)
            walk.store.check_same()


def uuid_of(app: Furnished, username: str) -> str:
    answer = app.call("GET {A}/users/{username}", username=username)
    return str(answer.json["entities"][0]["uuid"])


def places(value: object, at: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Where the branches and leaves of a body are."""
    found = [at] if at else []
    if isinstance(value, dict):
        for key, each in value.items():
            found += places(each, (*at, key))
    if isinstance(value, list):
        for n, each in enumerate(value):
            found += places(each, (*at, n))
    return found


def at_place(value: object, at: tuple[object, ...]) -> object:
    for step in at:
        value = value[step]
    return value


def replaced(value: object, at: tuple[object, ...], new: object) -> object:
    """A copy of *value* with *new* in one place."""
    if not at:
        return new
    step, *rest = at
    if isinstance(value, dict):
        return {**value, step: replaced(value[step], tuple(rest), new)}
    return [
        replaced(each, tuple(rest), new) if n == step else each
        for n, each in enumerate(value)
    ]


def test_things_of_another_app_in_the_body_do_not_exist(walk: Walk) -> None:
    for operation in BODIES:
        body, foreign = walk.ours.body(operation), walk.theirs.body(operation)
        for at in places(body):
            there = at_place(foreign, at)
            if not isinstance(there, str) or there == at_place(body, at):
                continue
            nowhere = NOBODIES.get(there) or str(int(there) + 1)
            with walk.step(operation):
                answer = sent(walk.ours, operation, replaced(body, at, there))
                walk.store.put_back()
                nothing = sent(walk.ours, operation, replaced(body, at, nowhere))
                assert plain(answer, there) == plain(nothing, nowhere)


def sent(app: Furnished, operation: str, body: object) -> TestResponse:
    method, path = operation.split(" ", 1)
    target = app.fill(path.replace("{A}", f"/{app.tenant.key}"))
    return app.send(method, target, json=body)


WRONG = (17, 10**30, -1, 1.5, True, "", "x" * 5000, "\x00", [], [[]], {}, {"a": {}})
"""A value of each type, and some that fit nothing."""


def is_told_otherwise(at: tuple[object, ...], wrong: object) -> bool:
    """Numbers among the targets of a message are read as their decimal text."""
    return at[0] in ("target", "to") and len(at) == 2 and type(wrong) is int


def test_values_of_wrong_types_are_refused(walk: Walk) -> None:
    for operation in BODIES:
        with walk.step(operation):
            check_wrong_values(walk, operation)
            walk.store.check_same()


def check_wrong_values(walk: Walk, operation: str) -> None:
    body = walk.ours.body(operation)
    for at in places(body):
        for wrong in WRONG:
            fits = type(wrong) is type(at_place(body, at))
            if not fits and not is_told_otherwise(at, wrong):
                with walk.step(f"{operation} {at} {wrong!r:.20}"):
                    check_refused(sent(walk.ours, operation, replaced(body, at, wrong)))


NO_PATHS = (
    "%2F", "a%2Fb", "..", "%2E%2E", "%2e%2e%2f%2e%2e", "%00", "a%00", "%FF", "%C0%AF",
    "%", "%zz", "%F0%9F%92%A9", "%E2%80%AE", "a%0d%0aX:%20y", ";", "x" * 4000,
    "'%20OR%201=1--", "-1", "9" * 30, "%25", "*",
)  # fmt: skip
"""What no user, group, room, file, message or hour is called."""

# Of what nobody knows these say something too: nothing is there, nothing waits.
KNOWS_NOBODY = {
    "GET {A}/metadata/user/{username}",
    "DELETE {A}/metadata/user/{username}",
    "GET {A}/users/{username}/offline_msg_status/{msg_id}",
    "GET {A}/users/{username}/disconnect/{resource}",
    "DELETE {A}/users/{username}/disconnect/{resource}",
    "GET {A}/chatgroups/{gid}/user/{username}/is_joined",
}


def test_paths_that_name_nothing_are_refused(walk: Walk) -> None:
    for operation in NAMING:
        with walk.step(operation):
            for name in names_of(operation):
                for bad in NO_PATHS:
                    answer = walk.ours.call(operation, **{name: bad})
                    if answer.status_code != 200 or operation not in KNOWS_NOBODY:
                        check_refused(answer)
            walk.store.check_same()
