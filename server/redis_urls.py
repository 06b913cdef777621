"""What a URL of shared counters says: which servers, of what kind, and how to log in.

The notation is that of the `limits` library, with TLS for every kind:

    redis://[[user]:password@]host[:port][/database]         rediss:// with TLS
    redis+unix:///path/of/socket
    redis+sentinel://[...@]host[:port],host[:port]/service[/database]
    redis+cluster://[...@]host[:port],host[:port]

and the same with ``valkey``. ``rediss+sentinel`` and ``rediss+cluster`` speak TLS.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from server.urls import without_secrets

Kind = Literal["single", "unix", "sentinel", "cluster"]

_PORTS: Mapping[Kind, int] = {"single": 6379, "sentinel": 26379, "cluster": 6379}
_FORMS: Mapping[Kind, str] = {
    "single": "redis://HOST:PORT/DATABASE",
    "unix": "redis+unix:///PATH/OF/SOCKET",
    "sentinel": "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE",
    "cluster": "redis+cluster://HOST:PORT,HOST:PORT",
}
_TLS_OPTIONS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs")
_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")


def _schemes() -> Mapping[str, tuple[Kind, bool]]:
    found: dict[str, tuple[Kind, bool]] = {}
    for name in ("redis", "valkey"):
        found[name], found[f"{name}s"] = ("single", False), ("single", True)
        found[f"{name}+unix"] = ("unix", False)
        for kind in ("sentinel", "cluster"):
            found[f"{name}+{kind}"] = (kind, False)
            found[f"{name}s+{kind}"] = (kind, True)
    return found


SCHEMES = _schemes()
"""By scheme: the kind of servers, and whether they are spoken to with TLS."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where counters are shared, and how to log in there."""

    kind: Kind
    shown: str
    """The URL as anyone may read it."""
    hosts: tuple[tuple[str, int], ...] = ()
    socket: str = ""
    service: str = ""
    """The name under which Sentinel knows the servers."""
    database: int = 0
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)


def is_shared(url: str) -> bool:
    """Whether *url* is of counters that several hosts may share."""
    return _scheme(url) in SCHEMES


def _scheme(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    return scheme.lower() if separator else ""


def read(url: str) -> Address:
    """What *url* says.

    Raises:
        ValueError: in words that repeat nothing of the URL, which may hold a password.
    """
    if not is_shared(url):
        message = f"one of {', '.join(f'{each}://' for each in SCHEMES)} is needed"
        raise ValueError(message)
    kind, tls = SCHEMES[_scheme(url)]
    try:
        parts = urlsplit(url)
    except ValueError:  # its words quote the URL
        raise _unreadable(kind) from None
    login, at, locations = parts.netloc.rpartition("@")
    username, _, password = login.partition(":")
    if parts.fragment or "@" in parts.path or (at and not login):
        raise _unreadable(kind)
    service, database = _path(kind, parts)
    return Address(
        kind=kind,
        shown=without_secrets(url),
        hosts=_hosts(kind, locations),
        socket=unquote(parts.path) if kind == "unix" else "",
        service=service,
        database=database,
        tls=tls,
        username=unquote(username) or None,
        password=unquote(password) or None,
        options=_options(kind, parts.query, tls=tls),
    )


def _unreadable(kind: Kind) -> ValueError:
    return ValueError(
        f"{_FORMS[kind]} is needed, with USER:PASSWORD@ before the first host if the"
        " servers ask for it (in it / @ : ? # % are written %2F %40 %3A %3F %23 %25)"
    )


def _hosts(kind: Kind, locations: str) -> tuple[tuple[str, int], ...]:
    if kind == "unix":
        if locations:
            raise _unreadable(kind)
        return ()
    hosts = []
    for location in locations.split(","):
        found = re.fullmatch(
            r"\s*(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+))(?::([0-9]{1,5}))?\s*", location
        )
        port = int(found[3] or _PORTS[kind]) if found else 0
        if found is None or not 1 <= port <= 65535:
            raise _unreadable(kind)
        hosts.append((found[1] or found[2], port))
    if kind == "single" and len(hosts) > 1:
        message = (
            "several hosts are of a cluster or of Sentinel:"
            f" {_FORMS['cluster']} or {_FORMS['sentinel']} is needed"
        )
        raise ValueError(message)
    return tuple(hosts)


def _path(kind: Kind, parts: SplitResult) -> tuple[str, int]:
    """The service's name and the number of the database."""
    if kind == "unix":
        if not parts.path.strip("/"):
            raise _unreadable(kind)
        return "", 0
    names = [unquote(each) for each in parts.path.split("/")[1:] if each]
    service = ""
    if kind == "sentinel":
        if not names:
            raise _unreadable(kind)
        service = names.pop(0)
    if len(names) > 1 or not all(re.fullmatch(r"[0-9]{1,5}", each) for each in names):
        raise _unreadable(kind)
    database = int(names[0]) if names else 0
    if kind == "cluster" and database:
        message = "a cluster has one database, so no number of one is needed"
        raise ValueError(message)
    return service, database


def _options(kind: Kind, query: str, *, tls: bool) -> Mapping[str, str]:
    known = (_TLS_OPTIONS if tls else ()) + (
        _SENTINEL_OPTIONS if kind == "sentinel" else ()
    )
    try:
        options = dict(parse_qsl(query, strict_parsing=True)) if query else {}
    except ValueError:
        raise _unreadable(kind) from None
    if set(options) - set(known):
        message = f"no option but {', '.join(known) or 'none'} is known for this scheme"
        raise ValueError(f"{message}; a URL without others is needed")
    if options.get("ssl_cert_reqs", "none") not in ("required", "optional", "none"):
        message = "ssl_cert_reqs: required, optional or none is needed"
        raise ValueError(message)
    return options
