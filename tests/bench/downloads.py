"""What slow downloads cost other calls: ``python -m tests.bench.downloads``.

JSON calls, one after another, on an idle server and while forty downloads are paced.
"""

import argparse
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.bench.load import Result, request, run
from tests.server.gunicorn import ROOT, flask, serving
from tests.server.test_served_files import kept
from tests.server.test_served_files import request as plain

DOWNLOADS = 40
SECONDS = 8
FILE = 10_000_000


def main() -> None:
    """Print the medians and p99 of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--threads",
        default="32",
        help="Of each of the two workers; with the 16 of the settings some downloads are"
        " refused, with 32 every one is served at once.",
    )
    threads_each = parser.parse_args().threads
    with tempfile.TemporaryDirectory() as place:
        state_dir = Path(place) / "state"
        flask(ROOT, state_dir, "apps", "create", "acme/chat", "--edition", "enterprise")
        token = flask(ROOT, state_dir, "apps", "token", "acme/chat").strip()
        with serving(state_dir, workers="2", threads=threads_each) as server:
            path = kept(server.port, token, bytes(FILE))
            idle = calls(server.port)
            show("idle", idle)
            threads = [
                threading.Thread(
                    target=drain, args=(server.port, path, token), daemon=True
                )
                for _ in range(DOWNLOADS)
            ]
            for n, thread in enumerate(threads):
                thread.start()
                if n % 20 == 19:
                    time.sleep(1.1)  # the app's own rate
            busy = calls(server.port)
            show(f"{COUNTS['served']} downloads", busy)
            ratio = busy.percentile(0.99) / idle.percentile(0.99)
            print(
                f"p99 is {ratio:.2f} times the idle server's; refused: {COUNTS['refused']}"
            )


COUNTS = {"served": 0, "refused": 0}


def drain(port: int, path: str, token: str) -> None:
    """Take a download as it comes."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(plain("GET", path, token))
        COUNTS["served" if b" 200 " in connection.recv(65_536) else "refused"] += 1
        while connection.recv(65_536):
            pass


def calls(port: int) -> Result:
    """A call at a time, of a page that no rate binds."""
    return run(port, 1, SECONDS, lambda _: request("GET", "/healthz", ""))


def show(name: str, result: Result) -> None:
    median, high = result.percentile(0.5), result.percentile(0.99)
    print(
        f"{name:<14} {result.calls:>7} calls  median {median:6.0f} us  p99 {high:6.0f} us"
    )


if __name__ == "__main__":
    sys.exit(main())
