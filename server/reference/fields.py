"""Fields as JSON Schema, where apispec cannot know: our own, and nulls."""

from collections.abc import Mapping
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields, validate

from server.answers import Either
from server.api import (
    message_bodies,
    message_recall,
    messages,
    muc_fields,
    offline_stream,
    tokens,
)
from server.kinds import Bound, MaxItems, MaxLength, Validator
from server.payload import Choice, Lenient
from server.rules import EDITIONS
from server.rules import messages as rules

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_LAST_INTEGER = (1 << 63) - 1
"""Beyond it a number of JSON is read as one with a fraction."""


def highest(rule: Bound) -> int | None:
    """The largest figure of any edition; None: some edition has none."""
    told = [rule.stated(edition) for edition in EDITIONS]
    figures = [each.value for each in told if each is not None]
    return max(figures) if len(figures) == len(told) else None


def _ours(self: OpenAPIConverter, field: fields.Field[Any], **_: Any) -> Json:
    """The fields that the server defines."""
    if isinstance(field, Choice):
        return {"enum": field.spellings}
    if isinstance(field, offline_stream.MessageId):
        id_ = _TEXT | {"pattern": "^[1-9][0-9]{0,18}$"}
        return {"anyOf": [id_, {"type": "integer", "minimum": 1}]}
    if isinstance(field, messages.Targets):
        name = {"anyOf": [_TEXT | {"minLength": 1}, {"type": "integer"}]}
        return {"type": "array", "items": name, "minItems": 1}
    if isinstance(field, muc_fields.Names):
        some = {"contains": _TEXT | {"pattern": r"\S"}} if field.required else {}
        return {"type": "array", "items": _TEXT, **some}
    if isinstance(field, muc_fields.Duration):
        number: Json = {"type": "integer", "maximum": _LAST_INTEGER}
        number["anyOf"] = [{"const": -1}, {"minimum": 1}]
        digits = _TEXT | {"pattern": "^(-1|[1-9][0-9]{0,17})$"}
        return {"anyOf": [number, digits]}
    if isinstance(field, muc_fields.Capacity):
        most = highest(field.at_most)
        return {"minimum": 1} | ({} if most is None else {"maximum": most})
    if isinstance(field, Either):
        return {"anyOf": [self.field2property(each) for each in field.forms]}
    return {}


def _bounds(_: OpenAPIConverter, field: fields.Field[Any], **__: Any) -> Json:
    """What the validators hold a field to, as far as the rules and patterns say."""
    found: Json = {}
    for check in field.validators:
        if isinstance(check, Validator):
            key = {MaxLength: "maxLength", MaxItems: "maxItems"}[type(check.rule)]
            most = highest(check.rule)
            if most is not None:
                found[key] = most
        elif isinstance(check, validate.Regexp):
            found["pattern"] = "^" + str(check.regex.pattern).replace(r"\Z", "$")
    return found


def _nulls(_: OpenAPIConverter, field: fields.Field[Any], ret: Json) -> Json:
    """A null in a request is as good as nothing: fine where the field is not needed."""
    schema = field.parent
    if not isinstance(schema, Lenient) or field.required:
        return {}
    if field.name in schema.nulls_count or field.data_key in schema.nulls_count:
        return {}
    found: Json = {"enum": [*ret["enum"], None]} if "enum" in ret else {}
    kinds = ret.get("type")
    if kinds is not None:  # else anything goes
        found["type"] = [*([kinds] if isinstance(kinds, str) else kinds), "null"]
    return found


def _no_default(_: OpenAPIConverter, field: fields.Field[Any], ret: Json) -> Json:
    """An empty default says little."""
    del field
    if ret.get("default") in ("", []):
        ret.pop("default")
    return {}


class OurConverter(OpenAPIConverter):
    """Our schemas, where their fields one by one do not say all."""

    def schema2jsonschema(self, schema: Schema) -> Json:
        found: Json = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]  # apispec's
        # Answers may hold more one day, and what is not known in a body is passed over.
        found.pop("additionalProperties", None)
        if isinstance(schema, muc_fields.Changes):
            found |= _changes(schema, found["properties"])
        elif isinstance(schema, tokens.TokenRequest):
            found |= _grants()
        elif isinstance(schema, messages.NewMessage):
            found["properties"]["msg"] = {"anyOf": [*map(_message, KINDS)]}
        elif isinstance(schema, messages.Flat):
            found["anyOf"] = [*map(_flat, KINDS)]
        elif isinstance(schema, message_recall.Withdrawals):
            each = self.nested(message_recall.Withdrawal)
            found["properties"]["msgs"]["items"] = each
        return found

    def nested(self, schema: type[Schema]) -> Json:
        """A reference to *schema* among the components."""
        found: Json = self.resolve_nested_schema(schema)  # type: ignore[no-untyped-call]  # apispec's
        return found


class Plugin(MarshmallowPlugin):
    """apispec's, with what only this server knows."""

    Converter = OurConverter

    def init_spec(self, spec: APISpec) -> None:
        super().init_spec(spec)
        for function in (_ours, _bounds, _nulls, _no_default):
            self.ours.add_attribute_function(function)  # type: ignore[no-untyped-call]  # apispec's

    @property
    def ours(self) -> OurConverter:
        """The converter, which is there once the plugin is part of a document."""
        if not isinstance(self.converter, OurConverter):
            message = "the plugin is part of no document yet"
            raise TypeError(message)
        return self.converter


def _changes(schema: muc_fields.Changes, properties: Json) -> Json:
    """Only what can be changed, something, and a new owner by itself."""
    for name, others in schema.aliases.items():
        properties |= dict.fromkeys(others, properties[name])
    properties |= {name: {} for name in sorted(schema.tolerated)}
    alone = ["newowner", *sorted(schema.tolerated)]
    return {
        "additionalProperties": False,
        "not": {"additionalProperties": {"type": "null"}},  # nothing, that is
        "if": {"required": ["newowner"]},
        "then": {"propertyNames": {"enum": alone}},
    }


def _grants() -> Json:
    """Each grant needs fields of its own."""
    return {
        "required": ["grant_type"],
        "anyOf": [
            {"properties": {"grant_type": {"const": grant}}, "required": list(needs)}
            for grant, needs in tokens.NEEDS.items()
        ],
    }


KINDS = tuple(message_bodies.NEEDS)

_CHECKED: Mapping[message_bodies.Check, Json] = {
    message_bodies.text: _TEXT,
    message_bodies.natural: {"type": "integer", "minimum": 0},
    message_bodies.degrees: {"type": ["string", "number"]},
}


def _content(kind: str) -> tuple[Json, list[str]]:
    """What a message of *kind* is made of, besides its type."""
    needs = message_bodies.NEEDS[kind]
    properties: Json = {name: _CHECKED[check] for name, check in needs}
    if kind == "custom":
        properties["customEvent"] = _TEXT | {
            "pattern": f"^{message_bodies.EVENT.pattern}$",
            "maxLength": highest(rules.CUSTOM_EVENT),
        }
        properties["customExts"] = {
            "type": ["object", "null"],
            "additionalProperties": {"type": ["string", "boolean", "number"]},
            "maxProperties": highest(rules.CUSTOM_EXTENSIONS),
        }
    return properties, [name for name, _ in needs]


def _names_of(kind: str) -> Json:
    also = [said for said, meant in message_bodies.ALIASES.items() if meant == kind]
    return {"enum": [kind, *also]}


def _message(kind: str) -> Json:
    properties, needed = _content(kind)
    return {
        "title": kind,
        "type": "object",
        "properties": {"type": _names_of(kind), **properties},
        "required": ["type", *needed],
    }


def _flat(kind: str) -> Json:
    properties, needed = _content(kind)
    body = {"type": "object", "properties": properties, "required": needed}
    return {"title": kind, "properties": {"type": _names_of(kind), "body": body}}
