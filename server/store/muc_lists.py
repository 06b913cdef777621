"""The lists of a group or room: who is blocked, who is muted, who may speak anyway."""

from collections.abc import Iterable, Iterator, Sequence

from server.clock import now_ms
from server.muc_errors import IsOwner, NotBlocked, NotMembers, UnknownUser
from server.store import muc_entry, muc_events, mucs
from server.store.database import Statement, writing
from server.store.muc_entry import Named
from server.store.muc_members import Outcome, Why, among
from server.store.mucs import Kind, Muc

FOR_EVER = 4_638_873_600_000
"""The moment, in Unix ms, that stands for no end."""

BLOCKED = Statement(
    """
    SELECT user.username FROM muc_block CROSS JOIN user ON user.id = muc_block.user_id
    WHERE muc_block.muc_id = ? ORDER BY muc_block.id
    """
)
_BLOCK = Statement("INSERT INTO muc_block (muc_id, user_id) VALUES (?, ?)")
_UNBLOCK = Statement("DELETE FROM muc_block WHERE muc_id = ? AND user_id = ?")
MUTED = Statement(
    """
    SELECT muc_mute.until, user.username
    FROM muc_mute CROSS JOIN user ON user.id = muc_mute.user_id
    WHERE muc_mute.muc_id = ? AND muc_mute.until > ? ORDER BY muc_mute.id
    """
)
_MUTE = Statement(
    """
    INSERT INTO muc_mute (muc_id, user_id, until) VALUES (?, ?, ?)
    ON CONFLICT (muc_id, user_id) DO UPDATE SET until = excluded.until
    """
)
_UNMUTE = Statement("DELETE FROM muc_mute WHERE muc_id = ? AND user_id = ?")
_FORGET_EXPIRED = Statement("DELETE FROM muc_mute WHERE muc_id = ? AND until <= ?")
_ENDED = Statement(
    """
    SELECT muc_mute.id, muc.app_id
    FROM muc_mute CROSS JOIN muc ON muc.id = muc_mute.muc_id
    WHERE muc_mute.until <= ? LIMIT ?
    """
)
_REMOVE_IF_ENDED = Statement("DELETE FROM muc_mute WHERE id = ? AND until <= ?")
ALLOWED = Statement(
    """
    SELECT user.username FROM muc_member CROSS JOIN user ON user.id = muc_member.user_id
    WHERE muc_member.muc_id = ? AND muc_member.allowed ORDER BY muc_member.id
    """
)
_SET_ALLOWED = Statement(
    "UPDATE muc_member SET allowed = ? WHERE muc_id = ? AND user_id = ?"
)


def blocked(app_id: int, kind: Kind, muc_id: int) -> list[str]:
    """Who is blocked. Raises UnknownMuc."""
    mucs.held(app_id, kind, muc_id)
    return [name for (name,) in BLOCKED.all(muc_id)]


def block(app_id: int, kind: Kind, muc_id: int, names: Sequence[str]) -> list[Outcome]:
    """Take members out and keep them out.

    Raises:
        UnknownMuc: there is no such group or room.
        IsOwner: the owner is among them; nobody is blocked.
        NotMembers: none of them is one.
    """
    with writing(app_id):
        muc = mucs.held(app_id, kind, muc_id)
        outcomes = _but_the_owner(app_id, muc, names)
        for each, named in outcomes:
            if each.why is None and named.user_id is not None:
                muc_entry.dismiss(muc_id, kind, named.user_id)
                _BLOCK.run(muc_id, named.user_id)
        muc_events.tell(app_id, kind, muc_id, "blocked", _done(outcomes))
    return [each for each, _ in outcomes]


def unblock(
    app_id: int, kind: Kind, muc_id: int, names: Sequence[str]
) -> list[Outcome]:
    """Let users be added again.

    Raises:
        UnknownMuc: there is no such group or room.
        UnknownUser: the first who is; nobody is unblocked.
        NotBlocked: none of them is; names the first.
    """
    with writing(app_id):
        mucs.held(app_id, kind, muc_id)
        named = muc_entry.look_up(app_id, names)
        for each in named:
            if each.user_id is None:
                raise UnknownUser(each.name)
        outcomes = [
            Outcome(
                each.name,
                None if _UNBLOCK.run(muc_id, each.user_id) else Why.NOT_BLOCKED,
            )
            for each in named
        ]
        if all(each.why is not None for each in outcomes):
            raise NotBlocked(named[0].name, muc_id)
        done = _done(zip(outcomes, named, strict=True))
        muc_events.tell(app_id, kind, muc_id, "unblocked", done)
    return outcomes


def muted(app_id: int, kind: Kind, muc_id: int) -> list[tuple[int, str]]:
    """Until when, in Unix ms, and who. Raises UnknownMuc."""
    mucs.held(app_id, kind, muc_id)
    return MUTED.all(muc_id, now_ms())


def mute(
    app_id: int, kind: Kind, muc_id: int, names: Sequence[str], duration_ms: int | None
) -> tuple[int, list[Outcome]]:
    """Mute members from now on, or anew; None: for ever. Until when, and who.

    Raises:
        UnknownMuc: there is no such group or room.
        IsOwner: the owner is among them; nobody is muted.
        NotMembers: none of them is one.
    """
    now = now_ms()
    until = FOR_EVER if duration_ms is None else min(now + duration_ms, FOR_EVER)
    with writing(app_id):
        muc = mucs.held(app_id, kind, muc_id)
        outcomes = _but_the_owner(app_id, muc, names)
        _FORGET_EXPIRED.run(muc_id, now)
        for each, named in outcomes:
            if each.why is None:
                _MUTE.run(muc_id, named.user_id, until)
        done = _done(outcomes)
        muc_events.tell(app_id, kind, muc_id, "muted", done, until=until)
    return until, [each for each, _ in outcomes]


def _done(outcomes: Iterable[tuple[Outcome, Named]]) -> list[int | None]:
    """Whom it was done to."""
    return [named.user_id for each, named in outcomes if each.why is None]


def _but_the_owner(
    app_id: int, muc: Muc, names: Sequence[str]
) -> list[tuple[Outcome, Named]]:
    outcomes = among(app_id, muc, names)
    if any(each.why is Why.OWNER for each, _ in outcomes):
        raise IsOwner
    return outcomes


def unmute(app_id: int, kind: Kind, muc_id: int, names: Sequence[str]) -> list[Outcome]:
    """Let members speak, muted or not; in a room, who was muted and left as well.

    Raises:
        UnknownMuc: there is no such group or room.
        NotMembers: none of them is one.
    """
    outcomes = []
    with writing(app_id):
        mucs.held(app_id, kind, muc_id)
        named = muc_entry.look_up(app_id, names)
        for each in named:
            known = _UNMUTE.run(muc_id, each.user_id) or muc_entry.is_member(
                muc_id, each
            )
            outcomes.append(Outcome(each.name, None if known else Why.NOT_IN))
        _need_one(outcomes)
        done = _done(zip(outcomes, named, strict=True))
        muc_events.tell(app_id, kind, muc_id, "unmuted", done)
    return outcomes


def allowed(app_id: int, kind: Kind, muc_id: int) -> list[str]:
    """Who may speak while all are muted. Raises UnknownMuc."""
    mucs.held(app_id, kind, muc_id)
    return [name for (name,) in ALLOWED.all(muc_id)]


def allow(
    app_id: int, kind: Kind, muc_id: int, names: Sequence[str], *, speak: bool
) -> list[Outcome]:
    """Put members on the allow list, or take them off; who is there already stays.

    Raises:
        UnknownMuc: there is no such group or room.
        NotMembers: none of them is one.
    """
    with writing(app_id):
        mucs.held(app_id, kind, muc_id)
        named = muc_entry.look_up(app_id, names)
        outcomes = [
            Outcome(
                each.name,
                None if _SET_ALLOWED.run(speak, muc_id, each.user_id) else Why.NOT_IN,
            )
            for each in named
        ]
        _need_one(outcomes)
        done = _done(zip(outcomes, named, strict=True))
        change = "allowed" if speak else "disallowed"
        muc_events.tell(app_id, kind, muc_id, change, done)
    return outcomes


def _need_one(outcomes: Sequence[Outcome]) -> None:
    if all(each.why is not None for each in outcomes):
        raise NotMembers(each.name for each in outcomes)


def remove_ended_mutes(by_ms: int, *, batch: int) -> Iterator[int]:
    """Remove the mutes of groups and rooms that ended by then; how many each time."""
    while ended := _ENDED.all(by_ms, batch):
        with writing(*{app_id for _, app_id in ended}):
            # Who was muted anew meanwhile is so by the same row.
            _REMOVE_IF_ENDED.run_many([(id_, by_ms) for id_, _ in ended])
        yield len(ended)
