"""Friends: make and end a friendship, list whom a user knows, one or many."""

from flask import Response
from marshmallow import Schema, fields, validate

from server import answers as told
from server import cursors, envelope
from server.answers import Answer, answers
from server.api.users import User, entity
from server.caller import caller
from server.errors import INVALID_REQUEST, IllegalArgument, NotFound
from server.payload import Lenient, Strings, Text, body, whole
from server.rules import friends as rules
from server.store import friends as store
from server.store import users

blueprint = rules.blueprint

DEFAULT_PAGE = 10
"""How many contacts a list gives that is not asked for a number."""


def addressed(username: str) -> str:
    """*username* of a path, if it may be a user's.

    Raises:
        NotFound: it is longer than any user ID, and no uuid.
    """
    if not rules.USER_ID.allows(len(username)) and not users.looks_like_uuid(username):
        raise NotFound(breach=rules.USER_ID.breach(len(username)))
    return username


def _one(action: str) -> Answer:
    return told.of_app(action=action, path=told.text(), uri=told.uri(), entities=[User])


@blueprint.post("/users/<owner_username>/contacts/users/<contact_username>")
@answers(_one("post"))
def add(*, owner_username: str, contact_username: str) -> Response:
    """Make two users contacts of each other; the answer shows the contact."""
    owner, contact = store.add(
        caller().app.id,
        addressed(owner_username),
        addressed(contact_username),
        at_most=rules.CONTACTS_PER_USER,
    )
    return _changed("post", owner, contact)


@blueprint.delete("/users/<owner_username>/contacts/users/<contact_username>")
@answers(_one("delete"))
def remove(*, owner_username: str, contact_username: str) -> Response:
    """End a friendship, if there is one; the answer shows who was the contact."""
    owner, contact = store.remove(
        caller().app.id, addressed(owner_username), addressed(contact_username)
    )
    return _changed("delete", owner, contact)


def _changed(action: str, owner: users.User, contact: users.User) -> Response:
    path = f"/users/{owner.uuid}/contacts"
    return envelope.of_app(
        action=action,
        path=path,
        uri=envelope.base() + path,
        entities=[entity(contact)],
    )


@blueprint.get("/users/<owner_username>/contacts/users")
@answers(
    told.ok(
        action="get",
        uri=told.uri(),
        entities=told.nothing(),
        data=told.texts(),
        count=told.count(),
    )
)
def list_names(*, owner_username: str) -> Response:
    """The names of all contacts, the newest first."""
    names = store.names(caller().app.id, addressed(owner_username))
    return envelope.ok(
        action="get", uri=envelope.here(), entities=[], data=names, count=len(names)
    )


class Contact(Schema):
    username = told.text()
    remark = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "null where there is none, or none was asked for."},
    )


class Contacts(Schema):
    contacts = fields.List(fields.Nested(Contact), required=True)
    cursor = told.cursor()


@blueprint.get("/user/<username>/contacts")
@blueprint.get("/users/<username>/contacts")
@answers(
    told.ok(
        action="get",
        uri=told.uri(),
        entities=told.nothing(),
        count=told.count(),
        data=Contacts,
        cursor=told.cursor(),
    )
)
def list_contacts(*, username: str) -> Response:
    """Contacts with the owner's remarks, the newest first, a page a call."""
    limit = whole("limit") or 0
    rules.CONTACT_LIST.check(
        limit, text="getContacts | page size more than max limit : {max}"
    )
    size = rules.CONTACT_LIST.clamp(limit, default=DEFAULT_PAGE)
    before = cursors.sent("contacts") or store.NEWEST
    page = store.page(caller().app.id, addressed(username), before, size)
    told = envelope.asks_for("needReturnRemark")
    more = cursors.encode("contacts", page.contacts[-1].id) if page.more else None
    contacts = [
        {"username": each.username, "remark": each.remark if told else None}
        for each in page.contacts
    ]
    return envelope.ok(
        action="get",
        uri=envelope.here(),
        entities=[],
        count=len(contacts),
        data={"contacts": contacts} | ({"cursor": more} if more else {}),
        cursor=more,
    )


class Remark(Lenient):
    remark = Text(required=True, validate=rules.REMARK.says(INVALID_REQUEST))


@blueprint.put("/user/<owner_username>/contacts/users/<contact_username>")
@answers(told.ok(action="put", status="ok", uri=told.uri()))
@body(Remark, at_most=rules.REQUEST_BODY)
def change_remark(
    *, owner_username: str, contact_username: str, remark: str
) -> Response:
    """Note what the owner calls a contact; an empty remark takes it back."""
    noted = store.set_remark(
        caller().app.id,
        addressed(owner_username),
        addressed(contact_username),
        remark or None,
    )
    if not noted:
        message = "updateRemark they are not friends, please add as a friend first."
        raise IllegalArgument(message)
    return envelope.ok(action="put", status="ok", uri=envelope.here())


class Friends(Lenient):
    usernames = Strings(
        required=True,
        validate=[
            validate.Length(min=1, error=INVALID_REQUEST),
            rules.CONTACT_IMPORT.says("request user over flow limit:{max}."),
        ],
    )


class Imported(Schema):
    success = told.texts("Those who are contacts now.")
    NotExistFailed = told.texts("Names nobody has.")
    maxLimitFailed = told.texts("Those whose own list is full.")
    UnKnowFailed = told.texts()


@blueprint.post("/users/<username>/contacts/import")
@answers(told.ok(action="post", status="ok", data=Imported))
@body(Friends, at_most=rules.REQUEST_BODY)
def add_many(*, username: str, usernames: list[str]) -> Response:
    """Make many users contacts of one; the answer tells what became of each name."""
    imported = store.add_many(
        caller().app.id,
        addressed(username),
        list(dict.fromkeys(usernames)),
        at_most=rules.CONTACTS_PER_USER,
    )
    return envelope.ok(
        action="post",
        status="ok",
        data={
            "success": imported.added,
            "NotExistFailed": imported.unknown,
            "maxLimitFailed": imported.full,
            "UnKnowFailed": imported.failed,
        },
    )


@blueprint.delete("/contacts/users/<username>")
@answers(
    told.of_app(
        action="delete", path=told.text(), uri=told.uri(), entities=told.nothing()
    )
)
def remove_all(*, username: str) -> Response:
    """End every friendship of a user."""
    store.remove_all(caller().app.id, addressed(username))
    path = f"/contacts/users/{username}"
    return envelope.of_app(
        action="delete", path=path, uri=envelope.base() + path, entities=[]
    )
