"""Every refusal of groups and chat rooms, in the wire's own words.

    Refusal
    ├─ MucDenied          401  group_authorization
    ├─ InvalidFields      400  invalid_parameter
    ├─ UnknownMuc         404  resource_not_found
    ├─ UnreadMuc          404  service_resource_not_found
    ├─ UnknownUser        404  resource_not_found
    ├─ UnknownSharedFile  404  not_found
    └─ ForbiddenOp
       └─ MucForbidden    403  forbidden_op
          ├─ NotMembers, NotIn, AlreadyIn, IsOwner, SameOwner
          ├─ Blocked, NotBlocked, AlreadyAdmin, NotAdmin
          └─ JoinedTooMany, AppFull, MucFull, AdminsFull, BelowCount

Rooms have the words of groups: the platform says "group" of both. ``user`` is always
in the caller's spelling.
"""

from collections.abc import Iterable

from server.errors import Breach, ForbiddenOp, Refusal

_PACKAGE = "com.easemob.group.exception"


class MucDenied(Refusal):
    """No token, one that may not do this, or one that is no good: all the same."""

    status = 401
    error = "group_authorization"
    exception = f"{_PACKAGE}.GroupAuthorizationException"
    description = "this token is bad, or has expired!"


class InvalidFields(Refusal):
    """A change of what cannot be changed."""

    status = 400
    error = "invalid_parameter"

    def __init__(self, fields: Iterable[str]) -> None:
        super().__init__(f"some of [{', '.join(fields)}] are not valid fields")


class UnknownMuc(Refusal):
    """No such group or room."""

    status = 404
    error = "resource_not_found"
    exception = f"{_PACKAGE}.ResourceNotFoundException"

    def __init__(self, muc_id: object) -> None:
        super().__init__(f"grpID {muc_id} does not exist!")


class UnreadMuc(Refusal):
    """The same, as the reads of details and members say it."""

    status = 404
    error = "service_resource_not_found"
    exception = f"{_PACKAGE}.ServiceResourceNotFoundException"

    def __init__(self, muc_id: object) -> None:
        super().__init__(f"do not find this group:{muc_id}")


class UnknownSharedFile(Refusal):
    """The group has no such file."""

    status = 404
    error = "not_found"
    exception = "com.sun.jersey.api.NotFoundException"

    def __init__(self, url: str) -> None:
        super().__init__(f"null for uri: {url}")


class UnknownUser(Refusal):
    """The app has no such user."""

    status = 404
    error = "resource_not_found"
    exception = f"{_PACKAGE}.ResourceNotFoundException"

    def __init__(self, user: str) -> None:
        super().__init__(f"username {user} doesn't exist!")


class MucForbidden(ForbiddenOp):
    """The call is against the state of the group or room."""

    exception = f"{_PACKAGE}.ForbiddenOpException"


class NotMembers(MucForbidden):
    """None of those named is in it."""

    def __init__(self, users: Iterable[str]) -> None:
        super().__init__(f"users [{', '.join(users)}] are not members of this group!")


class NotIn(MucForbidden):
    """The one named is not in it."""

    def __init__(self, user: str, muc_id: int) -> None:
        super().__init__(f"user: {user} doesn't exist in group: {muc_id}")


class AlreadyIn(MucForbidden):
    """Adding a member. The newline is the platform's."""

    def __init__(self, user: str, muc_id: int) -> None:
        super().__init__(
            f"can not join this group, reason:user: {user} already in group: {muc_id}\n"
        )


class IsOwner(MucForbidden):
    """What cannot be done to the owner."""

    description = "forbidden operation on group owner!"


class SameOwner(MucForbidden):
    """A transfer to the owner."""

    description = "new owner and old owner are the same"


class Blocked(MucForbidden):
    """Adding someone who has to be unblocked first."""

    def __init__(self, user: str, muc_id: int) -> None:
        super().__init__(
            f"can not join this group, reason:user: {user} is in the blacklist of"
            f" group: {muc_id}"
        )


class NotBlocked(MucForbidden):
    """Unblocking someone who is not blocked."""

    def __init__(self, user: str, muc_id: int) -> None:
        super().__init__(f"user: {user} is not in the blacklist of group: {muc_id}")


class AlreadyAdmin(MucForbidden):
    """Making an administrator of one."""

    def __init__(self, user: str, muc_id: int) -> None:
        super().__init__(f"user: {user} is already admin of group: {muc_id}")


class NotAdmin(MucForbidden):
    """Dismissing who is no administrator."""

    def __init__(self, user: str, muc_id: int) -> None:
        super().__init__(f"user: {user} is not admin of group: {muc_id}")


class JoinedTooMany(MucForbidden):
    """The user is in as many as one may be. The colon is the platform's."""

    def __init__(self, user: str, breach: Breach) -> None:
        super().__init__(
            f"can not join this group, reason：user {user} has joined too many"
            " groups/chatroom!",
            breach=breach,
        )


class AppFull(MucForbidden):
    """The app has as many as it may have."""

    description = "this appKey has create too many groups/chatrooms!"


class MucFull(MucForbidden):
    """More members than its own capacity, or than the edition's."""

    def __init__(self, muc_id: int, breach: Breach | None = None) -> None:
        super().__init__(
            f"can not join this group, reason:group: {muc_id} is full", breach=breach
        )


class AdminsFull(MucForbidden):
    """As many administrators as there may be."""


class BelowCount(MucForbidden):
    """A capacity of less than the members there are."""

    description = (
        "current user count is larger than the maxUsers that you want to update !"
    )
