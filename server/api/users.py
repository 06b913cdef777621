"""Users: register, read, list and remove."""

from typing import Any

from flask import Response
from marshmallow import Schema, ValidationError, fields, validate

from server import answers as told
from server import cursors, envelope, passwords
from server.answers import Answer, Said, answers
from server.auth import decide
from server.caller import Caller, Kind, caller
from server.errors import (
    IllegalArgument,
    NameTaken,
    NotFound,
    Refusal,
    RegistrationClosed,
    Unauthorized,
)
from server.payload import Lenient, Text, body_or_bulk, whole
from server.rules import users as rules
from server.store import users as store

blueprint = rules.blueprint

PATH = "/users"
DEFAULT_PAGE = 10
"""How many users a list gives that is not asked for a number."""

_NOT_LEGAL = "username [{input}] is not legal"
_LEGAL = validate.Regexp(r"[A-Za-z0-9_.-]+\Z", error=_NOT_LEGAL)


class User(Schema):
    """As :func:`entity` shows it."""

    uuid = told.text()
    type = told.constant("user")
    created = told.number()
    modified = told.number()
    username = told.text()
    activated = told.truth()
    nickname = fields.String()
    notification_display_style = fields.Integer()
    notification_no_disturbing = fields.Boolean()
    notification_no_disturbing_start = fields.Integer()
    notification_no_disturbing_end = fields.Integer()


def entity(user: store.User) -> dict[str, object]:
    """A user as the wire shows it: what was never set is not there."""
    shown: dict[str, object] = {
        "uuid": user.uuid,
        "type": "user",
        "created": user.created,
        "modified": user.modified,
        "username": user.username,
        "activated": user.activated,
    }
    settings = {
        "nickname": user.nickname,
        "notification_display_style": user.display_style,
        "notification_no_disturbing": user.no_disturbing,
        "notification_no_disturbing_start": user.no_disturbing_start,
        "notification_no_disturbing_end": user.no_disturbing_end,
    }
    return shown | {key: value for key, value in settings.items() if value is not None}


def addressed(username: str, unknown: type[Refusal] = NotFound) -> str:
    """*username* of a path, if it may be a user's.

    Raises:
        Refusal: of the class *unknown*, when it is longer than any user ID. It is not
            measured when it is a uuid, which addresses a user of any name.
    """
    if not rules.USER_ID.allows(len(username)) and not store.looks_like_uuid(username):
        raise unknown(breach=rules.USER_ID.breach(len(username)))
    return username


def _no_uuid(username: str) -> None:
    if store.looks_like_uuid(username.lower()):
        raise ValidationError(_NOT_LEGAL.format(input=username))


class NewName(Lenient):
    username = Text(
        required=True,
        error_messages={"required": "Entity user requires a property named username"},
        validate=[rules.USER_ID.says("USERNAME_TOO_LONG"), _LEGAL, _no_uuid],
    )


class NewUser(NewName):
    password = Text(
        required=True,
        error_messages={"required": "password or pin must provided"},
        validate=[
            validate.Length(min=1, error="password or pin must provided"),
            rules.PASSWORD.says("PASSWORD_TOO_LONG"),
        ],
    )
    nickname = Text(validate=rules.NICKNAME.says("NICKNAME_TOO_LONG"))


def _may_register(found: Caller) -> Caller:
    """With an app token always; else, for one user, where registration is open."""
    if found.kind is Kind.APP:
        return found
    if found.app.open_registration:
        return Caller(found.app, Kind.NOBODY)
    if found.kind is Kind.USER:
        raise Unauthorized.subject("post", found.app.uuid, PATH)
    raise RegistrationClosed


def _check_bulk(elements: list[Any]) -> None:
    if len(elements) > 1 and caller().kind is Kind.NOBODY:
        raise RegistrationClosed
    rules.BULK_REGISTRATION.check(
        len(elements),
        IllegalArgument,
        "Request body array size[{n}] had almost reached or been greater than the"
        " upper range value[{max}]",
    )


class Untaken(Schema):
    username = told.text()
    registerUserFailReason = told.text()


def changed(action: str, **more: Said) -> Answer:
    """What :func:`entities` answers."""
    return told.of_app(
        action=action, path=PATH, uri=told.uri(), entities=[User], **more
    )


@blueprint.post("/users")
@answers(changed("post", data=told.maybe([Untaken])))
@decide(_may_register, Kind.APP, Kind.NOBODY)
@body_or_bulk(NewUser, name="users", at_most=rules.REQUEST_BODY, check=_check_bulk)
def register(*, users: list[dict[str, str]]) -> Response:
    """Register one user or a bulk; taken names are reported and the rest kept."""
    hashes = passwords.hash_all([new["password"] for new in users])
    made, taken = store.add(
        caller().app.id,
        [
            store.NewUser(new["username"].lower(), password, new.get("nickname"))
            for new, password in zip(users, hashes, strict=True)
        ],
        at_most=rules.USERS_PER_APP,
    )
    bulk = len(users) > 1
    if taken and not bulk:
        raise NameTaken(taken[0])
    failures = [
        {"username": name, "registerUserFailReason": f"the {name} already exists"}
        for name in taken
    ]
    return entities("post", made, data=failures if bulk else None)


def entities(action: str, users: list[store.User], **more: object) -> Response:
    """The answer of a call that changed *users*."""
    return envelope.of_app(
        action=action,
        path=PATH,
        uri=envelope.base() + PATH,
        entities=[entity(user) for user in users],
        **more,
    )


@blueprint.get("/users/<username>")
@answers(
    told.ok(
        action="get",
        params=told.params(),
        path=PATH,
        uri=told.uri(),
        entities=[User],
        count=told.count(),
    )
)
def read(*, username: str) -> Response:
    """One user, deactivated or not."""
    found = store.find(caller().app.id, addressed(username))
    if found is None:
        raise NotFound
    return envelope.ok(
        action="get",
        params=envelope.params(),
        path=PATH,
        uri=envelope.here(),
        entities=[entity(found)],
        count=1,
    )


@blueprint.get("/users")
@answers(
    told.ok(
        action="get",
        params=told.params(),
        path=PATH,
        uri=told.uri(),
        entities=[User],
        count=told.count(),
        cursor=told.cursor(),
    )
)
def list_users() -> Response:
    """Users in the order they were made, a page a call."""
    size = rules.USER_LIST.clamp(whole("limit"), default=DEFAULT_PAGE)
    page = store.page(caller().app.id, cursors.sent("users"), size)
    return envelope.ok(
        action="get",
        params=envelope.params(),
        path=PATH,
        uri=envelope.base() + PATH,
        entities=[entity(user) for user in page.users],
        count=len(page.users),
        cursor=_next(page),
    )


def _next(page: store.Page) -> str | None:
    return cursors.encode("users", page.users[-1].id) if page.more else None


@blueprint.delete("/users/<username>")
@answers(changed("delete"))
def delete(*, username: str) -> Response:
    """Remove a user and all that is theirs; the answer shows who it was."""
    found = store.delete(caller().app.id, addressed(username))
    if found is None:
        raise NotFound
    return entities("delete", [found])


@blueprint.delete("/users")
@answers(changed("delete", params=told.params(), cursor=told.cursor()))
def delete_some() -> Response:
    """Remove the next few users in the order they were made, whoever they are."""
    size = rules.BULK_DELETION.clamp(whole("limit"), default=DEFAULT_PAGE)
    page = store.delete_page(caller().app.id, cursors.sent("users"), size)
    return entities("delete", page.users, params=envelope.params(), cursor=_next(page))
