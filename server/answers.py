"""What a call that is done answers, said beside its handler.

``envelope`` shapes the answers; a mark here says what comes out, and the tests hold
every answer they get against it. The constructors mirror those of ``envelope``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from marshmallow import Schema, fields, validate

from server.errors import Refusal

View = TypeVar("View", bound=Callable[..., Any])
Part = fields.Field[Any]
Said = str | Part | type[Schema] | list[type[Schema]]
"""A part of an answer: a text that is always the same, a field, an object, a list."""

ANSWERS = "_answers"
NEVER = "_never"

JSON = "application/json"
ANYTHING = "*/*"


@dataclass(frozen=True)
class Answer:
    """One form of answer: its media type, and of JSON its keys."""

    media: str = JSON
    parts: Mapping[str, Part] | None = None
    also: Mapping[int, str] = field(default_factory=dict)
    """Other statuses of a call that is done, and what they say."""


def answers(answer: Answer) -> Callable[[View], View]:
    """Mark a view with what it answers when it does what it is asked."""

    def mark(view: View) -> View:
        setattr(view, ANSWERS, answer)
        return view

    return mark


def never(*refusals: type[Refusal]) -> Callable[[View], View]:
    """Mark a view that cannot meet what something it calls refuses others with."""

    def mark(view: View) -> View:
        setattr(view, NEVER, frozenset(refusals))
        return view

    return mark


def text(about: str | None = None) -> Part:
    return fields.String(required=True, metadata=_about(about))


def number(about: str | None = None) -> Part:
    """A whole number."""
    return fields.Integer(required=True, metadata=_about(about))


def truth(about: str | None = None) -> Part:
    return fields.Boolean(required=True, metadata=_about(about))


def constant(value: object) -> Part:
    """What is always the same."""
    kind = fields.Boolean if isinstance(value, bool) else fields.String
    return kind(required=True, validate=validate.Equal(value))


def one_of(*values: str) -> Part:
    return fields.String(required=True, validate=validate.OneOf(values))


def texts(about: str | None = None) -> Part:
    """A list of texts."""
    return fields.List(fields.String(), required=True, metadata=_about(about))


def by_name(value: Part, about: str | None = None) -> Part:
    """An object whose keys are names that callers chose."""
    return fields.Dict(values=value, required=True, metadata=_about(about))


def maybe(said: Said) -> Part:
    """What is there only sometimes."""
    part = _part(said)
    part.required = False
    return part


class Either(Part):
    """One of several forms."""

    def __init__(self, *forms: Said) -> None:
        super().__init__(required=True)
        self.forms = [_part(each) for each in forms]


def _about(words: str | None) -> dict[str, str]:
    return {} if words is None else {"description": words}


def _part(said: Said) -> Part:
    if isinstance(said, str):
        return constant(said)
    if isinstance(said, list):
        (schema,) = said
        return fields.List(fields.Nested(schema), required=True)
    if isinstance(said, type):
        return fields.Nested(said, required=True)
    return said


def bare(**parts: Said) -> Answer:
    """JSON that has these keys and no others."""
    return Answer(parts={name: _part(each) for name, each in parts.items()})


def ok(**parts: Said) -> Answer:
    """As ``envelope.ok``."""
    return bare(
        **parts,
        timestamp=number("When the call was answered, in Unix milliseconds."),
        duration=number("How long that took, in milliseconds."),
    )


def of_app(**parts: Said) -> Answer:
    """As ``envelope.of_app``."""
    return ok(
        **parts,
        application=text("The app's uuid."),
        organization=text(),
        applicationName=text(),
    )


def data(value: Said) -> Answer:
    """As ``envelope.data``, of a plain view."""
    return ok(data=value)


def content(media: str = ANYTHING) -> Answer:
    """Bytes, of which a range may be asked for."""
    return Answer(media, also={206: "The part that was asked for."})


def events() -> Answer:
    """A stream of server-sent events, which does not end by itself."""
    return Answer("text/event-stream")


def document(media: str) -> Answer:
    """A text that stays as it is while the server runs."""
    return Answer(media, also={304: "It is as the caller has it."})


def uri() -> Part:
    return text("The address of what was called, without its query.")


def nothing() -> Part:
    """A list that is always empty."""
    return fields.List(fields.Raw(), required=True, validate=validate.Length(max=0))


def count() -> Part:
    return number("How many things the answer holds.")


def params() -> Part:
    return maybe(
        by_name(
            fields.List(fields.String()), "The query as it was sent, if there was one."
        )
    )


def cursor() -> Part:
    return maybe(text("Where the list goes on; not there on the last page."))


def number_of(value: Part) -> Answer:
    """As ``envelope.number_of``."""
    return ok(
        action="get", uri=uri(), entities=nothing(), data=by_name(value), count=count()
    )
