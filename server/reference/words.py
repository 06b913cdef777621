"""What the names of paths, queries and headers mean, in words; and values to try.

Names alone: which operation has which comes from the routes and the handlers.
"""

from collections.abc import Mapping

PATH: Mapping[str, str] = {
    "org": "The organisation the app belongs to.",
    "tenant": "The organisation the app belongs to.",
    "app": "The app.",
    "name": "The app.",
    "username": "A user's name, in any case, or their uuid.",
    "owner_username": "Whose list it is: a user's name or uuid.",
    "contact_username": "The other user: a name or uuid.",
    "blocked_username": "Who is blocked: a name or uuid.",
    "usernames": "One name, or several divided by commas.",
    "resource": "A device, as the client named it when it signed in.",
    "msg_id": "A message's id.",
    "uuid": "The file's uuid, as its upload answered it.",
    "time": "An hour, as YYYYMMDDHH.",
    "group_id": "The group's id.",
    "group_ids": "A group's id, or several divided by commas.",
    "file_id": "The shared file's id.",
    "oldadmin": "Who is an administrator no more.",
    "room_id": "The room's id.",
    "room_ids": "A room's id, or several divided by commas.",
    "super_admin": "Who is taken off the list.",
    "status": "A word of the app's own: how the user is.",
    "expiry": "For how many seconds.",
}

QUERY: Mapping[str, str] = {
    "limit": "How many a page holds.",
    "cursor": "Where to go on: the `cursor` of the page before.",
    "pagenum": "Which page, from 1; the case of the name does not matter.",
    "pagesize": "How many a page holds; the case of the name does not matter.",
    "pageNum": "Which page, from 1; the case of the name does not matter.",
    "pageSize": "How many a page holds; the case of the name does not matter.",
    "needReturnRemark": "`true`: with the owner's remarks.",
    "useMsgId": "`true`: the answer gives the id of each message.",
    "version": "`v3`: by cursor, names alone.",
    "sort": "`desc`: the last who came first.",
    "share-secret": "As the upload answered it, where the download is restricted.",
    "Expires": "Until when the address is good, in Unix seconds.",
    "Signature": "What makes the address good.",
    "ticket": "What opens the stream where no header can be set.",
    "resource": "The name of the device; one is made up where there is none.",
    "last_event_id": "As the header `Last-Event-ID`, for who cannot set it.",
}

HEADERS: Mapping[str, str] = {
    "restrict-access": "`true`: to be had only with the share-secret.",
    "share-secret": "As the upload answered it, where the download is restricted.",
    "thumbnail": "`true`: the thumbnail, where there is one.",
    "Range": "Part of the content, as `bytes=0-499`.",
    "Last-Event-ID": "The last id that was received: the stream goes on after it.",
}

PARTS: Mapping[str, str] = {
    "filename": "The file's name, where its own part gives none.",
    "thumbnail-width": "Pixels; of an image's thumbnail, at most.",
    "thumbnail-height": "Pixels; likewise.",
}

UNDESCRIBED_HEADERS = frozenset({"Authorization"})
"""What the security schemes say."""

NEEDED = frozenset({"Expires", "Signature"})
"""Of the query: what an address is no good without."""
