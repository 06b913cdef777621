"""The OpenAPI document, made by apispec from what the server itself goes by."""

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version

from apispec import APISpec
from flask import Flask
from marshmallow import Schema

from server import answers, rules
from server.answers import Answer, Part
from server.caller import Kind
from server.envelope import Form, form_of
from server.errors import ReachLimit, Refusal, ResourceLimited
from server.kinds import Bound, Calls, MaxItems, Membership, Quota
from server.muc_errors import JoinedTooMany
from server.reference import operations, refusals, samples, words
from server.reference.fields import Json, OurConverter, Plugin, highest
from server.reference.operations import Operation
from server.reference.reach import reach

ABOUT = """\
The published Platform API of Hyphenate / Easemob Chat, as this server speaks it.

Every limit is compiled from one document; each operation names the lines of it that
bind it, in `x-weir-limits` and in words. A call that meets one is answered with the
rule, its words and its line.

A body of JSON may also come as `application/x-www-form-urlencoded`, as clients with no
opinion label it. In a body, a field that is null is as good as absent, and fields that
nobody knows are passed over, but where it says otherwise.
"""

_SCHEMES: Mapping[Kind, tuple[str, str]] = {
    Kind.APP: ("appToken", "An app token: `POST /{org}/{app}/token` with the secret."),
    Kind.USER: ("userToken", "A user's own token: the same with name and password."),
}
LIMITS = "Limits:"
"""What begins the last paragraph of a description, where there is one."""
_OF_EVERY_APP = ("org", "app")


def build(app: Flask, server_url: str) -> Json:
    """The document for callers who reach the server at *server_url*."""
    told = operations.every(app)
    plugin = Plugin(schema_name_resolver=_Names())
    spec = APISpec(
        title="Weir",
        version=version("weir"),
        openapi_version="3.1.0",
        info={"description": ABOUT},
        servers=[{"url": server_url}],
        tags=list(_tags(told)),
        plugins=[plugin],
    )
    for name, about in _SCHEMES.values():
        scheme = {"type": "http", "scheme": "bearer", "description": about}
        spec.components.security_scheme(name, scheme)
    for name, schema in refusals.SCHEMAS.values():
        spec.components.schema(name, schema)
    for name, header in _HEADERS.items():
        spec.components.header(name, header)
    for name in _OF_EVERY_APP:
        spec.components.parameter(name, "path", _in_path(name, name))
    writer = _Writer(spec, plugin.ours)
    for operation in told:
        spec.path(
            path=operation.path,
            operations={operation.method.lower(): writer.operation(operation)},
        )
    return spec.to_dict()


_HEADERS: Mapping[str, Json] = {
    "RateLimit-Policy": {
        "description": "Each rate that binds the call: its figure and its window.",
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "What is left of each, and in how many seconds more comes.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "After how many seconds to call again.",
        "schema": {"type": "integer", "minimum": 1},
    },
}


def _header(name: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"}}


def _tags(told: Iterable[Operation]) -> Iterator[Json]:
    """The interfaces of the table, then what is outside it."""
    for interface in rules.INTERFACES:
        yield {"name": interface.title, "description": f"As {interface.source} has it."}
    outside = {
        each.endpoint.partition(".")[0]: each for each in told if not each.interface
    }
    for blueprint, operation in outside.items():
        module = sys.modules[inspect.unwrap(operation.view).__module__]
        yield {"name": _title(blueprint), "description": inspect.getdoc(module) or ""}


def _title(blueprint: str) -> str:
    return blueprint.replace("_", " ").capitalize()


class _Names:
    """Names schemas by their class; what two modules call the same, by both."""

    def __init__(self) -> None:
        known = [each for each in _subclasses(Schema) if _is_ours(each)]
        names = [each.__name__ for each in known]
        self._twice = {name for name in names if names.count(name) > 1}

    def __call__(self, schema: type[Schema] | Schema) -> str:
        kind = schema if isinstance(schema, type) else type(schema)
        if kind.__name__ not in self._twice:
            return kind.__name__
        family = kind.__module__.rpartition(".")[2].partition("_")[0]
        return family.capitalize() + kind.__name__


def _is_ours(schema: type[Schema]) -> bool:
    return schema.__module__.startswith("server.api.")


def _subclasses(of: type[Schema]) -> Iterator[type[Schema]]:
    for each in of.__subclasses__():
        yield each
        yield from _subclasses(each)


class _Writer:
    """Writes operations; what they share goes into the components."""

    def __init__(self, spec: APISpec, fields: OurConverter) -> None:
        self._spec = spec
        self._fields = fields
        self._responses: set[str] = set()

    @property
    def _schemas(self) -> Mapping[str, Json]:
        schemas: Mapping[str, Json] = self._spec.components.schemas
        return schemas

    def operation(self, of: Operation) -> Json:
        summary, _, rest = of.told.partition("\n\n")
        summary = " ".join(summary.split())
        title = (
            of.interface.title if of.interface else _title(of.endpoint.split(".")[0])
        )
        told: Json = {
            "operationId": of.id,
            "tags": [title],
            "summary": summary.partition(". ")[0].rstrip("."),
            "description": "\n\n".join(_paragraphs(of, summary, rest)),
            "parameters": [*_parameters(of)],
            "responses": {**self._answers(of), **self._refused(of)},
            "security": _security(of),
            "x-weir-limits": [_limit(rule) for rule in of.limits],
        }
        body = self._body(of)
        return told | ({} if body is None else {"requestBody": body})

    def _body(self, of: Operation) -> Json | None:
        if of.takes is not None:
            return self._json_body(of)
        if of.takes_form:
            pairs = {"type": "object", "additionalProperties": {"type": "string"}}
            example = {"mail": "ada@example.org"}
            return _content(
                "application/x-www-form-urlencoded", pairs, example, required=True
            )
        if of.takes_file:
            return _content("multipart/form-data", _FILE, None, required=True)
        return None

    def _json_body(self, of: Operation) -> Json:
        taken = of.takes
        assert taken is not None  # noqa: S101 (for mypy)
        schema: Json = self._fields.nested(taken.schema)
        if taken.bulk is not None:
            most = {
                key: figure
                for rule in reach(taken.bulk).rules.values()
                if isinstance(rule, MaxItems)
                for key, figure in [("maxItems", highest(rule))]
            }
            many = {"type": "array", "items": schema, "minItems": 1, **most}
            schema = {"anyOf": [schema, many]}
        example = samples.of(schema, self._schemas, asked=True)
        return _content(answers.JSON, schema, example, required=True)

    def _answers(self, of: Operation) -> Json:
        answer = of.answer
        if answer is None:
            return {}
        if answer.parts is None:
            return _bytes(of, answer)
        schema = self._parts(answer)
        return {
            "200": {
                "description": "Done.",
                "headers": _rate_headers(of),
                "content": {
                    answers.JSON: {
                        "schema": schema,
                        "example": samples.of(schema, self._schemas),
                    }
                },
            }
        }

    def _parts(self, answer: Answer) -> Json:
        parts: Mapping[str, Part] = answer.parts or {}
        return {
            "type": "object",
            "properties": {
                name: self._fields.field2property(part) for name, part in parts.items()
            },
            "required": [name for name, part in parts.items() if part.required],
        }

    def _refused(self, of: Operation) -> Json:
        by_status: dict[int, list[type[Refusal]]] = {}
        for refusal in of.refusals:
            by_status.setdefault(refusal.status, []).append(refusal)
        return {
            str(status): self._response(of, status, classes)
            for status, classes in sorted(by_status.items())
        }

    def _response(
        self, of: Operation, status: int, classes: list[type[Refusal]]
    ) -> Json:
        """A reference to the answer that some refusals of one status have."""
        form = form_of(of.endpoint, of.view)
        own = [] if form == "standard" or classes == [ReachLimit] else [form]
        name = "-".join([str(status), *own, *(each.__name__ for each in classes)])
        bodies = {each.__name__: _example(of, each, form) for each in classes}
        name = "-".join([name, *dict.fromkeys(_rules_named(bodies.values()))])
        if name not in self._responses:
            self._responses.add(name)
            self._spec.components.response(
                name,
                {
                    "description": " ".join(_first_line(each) for each in classes),
                    "headers": _headers_of(of, status),
                    "content": {
                        answers.JSON: {
                            "schema": refusals.schema_of(bodies.values()),
                            "examples": {
                                each: {"value": body} for each, body in bodies.items()
                            },
                        }
                    },
                },
            )
        return {"$ref": f"#/components/responses/{name}"}


def _bytes(of: Operation, answer: Answer) -> Json:
    content = {answer.media: Json()}
    told: Json = {"200": {"description": "Done.", "content": content}}
    for status, about in answer.also.items():
        told[str(status)] = {"description": about}
        if status != 304:
            told[str(status)]["content"] = content
    for each in told.values():
        each["headers"] = _rate_headers(of)
    return told


def _first_line(refusal: type[Refusal]) -> str:
    return (inspect.getdoc(refusal) or "").partition("\n")[0]


_MET_WITH: Mapping[type[Refusal], tuple[type[Calls | Bound], ...]] = {
    ReachLimit: (Calls,),
    ResourceLimited: (Quota, Membership),
    JoinedTooMany: (Membership,),
}
"""Refusals that always name a rule, and the kinds of rule it may be."""


def _example(of: Operation, refusal: type[Refusal], form: Form) -> Json:
    """A refusal of *of*, by the rule it would be."""
    kinds = _MET_WITH.get(refusal, ())
    met = next((rule for rule in of.limits if isinstance(rule, kinds)), None)
    breach = None if met is None else refusals.breach_of(met)
    return refusals.example(refusals.sample(refusal, breach), form)


def _rules_named(bodies: Iterable[Json]) -> Iterator[str]:
    for body in bodies:
        if "rule" in body:
            yield body["rule"]


def _rate_headers(of: Operation) -> Json:
    if not any(isinstance(rule, Calls) for rule in of.limits):
        return {}
    return _header("RateLimit-Policy") | _header("RateLimit")


def _headers_of(of: Operation, status: int) -> Json:
    if status == ReachLimit.status:
        return _rate_headers(of) | _header("Retry-After")
    return _header("Retry-After") if status == 503 else {}


_FILE: Json = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "contentMediaType": "application/octet-stream"},
        "filename": {"type": "string", "description": "If the file's part has none."},
    },
    "required": ["file"],
}


def _content(media: str, schema: Json, example: object, *, required: bool) -> Json:
    told = {"schema": schema} | ({} if example is None else {"example": example})
    return {"required": required, "content": {media: told}}


def _parameters(of: Operation) -> Iterator[Json | str]:
    for name, own in of.names.items():
        if name in _OF_EVERY_APP:
            yield name  # apispec makes a reference of it
        else:
            yield _in_path(name, own)
    for name, kind in of.reach.query.items():
        yield {
            "name": name,
            "in": "query",
            "required": name in words.NEEDED,
            "description": words.QUERY[name],
            "schema": _QUERY_KINDS[kind],
        }
    for name in of.reach.headers:
        if name not in words.UNDESCRIBED_HEADERS:
            yield {
                "name": name,
                "in": "header",
                "description": words.HEADERS[name],
                "schema": {"type": "string"},
            }


def _in_path(name: str, own: str) -> Json:
    """*own*: what the operation itself calls it."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": words.PATH[own],
        "schema": {"type": "string", "minLength": 1},
    }


_QUERY_KINDS: Mapping[str, Json] = {
    # What is no number is as good as nothing: clients send it.
    "whole": {"type": ["integer", "string"]},
    "flag": {"type": "string"},
    "text": {"type": "string"},
}


def _security(of: Operation) -> list[Json]:
    if of.opened is None or of.opened.kinds == {Kind.NOBODY}:
        return []
    told: list[Json] = [
        {name: []} for kind, (name, _) in _SCHEMES.items() if kind in of.opened.kinds
    ]
    return [*told, *([{}] if Kind.NOBODY in of.opened.kinds else [])]


def _paragraphs(of: Operation, summary: str, rest: str) -> Iterator[str]:
    yield summary
    if rest:
        yield rest
    if of.opened is not None:
        condition = f" {of.opened.condition}" if of.opened.condition else ""
        yield f"Open to {refusals.who(of.opened.kinds)}.{condition}"
    if of.limits:
        yield "\n".join(
            ["Limits:", "", *(f"* {_in_words(each)}" for each in of.limits)]
        )


def _editions(rule: Calls | Bound) -> dict[str, Json]:
    told = {edition: rule.told(edition) for edition in rules.EDITIONS}
    return {edition: each for edition, each in told.items() if each is not None}


def _limit(rule: Calls | Bound) -> Json:
    scope = {"scope": rule.scope} if isinstance(rule, Calls) else {}
    return {
        "rule": rule.name,
        "kind": rule.kind,
        **scope,
        "editions": _editions(rule),
    }


def _in_words(rule: Calls | Bound) -> str:
    """`users.calls`: the words of each edition, and where they stand."""
    by_words: dict[tuple[str, str], list[str]] = {}
    for edition, told in _editions(rule).items():
        by_words.setdefault((told["limit"], told["doc"]), []).append(edition)
    said = []
    for (limit, doc), editions in by_words.items():
        for_all = len(editions) == len(rules.EDITIONS)
        whom = "" if for_all or _names(limit, editions) else _titles(editions)
        said.append(f"{limit}{whom} ({doc})")
    return f"`{rule.name}`: {'; '.join(said)}"


def _titles(editions: list[str]) -> str:
    return ", " + " and ".join(rules.EDITIONS[each] for each in editions)


def _names(words: str, editions: list[str]) -> bool:
    """Whether the words say themselves whom they bind."""
    return all(rules.EDITIONS[each].lower() in words.lower() for each in editions)
