"""What Schemathesis is to know of this server: two more checks, and what to leave alone.

Loaded by Schemathesis, by name; see ``configuration``.
"""

import re
from functools import cache
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import AllowHeaderMismatch

from server.demo import PEOPLE
from tests.contract import Contract, NotDescribed
from tests.openapi.town import LISTENER

SPARED = {*PEOPLE, LISTENER}
"""Who is not deleted, so that later calls meet somebody."""


@schemathesis.check
def no_fault(ctx: CheckContext, response: Response, case: Case) -> None:
    """No 5xx, but the 503 that says when to come back."""
    status = response.status_code
    busy = status == 503 and "retry-after" in response.headers
    assert status < 500 or busy, f"{case.method} {case.formatted_path}: {status}"


@cache
def _contract(document: Any) -> Contract:
    return Contract(document.raw)


class _ById:
    """A document by what it is, not by what it holds: it is large, and one."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw

    def __hash__(self) -> int:
        return id(self.raw)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.raw is self.raw


@schemathesis.check
def no_key_that_is_not_described(
    ctx: CheckContext, response: Response, case: Case
) -> None:
    """As the tests hold every answer they get: key by key, and no key more."""
    method = case.method.upper()
    if method.lower() not in case.operation.schema.raw_schema["paths"][case.path]:
        return  # another method was tried on purpose
    media = response.headers.get("content-type", [""])[0]
    body = response.json() if media.startswith("application/json") else None
    contract = _contract(_ById(case.operation.schema.raw_schema))
    try:
        contract.check(method, case.path, response.status_code, media, body)
    except NotDescribed as wrong:
        raise AssertionError(str(wrong)) from None


@schemathesis.hook
def filter_failure(
    context: HookContext, failure: Failure, case: Case, response: Response
) -> bool:
    """An address may be of two paths: ``/chatrooms/super_admin`` is a room's as well."""
    if not isinstance(failure, AllowHeaderMismatch):
        return True
    paths = case.operation.schema.raw_schema["paths"]
    described = {
        method.upper()
        for path, methods in paths.items()
        if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", path), case.formatted_path)
        for method in methods
    }
    allowed = {each.strip() for each in response.headers["allow"][0].split(",")}
    return not allowed <= described | {"HEAD", "OPTIONS"}


@schemathesis.hook
def filter_case(context: HookContext, case: Case) -> bool:
    """Leave the cast alive."""
    if case.operation.definition.raw.get("operationId") != "users.delete":
        return True
    return str(case.path_parameters.get("username")).lower() not in SPARED
