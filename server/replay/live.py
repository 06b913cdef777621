"""The rates and quotas that this server enforces, as a table beside another."""

from flask import Flask

from server import limiting, rules
from server.kinds import Calls, Quota
from server.limiting.tables import Table, spelled


def table(app: Flask) -> Table:
    """What binds each route, from the plans the server decides by."""
    rates = {
        spelled(f"{method} {rule.rule}"): bound
        for rule in app.url_map.iter_rules()
        if (bound := limiting.bound(rule.endpoint))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    return Table(
        tuple(rules.EDITIONS),
        rates,
        {
            interface.name: tuple(
                rule
                for rule in interface.rules
                if isinstance(rule, Calls) and rule.scope == "app"
            )
            for interface in rules.INTERFACES
        },
        {
            interface.name: tuple(
                rule for rule in interface.rules if isinstance(rule, Quota)
            )
            for interface in rules.INTERFACES
        },
    )
