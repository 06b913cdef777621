"""Every failure row of the reference's tables, typed by hand; each has a golden pair.

``operation | status | error | description``. Of operation, ``*`` is any; of description,
``…`` is what differs from call to call. Where the error is ``desc`` the body has only
that. Groups and rooms name theirs in short, as the reference does.
"""

import re

ROWS = """
conventions.md §3, §9; errors.md §2
* | 400 | json_parse | Unexpected …
* | 400 | illegal_argument | this is an invalid request.
* | 401 | unauthorized | Subject does not have permission [applications:get:…:/users]
* | 401 | unauthorized | No admin user access authorized
* | 401 | unauthorized | Unable to authenticate due to expired access token
* | 401 | auth_bad_access_token | Unable to authenticate due to corrupt access token
* | 401 | auth_bad_access_token | Unable to authenticate
* | 404 | organization_application_not_found | Could not find application for acme/nothing from URI: acme/nothing/…
* | 404 | service_resource_not_found | Service resource not found
* | 405 | unsupported_service_operation | Service operation not supported
* | 501 | unsupported_service_operation | Service operation not supported
* | 413 | Request Entity Too Large | Request Entity Too Large
* | 415 | web_application | Unsupported Media Type
* | 429 | reach_limit | This request has reached api limit
* | 429 | resource_limited | You have exceeded the limit of the community edition. Please upgrade to the enterprise edition.

conventions.md §4; errors.md §3
POST {A}/token | 400 | invalid_grant | client_id does not match
POST {A}/token | 400 | invalid_grant | client_secret does not match
POST {A}/token | 400 | invalid_grant | invalid username or password
POST {A}/token | 400 | invalid_grant | user not activated
POST {A}/token | 404 | invalid_grant | user not found
POST {A}/token | 401 | auth_bad_access_token | Unable to authenticate due to corrupt access token
POST {A}/token | 400 | unsupported_grant_type | unsupported grant_type
POST {A}/token | 400 | invalid_request | grant_type is required
POST {A}/token | 400 | invalid_request | client_id is required
POST {A}/token | 400 | invalid_request | client_secret is required
POST {A}/token | 400 | invalid_request | username is required
POST {A}/token | 400 | invalid_request | password is required

conventions.md §4, the endpoints that say it otherwise
POST {A}/users/batch/status | 401 | unauthorized | No admin user access authorized
POST {A}/users/{username}/deactivate | 401 | unauthorized | No admin user access authorized
POST {A}/users/{username}/activate | 401 | unauthorized | No admin user access authorized
GET {A}/users/{username}/disconnect/{resource} | 401 | unauthorized | No admin user access authorized
DELETE {A}/users/{username}/disconnect/{resource} | 401 | unauthorized | No admin user access authorized
GET {A}/users/{username}/resources | 401 | unauthorized | No admin user access authorized
POST {A}/mutes | 401 | unauthorized | No admin user access authorized
GET {A}/mutes/{username} | 401 | unauthorized | No admin user access authorized
GET {A}/mutes | 401 | unauthorized | No admin user access authorized
PUT {A}/push/nickname | 401 | unauthorized | No admin user access authorized
GET {A}/users/{username}/disconnect | 401 | unauthorized | Subject does not have permission …

users.md; errors.md §4
POST {A}/users | 400 | illegal_argument | Entity user requires a property named username
POST {A}/users | 400 | illegal_argument | username [] is not legal
POST {A}/users | 400 | illegal_argument | username [Ada L] is not legal
POST {A}/users | 400 | illegal_argument | USERNAME_TOO_LONG
POST {A}/users | 400 | illegal_argument | password or pin must provided
POST {A}/users | 400 | illegal_argument | PASSWORD_TOO_LONG
POST {A}/users | 400 | illegal_argument | NICKNAME_TOO_LONG
POST {A}/users | 400 | duplicate_unique_property_exists | Application null Entity user requires that property named username be unique, value of ada exists
POST {A}/users | 400 | illegal_argument | Request body array size[61] had almost reached or been greater than the upper range value[60]
POST {A}/users | 400 | illegal_argument | this is an invalid request.
POST {A}/users | 401 | unauthorized | registration is not open, please contact the app admin
POST {A}/users | 401 | unauthorized | Subject does not have permission [applications:post:…:/users]
POST {A}/users | 401 | auth_bad_access_token | Unable to authenticate due to corrupt access token
POST {A}/users | 429 | resource_limited | You have exceeded the limit of the community edition. Please upgrade to the enterprise edition.
GET {A}/users/{username} | 404 | service_resource_not_found | Service resource not found
DELETE {A}/users/{username} | 404 | service_resource_not_found | Service resource not found
PUT {A}/users/{username}/password | 400 | illegal_argument | newpassword is required
PUT {A}/users/{username}/password | 400 | illegal_argument | PASSWORD_TOO_LONG
PUT {A}/users/{username}/password | 400 | illegal_argument | oldPassword is required
PUT {A}/users/{username}/password | 400 | invalid_grant | invalid username or password
PUT {A}/users/{username}/password | 404 | entity_not_found | User null not found
PUT {A}/users/{username}/password | 401 | unauthorized | Subject does not have permission …
PUT {A}/users/{username} | 400 | required_property_not_found | Entity user requires a property named username
PUT {A}/users/{username} | 400 | illegal_argument | NICKNAME_TOO_LONG
PUT {A}/users/{username} | 400 | illegal_argument | this is an invalid request.
GET {A}/users/{username}/status | 404 | service_resource_not_found | Service resource not found
POST {A}/users/batch/status | 400 | illegal_argument | request body exceeds maximum limit, maximum limit is 100
POST {A}/users/batch/status | 400 | illegal_argument | this is an invalid request.
PUT {A}/push/nickname | 400 | illegal_argument | NICKNAME_TOO_LONG

errors.md §5
PUT {A}/metadata/user/{username} | 401 | desc | unauthorized
GET {A}/metadata/user/{username} | 401 | desc | unauthorized
POST {A}/metadata/user/get | 401 | desc | unauthorized
GET {A}/metadata/user/capacity | 401 | desc | unauthorized
DELETE {A}/metadata/user/{username} | 401 | desc | unauthorized
PUT {A}/metadata/user/{username} | 403 | desc | user metadata length exceed the limit
POST {A}/metadata/user/get | 403 | desc | exceed allowed batch size 100
PUT {A}/metadata/user/{username} | 404 | desc | Not Found
POST {A}/metadata/user/get | 400 | desc | Bad Request
PUT {A}/metadata/user/{username} | 415 | desc | Unsupported Media Type
GET {A}/metadata/user/{username} | 429 | reach_limit | This request has reached api limit

friends.md; errors.md §6
POST {A}/users/{owner_username}/contacts/users/{contact_username} | 404 | service_resource_not_found | Service resource not found
POST {A}/users/{owner_username}/contacts/users/{contact_username} | 403 | exceed_limit | user contact number exceed limit
POST {A}/users/{owner_username}/contacts/users/{contact_username} | 400 | illegal_argument | this is an invalid request.
DELETE {A}/users/{owner_username}/contacts/users/{contact_username} | 404 | service_resource_not_found | Service resource not found
GET {A}/users/{owner_username}/contacts/users | 404 | service_resource_not_found | Service resource not found
GET {A}/user/{username}/contacts | 404 | service_resource_not_found | Service resource not found
GET {A}/user/{username}/contacts | 400 | illegal_argument | getContacts | page size more than max limit : 50
PUT {A}/user/{owner_username}/contacts/users/{contact_username} | 400 | illegal_argument | this is an invalid request.
PUT {A}/user/{owner_username}/contacts/users/{contact_username} | 400 | illegal_argument | updateRemark they are not friends, please add as a friend first.
PUT {A}/user/{owner_username}/contacts/users/{contact_username} | 404 | service_resource_not_found | Service resource not found
POST {A}/users/{username}/contacts/import | 400 | illegal_argument | request user over flow limit:10.
POST {A}/users/{username}/contacts/import | 403 | exceed_limit | Inviter's contact max count.
POST {A}/users/{username}/contacts/import | 404 | service_resource_not_found | Service resource not found
DELETE {A}/contacts/users/{username} | 404 | service_resource_not_found | Service resource not found

blacklist.md; errors.md §6
GET {A}/users/{owner_username}/blocks/users | 404 | service_resource_not_found | Service resource not found
POST {A}/users/{owner_username}/blocks/users | 404 | service_resource_not_found | Service resource not found
POST {A}/users/{owner_username}/blocks/users | 400 | illegal_argument | attempt to adding new block[nobody] for user[ada],but user[nobody] not found.
POST {A}/users/{owner_username}/blocks/users | 400 | illegal_argument | this is an invalid request.
POST {A}/users/{owner_username}/blocks/users | 403 | exceed_limit | user block number exceed limit
DELETE {A}/users/{owner_username}/blocks/users/{blocked_username} | 404 | service_resource_not_found | Service resource not found

blocking.md; errors.md §6
POST {A}/users/{username}/deactivate | 400 | management | User with id null does not exist in app …
POST {A}/users/{username}/activate | 404 | service_resource_not_found | Service resource not found
GET {A}/users/{username}/disconnect | 404 | service_resource_not_found | Service resource not found
GET {A}/users/{username}/disconnect/{resource} | 404 | service_resource_not_found | Service resource not found
DELETE {A}/users/{username}/disconnect/{resource} | 404 | service_resource_not_found | Service resource not found
GET {A}/users/{username}/resources | 404 | service_resource_not_found | Service resource not found
POST {A}/mutes | 400 | required_property_not_found | Entity user requires a property named username
POST {A}/mutes | 400 | illegal_argument | this is an invalid request.
GET {A}/mutes/{username} | 400 | required_property_not_found | Entity user requires a property named username

offline.md
GET {A}/users/{owner_username}/offline_msg_count | 404 | service_resource_not_found | Service resource not found
GET {A}/users/{username}/offline_msg_status/{msg_id} | 404 | service_resource_not_found | Service resource not found

messages.md
POST {A}/messages | 400 | json_parse | Unexpected …
POST {A}/messages | 400 | illegal_argument | target_type must be provided
POST {A}/messages | 400 | illegal_argument | target_type can only be 'users' or 'chatgroups' or 'chatrooms'
POST {A}/messages | 400 | illegal_argument | from can't be empty
POST {A}/messages | 400 | illegal_argument | target must be provided
POST {A}/messages | 400 | illegal_argument | target exceeds the limit of 600
POST {A}/messages | 400 | illegal_argument | msg must be provided
POST {A}/messages | 400 | illegal_argument | ext can't be null
POST {A}/messages | 400 | illegal_argument | unsupported message type: sticker
POST {A}/messages | 400 | illegal_argument | url must be provided
POST {A}/messages | 401 | unauthorized | Unable to authenticate (OAuth)
POST {A}/messages | 401 | auth_bad_access_token | Unable to authenticate due to corrupt access token
POST {A}/messages | 401 | unauthorized | Unable to authenticate due to expired access token
POST {A}/messages | 403 | forbidden_op | user … is muted
POST {A}/messages | 413 | Request Entity Too Large | Request Entity Too Large
POST {A}/messages | 429 | reach_limit | This request has reached api limit
POST {A}/messages | 429 | resource_limited | You have exceeded the limit of the community edition. Please upgrade to the enterprise edition.
POST {A}/messages/users | 400 | illegal_argument | to must be provided
POST {A}/messages/users | 400 | illegal_argument | type must be provided
POST {A}/messages/users | 400 | illegal_argument | body must be provided
POST {A}/messages/users | 400 | illegal_argument | to exceeds the limit of 600
POST {A}/messages/chatgroups | 400 | illegal_argument | to exceeds the limit of 3
POST {A}/messages/chatrooms | 400 | illegal_argument | to exceeds the limit of 10

files.md
POST {A}/chatfiles | 400 | illegal_argument | file must be provided
POST {A}/chatfiles | 401 | auth_bad_access_token | Unable to authenticate due to corrupt access token
POST {A}/chatfiles | 401 | unauthorized | Unable to authenticate due to expired access token
POST {A}/chatfiles | 413 | Request Entity Too Large | Request Entity Too Large
POST {A}/chatfiles | 415 | web_application | Unsupported Media Type
POST {A}/chatfiles | 429 | reach_limit | This request has reached api limit
GET {A}/chatfiles/{uuid} | 401 | auth_bad_access_token | Unable to authenticate due to corrupt access token
GET {A}/chatfiles/{uuid} | 401 | unauthorized | Unable to authenticate due to expired access token
GET {A}/chatfiles/{uuid} | 403 | forbidden_op | share-secret is missing or wrong
GET {A}/chatfiles/{uuid} | 404 | service_resource_not_found | Service resource not found
GET {A}/chatfiles/{uuid} | 429 | reach_limit | This request has reached api limit

history.md
GET {A}/chatmessages/{time} | 400 | illegal_argument | This chatmessage request is not supported
GET {A}/chatmessages/{time} | 400 | illegal_argument | illegal arguments: appkey: acme#lounge, time: 2023111509, maybe chat message history is expired or unstored
GET {A}/chatmessages/{time} | 404 | storage_object_not_found | Failed to find chat message history download url for appkey: acme#lounge, time: …
GET {A}/chatmessages/{time} | 401 | unauthorized |
GET {A}/chatmessages/{time} | 429 | reach_limit | This request has reached api limit
GET {A}/chatmessages | 400 | illegal_argument | This chatmessage request is not supported
GET /history/{org}/{app}/{hour}.gz | 403 | forbidden_op | …
"""

SHORT = {
    "AUTH": "401 | group_authorization | this token is bad, or has expired!",
    "NOGRP": "404 | resource_not_found | grpID … does not exist!",
    "NOGRP-R": "404 | service_resource_not_found | do not find this group:…",
    "NOUSER": "404 | resource_not_found | username … doesn't exist!",
    "NOTMEM": "403 | forbidden_op | users […] are not members of this group!",
    "NOTIN": "403 | forbidden_op | user: … doesn't exist in group: …",
    "INGRP": "403 | forbidden_op | can not join this group, reason:user: … already in group: …\n",
    "OWNER": "403 | forbidden_op | forbidden operation on group owner!",
    "TOOMANY": "403 | forbidden_op | can not join this group, reason：user … has joined too many groups/chatroom!",
    "APPFULL": "403 | forbidden_op | this appKey has create too many groups/chatrooms!",
    "FULL": "403 | forbidden_op | can not join this group, reason:group: … is full",
    "BLOCKED": "403 | forbidden_op | can not join this group, reason:user: … is in the blacklist of group: …",
    "INVALID": "400 | illegal_argument | …",
    "FIELDS": "400 | invalid_parameter | some of […] are not valid fields",
    "BELOW": "403 | forbidden_op | current user count is larger than the maxUsers that you want to update !",
    "MEMBER": "400 | illegal_argument | group member … doesn't exist",
    "SAME": "403 | forbidden_op | new owner and old owner are the same",
    "ADMIN": "403 | forbidden_op | user: … is already admin of group: …",
    "ADMINS": "403 | forbidden_op | admins exceed the limit of 99",
    "NOADMIN": "403 | forbidden_op | user: … is not admin of group: …",
    "NOBLOCK": "403 | forbidden_op | user: … is not in the blacklist of group: …",
    "NOFILE": "404 | not_found | null for uri: …",
    "LARGE": "413 | Request Entity Too Large | Request Entity Too Large",
    "TYPE": "415 | web_application | Unsupported Media Type",
}

MUCS = """
GET {A}/chatgroups: AUTH
GET {A}/users/{username}/joined_chatgroups: AUTH NOUSER
GET {A}/chatgroups/{gid}: NOGRP-R INVALID AUTH
POST {A}/chatgroups: INVALID NOUSER MEMBER FULL TOOMANY APPFULL AUTH
PUT {A}/chatgroups/{gid}: FIELDS INVALID BELOW SAME NOTIN NOGRP AUTH
DELETE {A}/chatgroups/{gid}: NOGRP AUTH
GET {A}/chatgroups/{gid}/announcement: NOGRP AUTH
POST {A}/chatgroups/{gid}/announcement: INVALID NOGRP AUTH
GET {A}/chatgroups/{gid}/share_files: NOGRP AUTH
POST {A}/chatgroups/{gid}/share_files: INVALID LARGE TYPE NOGRP AUTH
GET {A}/chatgroups/{gid}/share_files/{file_id}: NOFILE NOGRP AUTH
DELETE {A}/chatgroups/{gid}/share_files/{file_id}: NOFILE NOGRP AUTH
GET {A}/chatgroups/{gid}/users: NOGRP-R AUTH
POST {A}/chatgroups/{gid}/users/{username}: NOGRP NOUSER INGRP BLOCKED FULL TOOMANY AUTH
POST {A}/chatgroups/{gid}/users: NOGRP NOUSER INGRP BLOCKED FULL TOOMANY INVALID AUTH
DELETE {A}/chatgroups/{gid}/users/{usernames}: NOTMEM OWNER NOGRP AUTH
GET {A}/chatgroups/{gid}/admin: NOGRP AUTH
POST {A}/chatgroups/{gid}/admin: NOGRP NOUSER NOTIN OWNER ADMIN ADMINS INVALID AUTH
DELETE {A}/chatgroups/{gid}/admin/{oldadmin}: NOADMIN NOGRP AUTH
GET {A}/chatgroups/{gid}/blocks/users: NOGRP AUTH
POST {A}/chatgroups/{gid}/blocks/users/{username}: NOTMEM OWNER NOGRP AUTH
POST {A}/chatgroups/{gid}/blocks/users: NOTMEM OWNER NOGRP AUTH
DELETE {A}/chatgroups/{gid}/blocks/users/{usernames}: NOUSER NOBLOCK NOGRP AUTH
GET {A}/chatgroups/{gid}/mute: NOGRP AUTH
POST {A}/chatgroups/{gid}/mute: INVALID NOTMEM OWNER NOGRP AUTH
DELETE {A}/chatgroups/{gid}/mute/{usernames}: NOTMEM NOGRP AUTH
POST {A}/chatgroups/{gid}/ban: NOGRP AUTH
DELETE {A}/chatgroups/{gid}/ban: NOGRP AUTH
GET {A}/chatgroups/{gid}/white/users: NOGRP AUTH
POST {A}/chatgroups/{gid}/white/users/{username}: NOTMEM NOGRP AUTH
POST {A}/chatgroups/{gid}/white/users: NOTMEM NOGRP AUTH
DELETE {A}/chatgroups/{gid}/white/users/{usernames}: NOTMEM NOGRP AUTH
POST {A}/chatgroups/{gid}/disable: NOGRP AUTH
POST {A}/chatgroups/{gid}/enable: NOGRP AUTH
GET {A}/chatgroups/{gid}/user/{username}/is_joined: NOGRP AUTH
GET {A}/chatrooms: AUTH
GET {A}/users/{username}/joined_chatrooms: NOUSER AUTH
GET {A}/chatrooms/{rid}: NOGRP-R AUTH
POST {A}/chatrooms: NOUSER INVALID FULL TOOMANY APPFULL AUTH
PUT {A}/chatrooms/{rid}: BELOW FIELDS INVALID NOGRP AUTH
DELETE {A}/chatrooms/{rid}: NOGRP AUTH
GET {A}/chatrooms/{rid}/users: NOGRP-R AUTH
POST {A}/chatrooms/{rid}/users/{username}: NOGRP NOUSER INGRP FULL TOOMANY BLOCKED AUTH
POST {A}/chatrooms/{rid}/users: NOUSER INGRP NOGRP FULL TOOMANY AUTH
DELETE {A}/chatrooms/{rid}/users/{usernames}: NOTMEM OWNER NOGRP AUTH
GET {A}/chatrooms/{rid}/admin: NOGRP AUTH
POST {A}/chatrooms/{rid}/admin: NOGRP NOUSER NOTIN OWNER ADMIN ADMINS INVALID AUTH
DELETE {A}/chatrooms/{rid}/admin/{oldadmin}: NOADMIN NOGRP AUTH
GET {A}/chatrooms/{rid}/mute: NOGRP AUTH
POST {A}/chatrooms/{rid}/mute: INVALID NOTMEM OWNER NOGRP AUTH
DELETE {A}/chatrooms/{rid}/mute/{usernames}: NOTMEM NOGRP AUTH
GET {A}/chatrooms/super_admin: AUTH
POST {A}/chatrooms/super_admin: NOUSER INVALID AUTH
DELETE {A}/chatrooms/super_admin/{superadmin}: NOUSER AUTH
GET {A}/chatrooms/{rid}/announcement: NOGRP AUTH
POST {A}/chatrooms/{rid}/announcement: INVALID NOGRP AUTH
GET {A}/chatrooms/{rid}/blocks/users: NOGRP AUTH
POST {A}/chatrooms/{rid}/blocks/users/{username}: NOTMEM OWNER NOGRP AUTH
POST {A}/chatrooms/{rid}/blocks/users: NOTMEM OWNER NOGRP AUTH
DELETE {A}/chatrooms/{rid}/blocks/users/{usernames}: NOUSER NOGRP AUTH
POST {A}/chatrooms/{rid}/ban: NOGRP AUTH
DELETE {A}/chatrooms/{rid}/ban: NOGRP AUTH
GET {A}/chatrooms/{rid}/white/users: NOGRP AUTH
POST {A}/chatrooms/{rid}/white/users/{username}: NOTMEM NOGRP AUTH
POST {A}/chatrooms/{rid}/white/users: NOTMEM NOGRP AUTH
DELETE {A}/chatrooms/{rid}/white/users/{usernames}: NOTMEM NOGRP AUTH
"""

# Not shown, with the reason.
#   400 json_parse and the like: of every endpoint, shown once.
#   409 of metadata: "a server that serialises updates never sends it".
#   403 recall "is unopened": of a server without recall.
#   408, 500, 503: of faults, which tests of their own bring about.


def every() -> list[tuple[str, int, str, re.Pattern[str]]]:
    """Operation, status, error and description of each row."""
    rows = [line for line in ROWS.splitlines() if line.count(" |") >= 3]
    for line in MUCS.strip().splitlines():
        operation, _, shorts = line.partition(": ")
        rows += [f"{operation} | {SHORT[short]}" for short in shorts.split()]
    return [_parsed(row) for row in rows]


def _parsed(row: str) -> tuple[str, int, str, re.Pattern[str]]:
    operation, status, error, description = row.split(" |", 3)
    described = (re.escape(part) for part in description[1:].split("…"))
    return (
        operation,
        int(status),
        error.strip(),
        re.compile(".+".join(described), re.DOTALL),
    )
