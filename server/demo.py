"""A small living cast for an app, to try things on: ``flask apps create --demo``."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from PIL import Image, ImageDraw

from server import passwords, thumbnails
from server.caller import App
from server.rules import blacklist as blacklist_rules
from server.rules import chatrooms as room_rules
from server.rules import friends as friend_rules
from server.rules import groups as group_rules
from server.rules import messages as message_rules
from server.rules import users as user_rules
from server.store import (
    blacklist,
    file_storage,
    files,
    friends,
    messages,
    muc_roles,
    mucs,
    user_metadata,
    users,
)
from server.store.muc_entry import Caps

PASSWORD = "secret"  # noqa: S105 (everyone may know it: it is printed)
PEOPLE = {
    "ada": "Ada Lovelace",
    "grace": "Grace Hopper",
    "linus": "Linus Torvalds",
    "ken": "Ken Thompson",
    "joan": "Joan Clarke",
}
HERE = "http://127.0.0.1:8000"
"""Where the picture's message says it is: a server as it comes."""
_GROUP_CAPS = Caps(
    joined=group_rules.JOINED_GROUPS, members=group_rules.MEMBERS_PER_GROUP
)
_ROOM_CAPS = Caps(
    joined=room_rules.JOINED_CHAT_ROOMS, members=room_rules.MEMBERS_PER_CHAT_ROOM
)


@dataclass(frozen=True, slots=True)
class Cast:
    """What there is to call things with."""

    users: list[str]
    password: str
    group: str
    room: str
    file: str


def fill(app: App) -> Cast:
    """Give an app people who know each other, and something they said."""
    _people(app.id)
    group, room = _places(app.id)
    picture = _picture(app.id)
    url = f"{HERE}/{app.org}/{app.name}/chatfiles/{picture}"
    _talk(app.id, str(group), str(room), url)
    return Cast([*PEOPLE], PASSWORD, str(group), str(room), picture)


def _people(app_id: int) -> None:
    hashes = passwords.hash_all([PASSWORD] * len(PEOPLE))
    users.add(
        app_id,
        [
            users.NewUser(name, hashed, nickname)
            for (name, nickname), hashed in zip(PEOPLE.items(), hashes, strict=True)
        ],
        at_most=user_rules.USERS_PER_APP,
    )
    user_metadata.merge(
        app_id,
        "ada",
        {"mail": "ada@example.org", "city": "London"},
        each_user=user_rules.ATTRIBUTES,
        whole_app=user_rules.APP_ATTRIBUTES,
    )
    for pair in (("ada", "grace"), ("ada", "linus"), ("grace", "ken"), ("ken", "joan")):
        friends.add(app_id, *pair, at_most=friend_rules.CONTACTS_PER_USER)
    friends.set_remark(app_id, "ada", "grace", "from the compiler team")
    blacklist.add(app_id, "linus", ["joan"], at_most=blacklist_rules.BLOCKS_PER_USER)


def _places(app_id: int) -> tuple[int, int]:
    """A public group, a private one, and a room; the first and the last are told."""
    night_shift = _group(app_id, "Night shift", "ada", ["grace", "linus"], public=True)
    mucs.change(app_id, "group", night_shift, {"announcement": "Tea at four."})
    at_most = group_rules.ADMINISTRATORS_PER_GROUP
    muc_roles.promote(app_id, "group", night_shift, "grace", at_most=at_most)
    _group(app_id, "Book club", "ken", ["joan", "ada"], public=False)
    square = mucs.create(
        app_id,
        "chatroom",
        mucs.NewMuc(
            name="Town square",
            description="Everyone who passes by",
            owner="ken",
            members=["ada", "joan"],
            max_users=200,
            custom="",
        ),
        caps=_ROOM_CAPS,
        per_app=room_rules.CHAT_ROOMS_PER_APP,
    )
    return night_shift, square


def _group(
    app_id: int, name: str, owner: str, members: Sequence[str], *, public: bool
) -> int:
    return mucs.create(
        app_id,
        "group",
        mucs.NewMuc(
            name=name,
            description=f"{name}, as every office has one",
            owner=owner,
            members=list(members),
            max_users=200,
            public=public,
            members_only=not public,
            allow_invites=not public,
            invite_need_confirm=True,
            custom="",
        ),
        caps=_GROUP_CAPS,
        per_app=group_rules.GROUPS_PER_APP,
    )


def _picture(app_id: int) -> str:
    """Keep a picture of a weir as Ada's upload; its uuid."""
    painted = _painted()
    with file_storage.incoming() as content, file_storage.incoming() as small:
        content.file.write(painted)
        with content.read_back() as source:
            made = thumbnails.make(source, (170, 170))
        if made is not None:
            small.file.write(made[0])
        new = files.NewFile(
            owner="ada",
            name="weir.png",
            content_type="image/png",
            size=len(painted),
            restricted=False,
        )
        thumbnail = None if made is None else (small, made[1])
        uuid, _ = files.add(app_id, new, content, thumbnail)
    return uuid


def _painted() -> bytes:
    image = Image.new("RGB", (640, 400), "#dff1ef")
    draw = ImageDraw.Draw(image)
    for step in range(8):
        top = 120 + step * 36
        shade = (11 + step * 6, 107 + step * 8, 102 + step * 10)
        draw.rectangle((0, top, 640, 400), fill=shade)
        for left in range(-40 + step * 20, 640, 120):
            draw.arc((left, top - 14, left + 80, top + 14), 0, 180, "#ffffff", 3)
    kept = io.BytesIO()
    image.save(kept, "PNG", optimize=True)
    return kept.getvalue()


def _talk(app_id: int, group: str, room: str, url: str) -> None:
    """Nobody is receiving, so what is said to users and groups waits for them."""
    image: dict[str, object] = {
        "type": "img",
        "url": url,
        "filename": "weir.png",
        "size": {"width": 640, "height": 400},
    }
    said: Sequence[tuple[str, str, str, dict[str, object]]] = (
        ("ada", "users", "grace", {"type": "txt", "msg": "Lunch?"}),
        ("grace", "users", "ada", {"type": "txt", "msg": "In ten minutes."}),
        ("ada", "users", "linus", image),
        ("linus", "chatgroups", group, {"type": "txt", "msg": "Deploying at nine."}),
        ("grace", "chatgroups", group, {"type": "txt", "msg": "I have the pager."}),
        ("ken", "chatrooms", room, {"type": "txt", "msg": "Good morning, all."}),
        ("joan", "users", "ken", {"type": "cmd", "action": "typing"}),
    )
    for sender, kind, target, body in said:
        messages.keep(
            app_id,
            messages.Outgoing(
                target_type=kind,
                targets=[target],
                sender=sender,
                body=orjson.dumps(body).decode(),
                ext=None,
                timestamp=None,
                online_only=False,
                sync_device=False,
                level=None,
            ),
            at_most=message_rules.DAILY_SYSTEM_PUSH_MESSAGES,
        )
