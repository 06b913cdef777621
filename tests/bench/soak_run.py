"""One server of a soak, its load, and what was seen of them."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.bench import soak_mix_files  # noqa: F401 (its calls are in the mix)
from tests.bench.load import request
from tests.bench.soak_book import Seen
from tests.bench.soak_load import Load
from tests.bench.soak_mix import Mix, call
from tests.bench.soak_mix_places import MEMBERS
from tests.bench.soak_rates import Rates
from tests.bench.soak_streams import Device
from tests.bench.soak_world import PEOPLE, SWEEP_SECONDS, Plan, Tenant
from tests.server.gunicorn import Gunicorn, environment

CONNECTIONS = 72
"""More than the workers have threads: every thread there can be is there before memory
is looked at."""
DEVICES = 6
"""With what lingers of the streams before, fewer than one process may hold."""
STREAMS_A_WORKER = 4
"""At the beginning, when the workers take connections evenly: none is left out."""
WARM_SECONDS, CAPACITY_SECONDS = 8, 60
BURST_EVERY, BURST = 20, 14
"""Now and then an app calls more often than it may."""


class Soak:
    """One server, its load, and what was seen."""

    def __init__(self, server: Gunicorn, tenants: list[Tenant], plan: Plan) -> None:
        self.server, self.tenants, self.plan = server, tenants, plan
        self.seen = Seen(Rates({each.path: each.edition for each in tenants}))
        self.load = Load(server.port, CONNECTIONS, self.seen)
        self.mix = Mix(tenants, plan)
        self.devices: list[Device] = []
        self._burst_at = time.monotonic() + BURST_EVERY
        self._sweep_at = time.monotonic()
        self._sweeps: list[subprocess.Popen[bytes]] = []

    def settle(self, tree: Path) -> None:
        """Groups and rooms for the apps, streams for some, and the connections."""
        self._tree = tree
        for tenant in self.tenants:
            for field, path, key, held in (
                ("groupname", "/chatgroups", "groupid", tenant.groups),
                ("name", "/chatrooms", "id", tenant.rooms),
            ):
                body = {field: "lounge", "desc": "d", "description": "d", "public": True,
                        "owner": PEOPLE[0], "members": MEMBERS}  # fmt: skip
                for _ in range(2):
                    status, _, told = self.server.call(
                        "POST", tenant.path + path, body, tenant.token
                    )
                    assert status == 200, told
                    held.append(told["data"][key])  # type: ignore[index]
        for tenant in self.tenants[:DEVICES]:
            self.devices.append(
                Device(self.server.port, tenant, self.load, self.seen, self.mix)
            )
        self._stream_once()
        self.load.open_all()

    def _stream_once(self) -> None:
        """On every worker: with its first stream it begins to read for all that come."""
        with ExitStack() as stack:
            opened = [
                stack.enter_context(socket.create_connection(self.server.place(), 30))
                for _ in range(STREAMS_A_WORKER * len(self.server.workers()))
            ]
            for connection, tenant in zip(opened, self.tenants[::-1], strict=False):
                name = PEOPLE[0]
                path = f"{tenant.path}/users/{name}/stream?resource=web_1"
                connection.sendall(request("GET", path, tenant.user_tokens[name]))
                assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")

    def capacity(self, told: Callable[[float], None]) -> float:
        """Calls a second, each connection as fast as it is answered."""
        self.load.flat_out(self.mix, WARM_SECONDS, lambda: told(0))
        self.load.drain()
        self.seen.anew()
        began = time.monotonic()
        self.load.flat_out(
            self.mix, CAPACITY_SECONDS, lambda: told(time.monotonic() - began)
        )
        calls, took = self.seen.calls, time.monotonic() - began
        self.load.drain()
        return calls / took

    def export_hours(self) -> None:
        """Files of the hour that is over soon."""
        for tenant in self.tenants:
            path = f"/chatmessages/{self.plan.hour(1)}"
            self.mix.exported[tenant.path] = time.monotonic()
            self.load.add(call(tenant, "history", "GET", path, name="export"))
        self.load.drain()

    def tick(self) -> None:
        now = time.monotonic()
        for device in self.devices:
            device.tick(now)
        if now >= self._burst_at:
            self._burst_at = now + BURST_EVERY
            tenant = self.mix.chance.choice(self.tenants[::2])
            for _ in range(BURST):
                self.load.add(
                    call(tenant, "groups", "GET", "/chatgroups?limit=20", name="burst")
                )
        if self.plan.kept_seconds < SWEEP_SECONDS and now >= self._sweep_at:
            self._sweep_at = now + self.plan.kept_seconds
            self._sweep()

    def _sweep(self) -> None:
        """As an operator's cron may: the server itself sweeps every minute."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "retention", "sweep"]
        where = environment(self.server.state_dir, 0, bind="127.0.0.1:1")
        self._sweeps.append(
            subprocess.Popen(
                command, cwd=self._tree, env=where, stdout=subprocess.DEVNULL
            )
        )

    def end(self) -> int:
        """Close everything; how many messages did not come over a stream."""
        self.load.drain()
        self.load.listen(2)
        missing = sum(device.missing for device in self.devices)
        for device in self.devices:
            device.close()
        self.load.close()
        for each in self._sweeps:
            each.wait(60)
        return missing
