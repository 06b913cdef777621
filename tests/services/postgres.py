"""A PostgreSQL of the test session's own: tests stop it, start it and fill it.

It listens on a port of its own, keeps what it keeps in a directory of its own, and is
gone after the session. Debian's programs are looked for where Debian puts them.
"""

import atexit
import functools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

USER, PASSWORD = "weir", "open sesame"
_SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "autovacuum_naptime": "10s",
    "log_min_messages": "warning",
    "unix_socket_directories": "''",
}


def programs() -> Path | None:
    """Where initdb and the server are; None: on no path we know."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return debian[-1].parent if debian else None


def need() -> None:
    """Skip the test where there is no PostgreSQL, unless POSTGRES_REQUIRED is set."""
    if programs() is None:
        reason = "needs PostgreSQL's programs (apt-get install postgresql)"
        assert not os.environ.get("POSTGRES_REQUIRED"), reason
        pytest.skip(reason)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Cluster:
    """A server and its data; stopped and started again as a test wants."""

    def __init__(self, address: str = "127.0.0.1", **settings: str) -> None:
        """*address* is one of a network of the test's own; all of it may connect."""
        programs_ = programs()
        assert programs_ is not None
        self._programs = programs_
        self.address = address
        self.place = Path(tempfile.mkdtemp(prefix="weir-postgresql-"))
        self.port = _free_port()
        self._server: subprocess.Popen[bytes] | None = None
        # It refuses to run as root, who may become anybody. Not by runuser, which stays
        # between and stops with a child that a test stops.
        become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        self._as = become if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(self.place, "postgres")
        password = self.place / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        subprocess.run(
            [*self._as, self._programs / "initdb", "-D", self.data, "-U", USER,
             "--pwfile", password, "-A", "scram-sha-256", "-E", "UTF8",
             "--locale=C.UTF-8", "--no-instructions", "-N"],
            check=True, capture_output=True, cwd="/",
        )  # fmt: skip
        text = "".join(
            f"{name} = {value}\n" for name, value in (_SETTINGS | settings).items()
        )
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(text)
        with (self.data / "pg_hba.conf").open("a") as file:
            file.write("host all all samenet scram-sha-256\n")
        self.start()

    @property
    def data(self) -> Path:
        return self.place / "data"

    def url(self, name: str = "postgres", **query: str) -> str:
        asked = "".join(
            f"{'&' if n else '?'}{key}={query[key]}" for n, key in enumerate(query)
        )
        secret = PASSWORD.replace(" ", "%20")
        return f"postgresql://{USER}:{secret}@{self.address}:{self.port}/{name}{asked}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        with (self.place / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [*self._as, self._programs / "postgres", "-D", self.data,
                 "-p", str(self.port), "-c", f"listen_addresses={self.address}"],
                stdout=log, stderr=subprocess.STDOUT, cwd="/",
            )  # fmt: skip
        ends = time.monotonic() + 30
        while True:
            assert self._server.poll() is None, self.log
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError:
                assert time.monotonic() < ends, self.log
                time.sleep(0.02)
            else:
                return

    @property
    def log(self) -> str:
        return (self.place / "log").read_text()

    def postmaster(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: fast, as an operator would; SIGQUIT: at once, as a crash."""
        if self._server is None:
            return
        os.kill(self.postmaster(), how)
        self._server.wait(30)
        self._server = None

    def execute(self, sql: str, name: str = "postgres") -> list[tuple[object, ...]]:
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def remove(self) -> None:
        if self._server is not None and self._server.poll() is None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.place, ignore_errors=True)


@functools.cache
def shared() -> Cluster:
    """The one of all tests of the session that leave it running."""
    cluster = Cluster()
    atexit.register(cluster.remove)
    return cluster
