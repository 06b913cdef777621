"""Refusals as the reference shows them: the schema of each form, an example of each."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from server import envelope
from server.caller import Kind
from server.envelope import Form
from server.errors import Breach, ReachLimit, Refusal, ResourceLimited, Unauthorized
from server.kinds import Bound, Calls

Json = dict[str, Any]

NOW = {"timestamp": 1_700_000_000_000, "duration": 1}

_NUMBER: Json = {"type": "integer"}
_TEXT: Json = {"type": "string"}
_ACCOUNT: Json = {
    "rule": _TEXT | {"description": "The rule of the document that refused."},
    "limit": _TEXT | {"description": "Its words."},
    "doc": _TEXT | {"description": "Where the document says them."},
    "retry_after": _NUMBER | {"description": "Seconds; as `Retry-After`."},
}
_TIMES: Json = {"timestamp": _NUMBER, "duration": _NUMBER}


def _object(required: Iterable[str], **properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": [*required]}


SCHEMAS: Mapping[Form, tuple[str, Json]] = {
    "standard": (
        "Refusal",
        _object(
            ("error", "exception", "timestamp", "duration"),
            error=_TEXT,
            exception=_TEXT,
            error_description=_TEXT,
            **_TIMES,
            **_ACCOUNT,
        ),
    ),
    "plain": (
        "PlainRefusal",
        _object(("desc", "timestamp", "duration"), desc=_TEXT, **_TIMES, **_ACCOUNT),
    ),
    "token": (
        "TokenRefusal",
        _object(("error", "error_description"), error=_TEXT, error_description=_TEXT),
    ),
}

# What the texts of refusals are filled in with.
_SAMPLES: Mapping[str, Any] = {
    "username": "ada",
    "user": "ada",
    "users": ["ada"],
    "fields": ["colour"],
    "org": "demo",
    "app": "chat",
    "rest": "users",
    "time": "2024010112",
    "app_uuid": "6f1c2a30-5b7e-11ec-9a41-0242ac130003",
    "muc_id": 66_016_455_491_585,
    "url": "http://127.0.0.1:8000/demo/chat/chatgroups/1/share_files/1",
}


def sample(refusal: type[Refusal], breach: Breach | None) -> Refusal:
    """One refusal of the kind, with what it usually comes with."""
    if refusal is Unauthorized:
        return Unauthorized.subject("get", _SAMPLES["app_uuid"], "/users")
    if refusal in (ReachLimit, ResourceLimited):
        return refusal(breach=breach, retry_after=1)
    wanted = inspect.signature(refusal).parameters
    given = {name: _SAMPLES[name] for name in wanted if name in _SAMPLES}
    if "breach" in wanted and wanted["breach"].default is inspect.Parameter.empty:
        given["breach"] = breach
    return refusal(**given)


def breach_of(rule: Calls | Bound) -> Breach | None:
    """As if a call met *rule*, in the first edition it binds."""
    if isinstance(rule, Calls):
        return rule.breach(next(iter(rule.rates)))
    stated = rule.everyone or next(iter(rule.by_edition.values()), None)
    if stated is None:
        return None
    return Breach(rule.name, stated.words, stated.source)


def example(refused: Refusal, form: Form) -> Json:
    """The body of *refused*."""
    return dict(envelope.told(refused, form, NOW))


def schema_of(bodies: Iterable[Json]) -> Json:
    """The forms that *bodies* have, and of those with an error, which."""
    forms: dict[str, set[str]] = {}
    for body in bodies:
        name = _name_of(body)
        forms.setdefault(name, set())
        if "error" in body:
            forms[name].add(body["error"])
    told = [_narrowed(name, sorted(codes)) for name, codes in forms.items()]
    return told[0] if len(told) == 1 else {"anyOf": told}


def _narrowed(name: str, codes: list[str]) -> Json:
    ref = {"$ref": f"#/components/schemas/{name}"}
    if not codes:
        return ref
    return {"allOf": [ref, {"properties": {"error": {"enum": codes}}}]}


def _name_of(body: Json) -> str:
    if "desc" in body:
        return "PlainRefusal"
    return "Refusal" if "exception" in body else "TokenRefusal"


def who(kinds: frozenset[Kind]) -> str:
    """Who may call, in words."""
    words = {
        Kind.APP: "an app token",
        Kind.USER: "a user token",
        Kind.NOBODY: "no token at all",
    }
    return " or ".join(words[kind] for kind in Kind if kind in kinds)
