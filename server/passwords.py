"""Passwords, hashed with Argon2 at OWASP's minimum, as many at once as there are cores.

A hash takes 19 MiB and tens of milliseconds of one core; more at a time than cores
would only cost memory. argon2-cffi lets go of the interpreter while it works.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

_hasher = PasswordHasher(
    time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16
)


@cache
def _cores() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(
        os.cpu_count() or 1, thread_name_prefix="argon2", initializer=_leave_the_core
    )


def _leave_the_core() -> None:
    """A worker is kept to one core; hashing, which needs no turns, is not."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))  # 0: this thread


# The pool's threads do not survive a fork; a child makes its own at the first use.
os.register_at_fork(after_in_child=_cores.cache_clear)


def hash_all(passwords: Sequence[str]) -> list[str]:
    """A hash for each of *passwords*, in their order."""
    return list(_cores().map(_hasher.hash, passwords))


def matches(password: str, password_hash: str | None) -> bool:
    """Whether *password* is the one hashed; as slow for a user who has none."""
    return _cores().submit(_verify, password, password_hash).result()


def _verify(password: str, password_hash: str | None) -> bool:
    try:
        _hasher.verify(password_hash or _nobody(), password)
    except (Argon2Error, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _nobody() -> str:
    """A hash to compare with when there is no user, so that time does not tell."""
    return _hasher.hash(os.urandom(16).hex())
