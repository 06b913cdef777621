"""Lines of the access log, as the server writes them."""

from datetime import UTC, datetime
from pathlib import Path

import orjson

MIDNIGHT = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp()) * 1_000_000


def moment(at_us: int) -> str:
    seconds, micro = divmod(at_us, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{micro:06}Z"


def line(
    at_us: int,
    app: str = "acme/chat",
    edition: str = "community",
    operation: str = "POST /messages",
    interface: str = "messages",
    **more: object,
) -> bytes:
    told = {
        "time": moment(at_us),
        "request_id": "x",
        "app": app,
        "edition": edition,
        "interface": interface,
        "operation": operation,
        "caller": "app",
        "status": 200,
        "ms": 1.5,
        "remote": "127.0.0.1",
    }
    return orjson.dumps(told | more) + b"\n"


def write(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"".join(lines))
    return path
