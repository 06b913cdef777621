# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""The rules of limits.md, in its order."""

from server.kinds import Interface
from server.rules import (
    blacklist,
    blocking,
    chatrooms,
    files,
    friends,
    groups,
    history,
    messages,
    offline,
    users,
)

EDITIONS = {"community": "Community Edition", "enterprise": "Enterprise Edition"}

DIGEST = "a7d08714480f540ab67c177014bf29275b26ee1bf0287f3b56568b84d570573f"

INTERFACES = (
    Interface(
        "users",
        "Users",
        "limits.md:18",
        users.blueprint,
        (
            users.CALLS,
            users.USER_ID,
            users.BULK_REGISTRATION,
            users.PASSWORD,
            users.NICKNAME,
            users.USER_LIST,
            users.BATCH_STATUS,
            users.BATCH_NICKNAME,
            users.BULK_DELETION,
            users.ATTRIBUTES,
            users.APP_ATTRIBUTES,
            users.BATCH_ATTRIBUTES,
            users.USERS_PER_APP,
            users.REQUEST_BODY,
        ),
    ),
    Interface(
        "friends",
        "Friends",
        "limits.md:19",
        friends.blueprint,
        (friends.CALLS, friends.USER_ID),
    ),
    Interface(
        "blacklist",
        "Blacklist",
        "limits.md:20",
        blacklist.blueprint,
        (blacklist.CALLS,),
    ),
    Interface(
        "blocking",
        "Account blocking",
        "limits.md:21",
        blocking.blueprint,
        (blocking.CALLS,),
    ),
    Interface(
        "offline",
        "Offline messages",
        "limits.md:22",
        offline.blueprint,
        (offline.CALLS,),
    ),
    Interface(
        "history",
        "Chat history download",
        "limits.md:23",
        history.blueprint,
        (history.CALLS,),
    ),
    Interface(
        "files",
        "Upload and download",
        "limits.md:24",
        files.blueprint,
        (files.CALLS, files.DOWNLOAD_BANDWIDTH, files.CLUSTER_DOWNLOADS),
    ),
    Interface(
        "messages",
        "Sending messages",
        "limits.md:25",
        messages.blueprint,
        (
            messages.CALLS,
            messages.DAILY_SYSTEM_PUSH_MESSAGES,
            messages.MESSAGE_AND_EXTENSION,
            messages.TARGETS,
            messages.GROUP_TARGETS,
            messages.CHAT_ROOM_TARGETS,
            messages.CUSTOM_EVENT,
            messages.CUSTOM_EXTENSIONS,
            messages.REQUEST_BODY,
        ),
    ),
    Interface(
        "groups",
        "Groups",
        "limits.md:26",
        groups.blueprint,
        (groups.CALLS, groups.JOINED_GROUPS),
    ),
    Interface(
        "chatrooms",
        "Chat rooms",
        "limits.md:27",
        chatrooms.blueprint,
        (chatrooms.CALLS, chatrooms.JOINED_CHAT_ROOMS),
    ),
)
