"""limits.md as a person reads it, typed by hand: never taken from the compiler.

A misreading of the table cannot certify itself here. Rates are calls and seconds, by
edition; bounds are in the unit of their kind (characters, items, bytes, ...).
"""

SECOND, MINUTE = 1, 60
TEN_AND_THIRTY = {"community": (10, SECOND), "enterprise": (30, SECOND)}

INTERFACES = {
    "users": "Users",
    "friends": "Friends",
    "blacklist": "Blacklist",
    "blocking": "Account blocking",
    "offline": "Offline messages",
    "history": "Chat history download",
    "files": "Upload and download",
    "messages": "Sending messages",
    "groups": "Groups",
    "chatrooms": "Chat rooms",
}

RATES = {
    "users.calls": TEN_AND_THIRTY,
    "friends.calls": TEN_AND_THIRTY,
    "blacklist.calls": TEN_AND_THIRTY,
    "blocking.calls": TEN_AND_THIRTY,
    "offline.calls": TEN_AND_THIRTY,
    "history.calls": {"community": (1, MINUTE), "enterprise": (1, MINUTE)},
    "files.calls": TEN_AND_THIRTY,
    "files.cluster_downloads": {
        "community": (300, SECOND),
        "enterprise": (300, SECOND),
    },
    "messages.calls": TEN_AND_THIRTY,
    "groups.calls": TEN_AND_THIRTY,
    "chatrooms.calls": TEN_AND_THIRTY,
}

KIB = 1024

# name: (kind, figure, the edition it binds or None for all)
BOUNDS = {
    "users.user_id": ("max_length", 64, None),
    "users.bulk_registration": ("max_items", 60, None),
    "users.password": ("max_length", 64, None),
    "users.nickname": ("max_length", 100, None),
    "users.batch_status": ("max_items", 100, None),
    "users.user_list": ("max_items", 100, None),
    "users.bulk_deletion": ("max_items", 500, None),
    "users.batch_attributes": ("max_items", 100, None),
    "users.batch_nickname": ("max_items", 100, None),
    "users.attributes": ("max_bytes", 2 * KIB, None),
    "users.app_attributes": ("max_bytes", 10 * KIB**3, None),
    "users.request_body": ("max_bytes", 64 * KIB, None),
    "users.users_per_app": ("membership", 1_000_000, "community"),
    "friends.user_id": ("max_length", 64, None),
    "files.download_bandwidth": ("bandwidth", 500 * KIB, None),
    "messages.message_and_extension": ("max_bytes", 4 * KIB, None),
    "messages.daily_system_push_messages": ("quota", 20_000, "community"),
    "messages.targets": ("max_items", 600, None),
    "messages.group_targets": ("max_items", 3, None),
    "messages.chat_room_targets": ("max_items", 10, None),
    "messages.custom_event": ("max_length", 32, None),
    "messages.custom_extensions": ("max_items", 16, None),
    "messages.request_body": ("max_bytes", 64 * KIB, None),
    "groups.joined_groups": ("membership", 500, None),
    "chatrooms.joined_chat_rooms": ("membership", 500, None),
}
