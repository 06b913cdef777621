"""How much of everything many apps need: a simulation fed with measured costs.

Each app offers calls at a rate of its own, in moments by chance; each interface admits
what the table lets its edition have in a second, and refuses the rest. Every admitted
or refused call is put on the counter shard that has its key, by Redis' own hash, and
what is admitted on the hosts and the database.
"""

import math
import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from redis.crc import key_slot

from server.kinds import Calls
from server.limiting.plan import shared_interfaces
from server.rules import EDITIONS, INTERFACES
from tests.bench.capacity_costs import REFUSED, Cost, Costs

BUSY = 0.7
"""The share of a core that is planned for: queues grow long beyond it."""
SLOTS = 16_384
MIX = {
    "messages": 0.50, "users": 0.15, "groups": 0.10, "offline": 0.08, "chatrooms": 0.06,
    "friends": 0.05, "files": 0.04, "blacklist": 0.02,
}  # fmt: skip
"""Assumed: which part of an app's calls goes to which interface."""
WRITES = {"messages": 1.0, "files": 1.0}
"""Transactions a call of these makes."""


@dataclass(frozen=True)
class World:
    """What is assumed of the callers and the machines."""

    apps: int = 100_000
    calls: float = 1_000_000.0
    """Offered a second, by all apps together."""
    skew: float = 0.5
    """The n-th busiest app offers 1/n**skew of what the busiest does."""
    enterprise: float = 0.5
    """The share of apps on the larger edition."""
    host_cores: int = 16
    database_cores: int = 64
    seed: int = 1


@dataclass
class Load:
    """What a simulated second brought; sums over apps."""

    admitted: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    by_slot: Counter[int] = field(default_factory=Counter)
    """Calls that a slot of the counters judged."""
    busiest_app: int = 0
    """Transactions of the app that made most: they take turns."""

    @property
    def offered(self) -> int:
        return self.admitted.total() + self.refused


def _poisson(chance: random.Random, mean: float) -> int:
    """How many calls come in a second; close enough to normal where they are many."""
    if mean > 30:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    left, count = chance.random(), 0
    term = reached = math.exp(-mean)
    while left > reached:
        count += 1
        term *= mean / count
        reached += term
        if count > 300:
            break
    return count


def rates() -> dict[str, dict[str, int]]:
    """By interface and edition: how many calls of an app a second admits."""
    return {
        calls.interface: {
            edition: rate.calls // rate.seconds for edition, rate in calls.rates.items()
        }
        for interface in INTERFACES
        for calls in interface.rules
        if isinstance(calls, Calls) and calls.scope == "app"
    }


def shared() -> frozenset[str]:
    """The interfaces all of whose counters lie in one slot, see plan.py."""
    declared = [
        rule
        for interface in INTERFACES
        for rule in interface.rules
        if isinstance(rule, Calls)
    ]
    return shared_interfaces(declared)


def simulate(world: World, seconds: int, told: Callable[[int], object]) -> Load:
    """So many seconds, as their mean; *told* is called with the apps that are done."""
    chance = random.Random(world.seed)  # noqa: S311 (repeatable, not secret)
    small, *_, large = EDITIONS
    allowed, in_one_slot = rates(), shared()
    slot_of_shared = {name: key_slot(name.encode()) for name in in_one_slot}
    weights = [(n + 1) ** -world.skew for n in range(world.apps)]
    scale = world.calls / sum(weights)
    load = Load()
    for n, weight in enumerate(weights):
        edition = large if chance.random() < world.enterprise else small
        slot = key_slot(str(n + 1).encode())
        for interface, part in MIX.items():
            most = allowed[interface][edition]
            for _ in range(seconds):
                came = _poisson(chance, weight * scale * part)
                passed = min(came, most)
                load.admitted[interface] += passed
                load.refused += came - passed
                load.by_slot[slot_of_shared.get(interface, slot)] += came
        if n % 1_000 == 999:
            told(1_000)
    busiest = max(most[large] for name, most in allowed.items() if name in WRITES)
    return Load(
        Counter(
            {name: round(count / seconds) for name, count in load.admitted.items()}
        ),
        round(load.refused / seconds),
        Counter({slot: round(count / seconds) for slot, count in load.by_slot.items()}),
        busiest * len(WRITES),
    )


@dataclass(frozen=True)
class Need:
    """One resource: how much a unit of it carries, and how many units are needed."""

    name: str
    calls: float
    """Offered a second, at which one unit is as busy as is planned for."""
    units: int
    why: str


def spent(load: Load, costs: Costs, part: Callable[[Cost], float]) -> float:
    """Of one part of the cost, by a second's calls: µs, or bytes."""
    found = sum(
        count * part(costs.calls[name]) for name, count in load.admitted.items()
    )
    return found + load.refused * part(costs.calls[REFUSED])


def shards(load: Load, script_us: float, installations: int) -> int:
    """The fewest of one installation that keep its busiest below what is planned for."""
    most = BUSY * 1e6 / script_us * installations
    count = max(1, math.ceil(load.offered / most))
    while True:
        found: Counter[int] = Counter()
        for slot, calls in load.by_slot.items():
            found[slot * count // SLOTS] += calls
        if max(found.values()) <= most:
            return count
        count += 1


@dataclass(frozen=True)
class Plan:
    """What the load needs, that which is exhausted first at the head."""

    needs: list[Need]
    installations: int
    """Among which the apps are divided: each has one database and its own counters."""


def planned(world: World, load: Load, costs: Costs) -> Plan:
    offered = load.offered
    host = spent(load, costs, lambda cost: cost.host) / 1e6
    script_us = spent(load, costs, lambda cost: cost.redis) / offered
    database = spent(load, costs, lambda cost: cost.postgres) / 1e6
    writes = sum(load.admitted[name] * each for name, each in WRITES.items())
    commits = costs.commits.together / cores_here() * world.database_cores * BUSY
    slot = max(load.by_slot.values())
    of_host = world.host_cores * BUSY
    of_database = world.database_cores * BUSY
    writers = max(math.ceil(database / of_database), math.ceil(writes / commits))
    slots = math.ceil(slot * script_us / (BUSY * 1e6))
    installations = max(writers, slots)
    found = [
        Need(
            f"host of {world.host_cores} cores", offered * of_host / host,
            math.ceil(host / of_host), f"{host:,.0f} cores of CPU",
        ),
        Need(
            "Redis shard", BUSY * 1e6 / script_us,
            installations * shards(load, script_us, installations),
            f"{script_us:.0f} µs of one core a call",
        ),
        Need(
            f"PostgreSQL of {world.database_cores} cores, CPU",
            offered * of_database / database, math.ceil(database / of_database),
            f"{database:,.0f} cores of CPU; each call reads there",
        ),
        Need(
            f"PostgreSQL of {world.database_cores} cores, commits",
            offered * commits / writes, math.ceil(writes / commits),
            f"{writes:,.0f} transactions/s",
        ),
        Need(
            "one slot of the counters", offered * BUSY * 1e6 / script_us / slot, slots,
            f"{slot:,} calls/s of {', '.join(sorted(shared()))} in one; no shard helps",
        ),
    ]  # fmt: skip
    return Plan(sorted(found, key=lambda need: need.calls), installations)


def cores_here() -> int:
    return len(os.sched_getaffinity(0))


def mean(costs: Costs, part: Callable[[Cost], float]) -> float:
    """Of a call of the mix, all admitted."""
    return sum(share * part(costs.calls[name]) for name, share in MIX.items())


def predicted(costs: Costs, workers: int, cores: float) -> float:
    """Calls a second of one host, all parts and the caller on so many *cores*."""
    by_workers = workers * 1e6 / mean(costs, lambda cost: cost.host)
    everything = mean(costs, lambda cost: cost.all_of_it) + costs.caller_us
    return min(by_workers, cores * 1e6 / everything)
