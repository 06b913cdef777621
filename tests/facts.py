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

DAY = 24 * 3600

# name: (kind, figure, the edition it binds or None for all); where an edition has a
# figure of its own for a rule that others have too, a list of those.
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
    "users.presence_extension": ("max_bytes", 64, None),
    "users.presence_name": ("max_length", 64, None),
    "users.batch_presence": ("max_items", 100, None),
    "users.presence_list": ("max_items", 500, None),
    "users.presence_subscription": ("kept", 30 * DAY, None),
    "users.users_per_app": ("membership", 1_000_000, "community"),
    "friends.user_id": ("max_length", 64, None),
    "friends.contacts_per_user": [
        ("membership", 1000, "community"),
        ("membership", 3000, "enterprise"),
    ],
    "friends.contact_list": ("max_items", 50, None),
    "friends.contact_import": ("max_items", 10, None),
    "friends.remark": ("max_length", 100, None),
    "friends.request_body": ("max_bytes", 64 * KIB, None),
    "blacklist.blocks_per_user": ("membership", 500, None),
    "blacklist.batch_block": ("max_items", 500, None),
    "blacklist.block_list": ("max_items", 50, None),
    "blacklist.request_body": ("max_bytes", 64 * KIB, None),
    "blocking.mute_list": ("max_items", 50, None),
    "blocking.request_body": ("max_bytes", 64 * KIB, None),
    "offline.offline_message": ("kept", 7 * DAY, None),
    "offline.passing_event": ("kept", 10 * MINUTE, None),
    "offline.stream_ticket": ("kept", 60, None),
    "offline.devices_per_user": ("membership", 10, None),
    "offline.device_name": ("max_length", 64, None),
    "offline.request_body": ("max_bytes", 64 * KIB, None),
    "history.history_file": ("kept", 3 * DAY, None),
    "history.signed_address": ("kept", 30 * MINUTE, None),
    "files.file": ("max_bytes", 10 * KIB**2, None),
    "files.uploaded_file": ("kept", 7 * DAY, None),
    "files.download_bandwidth": ("bandwidth", 500 * KIB, None),
    "messages.message_and_extension": ("max_bytes", 4 * KIB, None),
    "messages.daily_system_push_messages": ("quota", 20_000, "community"),
    "messages.targets": ("max_items", 600, None),
    "messages.group_targets": ("max_items", 3, None),
    "messages.chat_room_targets": ("max_items", 10, None),
    "messages.custom_event": ("max_length", 32, None),
    "messages.custom_extensions": ("max_items", 16, None),
    "messages.request_body": ("max_bytes", 64 * KIB, None),
    "messages.recallable_message": ("kept", 2 * MINUTE, None),
    "groups.joined_groups": ("membership", 500, None),
    "groups.groups_per_app": ("membership", 100_000, None),
    "groups.members_per_group": [
        ("membership", 2000, "community"),
        ("membership", 5000, "enterprise"),
    ],
    "groups.administrators_per_group": ("membership", 99, None),
    "groups.group_name": ("max_length", 128, None),
    "groups.description": ("max_length", 512, None),
    "groups.custom_text": ("max_length", 1024, None),
    "groups.announcement": ("max_length", 512, None),
    "groups.request_body": ("max_bytes", 64 * KIB, None),
    "groups.group_list": ("max_items", 100, None),
    "groups.joined_group_list": ("max_items", 100, None),
    "groups.group_details": ("max_items", 100, None),
    "groups.member_list": ("max_items", 100, None),
    "groups.shared_file_list": ("max_items", 1000, None),
    "groups.shared_file": ("max_bytes", 10 * KIB**2, None),
    "groups.initial_members": ("max_items", 100, None),
    "groups.batch_add": ("max_items", 60, None),
    "groups.batch_removal": ("max_items", 100, None),
    "groups.batch_block": ("max_items", 60, None),
    "groups.batch_unblock": ("max_items", 100, None),
    "groups.batch_mute": ("max_items", 60, None),
    "groups.batch_unmute": ("max_items", 100, None),
    "groups.batch_allow": ("max_items", 60, None),
    "groups.batch_disallow": ("max_items", 60, None),
    "chatrooms.joined_chat_rooms": ("membership", 500, None),
    "chatrooms.chat_rooms_per_app": ("membership", 100_000, None),
    "chatrooms.members_per_chat_room": ("membership", 5000, None),
    "chatrooms.administrators_per_chat_room": ("membership", 99, None),
    "chatrooms.chat_room_name": ("max_length", 128, None),
    "chatrooms.description": ("max_length", 512, None),
    "chatrooms.custom_text": ("max_length", 1024, None),
    "chatrooms.announcement": ("max_length", 512, None),
    "chatrooms.request_body": ("max_bytes", 64 * KIB, None),
    "chatrooms.chat_room_list": ("max_items", 100, None),
    "chatrooms.whole_chat_room_list": ("max_items", 1000, None),
    "chatrooms.chat_room_details": ("max_items", 100, None),
    "chatrooms.member_page": ("max_items", 1000, None),
    "chatrooms.member_list": ("max_items", 100, None),
    "chatrooms.super_admin_list": ("max_items", 1000, None),
    "chatrooms.batch_add": ("max_items", 60, None),
    "chatrooms.batch_removal": ("max_items", 100, None),
    "chatrooms.batch_block": ("max_items", 60, None),
    "chatrooms.batch_unblock": ("max_items", 60, None),
    "chatrooms.batch_mute": ("max_items", 60, None),
    "chatrooms.batch_unmute": ("max_items", 100, None),
    "chatrooms.batch_allow": ("max_items", 60, None),
    "chatrooms.batch_disallow": ("max_items", 60, None),
}


def bound(rule: str) -> list[tuple[str, int, str | None]]:
    """Every figure of a rule that is no rate: its kind, the figure, its edition."""
    stated = BOUNDS[rule]
    return stated if isinstance(stated, list) else [stated]
