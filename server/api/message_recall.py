"""Taking messages back: one a call, or several."""

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from server import answers as told
from server import envelope
from server.answers import Answer, Said, answers
from server.api.messages import NOBODY, PATH
from server.caller import caller
from server.errors import INVALID_REQUEST, IllegalArgument
from server.loading import load
from server.payload import SWITCH, Choice, Lenient, Text, body
from server.rules import messages as rules
from server.store import message_recall as store
from server.store.message_recall import Outcome
from server.store.messages import CHAT_TYPES, read_id

blueprint = rules.blueprint

_REASONS = {
    Outcome.UNKNOWN: "not_found msg",
    Outcome.OTHER_TARGET: "can't find msg to",
    Outcome.TOO_OLD: "exceed recall time limit",
}


def _required(name: str) -> dict[str, Any]:
    words = {"required": f"{name} must be provided", "invalid": INVALID_REQUEST}
    return {"required": True, "error_messages": words}


class Withdrawal(Lenient):
    msg_id = Text(**_required("msg_id"))
    to = Text(**_required("to"))
    chat_type = Text(
        **_required("chat_type"),
        validate=validate.OneOf(CHAT_TYPES.values(), error=INVALID_REQUEST),
    )
    sender = Text(
        data_key="from", validate=validate.Length(min=1, error="from can't be empty")
    )
    force = Choice(SWITCH)


_WITHDRAWAL = Withdrawal()


class Withdrawals(Lenient):
    msgs = fields.List(
        fields.Raw(allow_none=True),  # each is looked at below
        **_required("msgs"),
        validate=validate.Length(min=1, error="msgs must be provided"),
    )


class Withdrawn(Schema):
    msg_id = told.text()
    recalled = told.one_of("yes", *_REASONS.values())
    chattype = fields.String()
    sender = fields.String(data_key="from")
    to = fields.String()


class Recalled(Schema):
    msg_id = told.text()
    recalled = told.constant("yes")
    chattype = told.text()
    sender = fields.String(required=True, data_key="from")
    to = told.text()


class Unrecalled(Schema):
    msgs = fields.List(fields.Nested(Withdrawn), required=True)


def _withdrawn(data: Said, **more: Said) -> Answer:
    return told.of_app(
        action="post",
        params=told.params(),
        path=told.text(),
        uri=told.uri(),
        entities=told.nothing(),
        data=data,
        **more,
    )


@blueprint.post("/messages/msg_recall")
@answers(_withdrawn(told.Either(Recalled, Unrecalled), msgs=told.maybe([Withdrawn])))
@body(Withdrawal, at_most=rules.REQUEST_BODY)
def recall(**withdrawal: Any) -> Response:
    """Take one message back; where that cannot be, the answer says why."""
    (told,) = _recall([withdrawal])
    path = f"{PATH}/msg_recall"
    return _answer(path, told) if "to" in told else _answer_each(path, [told])


@blueprint.post("/messages/recall")
@answers(_withdrawn(Unrecalled, msgs=[Withdrawn]))
@body(Withdrawals, at_most=rules.REQUEST_BODY)
def recall_many(*, msgs: list[Any]) -> Response:
    """Take messages back; the answer says of each what became of it."""
    if not all(isinstance(each, dict) for each in msgs):
        raise IllegalArgument
    told = _recall([load(_WITHDRAWAL, each) for each in msgs])
    return _answer_each(f"{PATH}/recall", told)


def _recall(withdrawals: list[dict[str, Any]]) -> list[dict[str, str]]:
    outcomes = store.recall(
        caller().app,
        [_stored_form(**each) for each in withdrawals],
        kept=rules.RECALLABLE_MESSAGE,
    )
    return [
        _told(outcome, **each)
        for outcome, each in zip(outcomes, withdrawals, strict=True)
    ]


def _stored_form(
    *, msg_id: str, to: str, chat_type: str, force: bool = False, **_: object
) -> store.Withdrawal:
    """User names are one in every case."""
    target = to.lower() if chat_type == CHAT_TYPES["users"] else to
    return store.Withdrawal(read_id(msg_id), chat_type, target, force)


def _told(
    outcome: Outcome,
    *,
    msg_id: str,
    to: str,
    chat_type: str,
    sender: str = NOBODY,
    **_: object,
) -> dict[str, str]:
    if outcome is not Outcome.RECALLED:
        return {"msg_id": msg_id, "recalled": _REASONS[outcome]}
    return {
        "msg_id": msg_id,
        "recalled": "yes",
        "chattype": chat_type,
        "from": sender,
        "to": to,
    }


def _answer_each(path: str, told: list[dict[str, str]]) -> Response:
    # The reference leaves open where the list is; clients look in either place.
    return _answer(path, {"msgs": told}, msgs=told)


def _answer(path: str, data: object, **more: object) -> Response:
    return envelope.of_app(
        action="post",
        params=envelope.params(),
        path=path,
        uri=envelope.base() + path,
        entities=[],
        data=data,
        **more,
    )
