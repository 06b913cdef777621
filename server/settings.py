"""Every setting with its unit and default; the only reader of the environment."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, timezone, tzinfo
from difflib import get_close_matches
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from server import redis_urls
from server.urls import without_secrets

PREFIX = "WEIR_"
Loss = Literal["closed", "local"]
Synchronous = Literal["FULL", "NORMAL"]
LogFormat = Literal["auto", "json", "text"]

MEMORY = "memory://"
S3 = "s3://"


class BadSettings(ValueError):
    """One or more settings cannot be used; says all of them."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(mistakes))


def _cores() -> int:
    """The processors this process may use, as the machine or its container says."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides; README.md says the same in prose."""

    state_dir: Path = Path("var")
    """Where everything that lasts is kept: database, counters, files."""
    database_url: str = field(default="", repr=False)
    """``sqlite:///PATH`` or ``postgresql://USER:PASSWORD@HOST:PORT/NAME``; by default
    ``weir.db`` in the state dir."""
    counters_url: str = field(default="", repr=False)  # it may hold a password
    """``file:///DIR`` shared by the host's processes, ``memory://`` for one, or the
    Redis or Valkey that several hosts share, see redis_urls.py."""
    files_url: str = ""
    """Where uploads are kept: ``file:///DIR``, by default ``files`` in the state dir,
    or ``s3://BUCKET/PREFIX``."""
    public_url: str | None = None
    """Scheme, host and path before ``/org/app`` as callers see them, no slash at the
    end; None: as each request says."""
    time_zone: tzinfo = timezone(timedelta(hours=8))
    """In which an hour of history begins and no-disturb hours are read."""
    synchronous: Synchronous = "FULL"
    """FULL: an answered write survives a power cut; NORMAL: it survives a crash."""
    head_seconds: int = 20
    """In which a call's head, and a body of up to 16 kB, is to be whole."""
    body_seconds: int = 300
    """In which a larger body is to be whole."""
    guard_calls: int = 60
    """Calls a second that one remote address may make without a valid token."""
    counters_loss: Loss = "closed"
    """What happens when counters are out of reach: 503, or counted by this host."""
    trusted_proxies: int = 0
    """How many proxies in front add to ``X-Forwarded-For``."""
    x_accel: str | None = None
    """nginx's internal location over the files, as ``/internal-files/``: it sends them
    in our stead (``X-Accel-Redirect``). None: the workers do."""
    bind: str = "127.0.0.1:8000"
    """Where gunicorn listens."""
    workers: int = field(default_factory=_cores)
    """Processes; by default one for each core."""
    threads: int = 16
    """Threads of each process."""
    streams: int = 0
    """Streams that one process may hold open; 0: half as many as it has threads, which
    is all that threads can bear. For gunicorn_stream_conf.py, which needs none."""
    log_level: str = "info"
    shadow_table: Path | None = None
    """A proposed table, counted beside the enforced one and refusing nobody."""
    log_format: LogFormat = "auto"
    """Of both logs; auto: text on a terminal, else JSON."""
    access_log: str = "-"
    """Where a line for each call goes: ``-`` for stdout, ``off``, or a file's path."""
    metrics_token: str | None = field(default=None, repr=False)
    """What a scraper of /metrics shows; None: only this host may look."""

    def __post_init__(self) -> None:
        state_dir = self.state_dir.absolute()
        for name, value in (
            ("state_dir", state_dir),
            ("database_url", self.database_url or f"sqlite:///{state_dir}/weir.db"),
            ("counters_url", self.counters_url or f"file://{state_dir}/counters"),
            ("files_url", self.files_url or f"file://{state_dir}/files"),
        ):
            object.__setattr__(self, name, value)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """The settings that ``WEIR_*`` variables give; an empty one is not set.

        Raises:
            BadSettings: with every mistake, not only the first.
        """
        mistakes: list[str] = []
        values: dict[str, object] = {}
        for variable in sorted(environ):
            if not variable.startswith(PREFIX) or not environ[variable].strip():
                continue
            name = variable.removeprefix(PREFIX).lower()
            if name not in _READERS:
                mistakes.append(_unknown(variable))
                continue
            try:
                values[name] = _READERS[name](environ[variable].strip())
            except ValueError as wrong:
                shown = _shown(name, environ[variable])
                mistakes.append(f"{variable}={shown}: {wrong}")
        if str(values.get("files_url", "")).startswith(S3) and "x_accel" in values:
            mistakes.append(
                "WEIR_X_ACCEL: nginx has no files of WEIR_FILES_URL=s3:// to hand over;"
                " set one of them"
            )
        if mistakes:
            raise BadSettings(mistakes)
        return cls(**values)  # type: ignore[arg-type]  # each reader returns its field's type


def _shown(name: str, text: str) -> str:
    return "..." if name in _SECRET else repr(without_secrets(text))


def _unknown(variable: str) -> str:
    known = [PREFIX + name.upper() for name in _READERS]
    near = get_close_matches(variable, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return f"{variable}: no such setting; {hint}"


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            message = f"a whole number from {least} to {most} is needed"
            raise ValueError(message)
        return int(text)

    return read


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        for choice in choices:
            if text.lower() == choice.lower():
                return choice
        message = f"one of {', '.join(choices)} is needed"
        raise ValueError(message)

    return read


def _url(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        scheme = text.partition("://")[0].lower()  # urlsplit's errors quote secrets
        if scheme not in schemes or "://" not in text:
            forms = " or ".join(f"{each}://" for each in schemes)
            message = f"a URL beginning with {forms} is needed"
            raise ValueError(message)
        if scheme in {"file", "sqlite"} and not urlsplit(text).path.startswith("/"):
            message = f"an absolute path is needed, as in {scheme}:///srv/weir"
            raise ValueError(message)
        return text

    return read


def _counters_url(text: str) -> str:
    if redis_urls.is_shared(text):
        redis_urls.read(text)
        return text
    return _url("file", "memory", "redis", "valkey")(text)


def _files_url(text: str) -> str:
    parts = urlsplit(_url("file", "s3")(text))
    if parts.scheme == "file":
        return text
    if "@" in parts.netloc or parts.query or parts.fragment:
        message = (
            "only s3://BUCKET/PREFIX; credentials and endpoint are AWS_* variables"
        )
        raise ValueError(message)
    if not re.fullmatch(r"[\w.-]+", parts.netloc, re.ASCII) or "//" in parts.path:
        message = "a bucket is needed, as in s3://chat-files/weir"
        raise ValueError(message)
    return text.rstrip("/")


def _public_url(text: str) -> str:
    parts = urlsplit(_url("http", "https")(text))
    if not parts.hostname or parts.query or parts.fragment:
        message = "scheme and host are needed, as in https://chat.example.com"
        raise ValueError(message)
    return text.rstrip("/")


def _time_zone(text: str) -> tzinfo:
    if text.upper() in {"UTC", "Z"}:
        return UTC
    offset = re.fullmatch(r"([+-])([01]\d|2[0-3]):([0-5]\d)", text)
    if offset:
        sign, hours, minutes = offset.groups()
        delta = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-delta if sign == "-" else delta)
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        message = "UTC, an offset as +08:00 or a name as Europe/Berlin is needed"
        raise ValueError(message) from None


def _x_accel(text: str) -> str:
    if re.fullmatch(r"/(?:[\w.-]+/)+", text, re.ASCII):
        return text
    message = "a path that begins and ends with a slash is needed, /internal-files/"
    raise ValueError(message)


def _bind(text: str) -> str:
    if re.fullmatch(r"unix:/.+|(\[[0-9a-fA-F:.]+\]|[\w.-]*):[0-9]{1,5}", text):
        return text
    message = "HOST:PORT or unix:/PATH is needed"
    raise ValueError(message)


def _metrics_token(text: str) -> str:
    if re.fullmatch(r"[!-~]{16,512}", text):
        return text
    message = "16 to 512 printable ASCII characters without a space are needed"
    raise ValueError(message)


_SECRET = frozenset({"metrics_token"})
_READERS: dict[str, Callable[[str], object]] = {
    "state_dir": Path,
    "database_url": _url("sqlite", "postgresql", "postgres"),
    "counters_url": _counters_url,
    "files_url": _files_url,
    "public_url": _public_url,
    "time_zone": _time_zone,
    "synchronous": _one_of("FULL", "NORMAL"),
    "head_seconds": _whole(1, 3600),
    "body_seconds": _whole(1, 86_400),
    "guard_calls": _whole(1, 1_000_000),
    "counters_loss": _one_of("closed", "local"),
    "trusted_proxies": _whole(0, 16),
    "x_accel": _x_accel,
    "bind": _bind,
    "workers": _whole(1, 1024),
    "threads": _whole(1, 1024),
    "streams": _whole(0, 100_000),
    "log_level": _one_of("debug", "info", "warning", "error", "critical"),
    "shadow_table": Path,
    "log_format": _one_of("auto", "json", "text"),
    "access_log": str,
    "metrics_token": _metrics_token,
}
