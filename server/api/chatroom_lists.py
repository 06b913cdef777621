"""The lists of a room: blocked users, muted members, those who may speak anyway."""

from flask import Response

from server import answers as told
from server.answers import answers
from server.api import muc_fields
from server.api import muc_wire as wire
from server.api.chatrooms import KIND
from server.caller import caller
from server.payload import Lenient, body
from server.rules import chatrooms as rules
from server.store import muc_lists as store

blueprint = rules.blueprint


@blueprint.get("/chatrooms/<room_id>/blocks/users")
@answers(wire.told(told.texts(), count=True))
def list_blocks(*, room_id: str) -> Response:
    """Who is blocked."""
    return wire.listed(store.blocked(caller().app.id, KIND, wire.id_in(room_id)))


def _block(room_id: str, names: list[str]) -> list[dict[str, object]]:
    found = wire.id_in(room_id)
    outcomes = store.block(caller().app.id, KIND, found, names)
    return wire.shown(
        outcomes,
        found,
        action="add_blocks",
        id_key="chatroomid",
        reasons=wire.ROOM_BLOCK_REASONS,
    )


@blueprint.post("/chatrooms/<room_id>/blocks/users/<username>")
@answers(wire.told(wire.Outcome))
def block(*, room_id: str, username: str) -> Response:
    """Take a member out and keep them out."""
    return wire.of_muc(_block(room_id, [username])[0])


class Blocks(Lenient):
    usernames = muc_fields.Names("usernames", rules.BATCH_BLOCK, required=True)


@blueprint.post("/chatrooms/<room_id>/blocks/users")
@answers(wire.told([wire.Outcome]))
@body(Blocks, at_most=rules.REQUEST_BODY)
def block_some(*, room_id: str, usernames: list[str]) -> Response:
    """The same of several; a list of one is a list."""
    return wire.of_muc(_block(room_id, usernames))


@blueprint.delete("/chatrooms/<room_id>/blocks/users/<usernames>")
@answers(wire.told(told.Either(wire.Outcome, [wire.Outcome])))
def unblock(*, room_id: str, usernames: str) -> Response:
    """Let users be added again."""
    names = wire.names_in(usernames, rules.BATCH_UNBLOCK)
    found = wire.id_in(room_id)
    outcomes = store.unblock(caller().app.id, KIND, found, names)
    return wire.one_or_all(
        wire.shown(outcomes, found, action="remove_blocks", id_key="chatroomid")
    )


@blueprint.get("/chatrooms/<room_id>/mute")
@answers(wire.told([wire.MutedMember]))
def list_mutes(*, room_id: str) -> Response:
    """Who is muted, and until when."""
    muted = store.muted(caller().app.id, KIND, wire.id_in(room_id))
    return wire.of_muc([{"expire": until, "user": name} for until, name in muted])


class Mutes(Lenient):
    usernames = muc_fields.Names("usernames", rules.BATCH_MUTE, required=True)
    duration_ms = muc_fields.Duration("mute_duration")


@blueprint.post("/chatrooms/<room_id>/mute")
@answers(wire.told([wire.Outcome]))
@body(Mutes, at_most=rules.REQUEST_BODY)
def mute(*, room_id: str, usernames: list[str], duration_ms: int | None) -> Response:
    """Mute members from now on, or anew."""
    found = wire.id_in(room_id)
    until, outcomes = store.mute(caller().app.id, KIND, found, usernames, duration_ms)
    return wire.of_muc(wire.shown(outcomes, found, expire=until))


@blueprint.delete("/chatrooms/<room_id>/mute/<usernames>")
@answers(wire.told([wire.Outcome]))
def unmute(*, room_id: str, usernames: str) -> Response:
    """Let members speak again."""
    names = wire.names_in(usernames, rules.BATCH_UNMUTE)
    found = wire.id_in(room_id)
    return wire.of_muc(
        wire.shown(store.unmute(caller().app.id, KIND, found, names), found)
    )


@blueprint.get("/chatrooms/<room_id>/white/users")
@answers(wire.told(told.texts(), count=True))
def list_allowed(*, room_id: str) -> Response:
    """Who may speak while all are muted."""
    return wire.listed(store.allowed(caller().app.id, KIND, wire.id_in(room_id)))


def _allow(room_id: str, names: list[str], *, speak: bool) -> list[dict[str, object]]:
    found = wire.id_in(room_id)
    outcomes = store.allow(caller().app.id, KIND, found, names, speak=speak)
    action = "add_user_whitelist" if speak else "remove_user_whitelist"
    return wire.shown(outcomes, found, action=action, id_key="chatroomid")


@blueprint.post("/chatrooms/<room_id>/white/users/<username>")
@answers(wire.told(wire.Outcome))
def allow(*, room_id: str, username: str) -> Response:
    """Put a member on the allow list."""
    return wire.of_muc(_allow(room_id, [username], speak=True)[0])


class Allowed(Lenient):
    usernames = muc_fields.Names("usernames", rules.BATCH_ALLOW, required=True)


@blueprint.post("/chatrooms/<room_id>/white/users")
@answers(wire.told([wire.Outcome]))
@body(Allowed, at_most=rules.REQUEST_BODY)
def allow_some(*, room_id: str, usernames: list[str]) -> Response:
    """The same of several; a list of one is a list."""
    return wire.of_muc(_allow(room_id, usernames, speak=True))


@blueprint.delete("/chatrooms/<room_id>/white/users/<usernames>")
@answers(wire.told([wire.Outcome]))
def disallow(*, room_id: str, usernames: str) -> Response:
    """Take members off the allow list; always answered as a list."""
    names = wire.names_in(usernames, rules.BATCH_DISALLOW)
    return wire.of_muc(_allow(room_id, names, speak=False))
