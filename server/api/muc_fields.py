"""Fields of bodies that groups and chat rooms share, each in the wire's words."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, pre_load, validate

from server.errors import INVALID_REQUEST, IllegalArgument
from server.kinds import MaxItems, MaxLength, Membership
from server.muc_errors import InvalidFields
from server.payload import Lenient, Text

DEFAULT_MAX_USERS = 200
"""The capacity of a group or room that is not asked for one."""

_WHOLE = re.compile(r"-?[0-9]{1,18}")


def trimmed(names: Sequence[str]) -> list[str]:
    """Without blanks around, empty ones and repeats; the first spelling stays."""
    found: dict[str, str] = {}
    for name in names:
        name = name.strip()
        if name:
            found.setdefault(name.lower(), name)
    return list(found.values())


class Names(fields.Field[list[str]]):
    """An array of names, at least one unless it may be left out."""

    def __init__(self, called: str, at_most: MaxItems | None, **options: Any) -> None:
        self._missing = f"{called} must be provided"
        if at_most is not None:
            options["validate"] = at_most.says(called + " exceeds the limit of {max}")
        super().__init__(
            error_messages=dict.fromkeys(("required", "null"), self._missing), **options
        )

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[str]:
        if not isinstance(value, list):
            raise ValidationError(INVALID_REQUEST)
        if not all(isinstance(each, str) for each in value):
            raise ValidationError(INVALID_REQUEST)
        names = trimmed(value)
        if self.required and not names:
            raise ValidationError(self._missing)
        return names


class Needed(Text):
    """A string that has to be there and not be empty."""

    def __init__(self, called: str, **options: Any) -> None:
        missing = f"{called} must be provided"
        checks = options.pop("validate", [])
        super().__init__(
            required=True,
            error_messages=dict.fromkeys(("required", "null"), missing),
            validate=[validate.Length(min=1, error=missing), *checks],
            **options,
        )


class Announcement(Text):
    """A text that has to be there and may be empty."""

    def __init__(self, at_most: MaxLength) -> None:
        missing = "announcement must be provided"
        super().__init__(
            required=True,
            error_messages=dict.fromkeys(("required", "null"), missing),
            validate=at_most.says("announcement exceeds the limit of {max}"),
        )


def folded(
    content: Mapping[str, Any], aliases: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """*content* with each field under its own name, where only another was sent."""
    result = dict(content)
    for name, others in aliases.items():
        for other in others:
            if other in result:
                result.setdefault(name, result.pop(other))
    return result


no_slash = validate.Regexp(r"[^/]*\Z", error=INVALID_REQUEST)
"""The check of a changed name or description."""

NAMED = (validate.Length(min=1, error=INVALID_REQUEST), no_slash)
"""The checks of a changed name, besides its length."""


class Capacity(fields.Integer):
    """How many members there may be, at least one, within the edition's figure."""

    def __init__(self, at_most: Membership, **options: Any) -> None:
        super().__init__(
            strict=True,
            error_messages={"invalid": INVALID_REQUEST},
            validate=self._check,
            **options,
        )
        self.at_most = at_most

    def _check(self, value: int) -> None:
        if value < 1:
            raise ValidationError(INVALID_REQUEST)
        try:
            text = "maxusers exceeds the limit of {max}"
            self.at_most.check(value, IllegalArgument, text)
        except IllegalArgument as refused:
            raise ValidationError([refused]) from None


class Changes(Lenient):
    """A body of which every field has to be one that can be changed."""

    tolerated: ClassVar[frozenset[str]] = frozenset({"need_verify"})
    """Fields that clients send in vain."""
    aliases: ClassVar[Mapping[str, Sequence[str]]] = {}
    """Other names that clients have for a field."""

    newowner = Text()

    @pre_load
    def _only_these(self, content: Mapping[str, Any], **_: Any) -> Mapping[str, Any]:
        if not content:
            raise ValidationError(INVALID_REQUEST)
        known = {field.data_key or name for name, field in self.load_fields.items()}
        known.update(*self.aliases.values())
        if "newowner" in content:
            known = {"newowner"}
        others = [key for key in content if key not in known | self.tolerated]
        if others:
            raise ValidationError([InvalidFields(others)])
        return folded(content, self.aliases)


class Duration(fields.Field[int | None]):
    """Milliseconds from now as a number or its text; -1, for ever, becomes None."""

    def __init__(self, called: str) -> None:
        missing = f"{called} must be provided"
        super().__init__(
            required=True,
            data_key=called,
            error_messages=dict.fromkeys(("required", "null"), missing),
        )

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int | None:
        if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValidationError(INVALID_REQUEST)
        if value == -1:
            return None
        if value < 1:
            raise ValidationError(INVALID_REQUEST)
        return value
