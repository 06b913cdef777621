"""The OpenAPI document, made by apispec from what the server itself goes by."""

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version

from apispec import APISpec
from flask import Flask
from marshmallow import Schema

from server import rules
from server.caller import Kind
from server.reference import figures, operations, refusals
from server.reference.bodies import Bodies
from server.reference.fields import Json, OurConverter, Plugin
from server.reference.operations import Operation
from server.reference.parameters import OF_EVERY_APP, in_path, parameters_of
from server.reference.responses import HEADERS, Responses

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
    for name, header in HEADERS.items():
        spec.components.header(name, header)
    for name in OF_EVERY_APP:
        spec.components.parameter(name, "path", in_path(name, name))
    writer = _Writer(spec, plugin.ours)
    for operation in told:
        spec.path(
            path=operation.path,
            operations={operation.method.lower(): writer.operation(operation)},
        )
    return spec.to_dict()


def _tags(told: Iterable[Operation]) -> Iterator[Json]:
    """The interfaces of the table, then what is outside it."""
    for interface in rules.INTERFACES:
        yield {"name": interface.title, "description": f"As {interface.source} has it."}
    outside = {each.blueprint: each for each in told if each.interface is None}
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
        self._bodies = Bodies(spec, fields)
        self._responses = Responses(spec, fields)

    def operation(self, of: Operation) -> Json:
        summary, _, rest = of.told.partition("\n\n")
        summary = " ".join(summary.split())
        told: Json = {
            "operationId": of.id,
            "tags": [of.interface.title if of.interface else _title(of.blueprint)],
            "summary": summary.partition(". ")[0].rstrip("."),
            "description": "\n\n".join(_paragraphs(of, summary, rest)),
            "parameters": [*parameters_of(of)],
            "responses": self._responses.of(of),
            "security": _security(of),
            "x-weir-limits": [figures.limit(rule) for rule in of.limits],
        }
        body = self._bodies.of(of)
        return told | ({} if body is None else {"requestBody": body})


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
            [LIMITS, "", *(f"* {figures.in_words(each)}" for each in of.limits)]
        )
