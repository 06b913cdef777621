"""Acts of chance on a world and on the server, which must tell and hold the same."""

from collections.abc import Callable
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, multiple, rule

from tests.model.world import DONE, KINDS, UNKNOWN, World

Answer = tuple[int, Any]
Call = Callable[..., Answer]
"""Method, path, JSON and perhaps ``token``; status and JSON."""

NAMES = ("ada", "linus", "grace", "ken", "joan")
NOWHERE = "70481920999999"
names = st.sampled_from(NAMES)
few = st.lists(names, min_size=1, max_size=3, unique=True)
kinds = st.sampled_from([*KINDS])


class Machine(RuleBasedStateMachine):
    """A new app beside an empty world."""

    begin: ClassVar[Callable[[], Call]]
    """Makes an app; how to call it."""
    clubs = Bundle("clubs")
    """Kind and id, of what is there or was."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.call = type(self).begin()
        for name in NAMES[:3]:
            self.appear(name)

    def act(self, expected: int, method: str, path: str, body: object = None) -> Any:
        status, told = self.call(method, path, body)
        assert status == expected, f"{method} {path} {body}: {status}, not {expected}"
        return told

    def appear(self, name: str) -> None:
        """A user without a password, for a password costs the time of its hash."""
        grant = {"grant_type": "inherit", "username": name, "autoCreateUser": True}
        self.act(DONE, "POST", "/token", grant)
        self.world.register(name)

    @rule(name=names)
    def come(self, name: str) -> None:
        if not self.world.knows(name):
            self.appear(name)

    @rule(name=names)
    def register(self, name: str) -> None:
        body = {"username": name, "password": "secret"}
        self.act(self.world.register(name), "POST", "/users", body)

    @rule(name=names)
    def delete(self, name: str) -> None:
        self.act(self.world.delete(name), "DELETE", f"/users/{name}")

    @rule(one=names, other=names)
    def befriend(self, one: str, other: str) -> None:
        path = f"/users/{one}/contacts/users/{other}"
        self.act(self.world.befriend(one, other), "POST", path)

    @rule(one=names, other=names)
    def part(self, one: str, other: str) -> None:
        path = f"/users/{one}/contacts/users/{other}"
        self.act(self.world.part(one, other), "DELETE", path)

    @rule(name=names, others=few)
    def block(self, name: str, others: list[str]) -> None:
        expected = self.world.block(name, others)
        body = {"usernames": others}
        self.act(expected, "POST", f"/users/{name}/blocks/users", body)

    @rule(name=names, other=names)
    def unblock(self, name: str, other: str) -> None:
        path = f"/users/{name}/blocks/users/{other}"
        self.act(self.world.unblock(name, other), "DELETE", path)

    @rule(name=names, active=st.booleans())
    def set_active(self, name: str, active: bool) -> None:
        verb = "activate" if active else "deactivate"
        expected = self.world.set_active(name, active=active)
        self.act(expected, "POST", f"/users/{name}/{verb}")

    @rule(name=names, kind=st.sampled_from(("chat", "groupchat")), muted=st.booleans())
    def mute(self, name: str, kind: str, muted: bool) -> None:
        expected = self.world.mute(name, kind, muted=muted)
        body = {"username": name, kind: -1 if muted else 0}
        self.act(expected, "POST", "/mutes", body)

    @rule(target=clubs, kind=kinds, owner=names, others=few, room_for=st.integers(1, 5))
    def create(self, kind: str, owner: str, others: list[str], room_for: int) -> Any:
        expected = self.world.may_create(kind, owner, others, room_for)
        body = {"owner": owner, "members": others, "maxusers": room_for}
        body |= {"groupname": "g", "desc": "d", "name": "g", "description": "d"}
        told = self.act(expected, "POST", f"/{kind}", body)
        if expected != DONE:
            return multiple()
        id_ = told["data"]["groupid" if kind == "chatgroups" else "id"]
        self.world.create(id_, kind, owner, others, room_for)
        return kind, id_

    @rule(club=clubs)
    def destroy(self, club: tuple[str, str]) -> None:
        kind, id_ = club
        self.act(self.world.destroy(id_), "DELETE", f"/{kind}/{id_}")

    @rule(club=clubs, name=names)
    def add(self, club: tuple[str, str], name: str) -> None:
        kind, id_ = club
        expected = self.world.add(id_, [name])
        self.act(expected, "POST", f"/{kind}/{id_}/users/{name}")

    @rule(club=clubs, some=few)
    def add_some(self, club: tuple[str, str], some: list[str]) -> None:
        kind, id_ = club
        body = {"usernames": some}
        self.act(self.world.add(id_, some), "POST", f"/{kind}/{id_}/users", body)

    @rule(club=clubs, some=few)
    def remove(self, club: tuple[str, str], some: list[str]) -> None:
        kind, id_ = club
        expected = self.world.remove(id_, some)
        self.act(expected, "DELETE", f"/{kind}/{id_}/users/{','.join(some)}")

    @rule(club=clubs, some=few)
    def bar(self, club: tuple[str, str], some: list[str]) -> None:
        kind, id_ = club
        body = {"usernames": some}
        expected = self.world.bar(id_, some)
        self.act(expected, "POST", f"/{kind}/{id_}/blocks/users", body)

    @rule(club=clubs, name=names)
    def let_back(self, club: tuple[str, str], name: str) -> None:
        kind, id_ = club
        expected = self.world.let_back(id_, name)
        self.act(expected, "DELETE", f"/{kind}/{id_}/blocks/users/{name}")

    @rule(club=clubs, name=names)
    def transfer(self, club: tuple[str, str], name: str) -> None:
        kind, id_ = club
        expected = self.world.transfer(id_, name)
        self.act(expected, "PUT", f"/{kind}/{id_}", {"newowner": name})

    @rule(sender=names, some=few)
    def send(self, sender: str, some: list[str]) -> None:
        self._send(sender, "users", some)

    @rule(sender=names, club=clubs)
    def send_to_club(self, sender: str, club: tuple[str, str]) -> None:
        self._send(sender, club[0], [club[1]])

    def _send(self, sender: str, kind: str, targets: list[str]) -> None:
        expected = self.world.may_send(sender, KINDS.get(kind, "chat"))
        body = {"target_type": kind, "target": targets, "from": sender}
        body["msg"] = {"type": "txt", "msg": "?"}
        told = self.act(expected, "POST", "/messages?useMsgId=true", body)
        if expected == DONE:
            assert [*told["data"]] == targets
            for target, id_ in told["data"].items():
                for name in self.world.receivers(sender, kind, target):
                    self.world.people[name].queue.append(int(id_))

    @rule(name=names, place=st.integers(0, 4))
    def receive(self, name: str, place: int) -> None:
        """A device acknowledges some of what waits, if its user may sign in."""
        person = self.world.people.get(name)
        grant = {"grant_type": "inherit", "username": name}
        status, told = self.call("POST", "/token", grant)
        if person is None or not person.activated:
            assert status in (400, 404), (name, status)
            return
        assert status == DONE, told
        upto = person.queue[min(place, len(person.queue) - 1)] if person.queue else 1
        status, told = self.call(
            "POST", f"/users/{name}/stream/ack", {"upto": str(upto)},
            token=told["access_token"],
        )  # fmt: skip
        assert status == DONE, told
        assert told["data"] == {"acknowledged": self.world.receive(name, upto)}

    @rule(name=names)
    def look_at_a_user(self, name: str) -> None:
        person = self.world.people.get(name)
        expected = DONE if person else UNKNOWN
        told = self.act(expected, "GET", f"/users/{name}")
        friends = self.act(expected, "GET", f"/users/{name}/contacts/users")
        blocks = self.act(expected, "GET", f"/users/{name}/blocks/users")
        waits = self.act(expected, "GET", f"/users/{name}/offline_msg_count")
        if person is None:
            return
        assert told["entities"][0]["activated"] == person.activated
        assert friends["data"] == person.friends
        assert blocks["data"] == person.blocks
        assert waits["data"] == {name: len(person.queue)}
        for kind, key in (("chatgroups", "groupid"), ("chatrooms", "id")):
            joined = self.act(DONE, "GET", f"/users/{name}/joined_{kind}")["data"]
            assert [each[key] for each in joined] == self.world.joined(name, kind)

    @rule(club=clubs)
    def look_at_a_club(self, club: tuple[str, str]) -> None:
        kind, id_ = club
        there = self.world.clubs.get(id_)
        expected = DONE if there else UNKNOWN
        told = self.act(expected, "GET", f"/{kind}/{id_}")
        blocked = self.act(expected, "GET", f"/{kind}/{id_}/blocks/users")
        if there is None:
            return
        (details,) = told["data"]
        assert details["affiliations_count"] == len(there.members)
        assert details["affiliations"] == [
            {"owner" if name == there.owner else "member": name}
            for name in there.members
        ]
        assert blocked["data"] == there.blocked

    def teardown(self) -> None:
        """In the end all is as the world has it."""
        for name in NAMES:
            self.look_at_a_user(name)
        for id_, club in self.world.clubs.items():
            self.look_at_a_club((club.kind, id_))
        users = self.act(DONE, "GET", "/users?limit=100")
        found = [each["username"] for each in users["entities"]]
        assert found == [*self.world.people]
        for kind, key in (("chatgroups", "groupid"), ("chatrooms", "id")):
            listed = self.act(DONE, "GET", f"/{kind}?limit=100")["data"]
            there = [id_ for id_, club in self.world.clubs.items() if club.kind == kind]
            assert [each[key] for each in listed] == there[::-1]
