"""JSON objects through marshmallow schemas, and what is wrong with one as a refusal."""

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, missing

from server.errors import IllegalArgument, Refusal

_MOST_NARROWED = 64
"""Of one schema: callers choose what they leave out, and must not fill the memory."""


def _first(messages: object) -> Iterator[Refusal]:
    """The refusals in marshmallow's messages, in the order of fields and elements."""
    if isinstance(messages, Refusal):
        yield messages
    elif isinstance(messages, Mapping):
        for inner in messages.values():
            yield from _first(inner)
    elif isinstance(messages, list):
        for inner in messages:
            yield from _first(inner)
    else:
        yield IllegalArgument(str(messages))


def load(schema: Schema, content: Mapping[str, Any]) -> dict[str, Any]:
    """*content* through *schema*.

    Raises:
        Refusal: the first one, in the order of the schema's fields. A validator raises
            ``ValidationError`` with the words, or with the refusal itself.
    """
    nulls: frozenset[str] = getattr(schema, "nulls_count", frozenset())
    present = {
        key: value
        for key, value in content.items()
        if value is not None or key in nulls
    }
    try:
        loaded: dict[str, Any] = schema.load(present)
    except ValidationError as wrong:
        raise next(_first(wrong.messages), IllegalArgument()) from None
    return loaded


class Prepared:
    """A schema, and narrower ones without the fields that callers leave out.

    marshmallow asks as much of a field that was not sent as of one that was. One that
    may be left out, and means nothing then, need not be asked.
    """

    def __init__(self, schema: type[Schema]) -> None:
        self.whole = schema()
        hooks = any(self.whole._hooks.values())  # they may look at any field, or add it
        self._optional = frozenset() if hooks else _optional(self.whole)
        self._narrowed: dict[frozenset[str], Schema] = {}

    def load(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """:func:`load`, with no more fields than were sent or must be."""
        absent = self._optional.difference(content)
        schema = self._narrowed.get(absent)
        if schema is None:
            schema = self.whole
            if len(self._narrowed) < _MOST_NARROWED:
                schema = self._narrowed[absent] = self._without(absent)
        return load(schema, content)

    def _without(self, absent: frozenset[str]) -> Schema:
        kept = [  # in their order, which is that of refusals
            name
            for name, each in self.whole.load_fields.items()
            if _key(name, each) not in absent
        ]
        return type(self.whole)(only=kept)


def _key(name: str, each: fields.Field[Any]) -> str:
    return name if each.data_key is None else each.data_key


def _optional(schema: Schema) -> frozenset[str]:
    """The keys of fields whose absence says nothing."""
    return frozenset(
        _key(name, each)
        for name, each in schema.load_fields.items()
        if not each.required and each.load_default is missing
    )
