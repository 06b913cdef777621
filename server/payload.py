"""Bodies and queries, through a marshmallow schema into keyword arguments."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar, TypeVar
from urllib.parse import parse_qsl

import orjson
from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError, fields

from server import bodies
from server.errors import (
    INVALID_REQUEST,
    IllegalArgument,
    JsonParse,
    RequestTimeout,
    TooLarge,
    UnsupportedMediaType,
)
from server.kinds import MaxBytes
from server.loading import Prepared

Result = TypeVar("Result")
View = Callable[..., Result]

READS = "_reads"
"""On a view with a body: the names of the arguments that come from it."""

TAKES = "_takes"
"""On a view with a body: what a reader of the reference is told of it."""

_FORM_TYPE = "application/x-www-form-urlencoded"
_WHOLE = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Taken:
    """A body: one object of *schema*, or an array of them as well."""

    schema: type[Schema]
    bulk: Callable[[list[Any]], None] | None = None
    """What checks the array; None: there is none."""


def takes(schema: type[Schema]) -> Callable[[View[Result]], View[Result]]:
    """Mark a view that reads its body itself, by *schema*."""

    def mark(view: View[Result]) -> View[Result]:
        setattr(view, TAKES, Taken(schema))
        return view

    return mark


class Lenient(Schema):
    """What the wire expects of every schema: unknown fields and nulls are not there."""

    nulls_count: ClassVar[frozenset[str]] = frozenset()
    """Fields in which a null is a value, and a wrong one."""

    class Meta:
        unknown = EXCLUDE


Words = dict[str, Any]
"""What a field says when it is missing, null or invalid, as marshmallow keys it."""

_WORDS: Words = dict.fromkeys(("required", "null", "invalid"), INVALID_REQUEST)


class Text(fields.String):
    """A string, refused as the wire does where the endpoint has no words of its own."""

    default_error_messages = _WORDS


class Strings(fields.List[Any]):
    """An array of strings."""

    default_error_messages = _WORDS

    def __init__(self, **options: Any) -> None:
        super().__init__(Text(), **options)


class Choice(fields.Field[Any]):
    """One of a few values, each in every spelling that clients have for it."""

    default_error_messages = _WORDS

    def __init__(
        self, spellings: Iterable[tuple[object, object]], **options: Any
    ) -> None:
        """*spellings*: what may be said, and what it means."""
        super().__init__(**options)
        # Keyed by type too: to Python 1, 1.0 and True are the same key.
        self._meant = {(type(said), said): meant for said, meant in spellings}

    @property
    def spellings(self) -> list[object]:
        """What may be said."""
        return [said for _, said in self._meant]

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if isinstance(value, str | bool | int):
            said = (type(value), value)
            if said in self._meant:
                return self._meant[said]
        raise ValidationError(INVALID_REQUEST)


def spelled(values: Mapping[int, object]) -> list[tuple[object, object]]:
    """Each number as a number and as its decimal text, with what it means."""
    return [(said, values[n]) for n in values for said in (n, str(n))]


def read_json(at_most: MaxBytes) -> Any:
    """The body as JSON.

    Raises:
        UnsupportedMediaType: it says it is something else.
        TooLarge: it is longer than *at_most*.
        JsonParse: it is not JSON, or there is none.
    """
    is_form = _check_type()
    content = read_bytes(at_most)
    if is_form and content.lstrip()[:1] not in (b"{", b"["):
        raise UnsupportedMediaType
    return parse(content)


def read_bytes(at_most: MaxBytes) -> bytes:
    """The body as sent, chunked or not.

    Raises:
        TooLarge: it is longer than *at_most*; what is beyond is never read.
        RequestTimeout: it is shorter than its head said.
        IllegalArgument: its chunks are none.
    """
    environ = request.environ
    declared = environ.get("CONTENT_LENGTH", "")
    if "HTTP_TRANSFER_ENCODING" in environ or not declared.isdecimal():
        content = bodies.read(request.stream, at_most.value + 1)
        at_most.check(len(content), TooLarge)
        return content
    length = int(declared)
    at_most.check(length, TooLarge)
    content = bodies.read(environ["wsgi.input"], length)
    if len(content) < length:
        raise RequestTimeout
    return content


def parse(content: bytes) -> Any:
    """
    Raises:
        JsonParse: not JSON as RFC 8259 has it. NaN, lone surrogates, bytes that are
            not UTF-8 and nesting beyond 1,024 are not either.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as wrong:
        raise JsonParse(_where(wrong)) from None


def _where(wrong: orjson.JSONDecodeError) -> str:
    place = f"line: {wrong.lineno}, column: {wrong.colno}"
    if wrong.pos < len(wrong.doc):
        found = wrong.doc[wrong.pos]
        unexpected = f"Unexpected character ('{found}' (code {ord(found)}))"
        return f"{unexpected}: {wrong.msg}; {place}"
    return f"Unexpected end-of-input: {wrong.msg}; {place}"


def _check_type() -> bool:
    """Whether the body is labelled as a form, as clients with no opinion label JSON."""
    stated = request.environ.get("CONTENT_TYPE", "")
    label = stated.partition(";")[0].strip().lower()
    if label in ("", "application/json"):
        return False
    if label == _FORM_TYPE:
        return True
    if not request.content_length and "HTTP_TRANSFER_ENCODING" not in request.environ:
        return False  # no body: that is an invalid one, whatever its type
    raise UnsupportedMediaType


def body(
    schema: type[Schema], *, at_most: MaxBytes
) -> Callable[[View[Result]], View[Result]]:
    """Hand the fields of a JSON object to the view as keyword arguments."""
    prepared = Prepared(schema)

    def decorate(view: View[Result]) -> View[Result]:
        @wraps(view)
        def with_body(**arguments: Any) -> Result:
            content = read_json(at_most)
            if not isinstance(content, dict):
                raise IllegalArgument(INVALID_REQUEST)
            return view(**arguments, **prepared.load(content))

        setattr(with_body, READS, frozenset(prepared.whole.load_fields))
        return takes(schema)(with_body)

    return decorate


def body_or_bulk(
    schema: type[Schema],
    *,
    name: str,
    at_most: MaxBytes,
    check: Callable[[list[Any]], None],
) -> Callable[[View[Result]], View[Result]]:
    """Hand one object, or each of an array, to the view as the list *name*.

    *check* may refuse the array before its elements are looked at.
    """
    prepared = Prepared(schema)

    def decorate(view: View[Result]) -> View[Result]:
        @wraps(view)
        def with_body(**arguments: Any) -> Result:
            content = read_json(at_most)
            elements = content if isinstance(content, list) else [content]
            check(elements)
            if not elements or not all(isinstance(each, dict) for each in elements):
                raise IllegalArgument(INVALID_REQUEST)
            loaded = [prepared.load(each) for each in elements]
            return view(**arguments, **{name: loaded})

        setattr(with_body, READS, frozenset({name}))
        setattr(with_body, TAKES, Taken(schema, check))
        return with_body

    return decorate


def form(*, at_most: MaxBytes) -> dict[str, str]:
    """The pairs of a form body; the last of a repeated key wins.

    Raises:
        UnsupportedMediaType: it is not a form.
        TooLarge: it is longer than *at_most*.
        IllegalArgument: it is not UTF-8.
    """
    if request.mimetype != _FORM_TYPE:
        raise UnsupportedMediaType
    content = read_bytes(at_most)
    try:
        pairs = parse_qsl(
            content.decode(),
            keep_blank_values=True,
            errors="strict",
        )
    except ValueError:  # a UnicodeDecodeError is one
        raise IllegalArgument(INVALID_REQUEST) from None
    return dict(pairs)


def whole(name: str) -> int | None:
    """A whole number of the query; None when absent or no number, as clients send."""
    text = request.args.get(name, "")
    return int(text) if _WHOLE.fullmatch(text) else None


def whole_in_any_case(name: str) -> int | None:
    """:func:`whole`, of a name that clients write in several cases."""
    spelled = (each for each in request.args if each.lower() == name.lower())
    return whole(next(spelled, name))


SWITCH = (
    (True, True),
    (False, False),
    ("true", True),
    ("false", False),
    *spelled({0: False, 1: True}),
)
"""How clients say yes and no."""
