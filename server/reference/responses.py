"""How an operation answers: done, or refused with each status it can be."""

import inspect
from collections.abc import Iterable, Iterator, Mapping

from apispec import APISpec

from server import answers
from server.answers import Answer, Part
from server.envelope import Form, form_of
from server.errors import ReachLimit, Refusal, ResourceLimited, Unavailable
from server.kinds import Bound, Calls, Membership, Quota
from server.muc_errors import JoinedTooMany
from server.reference import refusals, samples
from server.reference.fields import Json, OurConverter
from server.reference.operations import Operation

HEADERS: Mapping[str, Json] = {
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


class Responses:
    """Writes answers; what operations share goes into the components."""

    def __init__(self, spec: APISpec, fields: OurConverter) -> None:
        self._spec = spec
        self._fields = fields
        self._shared: set[str] = set()

    def of(self, of: Operation) -> Json:
        """All of them, by status."""
        return {**self._done(of), **self._refused(of)}

    def _done(self, of: Operation) -> Json:
        answer = of.answer
        if answer is None:
            return {}
        if answer.parts is None:
            return _bytes(of, answer)
        schema = self._parts(answer.parts)
        example = samples.of(schema, self._spec.components.schemas)
        content = {answers.JSON: {"schema": schema, "example": example}}
        done = {"description": "Done.", "headers": _rate_headers(of)}
        return {"200": done | {"content": content}}

    def _parts(self, parts: Mapping[str, Part]) -> Json:
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
        if name not in self._shared:
            self._shared.add(name)
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
    return _header("Retry-After") if status == Unavailable.status else {}
