"""The day of a program that uses a published SDK, as its author would have written it.

``ease-restapi`` 1.3 (PyPI, 2015): a server SDK of the platform, pointed at a server by
one setting. Run with ORG/APP, client id, client secret and the server's address; prints
what came of each call.
"""

import json
import sys

from ease_restapi import config

APP, CLIENT_ID, CLIENT_SECRET, SERVER = sys.argv[1:]

config.HOST_SERVER = SERVER
config.APP_ORG, config.APP_NAME = APP.split("/")

from ease_restapi.service import (  # noqa: E402 (as the SDK wants it: configured first)
    auth,
    ease_batch,
    ease_black,
    ease_friend,
    ease_group,
    ease_message,
    ease_records,
    ease_user,
)

me = auth.AppClientAuth(CLIENT_ID, CLIENT_SECRET)
group = ease_group.build_group_data("Choir", "Thursdays", "ada", True, members=["ken"])
said = ease_message.build_message_data("Rehearsal at six", ["grace"], username="ada")
named: dict[str, str] = {}


def created() -> tuple[bool, dict[str, object]]:
    done, told = ease_group.create_group(me, group)
    named["id"] = told["data"]["groupid"]
    return done, told


DAY = {
    "register": lambda: ease_user.create_user_credit(me, "edsger", "secret"),
    "register two": lambda: ease_batch.create_users(
        me,
        [{"username": name, "password": "secret"} for name in ("barbara", "tony")],
    ),
    "read": lambda: ease_user.pickup_user(me, "edsger"),
    "list": lambda: ease_batch.pickup_users(me, limit=3),
    "nickname": lambda: ease_user.modify_nickname(me, "edsger", "E. W."),
    "befriend": lambda: ease_friend.create_friend(me, "edsger", "ada"),
    "friends": lambda: ease_friend.detail_friend(me, "edsger"),
    "block": lambda: ease_black.add_user_blacklist(me, "edsger", ["joan"]),
    "blocked": lambda: ease_black.pickup_user_blacklist(me, "edsger"),
    "make group": created,
    "group": lambda: ease_group.details_group(me, named["id"]),
    "join": lambda: ease_group.user_join_group(me, named["id"], "edsger"),
    "members": lambda: ease_group.pickup_group_users(me, named["id"]),
    "online": lambda: ease_message.look_user_status(me, "grace"),
    "say": lambda: ease_message.send_message(me, said),
    "waiting": lambda: ease_records.offline_msg_count(me, "grace"),
    "unfriend": lambda: ease_friend.delete_friend(me, "edsger", "ada"),
    "remove": lambda: ease_user.delete_user(me, "edsger"),
}

for step, call in DAY.items():
    done, told = call()
    print(json.dumps({"step": step, "done": done, "told": told}))
