"""What a user has set: password, push settings, push nickname."""

from typing import Any

from flask import Response, request
from marshmallow import Schema, validate

from server import answers as told
from server import envelope, passwords
from server.answers import answers
from server.api.users import addressed, changed, entities
from server.auth import decide, deny_with
from server.caller import Caller, Kind, caller
from server.errors import (
    AdminOnly,
    IllegalArgument,
    InvalidGrant,
    RequiredPropertyNotFound,
    UserEntityNotFound,
)
from server.payload import SWITCH, Choice, Lenient, Text, body, body_or_bulk, spelled
from server.rules import users as rules
from server.store import users as store

blueprint = rules.blueprint


class NewPassword(Lenient):
    newpassword = Text(
        required=True,
        error_messages={"required": "newpassword is required"},
        validate=[
            validate.Length(min=1, error="newpassword is required"),
            rules.PASSWORD.says("PASSWORD_TOO_LONG"),
        ],
    )
    oldpassword = Text()
    old_password = Text(data_key="oldPassword")


def _may_reset(found: Caller) -> Caller | None:
    """An app token, nobody, or the user themselves; the last two know the old one."""
    if found.kind is not Kind.USER:
        return found
    username = (request.view_args or {})["username"]
    named = store.find(found.app.id, username)
    return found if named is not None and named.id == found.user_id else None


@blueprint.put("/users/<username>/password")
@answers(told.ok(action="set user password"))
@decide(_may_reset, Kind.APP, Kind.USER, Kind.NOBODY)
@body(NewPassword, at_most=rules.REQUEST_BODY)
def change_password(
    *,
    username: str,
    newpassword: str,
    oldpassword: str | None = None,
    old_password: str | None = None,
) -> Response:
    """Change a password; the user's tokens end with the old one."""
    app_id = caller().app.id
    if caller().kind is not Kind.APP:
        _check_old_password(username, oldpassword or old_password)
    addressed(username, UserEntityNotFound)
    if store.find(app_id, username) is None:
        raise UserEntityNotFound
    (hashed,) = passwords.hash_all([newpassword])
    if not store.set_password(app_id, username, hashed):
        raise UserEntityNotFound
    return envelope.ok(action="set user password")


def _check_old_password(username: str, old: str | None) -> None:
    if not old:
        message = "oldPassword is required"
        raise IllegalArgument(message)
    found = store.find(caller().app.id, username)
    known = store.sign_in(caller().app.id, found.username) if found else None
    if not passwords.matches(old, known.password_hash if known else None):
        raise InvalidGrant


_HOURS = spelled({hour: hour for hour in range(24)})


class PushSettings(Lenient):
    nickname = Text(validate=rules.NICKNAME.says("NICKNAME_TOO_LONG"))
    display_style = Choice(spelled({0: 0, 1: 1}), data_key="notification_display_style")
    no_disturbing = Choice(SWITCH, data_key="notification_no_disturbing")
    no_disturbing_start = Choice(_HOURS, data_key="notification_no_disturbing_start")
    no_disturbing_end = Choice(_HOURS, data_key="notification_no_disturbing_end")


@blueprint.put("/users/<username>")
@answers(changed("put"))
@body(PushSettings, at_most=rules.REQUEST_BODY)
def change_push_settings(*, username: str, **changes: object) -> Response:
    """Set any of a user's push nickname, display style and no-disturb hours."""
    if changes.get("nickname") == "":
        changes["nickname"] = None
    addressed(username, RequiredPropertyNotFound)
    found = store.set_push(caller().app.id, username, changes)
    if found is None:
        raise RequiredPropertyNotFound
    return entities("put", [found])


class NewNickname(Lenient):
    username = Text(required=True)
    push_nickname = Text(
        required=True, validate=rules.NICKNAME.says("NICKNAME_TOO_LONG")
    )


class Nicknames(Schema):
    success = told.texts("Who has it now.")
    failed = told.texts("Names nobody has.")


def _check_nicknames(elements: list[Any]) -> None:
    rules.BATCH_NICKNAME.check(
        len(elements), text="request body exceeds maximum limit, maximum limit is {max}"
    )


@blueprint.put("/push/nickname")
@answers(
    told.of_app(action="put", path="/push/nickname", uri=told.uri(), data=Nicknames)
)
@deny_with(AdminOnly)
@body_or_bulk(
    NewNickname, name="nicknames", at_most=rules.REQUEST_BODY, check=_check_nicknames
)
def change_nicknames(*, nicknames: list[dict[str, str]]) -> Response:
    """Give many users a push nickname; unknown names are reported."""
    done, unknown = store.set_nicknames(
        caller().app.id,
        [(new["username"], new["push_nickname"] or None) for new in nicknames],
    )
    path = "/push/nickname"
    return envelope.of_app(
        action="put",
        path=path,
        uri=envelope.base() + path,
        data={"success": done, "failed": unknown},
    )
