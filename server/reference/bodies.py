"""What an operation takes as its body."""

from apispec import APISpec

from server.answers import JSON
from server.kinds import MaxItems
from server.payload import Taken
from server.reference import samples, words
from server.reference.fields import Json, OurConverter, highest
from server.reference.operations import Operation
from server.reference.reach import reach

_TEXT: Json = {"type": "string"}


class Bodies:
    """Writes bodies; their schemas go into the components."""

    def __init__(self, spec: APISpec, fields: OurConverter) -> None:
        self._spec = spec
        self._fields = fields

    def of(self, of: Operation) -> Json | None:
        """None: it takes none, and ignores what comes."""
        if of.takes is not None:
            return self._json(of.takes)
        if of.takes_form:
            pairs = {"type": "object", "additionalProperties": _TEXT}
            example = {"mail": "ada@example.org"}
            return _content("application/x-www-form-urlencoded", pairs, example)
        if of.takes_file:
            return _content("multipart/form-data", _file(of), None)
        return None

    def _json(self, taken: Taken) -> Json:
        schema = self._fields.nested(taken.schema)
        if taken.bulk is not None:
            schema = {"anyOf": [schema, _many(schema, taken)]}
        schemas = self._spec.components.schemas
        return _content(JSON, schema, samples.of(schema, schemas, asked=True))


def _many(schema: Json, taken: Taken) -> Json:
    many: Json = {"type": "array", "items": schema, "minItems": 1}
    for rule in reach(taken.bulk).rules.values():
        most = highest(rule) if isinstance(rule, MaxItems) else None
        if most is not None:
            many["maxItems"] = most
    return many


def _file(of: Operation) -> Json:
    """A file, and what may be said beside it."""
    beside = {
        name: _TEXT | {"description": words.PARTS[name]} for name in of.reach.parts
    }
    content = {"type": "string", "contentMediaType": "application/octet-stream"}
    return {
        "type": "object",
        "properties": {"file": content, **beside},
        "required": ["file"],
    }


def _content(media: str, schema: Json, example: object) -> Json:
    told = {"schema": schema} | ({} if example is None else {"example": example})
    return {"required": True, "content": {media: told}}
