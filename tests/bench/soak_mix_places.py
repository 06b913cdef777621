"""The calls of a soak: messages, groups and chat rooms."""

import json
import time

from tests.bench.soak_load import Call
from tests.bench.soak_mix import Mix, call, data_of, kind, recallable
from tests.bench.soak_world import PEOPLE, SPARE, Tenant

TEXT = {"type": "txt", "msg": "lunch at noon, or rather a little later?"}
MEMBERS = PEOPLE[:10]


def message(kind_: str, targets: list[str], **more: object) -> dict[str, object]:
    return {
        "target_type": kind_,
        "target": targets,
        "from": "admin",
        "msg": TEXT,
    } | more


@kind(16, "messages")
def send(mix: Mix, tenant: Tenant) -> Call:
    """To one user, now and then to three."""
    targets = mix.chance.sample(PEOPLE, 1 if mix.chance.random() < 0.9 else 3)

    def answered(_status: int, body: bytes) -> str | None:
        ids = json.loads(body)["data"]
        for target in targets:
            id_ = ids[target]
            listening = mix.expected.get((tenant.path, target))
            if listening is not None:
                listening.add(int(id_))
            else:  # and only what nobody has to be told may be recalled
                tenant.sent.append((id_, target, time.monotonic()))
        return None

    body = message("users", targets)
    return call(
        tenant,
        "messages",
        "POST",
        "/messages?useMsgId=true",
        body,
        answered,
        name="send",
    )


@kind(0.5, "messages")
def send_late(mix: Mix, tenant: Tenant) -> Call:
    """Into the hour that ended: its file has to be made anew."""
    at = mix.plan.ended_ms - mix.chance.randint(1, 3_000_000)
    body = message("users", [mix.person()], msg_timestamp=at)
    return call(tenant, "messages", "POST", "/messages", body, name="send late")


@kind(2.5, "messages")
def send_group(mix: Mix, tenant: Tenant) -> Call:
    body = message("chatgroups", [mix.chance.choice(tenant.groups)])
    return call(tenant, "messages", "POST", "/messages", body, name="send to a group")


@kind(2.5, "messages")
def send_room(mix: Mix, tenant: Tenant) -> Call:
    body = message("chatrooms", [mix.chance.choice(tenant.rooms)])
    return call(tenant, "messages", "POST", "/messages", body, name="send to a room")


@kind(1.5, "messages")
def recall(mix: Mix, tenant: Tenant) -> Call:
    found = recallable(tenant)
    if found is None:
        return send(mix, tenant)
    id_, target, _ = found

    def answered(_status: int, body: bytes) -> str | None:
        return None if b'"recalled":"yes"' in body else f"not recalled: {body[:300]!r}"

    body = {"msg_id": id_, "to": target, "chat_type": "chat", "force": False}
    return call(
        tenant,
        "messages",
        "POST",
        "/messages/msg_recall",
        body,
        answered,
        name="recall",
    )


def _places(interface: str, path: str, key: str, name: str, field: str) -> None:
    """The same of groups as of chat rooms."""

    def place(mix: Mix, tenant: Tenant) -> str:
        held = tenant.groups if interface == "groups" else tenant.rooms
        return f"{path}/{mix.chance.choice(held)}"

    @kind(1.5, interface)
    def details(mix: Mix, tenant: Tenant) -> Call:
        return call(
            tenant, interface, "GET", place(mix, tenant), name=f"{name} details"
        )

    @kind(1, interface)
    def list_all(mix: Mix, tenant: Tenant) -> Call:
        return call(tenant, interface, "GET", f"{path}?limit=20", name=f"list {name}s")

    @kind(1, interface)
    def joined(mix: Mix, tenant: Tenant) -> Call:
        return call(
            tenant, interface, "GET", f"/users/{mix.person()}/joined_{path[1:]}", name=f"joined {name}s"
        )  # fmt: skip

    @kind(1, interface)
    def members(mix: Mix, tenant: Tenant) -> Call:
        return call(
            tenant, interface, "GET", f"{place(mix, tenant)}/users?pagenum=1&pagesize=20",
            name=f"{name} members",
        )  # fmt: skip

    @kind(0.8, interface)
    def create(mix: Mix, tenant: Tenant) -> Call:
        made = mix.kept(tenant, name)

        def answered(_status: int, body: bytes) -> None:
            made.append(data_of(body)[key])  # type: ignore[index]

        whole = {field: mix.fresh(name), "desc": "d", "description": "d",
                 "public": True, "owner": mix.person(), "members": MEMBERS[:4]}  # fmt: skip
        return call(
            tenant, interface, "POST", path, whole, answered, name=f"create {name}"
        )

    @kind(0.9, interface)
    def delete(mix: Mix, tenant: Tenant) -> Call:
        made = mix.kept(tenant, name)
        if not made:
            return create(mix, tenant)
        return call(
            tenant,
            interface,
            "DELETE",
            f"{path}/{made.popleft()}",
            name=f"delete {name}",
        )

    @kind(1, interface)
    def batch_add(mix: Mix, tenant: Tenant) -> Call:
        """One who comes and goes, and others who are there already."""
        body = {"usernames": [SPARE, *MEMBERS[:3]]}
        return call(
            tenant, interface, "POST", f"{place(mix, tenant)}/users", body,
            name=f"add to {name}", expected=frozenset({200, 400, 403}),
        )  # fmt: skip

    @kind(0.6, interface)
    def remove(mix: Mix, tenant: Tenant) -> Call:
        return call(
            tenant, interface, "DELETE", f"{place(mix, tenant)}/users/{SPARE}",
            name=f"leave {name}", expected=frozenset({200, 403, 404}),
        )  # fmt: skip


_places("groups", "/chatgroups", "groupid", "group", "groupname")
_places("chatrooms", "/chatrooms", "id", "room", "name")
