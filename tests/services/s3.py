"""A real object store that speaks S3, started for the tests: Ceph with its gateway.

A monitor, one OSD that keeps its objects in memory and a RADOS gateway, on free ports of
the loopback, from Debian's ``radosgw``, ``ceph-mon`` and ``ceph-osd``.
"""

import functools
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import fsspec

from tests.server.gunicorn import free_port

PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")
REQUIRED = bool(os.environ.get("S3_REQUIRED"))
MISSING = [name for name in PROGRAMS if shutil.which(name) is None]
REASON = f"no object store can be started here, for want of {', '.join(MISSING)}"
SECONDS = 90
"""On a busy machine; on another a start takes fifteen."""

KEY, SECRET = "weirs-access-key", "weirs-secret-key"

CONFIGURATION = """
[global]
fsid = {fsid}
mon host = v1:127.0.0.1:{monitor}/0
ms bind msgr2 = false
auth cluster required = none
auth service required = none
auth client required = none
mon allow pool size one = true
mon data avail crit = 1
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd class update on start = false
osd crush update on start = false
osd objectstore = memstore
memstore device bytes = 4294967296
run dir = {place}
admin socket = {place}/$name-$pid.sock
log file = {place}/$name.log
mon data = {place}/mon
osd data = {place}/osd
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw enable gc threads = false
rgw enable lc threads = false
"""


@dataclass
class Store:
    """One that runs."""

    place: Path
    port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which clients find it, as they are AWS's own."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @functools.cached_property
    def client(self) -> Any:
        """A client of the tests' own, to look behind the server's back."""
        return fsspec.filesystem(
            "s3",
            endpoint_url=self.environ["AWS_ENDPOINT_URL"],
            key=KEY, secret=SECRET,
            use_listings_cache=False, skip_instance_cache=True,
        )  # fmt: skip

    def new_url(self) -> str:
        """Of a prefix that nobody else has, in the one bucket."""
        return f"s3://weir/{uuid.uuid4().hex}"

    def keys(self, url: str) -> list[str]:
        """The objects below *url*, without it."""
        root = url.removeprefix("s3://")
        return [key.removeprefix(f"{root}/") for key in self.client.find(root)]

    def unfinished(self) -> list[str]:
        """Keys of uploads in parts that were begun, and neither ended nor aborted."""
        return [each["Key"] for each in self.client.list_multipart_uploads("weir")]

    def run(self, *command: str) -> None:
        subprocess.run(
            [command[0], "-c", str(self.place / "ceph.conf"), *command[1:]],
            check=True, capture_output=True, timeout=SECONDS,
        )  # fmt: skip

    def start(self, name: str, *options: str) -> None:
        with (self.place / f"{name}.out").open("ab") as out:
            self.processes[name] = subprocess.Popen(
                [name, "-f", "-c", str(self.place / "ceph.conf"), *options],
                stdout=out, stderr=out,
            )  # fmt: skip

    def said(self, name: str) -> str:
        """What a program that does not do its work has had to say."""
        return f"{name}: {(self.place / f'{name}.out').read_text()}"

    def stop(self, name: str) -> None:
        process = self.processes.pop(name)
        process.kill()  # what they hold is in memory, and nobody's
        process.wait(SECONDS)

    def remove(self) -> None:
        for program in list(self.processes):
            self.stop(program)
        shutil.rmtree(self.place, ignore_errors=True)

    def open_gateway(self) -> None:
        """Let it be reached, and wait until it is."""
        self.start("radosgw", "-n", "client.rgw")
        ends = time.monotonic() + SECONDS
        while True:
            try:
                urlopen(self.environ["AWS_ENDPOINT_URL"]).close()  # noqa: S310 (our own)
                return
            except (URLError, OSError):
                for program, process in self.processes.items():
                    assert process.poll() is None, self.said(program)
                assert time.monotonic() < ends, self.said("radosgw")
                time.sleep(0.05)

    def close_gateway(self) -> None:
        """Let it be out of reach; what it keeps is kept."""
        self.stop("radosgw")


@contextmanager
def store() -> Iterator[Store]:
    """One of its own, with the bucket ``weir``."""
    started = _started()
    try:
        yield started
    finally:
        started.remove()


def _started(tries: int = 3) -> Store:
    """A port that was free when it was chosen may be another's by now: tried anew."""
    # Paths of sockets are short, so not where pytest's folders are.
    started = Store(Path(tempfile.mkdtemp(prefix="s3-")), free_port())
    try:
        _found(started)
    except Exception:
        started.remove()
        if tries == 1:
            raise
        return _started(tries - 1)
    return started


def _found(started: Store) -> None:
    place, monitor, fsid, osd = started.place, free_port(), uuid.uuid4(), uuid.uuid4()
    (place / "ceph.conf").write_text(
        CONFIGURATION.format(place=place, port=started.port, monitor=monitor, fsid=fsid)
    )
    for folder in ("mon", "osd"):
        (place / folder).mkdir()
    address = f"[v1:127.0.0.1:{monitor}/0]"
    map_ = str(place / "monmap")
    started.run(
        "monmaptool", "--create", "--addv", "a", address, "--fsid", str(fsid), map_
    )
    started.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", map_)
    started.start("ceph-mon", "-i", "a")
    started.run("ceph", "osd", "new", str(osd))
    started.run("ceph-osd", "--mkfs", "-i", "0", "--osd-uuid", str(osd))
    started.run(
        "ceph", "osd", "crush", "add", "0", "1.0", "host=localhost", "root=default"
    )
    started.start("ceph-osd", "-i", "0")
    started.open_gateway()
    started.run(
        "radosgw-admin", "-n", "client.rgw", "user", "create", "--uid=weir",
        "--display-name=weir", f"--access-key={KEY}", f"--secret-key={SECRET}",
    )  # fmt: skip
    started.client.call_s3("create_bucket", Bucket="weir")
