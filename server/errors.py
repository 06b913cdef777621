"""Every refusal the server can answer with, in the wire's own words.

    Refusal                        status  error
    ├─ IllegalArgument             400     illegal_argument
    ├─ JsonParse                   400     json_parse
    ├─ NameTaken                   400     duplicate_unique_property_exists
    ├─ RequiredPropertyNotFound    400     required_property_not_found
    ├─ ManagedUserNotFound         400     management
    ├─ InvalidGrant                400     invalid_grant
    │  └─ UnknownGrantUser         404     invalid_grant
    ├─ UnsupportedGrantType        400     unsupported_grant_type
    ├─ InvalidRequest              400     invalid_request
    ├─ Unauthorized                401     unauthorized
    │  ├─ ExpiredToken             401     unauthorized
    │  ├─ RegistrationClosed       401     unauthorized
    │  ├─ AdminOnly                401     unauthorized
    │  ├─ MessagesDenied           401     unauthorized
    │  └─ HistoryDenied            401     unauthorized
    ├─ BadToken                    401     auth_bad_access_token
    ├─ ForbiddenOp                 403     forbidden_op
    ├─ MetadataExceeded            403     exceed_limit
    ├─ ContactsExceeded            403     exceed_limit
    │  └─ InviterFull              403     exceed_limit
    ├─ BlocksExceeded              403     exceed_limit
    ├─ NotFound                    404     service_resource_not_found
    ├─ AppNotFound                 404     organization_application_not_found
    ├─ UserEntityNotFound          404     entity_not_found
    ├─ MetadataUserNotFound        404     service_resource_not_found
    ├─ HistoryEmpty                404     storage_object_not_found
    ├─ MethodNotAllowed            405     unsupported_service_operation
    ├─ RequestTimeout              408     request_timeout
    ├─ TooLarge                    413     Request Entity Too Large
    ├─ UnsupportedMediaType        415     web_application
    ├─ RangeNotSatisfiable         416     range_not_satisfiable
    ├─ ReachLimit                  429     reach_limit
    ├─ ResourceLimited             429     resource_limited
    ├─ ServerFault                 500     web_application
    ├─ UnknownMethod               501     unsupported_service_operation
    └─ Unavailable                 503     service_unavailable

The texts are those of the platform's published errors. Nothing here knows Flask.
"""

from dataclasses import dataclass
from typing import ClassVar

_SECURITY = "org.apache.usergrid.rest.exceptions.SecurityException"
_SHIRO = "org.apache.shiro.authz.UnauthorizedException"
_PERSISTENCE = "org.apache.usergrid.persistence.exceptions"

INVALID_REQUEST = "this is an invalid request."


@dataclass(frozen=True, slots=True)
class Breach:
    """Which figure of the document a call met: rule name, the table's words, place."""

    rule: str
    words: str
    source: str
    came: int | None = None
    """What the caller brought, in the rule's unit; None where it says nothing."""


class Refusal(Exception):
    """A call that is not done, as the caller is told."""

    status: ClassVar[int]
    error: ClassVar[str]
    exception: ClassVar[str] = "ChatServiceException"
    description: ClassVar[str]

    def __init__(
        self,
        description: str | None = None,
        *,
        breach: Breach | None = None,
        retry_after: int | None = None,
    ) -> None:
        """Args in the wire's units: *retry_after* in whole seconds."""
        self.text = self.description if description is None else description
        self.breach = breach
        self.retry_after = retry_after
        super().__init__(self.text)


class IllegalArgument(Refusal):
    """A value the endpoint does not take."""

    status = 400
    error = "illegal_argument"
    exception = "java.lang.IllegalArgumentException"
    description = INVALID_REQUEST


class JsonParse(Refusal):
    """The body is not JSON; the text is the parser's."""

    status = 400
    error = "json_parse"
    description = "Unexpected end of JSON"


class NameTaken(Refusal):
    """Another user of the app has the name."""

    status = 400
    error = "duplicate_unique_property_exists"
    exception = f"{_PERSISTENCE}.DuplicateUniquePropertyExistsException"

    def __init__(self, username: str) -> None:
        super().__init__(
            "Application null Entity user requires that property named username"
            f" be unique, value of {username} exists"
        )


class RequiredPropertyNotFound(Refusal):
    """The user a call is about is unknown, where the wire says it like this."""

    status = 400
    error = "required_property_not_found"
    exception = f"{_PERSISTENCE}.RequiredPropertyNotFoundException"
    description = "Entity user requires a property named username"


class ManagedUserNotFound(Refusal):
    """Deactivating a user the app does not have."""

    status = 400
    error = "management"
    exception = "org.apache.usergrid.management.exceptions.ManagementException"

    def __init__(self, app_uuid: str) -> None:
        super().__init__(f"User with id null does not exist in app {app_uuid}")


class InvalidGrant(Refusal):
    """A token request whose credentials do not hold."""

    status = 400
    error = "invalid_grant"
    description = "invalid username or password"


class UnknownGrantUser(InvalidGrant):
    """``inherit`` names a user the app does not have."""

    status = 404
    description = "user not found"


class UnsupportedGrantType(Refusal):
    """A token request of a grant the server does not know."""

    status = 400
    error = "unsupported_grant_type"
    description = "unsupported grant_type"


class InvalidRequest(Refusal):
    """A token request without one of its fields."""

    status = 400
    error = "invalid_request"
    description = "grant_type is required"


class Unauthorized(Refusal):
    """No token, or one that may not do this."""

    status = 401
    error = "unauthorized"
    exception = _SHIRO

    @classmethod
    def subject(cls, verb: str, app_uuid: str, resource: str) -> "Unauthorized":
        """The reference's text P1: *resource* is the path of what was asked for."""
        return cls(
            "Subject does not have permission"
            f" [applications:{verb}:{app_uuid}:{resource}]"
        )


class ExpiredToken(Unauthorized):
    """The token was good once."""

    exception = _SECURITY
    description = "Unable to authenticate due to expired access token"


class RegistrationClosed(Unauthorized):
    """Registering without an app token, where one is needed."""

    exception = _SECURITY
    description = "registration is not open, please contact the app admin"


class AdminOnly(Unauthorized):
    """The reference's text P2, of the endpoints that act as an administrator."""

    exception = _SECURITY
    description = "No admin user access authorized"


class MessagesDenied(Unauthorized):
    """Sending without an app token."""

    exception = "ChatSecurityException"
    description = "Unable to authenticate (OAuth)"


class HistoryDenied(Unauthorized):
    """Asking for the history without an app token: the one refusal without a text."""

    description = ""


class BadToken(Refusal):
    """The token is malformed, another app's, or nobody's."""

    status = 401
    error = "auth_bad_access_token"
    exception = _SECURITY
    description = "Unable to authenticate due to corrupt access token"


class ForbiddenOp(Refusal):
    """The call is against the state of what it is about."""

    status = 403
    error = "forbidden_op"
    description = "operation not allowed"


class MetadataExceeded(Refusal):
    """More attributes than a user, an app or one call may hold."""

    status = 403
    error = "exceed_limit"
    description = "user metadata length exceed the limit"


class ContactsExceeded(Refusal):
    """A friendship for which one of the two lists has no place."""

    status = 403
    error = "exceed_limit"
    description = "user contact number exceed limit"


class InviterFull(ContactsExceeded):
    """An import into a list that has no place left at all."""

    description = "Inviter's contact max count."


class BlocksExceeded(Refusal):
    """More entries than a blacklist may hold."""

    status = 403
    error = "exceed_limit"
    description = "user block number exceed limit"


class NotFound(Refusal):
    """No such user, group, room or route."""

    status = 404
    error = "service_resource_not_found"
    exception = (
        "org.apache.usergrid.services.exceptions.ServiceResourceNotFoundException"
    )
    description = "Service resource not found"


class AppNotFound(Refusal):
    """No such org, or no such app in it."""

    status = 404
    error = "organization_application_not_found"
    exception = (
        "org.apache.usergrid.rest.exceptions.OrganizationApplicationNotFoundException"
    )

    def __init__(self, org: str, app: str, rest: str) -> None:
        super().__init__(
            f"Could not find application for {org}/{app} from URI: {org}/{app}/{rest}"
        )


class UserEntityNotFound(Refusal):
    """Resetting the password of a user the app does not have."""

    status = 404
    error = "entity_not_found"
    exception = f"{_PERSISTENCE}.EntityNotFoundException"
    description = "User null not found"


class MetadataUserNotFound(NotFound):
    """Writing attributes of a user the app does not have."""

    description = "Not Found"


class HistoryEmpty(Refusal):
    """An hour in which the app had no messages."""

    status = 404
    error = "storage_object_not_found"

    def __init__(self, org: str, app: str, time: str) -> None:
        super().__init__(
            "Failed to find chat message history download url for appkey:"
            f" {org}#{app}, time: {time}"
        )


class MethodNotAllowed(Refusal):
    """The path exists, the method does not."""

    status = 405
    error = "unsupported_service_operation"
    description = "Service operation not supported"


class RequestTimeout(Refusal):
    """The body did not arrive in time, or not whole."""

    status = 408
    error = "request_timeout"
    description = "request body not received in time"


class TooLarge(Refusal):
    """More bytes than the endpoint takes."""

    status = 413
    error = "Request Entity Too Large"
    description = "Request Entity Too Large"


class UnsupportedMediaType(Refusal):
    """A body of a type the endpoint does not read."""

    status = 415
    error = "web_application"
    description = "Unsupported Media Type"


class RangeNotSatisfiable(Refusal):
    """A range of which the file has no byte."""

    status = 416
    error = "range_not_satisfiable"
    description = "Range Not Satisfiable"


class ReachLimit(Refusal):
    """A call rate of the table, or the guard of calls without a token."""

    status = 429
    error = "reach_limit"
    description = "This request has reached api limit"


class ResourceLimited(Refusal):
    """A quota of the app's edition."""

    status = 429
    error = "resource_limited"
    description = (
        "You have exceeded the limit of the community edition."
        " Please upgrade to the enterprise edition."
    )


class ServerFault(Refusal):
    """A fault of ours; the log has the rest."""

    status = 500
    error = "web_application"
    description = "javax.ws.rs.WebApplicationException"


class UnknownMethod(MethodNotAllowed):
    """A method HTTP itself does not know."""

    status = 501


class Unavailable(Refusal):
    """The database, the counters or the files do not answer."""

    status = 503
    error = "service_unavailable"
    description = "service is temporarily unavailable, please try again later"
