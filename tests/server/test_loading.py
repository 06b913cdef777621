"""Schemas narrowed to what was sent load as the whole ones do."""

from itertools import chain, combinations

import pytest
from flask import Blueprint, Flask
from marshmallow import Schema, pre_load

from server import api
from server.api.messages import NewMessage, ToUsers
from server.api.users import NewUser
from server.errors import Refusal
from server.loading import _MOST_NARROWED, Prepared, load
from server.payload import TAKES, Lenient, Text

HELLO = {"type": "txt", "msg": "hello"}
VALUES: dict[str, tuple[object, ...]] = {
    "target_type": ("users", "nobody"),
    "target": (["bob"], []),
    "msg": (HELLO, "hello"),
    "from": ("alice", ""),
    "ext": ({"a": 1}, None),
    "sync_device": (True, "perhaps"),
    "msg_timestamp": (1_700_000_000_000, -1),
    "unknown": (1, None),
}


def told(load_it) -> object:
    try:
        return load_it()
    except Refusal as refused:
        return type(refused), refused.text


@pytest.mark.parametrize("wrong", [None, *VALUES])
def test_what_was_not_sent_makes_no_difference(wrong: str | None) -> None:
    prepared, whole = Prepared(NewMessage), NewMessage()
    keys = list(VALUES)

    for sent in chain.from_iterable(combinations(keys, n) for n in range(len(keys))):
        content = {key: VALUES[key][key == wrong] for key in sent}
        found = told(lambda content=content: prepared.load(content))
        assert found == told(lambda content=content: load(whole, content)), content


def test_the_first_mistake_is_told_in_the_schemas_order() -> None:
    content = {"type": "txt", "to": [], "from": "", "body": 7}

    _, text = told(lambda: Prepared(ToUsers).load(content))

    assert text == "to must be provided"


def test_a_field_with_a_default_has_it(schema: type[Lenient]) -> None:
    assert Prepared(schema).load({}) == {"field0": "default"}


def test_a_hook_may_add_what_was_not_sent() -> None:
    class Hooked(Lenient):
        name = Text()

        @pre_load
        def rename(self, sent: dict[str, object], **_: object) -> dict[str, object]:
            return {"name": sent["old_name"]}

    assert Prepared(Hooked).load({"old_name": "ada"}) == {"name": "ada"}


def test_callers_cannot_have_more_kept_than_so_many(schema: type[Lenient]) -> None:
    prepared = Prepared(schema)
    names = [f"field{n}" for n in range(1, 11)]

    for sent in chain.from_iterable(combinations(names, n) for n in range(4)):
        content = dict.fromkeys(sent, "x")
        assert prepared.load(content) == {"field0": "default"} | content

    assert len(prepared._narrowed) == _MOST_NARROWED


@pytest.fixture
def schema() -> type[Lenient]:
    fields = {f"field{n}": Text() for n in range(1, 11)}
    return Lenient.from_dict({"field0": Text(load_default="default"), **fields})  # type: ignore[return-value]


def test_users_need_their_name() -> None:
    assert told(lambda: Prepared(NewUser).load({})) == told(lambda: load(NewUser(), {}))


def schemas() -> list[type[Schema]]:
    """Of every operation that takes a body."""
    views = (view for each in api.BLUEPRINTS for view in views_of(each))
    found = (getattr(view, TAKES, None) for view in views)
    return list(dict.fromkeys(each.schema for each in found if each is not None))


def views_of(blueprint: Blueprint) -> list[object]:
    app = Flask("alone")
    app.register_blueprint(blueprint)
    return list(app.view_functions.values())


@pytest.mark.parametrize("schema", schemas(), ids=lambda each: each.__name__)
def test_every_schema_loads_alike_with_each_field_alone(schema: type[Schema]) -> None:
    prepared, whole = Prepared(schema), schema()
    keys = [each.data_key or name for name, each in whole.load_fields.items()]

    for value in ("1", 1, None, [], ["a"], {"a": 1}, True):
        for sent in ([], keys, *([key] for key in keys)):
            content = dict.fromkeys(sent, value)
            found = told(lambda content=content: prepared.load(content))
            assert found == told(lambda content=content: load(whole, content)), content
