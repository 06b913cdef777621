"""What is wrong with shared counters, found before the first call is."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from server.redis_clients import FAILURES, Alone
from server.redis_urls import Address

OLDEST = 5  # the first whose scripts may ask the time and then write


class UnusableCounters(RuntimeError):
    """The servers cannot be counted in, now or later; the message says what to do."""


def check(address: Address) -> list[str]:
    """What the operator should know; servers that are away may come back.

    Raises:
        UnusableCounters: no waiting will help.
    """
    return [complaint for each in _apart(address) for complaint in _complaints(each)]


def _apart(address: Address) -> list[Address]:
    """Each server of a cluster that the URL names; else it is one, as Sentinel says."""
    if address.kind != "cluster":
        return [address]
    return [
        replace(address, hosts=(host,), shown=f"{address.shown} ({host[0]}:{host[1]})")
        for host in address.hosts
    ]


def _complaints(address: Address) -> Iterator[str]:
    alone = Alone(address)
    try:
        told = alone.every()[0].info()
    except FAILURES as error:
        yield f"{address.shown} does not answer: {error or type(error).__name__}"
        return
    finally:
        alone.close()
    _stop_if_unusable(address, told)
    if told.get("role") == "slave" and address.kind != "cluster":
        yield f"{address.shown} is a replica, in which nothing can be counted"
    policy = told.get("maxmemory_policy", "noeviction")
    if told.get("maxmemory") and policy != "noeviction":
        yield (
            f"{address.shown} forgets keys when its memory is full, and with them what"
            f" was counted (maxmemory-policy is {policy}): noeviction is needed"
        )


def _stop_if_unusable(address: Address, told: Mapping[str, object]) -> None:
    version = str(told.get("redis_version", ""))
    major = version.partition(".")[0]
    if not major.isdecimal() or int(major) < OLDEST:
        raise UnusableCounters(
            f"{address.shown} is Redis {version or 'of no known version'}: {OLDEST}.0"
            " or newer is needed, or Valkey"
        )
    mode = told.get("redis_mode", "standalone")
    wanted = "cluster" if address.kind == "cluster" else "standalone"
    if mode != wanted:
        forms = {"cluster": "redis+cluster://", "sentinel": "redis+sentinel://"}
        raise UnusableCounters(
            f"{address.shown} is a server of mode {mode}, which is spoken to by"
            f" {forms.get(str(mode), 'redis://')}"
        )
