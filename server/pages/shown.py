"""One operation as its page shows it, cut out of the document programs read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from markdown_it import MarkdownIt
from markupsafe import Markup

from server import rules
from server.answers import JSON
from server.reference.document import LIMITS

Json = dict[str, Any]

_APP = ("org", "app")
_PARSER = MarkdownIt("commonmark", {"html": False})

_BOUNDS: Mapping[str, str] = {
    "maxLength": "at most {} characters",
    "maxItems": "at most {} of them",
    "minimum": "from {}",
    "maximum": "up to {}",
    "pattern": "as {}",
}


@dataclass(frozen=True)
class Field:
    """A row of a table of fields."""

    name: str
    kind: str
    needed: bool
    about: str


@dataclass(frozen=True)
class Outcome:
    """One status an operation answers with."""

    status: str
    about: str
    examples: tuple[tuple[str, str], ...]
    """Names and JSON."""


@dataclass(frozen=True)
class Limit:
    """A rule that binds an operation."""

    rule: str
    rows: tuple[tuple[str, str, str], ...]
    """Title of the edition, words, place; one row, untitled, where all are alike."""


@dataclass(frozen=True)
class Shown:
    """One operation."""

    id: str
    method: str
    path: str
    summary: str
    about: Markup
    limits: tuple[Limit, ...]
    parameters: tuple[Json, ...]
    """Besides the app's."""
    media: str | None
    """Of the body; None: it takes none."""
    fields: tuple[Field, ...]
    example: str
    """A body to begin with; empty where there is none."""
    outcomes: tuple[Outcome, ...]
    needs_token: bool
    of_app: bool


class Reader:
    """Reads operations of a document."""

    def __init__(self, told: Json) -> None:
        self._told = told

    def shown(self, path: str, method: str, operation: Json) -> Shown:
        parameters = [self._resolved(each) for each in operation["parameters"]]
        media, fields, example = self._body(operation.get("requestBody"))
        about = operation["description"].partition(f"\n\n{LIMITS}")[0]
        return Shown(
            id=operation["operationId"],
            method=method.upper(),
            path=path,
            summary=operation["summary"],
            about=Markup(_PARSER.render(about)),  # noqa: S704 (it escapes)
            limits=tuple(_limit(each) for each in operation["x-weir-limits"]),
            parameters=tuple(each for each in parameters if each["name"] not in _APP),
            media=media,
            fields=tuple(fields),
            example=example,
            outcomes=tuple(self._outcomes(operation["responses"])),
            needs_token=bool(operation["security"]),
            of_app=any(each["name"] in _APP for each in parameters),
        )

    def _resolved(self, node: Json) -> Json:
        while "$ref" in node:
            found: Any = self._told
            for step in node["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            node = found
        return node

    def _body(self, body: Json | None) -> tuple[str | None, list[Field], str]:
        if body is None:
            return None, [], ""
        ((media, content),) = body["content"].items()
        schema = content["schema"]
        if "properties" not in schema and "anyOf" in schema:
            schema = schema["anyOf"][0]  # one thing, or an array of them
        example = content.get("example", {})
        text = "&".join(f"{key}={value}" for key, value in example.items())
        if media == JSON:
            text = pretty(example)
        return media, [*self._fields(self._resolved(schema))], text

    def _fields(self, schema: Json) -> Iterator[Field]:
        needed = schema.get("required", ())
        for name, each in schema.get("properties", {}).items():
            told = self._resolved(each)
            about = [each.get("description", ""), _bounds(told)]
            said = " ".join(part for part in about if part)
            yield Field(name, self._kind(told), name in needed, said)

    def _kind(self, schema: Json) -> str:
        schema = self._resolved(schema)
        kinds = schema.get("type")
        if isinstance(kinds, list):
            return " or ".join(each for each in kinds if each != "null")
        if kinds == "array":
            return f"array of {self._kind(schema.get('items', {}))}"
        if kinds is None and "anyOf" in schema:
            told = dict.fromkeys(self._kind(each) for each in schema["anyOf"])
            return " or ".join(told)
        return kinds or ("one of" if "enum" in schema else "anything")

    def _outcomes(self, responses: Json) -> Iterator[Outcome]:
        for status, response in responses.items():
            told = self._resolved(response)
            content = told.get("content", {}).get(JSON, {})
            examples = {
                name: each["value"]
                for name, each in content.get("examples", {}).items()
            }
            if "example" in content:
                examples = {"": content["example"]}
            shown = tuple((name, pretty(each)) for name, each in examples.items())
            yield Outcome(status, told["description"], shown)


def pretty(value: object) -> str:
    """JSON for people."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _limit(limit: Json) -> Limit:
    told = {rules.EDITIONS[each]: row for each, row in limit["editions"].items()}
    return Limit(limit["rule"], rows(told))


def rows(told: Mapping[str, Json]) -> tuple[tuple[str, str, str], ...]:
    """The words and place of each edition's figure, by its title; once if all agree."""
    found = [(title, str(row["limit"]), str(row["doc"])) for title, row in told.items()]
    alike = len({row[1:] for row in found}) == 1 and len(found) == len(rules.EDITIONS)
    return (("", *found[0][1:]),) if alike else tuple(found)


def _bounds(schema: Json) -> str:
    said = [text.format(schema[key]) for key, text in _BOUNDS.items() if key in schema]
    said += [pretty(each) for each in schema.get("enum", ()) if each is not None]
    return ", ".join(said)
