"""What an operation takes besides its body."""

from collections.abc import Iterator, Mapping

from server.reference import words
from server.reference.fields import Json
from server.reference.operations import Operation

OF_EVERY_APP = ("org", "app")
"""Parameters that nearly every path has."""


def parameters_of(of: Operation) -> Iterator[Json | str]:
    for name, own in of.names.items():
        if name in OF_EVERY_APP:
            yield name  # apispec makes a reference of it
        else:
            yield in_path(name, own)
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


def in_path(name: str, own: str) -> Json:
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
