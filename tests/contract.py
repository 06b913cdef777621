"""Holds answers against the document that describes them, key by key."""

import json
from functools import cache
from typing import Any

import jsonschema
from flask import Flask, Response, request

from server.reference import document

Json = dict[str, Any]


class NotDescribed(AssertionError):
    """An answer the document knows nothing of."""


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
    named = isinstance(told.get("properties"), dict) and "type" in told
    if named and not open_here:
        told.setdefault("additionalProperties", False)
    return told


class Contract:
    """The document of one app, ready to be asked."""

    def __init__(self, told: Json) -> None:
        self.told = told
        self.closed = closed(told)
        self._validators: dict[tuple[str, str, str], Any] = {}
        self.seen: set[tuple[str, str, str]] = set()
        """Operation id, status, error."""

    def operation(self, path: str, method: str) -> Json:
        found = self.told["paths"].get(path, {}).get(method.lower())
        if found is None:
            message = f"{method} {path} is not in the document"
            raise NotDescribed(message)
        return found

    def check(self, path: str, method: str, status: int, media: str, body: Any) -> None:
        """Raises NotDescribed where the document does not have this answer."""
        operation = self.operation(path, method)
        key = (path, method.lower(), str(status))
        where = f"{method} {path} answered {status}: {body}"
        if key not in self._validators:
            if str(status) not in operation["responses"]:
                raise NotDescribed(f"{where}: no such status")
            self._validators[key] = self._validator(*key)
        validator = self._validators[key]
        if validator is None:
            return
        if not media.startswith("application/json"):
            raise NotDescribed(f"{where}: as {media}")
        self.seen.add((operation["operationId"], str(status), body.get("error", "")))
        try:
            validator.validate(body)
        except jsonschema.ValidationError as wrong:
            raise NotDescribed(
                f"{where}: {wrong.message} at {wrong.json_path}"
            ) from None

    def _validator(self, path: str, method: str, status: str) -> Any:
        answer = self.closed["paths"][path][method]["responses"][status]
        if "$ref" in answer:
            answer = self.closed["components"]["responses"][
                answer["$ref"].split("/")[-1]
            ]
        if "application/json" not in answer["content"]:
            return None
        schema = answer["content"]["application/json"]["schema"]
        whole = {"components": self.closed["components"], **schema}
        return jsonschema.Draft202012Validator(whole)


@cache
def _of_every_app() -> dict[str, Contract]:
    return {}


def of(app: Flask) -> Contract:
    """The contract of *app*: of every app the same, as all have the same routes."""
    known = _of_every_app()
    if "" not in known:
        known[""] = Contract(document.build(app, "/"))
    return known[""]


def shape(path: str) -> str:
    """A path of the document without the names of its parameters."""
    parts = path.replace("<", "{").replace(">", "}").split("{")
    return "{}".join([parts[0], *(part.partition("}")[2] for part in parts[1:])])


def watch(app: Flask) -> None:
    """Check every answer that *app* gives from now on."""
    contract = of(app)
    paths = {shape(path): path for path in contract.told["paths"]}

    @app.after_request
    def check(response: Response) -> Response:
        route = request.url_rule
        asked = request.method in ("GET", "POST", "PUT", "DELETE")
        if route is None or not asked or response.status_code >= 500:
            return response
        path = paths.get(shape(route.rule))
        if path is None:
            return response
        streamed = response.is_streamed or not response.mimetype.endswith("json")
        body = {} if streamed else json.loads(response.get_data())
        contract.check(
            path, request.method, response.status_code, response.mimetype, body
        )
        return response
