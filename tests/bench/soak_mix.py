"""The calls of a soak: all ten interfaces, each kind as often as its weight says."""

import json
import random
import time
from collections import deque
from collections.abc import Callable
from itertools import count

from tests.bench import load
from tests.bench.soak_load import Answered, Call
from tests.bench.soak_world import PASSWORD, PEOPLE, SPARE, Plan, Tenant

RECALLABLE_SECONDS = 100
"""The table says 120."""
KINDS: list[tuple[float, str, Callable[["Mix", Tenant], Call]]] = []
"""Weight, interface, and what makes the call."""
OK = frozenset({200})


def kind(
    weight: float, interface: str
) -> Callable[[Callable[["Mix", Tenant], Call]], Callable[["Mix", Tenant], Call]]:
    def keep(make: Callable[["Mix", Tenant], Call]) -> Callable[["Mix", Tenant], Call]:
        KINDS.append((weight, interface, make))
        return make

    return keep


class Mix:
    """Makes one call after another, of apps and kinds by chance."""

    def __init__(self, tenants: list[Tenant], plan: Plan) -> None:
        self.tenants = tenants
        self.plan = plan
        self.chance = random.Random(20261129)  # noqa: S311 (repeatable, not secret)
        self.numbers = count()
        self.history_turn = deque(tenants)
        self.exported: dict[str, float] = {}
        """When apps asked for their history last, monotonic."""
        self.follow: deque[tuple[str, float]] = deque(maxlen=100)
        """Addresses of history files, and when those are over."""
        self.expected: dict[tuple[str, str], set[int]] = {}
        """Messages that a device has to be told, by app and user."""
        self._makes = [make for _, _, make in KINDS]
        self._weights = [weight for weight, _, _ in KINDS]

    def __call__(self) -> Call:
        (make,) = self.chance.choices(self._makes, self._weights)
        return make(self, self.chance.choice(self.tenants))

    def person(self) -> str:
        return self.chance.choice(PEOPLE)

    def fresh(self, word: str) -> str:
        return f"{word}-{next(self.numbers)}"

    def kept(self, tenant: Tenant, what: str) -> deque[str]:
        return tenant.made.setdefault(what, deque())


def call(
    tenant: Tenant, interface: str, method: str, path: str, body: object = None,
    answered: Answered | None = None, *, name: str = "", token: str = "",
    expected: frozenset[int] = OK,
) -> Call:  # fmt: skip
    """A call of JSON with the app's token, or *token*."""
    content = b"" if body is None else json.dumps(body).encode()
    whole = load.request(method, tenant.path + path, token or tenant.token, content)
    told = name or f"{method} {path}"
    return Call(told, whole, tenant.path, interface, answered, expected)


def share_of(interface: str) -> float:
    """Which part of all calls is of an interface."""
    of_it = sum(weight for weight, name, _ in KINDS if name == interface)
    return of_it / sum(weight for weight, _, _ in KINDS)


def data_of(body: bytes) -> object:
    return json.loads(body)["data"]


@kind(7, "users")
def read_user(mix: Mix, tenant: Tenant) -> Call:
    return call(tenant, "users", "GET", f"/users/{mix.person()}", name="read user")


@kind(3, "users")
def status(mix: Mix, tenant: Tenant) -> Call:
    path = f"/users/{mix.person()}/status"
    return call(tenant, "users", "GET", path, name="status")


@kind(1.5, "users")
def batch_status(mix: Mix, tenant: Tenant) -> Call:
    body = {"usernames": PEOPLE}
    return call(tenant, "users", "POST", "/users/batch/status", body, name="statuses")


@kind(1, "users")
def list_users(mix: Mix, tenant: Tenant) -> Call:
    return call(tenant, "users", "GET", "/users?limit=20", name="list users")


@kind(0.6, "users")
def register(mix: Mix, tenant: Tenant) -> Call:
    name, made = mix.fresh("new"), mix.kept(tenant, "user")

    def answered(_status: int, _body: bytes) -> None:
        made.append(name)

    body = {"username": name, "password": PASSWORD, "nickname": "New"}
    return call(tenant, "users", "POST", "/users", body, answered, name="register")


@kind(0.7, "users")
def unregister(mix: Mix, tenant: Tenant) -> Call:
    made = mix.kept(tenant, "user")
    if not made:
        return register(mix, tenant)
    return call(
        tenant, "users", "DELETE", f"/users/{made.popleft()}", name="delete user"
    )


@kind(1.2, "users")
def write_attributes(mix: Mix, tenant: Tenant) -> Call:
    path = f"/metadata/user/{mix.person()}"
    made = call(tenant, "users", "PUT", path, name="attributes")
    body = f"mood=fine&seen={next(mix.numbers)}".encode()
    whole = load.request("PUT", tenant.path + path, tenant.token, body)
    form = b"application/x-www-form-urlencoded"
    made.request = whole.replace(b"application/json", form, 1)
    return made


@kind(1, "users")
def read_attributes(mix: Mix, tenant: Tenant) -> Call:
    path = f"/metadata/user/{mix.person()}"
    return call(tenant, "users", "GET", path, name="read attributes")


@kind(1, "users")
def publish_presence(mix: Mix, tenant: Tenant) -> Call:
    path = f"/users/{mix.person()}/presence/web_1/1"
    return call(tenant, "users", "POST", path, {"ext": "busy"}, name="presence")


@kind(0.2, "users")
def sign_in(mix: Mix, tenant: Tenant) -> Call:
    body = {"grant_type": "password", "username": mix.person(), "password": PASSWORD}
    made = call(tenant, "", "POST", "/token", body, name="token")
    made.request = made.request.replace(
        f"Authorization: Bearer {tenant.token}\r\n".encode(), b""
    )
    return made


@kind(3, "friends")
def befriend(mix: Mix, tenant: Tenant) -> Call:
    one, other = mix.chance.sample(PEOPLE, 2)
    path = f"/users/{one}/contacts/users/{other}"
    return call(tenant, "friends", "POST", path, name="add friend")


@kind(1.5, "friends")
def part(mix: Mix, tenant: Tenant) -> Call:
    one, other = mix.chance.sample(PEOPLE, 2)
    path = f"/users/{one}/contacts/users/{other}"
    return call(tenant, "friends", "DELETE", path, name="remove friend")


@kind(4, "friends")
def list_friends(mix: Mix, tenant: Tenant) -> Call:
    path = f"/users/{mix.person()}/contacts/users"
    return call(tenant, "friends", "GET", path, name="list friends")


@kind(1.5, "blacklist")
def block(mix: Mix, tenant: Tenant) -> Call:
    path = f"/users/{SPARE}/blocks/users"
    body = {"usernames": [mix.person()]}
    return call(tenant, "blacklist", "POST", path, body, name="block")


@kind(1.5, "blacklist")
def unblock(mix: Mix, tenant: Tenant) -> Call:
    path = f"/users/{SPARE}/blocks/users/{mix.person()}"
    return call(tenant, "blacklist", "DELETE", path, name="unblock")


@kind(3, "blacklist")
def list_blocks(mix: Mix, tenant: Tenant) -> Call:
    path = f"/users/{SPARE}/blocks/users"
    return call(tenant, "blacklist", "GET", path, name="list blocks")


@kind(1, "blocking")
def deactivate(mix: Mix, tenant: Tenant) -> Call:
    path = f"/users/{SPARE}/{mix.chance.choice(('deactivate', 'activate'))}"
    return call(tenant, "blocking", "POST", path, name="deactivate, activate")


@kind(1, "blocking")
def force_offline(mix: Mix, tenant: Tenant) -> Call:
    path = f"/users/{SPARE}/disconnect"
    return call(tenant, "blocking", "GET", path, name="disconnect")


@kind(1.5, "blocking")
def mute(mix: Mix, tenant: Tenant) -> Call:
    body = {"username": SPARE, "chat": mix.chance.choice((0, 30))}
    return call(tenant, "blocking", "POST", "/mutes", body, name="mute")


@kind(1.5, "blocking")
def list_mutes(mix: Mix, tenant: Tenant) -> Call:
    return call(tenant, "blocking", "GET", "/mutes", name="list mutes")


@kind(8, "offline")
def count_offline(mix: Mix, tenant: Tenant) -> Call:
    path = f"/users/{mix.person()}/offline_msg_count"
    return call(tenant, "offline", "GET", path, name="count offline")


@kind(2, "offline")
def delivered(mix: Mix, tenant: Tenant) -> Call:
    if not tenant.sent:
        return count_offline(mix, tenant)
    id_, target, _ = mix.chance.choice(tenant.sent)
    path = f"/users/{target}/offline_msg_status/{id_}"
    return call(tenant, "offline", "GET", path, name="offline status")


def recallable(tenant: Tenant) -> tuple[str, str, float] | None:
    while tenant.sent:
        found = tenant.sent.popleft()
        if time.monotonic() - found[2] < RECALLABLE_SECONDS:
            return found
    return None
