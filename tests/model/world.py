"""What an app holds, as its documentation says: no server, no database, no limits.

Each act changes the world as a call would and returns the status that the call gets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

Status = int
DONE, BAD, FORBIDDEN, UNKNOWN = 200, 400, 403, 404
KINDS = {"chatgroups": "groupchat", "chatrooms": "chatroom"}
"""What paths call groups and rooms, and what mutes call what is said there."""


@dataclass
class Person:
    """A user; lists have the newest first, the queue the oldest."""

    friends: list[str] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    queue: list[int] = field(default_factory=list)
    mutes: set[str] = field(default_factory=set)
    activated: bool = True


@dataclass
class Club:
    """A group or a room."""

    kind: str
    owner: str
    room_for: int
    members: dict[str, int] = field(default_factory=dict)
    """With the place of each in the order of all joins."""
    blocked: list[str] = field(default_factory=list)


@dataclass
class World:
    """An app; groups and rooms by their ids."""

    people: dict[str, Person] = field(default_factory=dict)
    clubs: dict[str, Club] = field(default_factory=dict)
    _joins: "count[int]" = field(default_factory=count)

    def register(self, name: str) -> Status:
        if name in self.people:
            return BAD
        self.people[name] = Person()
        return DONE

    def delete(self, name: str) -> Status:
        """With all that is theirs, and what they own."""
        if self.people.pop(name, None) is None:
            return UNKNOWN
        for each in self.people.values():
            _without(each.friends, name)
            _without(each.blocks, name)
        owned = [id_ for id_, club in self.clubs.items() if club.owner == name]
        for id_ in owned:
            del self.clubs[id_]
        for club in self.clubs.values():
            club.members.pop(name, None)
            _without(club.blocked, name)
        return DONE

    def knows(self, *names: str) -> bool:
        return all(name in self.people for name in names)

    def befriend(self, one: str, other: str) -> Status:
        if not self.knows(one, other):
            return UNKNOWN
        if one == other:
            return BAD
        if other not in self.people[one].friends:
            self.people[one].friends.insert(0, other)
            self.people[other].friends.insert(0, one)
        return DONE

    def part(self, one: str, other: str) -> Status:
        if not self.knows(one, other):
            return UNKNOWN
        _without(self.people[one].friends, other)
        _without(self.people[other].friends, one)
        return DONE

    def block(self, name: str, others: Sequence[str]) -> Status:
        if not self.knows(name):
            return UNKNOWN
        if name in others or not self.knows(*others):
            return BAD
        blocks = self.people[name].blocks
        for other in others:
            if other not in blocks:
                blocks.insert(0, other)
        return DONE

    def unblock(self, name: str, other: str) -> Status:
        if not self.knows(name, other):
            return UNKNOWN
        _without(self.people[name].blocks, other)
        return DONE

    def set_active(self, name: str, *, active: bool) -> Status:
        if not self.knows(name):
            return UNKNOWN if active else BAD
        self.people[name].activated = active
        return DONE

    def mute(self, name: str, kind: str, *, muted: bool) -> Status:
        if not self.knows(name):
            return BAD
        (set.add if muted else set.discard)(self.people[name].mutes, kind)
        return DONE

    def may_create(
        self, kind: str, owner: str, members: Sequence[str], room_for: int
    ) -> Status:
        if not self.knows(owner):
            return UNKNOWN
        if not self.knows(*members):
            return BAD if kind == "chatgroups" else UNKNOWN
        return DONE if len({owner, *members}) <= room_for else FORBIDDEN

    def create(
        self, id_: str, kind: str, owner: str, members: Sequence[str], room_for: int
    ) -> None:
        self.clubs[id_] = Club(kind, owner, room_for)
        self._join(self.clubs[id_], [owner, *members])

    def _join(self, club: Club, names: Sequence[str]) -> None:
        for name in names:
            club.members.setdefault(name, next(self._joins))

    def destroy(self, id_: str) -> Status:
        return UNKNOWN if self.clubs.pop(id_, None) is None else DONE

    def add(self, id_: str, names: Sequence[str]) -> Status:
        """All or nobody."""
        club = self.clubs.get(id_)
        if club is None or not self.knows(*names):
            return UNKNOWN
        new = [name for name in names if name not in club.members]
        full = len(club.members) + len(new) > club.room_for
        if not new or full or any(name in club.blocked for name in new):
            return FORBIDDEN
        self._join(club, new)
        return DONE

    def remove(self, id_: str, names: Sequence[str]) -> Status:
        """Those who are members, but never the owner."""
        club = self.clubs.get(id_)
        if club is None:
            return UNKNOWN
        members = [name for name in names if name in club.members]
        if not members or [*names] == [club.owner]:
            return FORBIDDEN
        for name in members:
            if name != club.owner:
                del club.members[name]
        return DONE

    def bar(self, id_: str, names: Sequence[str]) -> Status:
        """Take members out and keep them out."""
        club = self.clubs.get(id_)
        if club is None:
            return UNKNOWN
        members = [name for name in names if name in club.members]
        if not members or club.owner in members:
            return FORBIDDEN
        for name in members:
            del club.members[name]
            club.blocked.append(name)
        return DONE

    def let_back(self, id_: str, name: str) -> Status:
        club = self.clubs.get(id_)
        if club is None or not self.knows(name):
            return UNKNOWN
        if name not in club.blocked:
            return FORBIDDEN
        club.blocked.remove(name)
        return DONE

    def transfer(self, id_: str, name: str) -> Status:
        club = self.clubs.get(id_)
        if club is None:
            return UNKNOWN
        if name == club.owner or name not in club.members:
            return FORBIDDEN
        club.owner = name
        return DONE

    def may_send(self, sender: str, kind: str) -> Status:
        muted = self.knows(sender) and kind in self.people[sender].mutes
        return FORBIDDEN if muted else DONE

    def receivers(self, sender: str, kind: str, target: str) -> list[str]:
        """In whose queue a message is; a room's is in nobody's."""
        if kind == "users":
            return [target] if self.knows(target) else []
        club = self.clubs.get(target)
        if club is None or club.kind != kind or kind == "chatrooms":
            return []
        return [name for name in club.members if name != sender]

    def receive(self, name: str, upto: int) -> int:
        """Take a queue's beginning; how many that were."""
        queue = self.people[name].queue
        taken = [id_ for id_ in queue if id_ <= upto]
        del queue[: len(taken)]
        return len(taken)

    def joined(self, name: str, kind: str) -> list[str]:
        """Groups or rooms of a user, the newest join first."""
        places = {
            id_: club.members[name]
            for id_, club in self.clubs.items()
            if club.kind == kind and name in club.members
        }
        return sorted(places, key=lambda id_: -places[id_])


def _without(names: list[str], name: str) -> None:
    if name in names:
        names.remove(name)
