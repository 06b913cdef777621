"""A proposed table, counted beside the enforced one and refusing nobody.

``WEIR_SHADOW_TABLE`` names it. Its counters are files of their own, in ``shadow`` of
the state dir, so they can neither spend nor save what the enforced ones count; and
whatever befalls them is logged, and never reaches a caller.
"""

import atexit
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response, after_this_request

from server.caller import App, call
from server.clock import now_ms
from server.limiting import shadowbook, tables
from server.limiting.plan import Plan, last_to_admit, plan
from server.limiting.rings import Rings
from server.limiting.shadowbook import Refusal, ShadowBook, Standing, Use
from server.limiting.tables import EDITION, Table, Unusable
from server.settings import Settings

log = logging.getLogger("weir.shadow")

FOLDER = "shadow"
COUNTERS = "counters"
WRITE_EVERY_SECONDS = 1.0
PAUSE_SECONDS = 10.0
"""After a failure: what is broken would fail at each call."""

_watchers: list[Callable[[str, str], None]] = []


def on_refusal(then: Callable[[str, str], None]) -> None:
    """Call *then* with the rule and the edition of each would-be refusal."""
    _watchers.append(then)


def standing(settings: Settings) -> Standing | None:
    """What the processes of this host would have refused; None: no shadow ever ran.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    return shadowbook.read(settings.state_dir / FOLDER)


class Shadow:
    """The proposed table's counters in this process.

    Raises:
        OSError, sqlite3.Error: they cannot be used.
    """

    def __init__(self, app: Flask, table: Table, directory: Path, source: str) -> None:
        self._table = table
        self._plans = _plans(app, table)
        directory.mkdir(
            mode=0o700, parents=True, exist_ok=True
        )  # before what is in it is made
        self._rings = Rings(directory / COUNTERS)
        self._book = ShadowBook(directory, table.digest, source, now_ms(), _tell)
        self._paused_until = 0.0

    def count(self, endpoint: str | None, app: App) -> None:
        """Count a call that the enforced table has just decided; it never fails."""
        if self._paused_until and time.monotonic() < self._paused_until:
            return
        try:
            self._count(endpoint, app)
        except Exception as error:  # whatever it is, it is no caller's trouble
            self._pause(error)

    def _count(self, endpoint: str | None, app: App) -> None:
        if app.edition not in self._table.editions:
            self._book.note(Refusal(app.id, EDITION, app.edition, now_ms()))
            return
        plan = self._plans.get((endpoint, app.edition))
        if plan is None:
            return
        admitted, taken = self._rings.take(plan.wants(app.id))
        if not admitted:
            rule = last_to_admit(plan, taken)[0].name
            self._book.note(Refusal(app.id, rule, app.edition, now_ms()))
        elif self._table.quotas.get((endpoint or "").partition(".")[0]):
            after_this_request(self._count_quota)

    def _count_quota(self, response: Response) -> Response:
        """When the handler has run, and has asked for what it wants of the quota."""
        try:
            at = call()
            if at.caller is not None and at.asked_of_quota is not None:
                self._use(at.caller.app, *at.asked_of_quota)
        except Exception as error:  # likewise
            self._pause(error)
        return response

    def _use(self, app: App, rule: str, amount: int) -> None:
        for quota in self._table.quotas.get(rule.partition(".")[0], ()):
            stated = quota.stated(app.edition)
            figure = stated.value if stated else None
            use = Use(app.id, quota.name, app.edition, now_ms(), figure, amount)
            self._book.note(use)

    def _pause(self, error: Exception) -> None:
        self._paused_until = time.monotonic() + PAUSE_SECONDS
        log.error("the shadow counts nothing for a while: %r", error)

    def write(self) -> None:
        """Write what is counted to where others read it."""
        try:
            self._book.write()
        except (OSError, sqlite3.Error) as error:
            log.error("the shadow's refusals cannot be written yet: %s", error)
        if self._book.lost:
            lost, self._book.lost = self._book.lost, 0
            log.error("%s refusals of the shadow were lost: too many wait", lost)


def _tell(rule: str, edition: str) -> None:
    for then in _watchers:
        then(rule, edition)


def _plans(app: Flask, table: Table) -> dict[tuple[str | None, str], Plan]:
    """What the table takes at each route, for each of its editions."""
    plans = {}
    for route in app.url_map.iter_rules():
        interface = route.endpoint.partition(".")[0]
        methods = sorted((route.methods or set()) - {"HEAD", "OPTIONS"})
        if "/<org>/<app>/" not in route.rule or not methods:
            continue
        binding = table.binding(interface, f"{methods[0]} {route.rule}") or ()
        for edition in table.editions:
            limits = [(c, c.rates[edition]) for c in binding if edition in c.rates]
            if limits:
                plans[route.endpoint, edition] = plan(limits, frozenset())
    return plans


def open_shadow(app: Flask, settings: Settings) -> Shadow | None:
    """Compile the table the settings name; None where it is of no use, said loudly."""
    path = settings.shadow_table
    if path is None:
        return None
    try:
        table = tables.compile_table(path)
        return Shadow(app, table, settings.state_dir / FOLDER, str(path))
    except (Unusable, OSError, ValueError, sqlite3.Error) as wrong:
        log.error(
            "WEIR_SHADOW_TABLE=%s CANNOT BE COUNTED, so there is no shadow;"
            " callers are served as ever.\n%s",
            path,
            wrong,
        )
        return None


def start(
    app: Flask, settings: Settings, then: Callable[[Shadow | None], None]
) -> None:
    """Give *then* the shadow once it is compiled, which no caller waits for."""
    if settings.shadow_table is None:
        return

    def run() -> None:
        shadow = open_shadow(app, settings)
        if shadow is None:
            return
        log.warning("counting %s beside limits.md", settings.shadow_table)
        then(shadow)
        atexit.register(shadow.write)
        never = threading.Event()
        while True:
            never.wait(WRITE_EVERY_SECONDS)
            shadow.write()

    threading.Thread(target=run, name="shadow", daemon=True).start()
