"""Holds answers against the document that describes them, key by key."""

import json
import re
from functools import cache
from typing import Any

import jsonschema
from flask import Flask, Response, request

from server.reference import document

Json = dict[str, Any]

METHODS = ("GET", "POST", "PUT", "DELETE")
_PARAMETER = re.compile(r"<[^<>]*>|\{[^{}]*\}")


class NotDescribed(AssertionError):
    """An answer the document knows nothing of."""


def shape(path: str) -> str:
    """A path without the names of its parameters, as Flask or OpenAPI writes it."""
    return _PARAMETER.sub("{}", path)


def closed(schema: Any, *, open_here: bool = False) -> Any:
    """*schema* with no key allowed that it does not name."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    told = {
        key: [closed(each, open_here=True) for each in value]
        if key == "allOf"
        else closed(value)
        for key, value in schema.items()
        if key not in ("example", "examples")
    }
    if told.get("type") == "object" and "properties" in told and not open_here:
        told.setdefault("additionalProperties", False)
    return told


class Contract:
    """A document, ready to be held against."""

    def __init__(self, told: Json) -> None:
        self.told = told
        self._closed = closed(told)
        self._paths = {shape(path): path for path in told["paths"]}
        self._validators: dict[tuple[str, str, str], Any] = {}

    def check(
        self, method: str, path: str, status: int, media: str, body: object
    ) -> None:
        """Hold one answer to a call of *path*, a template by any names.

        Raises:
            NotDescribed: the document does not have it.
        """
        told = self._paths.get(shape(path), "")
        key = (told, method.lower(), str(status))
        where = f"{method} {path} answered {status}: {body}"
        if key not in self._validators:
            self._validators[key] = self._validator(*key, where)
        validator = self._validators[key]
        if validator is None:  # bytes
            return
        if not media.startswith("application/json"):
            message = f"{where}: as {media}"
            raise NotDescribed(message)
        wrong = jsonschema.exceptions.best_match(validator.iter_errors(body))
        if wrong is not None:
            message = f"{where}: {wrong.message} at {wrong.json_path}"
            raise NotDescribed(message)

    def _validator(self, path: str, method: str, status: str, where: str) -> Any:
        operation = self._closed["paths"].get(path, {}).get(method)
        if operation is None or status not in operation["responses"]:
            raise NotDescribed(where)
        answer = operation["responses"][status]
        if "$ref" in answer:
            name = answer["$ref"].rpartition("/")[2]
            answer = self._closed["components"]["responses"][name]
        content = answer.get("content", {}).get("application/json", {})
        if "schema" not in content:
            return None
        whole = {"components": self._closed["components"], **content["schema"]}
        return jsonschema.Draft202012Validator(whole)


_known: list[Contract] = []


def of(app: Flask) -> Contract:
    """The contract of *app*: of every app the same, as all have the same routes."""
    if not _known:
        _known.append(Contract(document.build(app, "/")))
    return _known[0]


@cache
def _is_described(route: str) -> bool:
    return any(shape(route) == shape(path) for path in _known[0].told["paths"])


def watch(app: Flask) -> None:
    """Hold every answer that *app* gives from now on, but its faults, to the document.

    An answer that is not in it becomes a fault itself.
    """
    contract = of(app)

    @app.after_request
    def check(response: Response) -> Response:
        route = request.url_rule
        if route is None or request.method not in METHODS:
            return response
        if response.status_code == 500 or not _is_described(route.rule):
            return response
        content = None
        if response.mimetype == "application/json" and not response.is_streamed:
            content = json.loads(response.get_data())
        contract.check(
            request.method,
            route.rule,
            response.status_code,
            response.mimetype,
            content,
        )
        return response
