"""The operations of the document: each route and method, with all its marks say."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from server import limiting, payload, rules, uploads
from server.answers import ANSWERS, NEVER, Answer
from server.auth import Opened, opened
from server.errors import AppNotFound, ReachLimit, Refusal, Unavailable
from server.kinds import Bound, Calls, Interface
from server.payload import TAKES, Taken
from server.reference.reach import Reach, reach

_PARAMETER = re.compile(r"<(?:[^<>:]*:)?([^<>]*)>")
_OF_APP = "/{org}/{app}"
_PAGES = frozenset({"pages", "console"})
"""The blueprint of what people look at; programs have no use for it."""


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    id: str
    method: str
    path: str
    """As OpenAPI writes it; names may differ from the handler's, see :attr:`names`."""
    names: dict[str, str]
    """Of the path's parameters, in its order: what the handler calls each."""
    view: Callable[..., Any]
    endpoint: str
    interface: Interface | None
    """None: the operation is outside the table."""
    opened: Opened | None
    """None: it belongs to no app, and looks at no token."""
    reach: Reach
    limits: tuple[Calls | Bound, ...]
    """Of its interface, in the order of the table; then what it meets of others."""

    @property
    def blueprint(self) -> str:
        return self.endpoint.partition(".")[0]

    @property
    def told(self) -> str:
        return inspect.getdoc(self.view) or ""

    @property
    def answer(self) -> Answer | None:
        """None: it refuses every call, or nobody has said what it answers."""
        found: Answer | None = getattr(self.view, ANSWERS, None)
        return found

    @property
    def takes(self) -> Taken | None:
        found: Taken | None = getattr(self.view, TAKES, None)
        return found

    @property
    def takes_form(self) -> bool:
        return payload.form in self.reach.functions

    @property
    def takes_file(self) -> bool:
        return uploads.receive in self.reach.functions

    @property
    def refusals(self) -> tuple[type[Refusal], ...]:
        """Everything the call can be refused with, each class once."""
        found: list[type[Refusal]] = []
        if self.opened is not None:
            found += [AppNotFound, *self.opened.refusals, ReachLimit]
        found += self.reach.refusals
        never: frozenset[type[Refusal]] = getattr(self.view, NEVER, frozenset())
        return tuple(
            each for each in dict.fromkeys((*found, Unavailable)) if each not in never
        )


def every(app: Flask) -> list[Operation]:
    """All of them, in the order in which they were routed."""
    routes = [
        (route, method)
        for route in app.url_map.iter_rules()
        for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"})
        if route.endpoint.partition(".")[0] not in _PAGES
    ]
    names = _agreed_names([route for route, _ in routes])
    met: dict[str, int] = {}
    return [_operation(app, *each, names, met) for each in routes]


def _agreed_names(routes: list[Rule]) -> dict[str, list[str]]:
    """The names of the parameters of each shape of path.

    Two paths that differ only in them are one to OpenAPI; the shortest name is taken,
    which is that of one thing where another operation takes several.
    """
    agreed: dict[str, list[str]] = {}
    for route in routes:
        names = _PARAMETER.findall(route.rule)
        shape = _PARAMETER.sub("{}", route.rule)
        known = agreed.setdefault(shape, names)
        agreed[shape] = [min(pair, key=len) for pair in zip(known, names, strict=True)]
    return agreed


def _operation(
    app: Flask,
    route: Rule,
    method: str,
    agreed: dict[str, list[str]],
    met: dict[str, int],
) -> Operation:
    shape = _PARAMETER.sub("{}", route.rule)
    names = agreed[shape]
    path = shape.format(*(f"{{{name}}}" for name in names))
    blueprint = route.endpoint.partition(".")[0]
    view = app.view_functions[route.endpoint]
    found = reach(view)
    met[route.endpoint] = met.get(route.endpoint, 0) + 1
    again = f"_{met[route.endpoint]}" if met[route.endpoint] > 1 else ""
    interfaces = {each.name: each for each in rules.INTERFACES}
    return Operation(
        id=route.endpoint + again,
        method=method,
        path=path,
        names=dict(zip(names, _PARAMETER.findall(route.rule), strict=True)),
        view=view,
        endpoint=route.endpoint,
        interface=interfaces.get(blueprint),
        opened=opened(view, blueprint) if path.startswith(_OF_APP) else None,
        reach=found,
        limits=tuple(_limits(route.endpoint, interfaces.get(blueprint), found)),
    )


def _limits(
    endpoint: str, interface: Interface | None, found: Reach
) -> Iterator[Calls | Bound]:
    bound: dict[str, Calls | Bound] = {
        calls.name: calls for calls in limiting.bound(endpoint)
    }
    bound |= found.rules
    for rule in interface.rules if interface is not None else ():
        if rule.name in bound:
            yield bound.pop(rule.name)
    yield from bound.values()
