"""Nothing of the reference's index is missing, and nothing is there but what is named."""

import re

from flask import Flask

from tests.wire import operations


def plain(listed: str) -> set[str]:
    """Operations without the names of their parameters."""
    lines = listed.replace("{A}", "/{}/{}").strip().splitlines()
    return {re.sub(r"\{\w*\}", "{}", line) for line in lines}


def routed(app: Flask) -> set[str]:
    """The API; the operator's own pages are no part of it."""
    return {
        f"{method} {re.sub(r'<[^>]*>', '{}', rule.rule)}"
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.startswith("console.")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def test_every_operation_of_the_reference_is_routed_and_no_other(app: Flask) -> None:
    assert routed(app) == plain(operations.SERVED) | plain(operations.OURS)


def test_what_is_not_built_is_an_unknown_path(app: Flask) -> None:
    assert routed(app) & plain(operations.NOT_BUILT) == set()
