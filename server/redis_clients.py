"""Redis and Valkey, alone, behind Sentinel or as a cluster: asked once, quickly.

A call waits for these servers, so nothing here waits long or tries twice: whoever asks
knows better what to do meanwhile. Connections are made when they are first needed, in
the process that needs them.
"""

import threading
from collections.abc import Mapping, Sequence
from hashlib import sha1
from typing import Any, Protocol

from redis import Redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import (
    AskError,
    NoScriptError,
    RedisClusterException,
    RedisError,
    SlotNotCoveredError,
    TryAgainError,
)
from redis.retry import Retry
from redis.sentinel import Sentinel

from server.redis_urls import Address

TIMEOUT_SECONDS = 0.25
"""For a connection, and then for each answer."""

# Whatever goes wrong there; UnicodeError: a host name that no name server can be asked.
FAILURES = (RedisError, RedisClusterException, OSError, UnicodeError)
_SLOTS = 16_384


class Script:
    """Lua, and the name under which a server that has seen it knows it."""

    def __init__(self, text: str) -> None:
        self.text = text
        # The servers name scripts so; nothing rests on its strength.
        self.sha = sha1(text.encode(), usedforsecurity=False).hexdigest()

    def run(
        self,
        client: Redis | RedisCluster,
        keys: Sequence[bytes],
        arguments: Sequence[object],
    ) -> Any:
        """What the script answers: one round trip, or two when the server is new."""
        try:
            return client.evalsha(self.sha, len(keys), *keys, *arguments)  # type: ignore[arg-type]  # bytes are well
        except NoScriptError:
            return client.eval(self.text, len(keys), *keys, *arguments)  # type: ignore[arg-type]  # likewise


class Servers(Protocol):
    """One or several servers that keep keys. What fails raises one of `FAILURES`."""

    def place(self, key: bytes) -> str:
        """The name of the server that has *key*, as far as is known; asks nobody."""

    def places(self) -> set[str]:
        """The names that :meth:`place` may give now."""

    def run(
        self,
        script: Script,
        keys: Sequence[bytes],
        arguments: Sequence[object],
        *,
        anew: bool = False,
    ) -> Any:
        """Run *script* where its keys are; *anew*: after a look where that is."""

    def let_go(self, place: str) -> None:
        """Close what connections are idle: the next ones may lead elsewhere."""

    def every(self) -> "Sequence[Redis]":
        """A client of each server that counts, to look at all of them."""

    def close(self) -> None:
        """Let go of everything."""


def connect(address: Address) -> Servers:
    """The servers at *address*; nobody is asked yet."""
    return Cluster(address) if address.kind == "cluster" else Alone(address)


def _login(address: Address) -> dict[str, Any]:
    return {
        "username": address.username,
        "password": address.password,
        **_manners(),
        **({"ssl": True, **_tls(address.options)} if address.tls else {}),
    }


def _manners() -> dict[str, Any]:
    return {
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "socket_keepalive": True,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }


def _tls(options: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: value for name, value in options.items() if name.startswith("ssl_")
    }
    if found.get("ssl_cert_reqs", "required") != "required":
        found["ssl_check_hostname"] = False
    return found


def _sentinel(address: Address) -> Redis:
    """The master of the service, wherever that is when a connection is made."""
    options = _login(address)
    tls = {name: value for name, value in options.items() if name.startswith("ssl")}
    sentinel = Sentinel(  # type: ignore[no-untyped-call]  # it has no types
        address.hosts,
        sentinel_kwargs={
            **_manners(),
            **tls,
            "username": address.options.get("sentinel_username"),
            "password": address.options.get("sentinel_password"),
        },
        **options,
        db=address.database,
    )
    master: Redis = sentinel.master_for(address.service)  # type: ignore[no-untyped-call]  # likewise
    return master


class Alone:
    """One server that has every key, or the master of several."""

    def __init__(self, address: Address) -> None:
        if address.kind == "sentinel":
            self._client = _sentinel(address)
            return
        where: dict[str, Any] = {"unix_socket_path": address.socket}
        if address.hosts:
            where = dict(zip(("host", "port"), address.hosts[0], strict=True))
        self._client = Redis(**where, db=address.database, **_login(address))

    def place(self, key: bytes) -> str:  # noqa: ARG002  (all are in one)
        return ""

    def places(self) -> set[str]:
        return {""}

    def run(
        self,
        script: Script,
        keys: Sequence[bytes],
        arguments: Sequence[object],
        *,
        anew: bool = False,  # noqa: ARG002  (every new connection looks)
    ) -> Any:
        return script.run(self._client, keys, arguments)

    def let_go(self, place: str) -> None:  # noqa: ARG002
        self._client.connection_pool.disconnect(inuse_connections=False)

    def every(self) -> Sequence[Redis]:
        return [self._client]

    def close(self) -> None:
        self._client.close()


class Cluster:
    """Servers that share the keys between them; a key's slot says who has it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._opening = threading.Lock()
        self._client: RedisCluster | None = None

    def _open(self) -> RedisCluster:
        if self._client is not None:
            return self._client
        # Who opens it asks one server after the other; the rest do not queue for that.
        if not self._opening.acquire(timeout=TIMEOUT_SECONDS):
            message = "the cluster is being looked for"
            raise TimeoutError(message)
        try:
            if self._client is None:
                self._client = RedisCluster(
                    startup_nodes=[ClusterNode(*host) for host in self._address.hosts],  # type: ignore[no-untyped-call]  # it has no types
                    require_full_coverage=False,  # what is there can be used
                    **_login(self._address),
                )
            return self._client
        finally:
            self._opening.release()

    def place(self, key: bytes) -> str:
        if self._client is None:
            return ""
        try:
            return str(self._client.get_node_from_key(key).name)  # type: ignore[no-untyped-call]
        except SlotNotCoveredError:
            return ""

    def places(self) -> set[str]:
        if self._client is None:
            return {""}
        found = {node.name for node in self._client.get_primaries()}  # type: ignore[no-untyped-call]
        whole = len(self._client.nodes_manager.slots_cache) == _SLOTS
        return found if whole else found | {""}

    def run(
        self,
        script: Script,
        keys: Sequence[bytes],
        arguments: Sequence[object],
        *,
        anew: bool = False,
    ) -> Any:
        client = self._open()
        if anew:
            client.nodes_manager.initialize()
        # Asked directly: when a server does not answer, the cluster's client would look
        # for another before it says so, and every call would wait for that.
        node = client.get_node_from_key(keys[0])  # type: ignore[no-untyped-call]
        try:
            return script.run(client.get_redis_connection(node), keys, arguments)
        except (AskError, TryAgainError):  # MovedError is an AskError too
            return script.run(client, keys, arguments)

    def let_go(self, place: str) -> None:
        node = self._client and self._client.get_node(node_name=place)  # type: ignore[no-untyped-call]
        if node and node.redis_connection:
            node.redis_connection.connection_pool.disconnect(inuse_connections=False)

    def every(self) -> Sequence[Redis]:
        client = self._open()
        return [client.get_redis_connection(each) for each in client.get_primaries()]  # type: ignore[no-untyped-call]

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
