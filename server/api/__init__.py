"""The handlers. A module here is listed below; an interface has one blueprint."""

from server.api import (
    blacklist,
    blocking,
    blocking_mutes,
    chatroom_lists,
    chatroom_members,
    chatroom_roles,
    chatroom_state,
    chatrooms,
    files,
    friends,
    group_files,
    group_index,
    group_lists,
    group_members,
    group_roles,
    group_state,
    groups,
    history,
    history_files,
    limits,
    message_recall,
    messages,
    offline,
    offline_stream,
    ops,
    tokens,
    user_metadata,
    user_presence,
    user_settings,
    user_status,
    users,
)

# An interface in several files has one blueprint, hence the dict.
BLUEPRINTS = tuple(
    dict.fromkeys(
        module.blueprint
        for module in (
            users,
            user_settings,
            user_status,
            user_metadata,
            user_presence,
            messages,
            groups,
            group_index,
            group_members,
            group_roles,
            group_lists,
            group_state,
            group_files,
            chatrooms,
            chatroom_members,
            chatroom_roles,
            chatroom_lists,
            chatroom_state,
            friends,
            blacklist,
            blocking,
            blocking_mutes,
            files,
            history,
            offline,
            offline_stream,
            message_recall,
        )
    )
)
"""The interfaces of the table, under ``/{org}/{app}``."""

APP_BLUEPRINTS = (tokens.blueprint, limits.blueprint)
"""Under ``/{org}/{app}`` too, but no part of the table."""

SERVER_BLUEPRINTS = (ops.blueprint, history_files.blueprint)
"""The server's own pages."""
