"""What groups and chat rooms share on the wire: ids, lists of names, pages, answers."""

import re
from collections.abc import Callable, Mapping, Sequence

from flask import Response, request
from marshmallow import Schema, fields

from server import answers, envelope
from server.answers import Answer, Said
from server.api.muc_fields import trimmed
from server.errors import INVALID_REQUEST, IllegalArgument, Refusal
from server.kinds import MaxItems
from server.muc_errors import IsOwner, NotBlocked, NotIn, UnknownMuc
from server.payload import whole, whole_in_any_case
from server.store import muc_members
from server.store.muc_members import Why
from server.store.mucs import LAST, Muc

DEFAULT_PAGE = 10
"""How many a page holds that is not asked for a number."""

_ID = re.compile(r"[1-9][0-9]{0,18}")


def id_in(text: str, unknown: Callable[[str], Refusal] = UnknownMuc) -> int:
    """The id that *text* of a path is; what is no number is just unknown.

    Raises:
        Refusal: *unknown*, with the text.
    """
    found = whole_id(text)
    if found is None:
        raise unknown(text)
    return found


def whole_id(text: str) -> int | None:
    """*text* as an id, or None."""
    return int(text) if _ID.fullmatch(text) and int(text) <= LAST else None


def names_in(path: str, at_most: MaxItems, called: str = "usernames") -> list[str]:
    """The names of a comma list in a path, at least one.

    Raises:
        IllegalArgument: there is none, or more than *at_most*.
    """
    names = trimmed(path.split(","))
    if not names:
        raise IllegalArgument(INVALID_REQUEST)
    at_most.check(len(names), text=called + " exceeds the limit of {max}")
    return names


_ANSWERED_AS = {
    "name": "groupname",
    "max_users": "maxusers",
    "members_only": "membersonly",
    "allow_invites": "allowinvites",
}


def changed(changes: Mapping[str, object]) -> Response:
    """The answer that names each field that was sent; a name is a groupname in both."""
    return of_muc({_ANSWERED_AS.get(field, field): True for field in changes})


def numbered() -> int:
    """The query's page number; 1 when absent or no page."""
    return max(whole_in_any_case("pagenum") or 1, 1)


def page_size(at_most: MaxItems, *, default: int) -> int:
    """The query's page size."""
    return at_most.clamp(whole_in_any_case("pagesize"), default=default)


def is_paged() -> bool:
    """Whether the query asks for a page."""
    return bool({"pagenum", "pagesize"} & {name.lower() for name in request.args})


def limited(at_most: MaxItems) -> int:
    """The size of a page of a list that goes on by cursor."""
    return at_most.clamp(whole("limit"), default=DEFAULT_PAGE)


def newest_first() -> bool:
    """Whether the query asks for the last who joined first."""
    return request.args.get("sort", "").lower() == "desc"


def by_cursor() -> bool:
    """Whether the query asks for members in the later form."""
    return request.args.get("version") == "v3"


def of_muc(
    data: object, *, count: int | None = None, cursor: str | None = None
) -> Response:
    """The answer of every call here that succeeds."""
    return envelope.of_app(
        action=request.method.lower(),
        params=envelope.params(),
        uri=envelope.here(),
        entities=[],
        data=data,
        count=count,
        cursor=cursor,
    )


def told(data: Said, *, count: bool = False, cursor: bool = False) -> Answer:
    """What :func:`of_muc` and :func:`listed` answer."""
    more = ({"count": answers.count()} if count else {}) | (
        {"cursor": answers.cursor()} if cursor else {}
    )
    return answers.of_app(
        action=answers.one_of("get", "post", "put", "delete"),
        params=answers.params(),
        uri=answers.uri(),
        entities=answers.nothing(),
        data=data,
        **more,
    )


def listed(things: Sequence[object], cursor: str | None = None) -> Response:
    """The answer that is a list."""
    return of_muc(things, count=len(things), cursor=cursor)


class Affiliation(Schema):
    """One who is in it, under what they are there."""

    owner = fields.String()
    member = fields.String()


def affiliations(muc: Muc, names: Sequence[str]) -> list[dict[str, str]]:
    """Who is in it, and as what."""
    return [{"owner" if name == muc.owner else "member": name} for name in names]


class UnknownId(Schema):
    id = answers.text()
    reason = answers.text()


class MutedMember(Schema):
    expire = answers.number("Until when, in Unix milliseconds.")
    user = answers.text()


class Promoted(Schema):
    result = answers.constant("success")
    newadmin = answers.text()


class Dismissed(Schema):
    result = answers.constant("success")
    oldadmin = answers.text()


class Announced(Schema):
    announcement = answers.text()


class Replaced(Schema):
    id = answers.text()
    result = answers.constant(value=True)


class Silence(Schema):
    mute = answers.truth("Whether only a few may speak now.")


class Outcome(Schema):
    """As :func:`shown` tells it of one name."""

    result = answers.truth()
    user = answers.text()
    action = fields.String()
    reason = fields.String(metadata={"description": "Why not, where it was not done."})
    expire = fields.Integer(
        metadata={"description": "Of a mute, in Unix milliseconds."}
    )
    groupid = fields.String()
    chatroomid = fields.String()
    id = fields.String()


Reasons = Mapping[Why, Callable[[str, int], str]]

REASONS: Reasons = {
    Why.UNKNOWN: lambda user, muc_id: NotIn(user, muc_id).text,
    Why.NOT_IN: lambda user, muc_id: NotIn(user, muc_id).text,
    Why.OWNER: lambda _user, _muc_id: IsOwner.description,
    Why.NOT_BLOCKED: lambda user, muc_id: NotBlocked(user, muc_id).text,
}
REMOVAL_REASONS: Reasons = {
    **REASONS,
    Why.UNKNOWN: lambda user, _muc_id: f"user {user} doesn't exist.",
}

ROOM_BLOCK_REASONS: Reasons = {
    **REASONS,
    **dict.fromkeys(
        (Why.UNKNOWN, Why.NOT_IN),
        lambda user, muc_id: f"user: {user} doesn't exist in chatroom: {muc_id}",
    ),
}


def shown(
    outcomes: Sequence[muc_members.Outcome],
    muc_id: int,
    *,
    action: str | None = None,
    id_key: str | None = None,
    reasons: Reasons = REASONS,
    **when_done: object,
) -> list[dict[str, object]]:
    """An object for each name: what was done, or why not."""
    entries: list[dict[str, object]] = []
    for each in outcomes:
        entry: dict[str, object] = {"result": each.why is None}
        if action is not None:
            entry["action"] = action
        if each.why is not None:
            entry["reason"] = reasons[each.why](each.name, muc_id)
        else:
            entry |= when_done
        entry["user"] = each.name
        if id_key is not None:
            entry[id_key] = str(muc_id)
        entries.append(entry)
    return entries


def one_or_all(entries: Sequence[dict[str, object]]) -> Response:
    """A list of one name is answered as one name is."""
    return of_muc(entries[0] if len(entries) == 1 else entries)
