"""Every table, on one page: as the last of the migrations leaves it.

The tables are made by migrations/, and a test holds the two together. Ids that a caller
could hold on to (in a cursor, a token, a counter's key) are never given twice, hence
AUTOINCREMENT. Times are Unix milliseconds.
"""

from typing import Any

from peewee import (
    BigAutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

from server.store.database import database


class _Table(Model):
    class Meta:
        database = database
        legacy_table_names = False


class App(_Table):
    """A tenant: what ``/{org}/{app}`` names."""

    id = BigAutoField()
    org = CharField()
    name = CharField()
    uuid = CharField(unique=True)
    edition = CharField()
    open_registration = BooleanField(default=False)
    client_id = CharField(unique=True)
    secret_hash = BlobField()
    token_key = BlobField()
    """Part of every app token; a new one revokes them all."""
    created = BigIntegerField()
    user_count = BigIntegerField(default=0)
    """How many rows of User the app has, kept beside them in each transaction."""
    attribute_bytes = BigIntegerField(default=0)
    """The size of all its users' attributes, likewise."""
    group_count = BigIntegerField(default=0)
    """How many rows of Muc are groups of the app, likewise."""
    chatroom_count = BigIntegerField(default=0)
    """And how many are rooms."""

    class Meta:
        indexes = ((("org", "name"), True),)


class User(_Table):
    """An account of one app."""

    id = BigAutoField()
    app = ForeignKeyField(App, on_delete="CASCADE", index=False)
    username = CharField()
    uuid = CharField(unique=True)
    password_hash = TextField(null=True)
    """Argon2; null for a user who cannot sign in with a password yet."""
    token_key = BlobField()
    """Part of every token of the user; a new one revokes them all."""
    created = BigIntegerField()
    modified = BigIntegerField()
    activated = BooleanField(default=True)
    nickname = TextField(null=True)
    display_style = IntegerField(null=True)
    no_disturbing = BooleanField(null=True)
    no_disturbing_start = IntegerField(null=True)
    no_disturbing_end = IntegerField(null=True)

    class Meta:
        # The second is the order of lists: by creation, within an app.
        indexes = ((("app", "username"), True), (("app", "id"), False))


class Attributes(_Table):
    """A user's attributes, one JSON object of strings."""

    user = ForeignKeyField(User, primary_key=True, on_delete="CASCADE")
    pairs = TextField()
    size = IntegerField()
    """UTF-8 bytes of keys and values."""


class Connection(_Table):
    """A device of a user that is receiving now; a lease, so that a dead host's end."""

    id = BigAutoField()
    user = ForeignKeyField(User, on_delete="CASCADE")
    resource = CharField()
    """``{platform}_{id}``, as clients name the device."""
    device_uuid = TextField(default="")
    device_name = TextField(default="")
    expires = BigIntegerField()
    app = ForeignKeyField(App, null=True, on_delete="CASCADE", index=False)
    """The user's, so that who of an app is receiving is found at once."""
    owner = CharField(default="", index=True)
    """The process that holds it, and renews all of its own together."""

    class Meta:
        indexes = ((("app", "user"), False),)


class Contact(_Table):
    """*friend* is in *owner*'s list; the other direction is a row of its own."""

    id = BigAutoField()
    """The order of adding."""
    owner = ForeignKeyField(User, on_delete="CASCADE", index=False)
    friend = ForeignKeyField(User, on_delete="CASCADE")
    remark = TextField(null=True)
    """What the owner calls the friend; only the owner sees it."""

    class Meta:
        indexes = ((("owner", "friend"), True), (("owner", "id"), False))


class Block(_Table):
    """*blocked* is on *owner*'s blacklist."""

    id = BigAutoField()
    """The order of adding."""
    owner = ForeignKeyField(User, on_delete="CASCADE", index=False)
    blocked = ForeignKeyField(User, on_delete="CASCADE")

    class Meta:
        indexes = ((("owner", "blocked"), True), (("owner", "id"), False))


class Mute(_Table):
    """A user who may not send messages of one chat type, anywhere in the app."""

    id = BigAutoField()
    """The order of setting: a new value is a new row."""
    app = ForeignKeyField(App, on_delete="CASCADE", index=False)
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    chat_type = CharField()
    until = BigIntegerField(index=True)
    """Unix ms; -1: for ever."""

    class Meta:
        indexes = ((("user", "chat_type"), True), (("app", "id"), False))


class Message(_Table):
    """One message to one target, as the history tells it.

    Not tied to users: a message to a name nobody has is kept like any other.
    """

    id = BigIntegerField(primary_key=True)
    app = ForeignKeyField(App, on_delete="CASCADE", index=False)
    chat_type = CharField()
    sender = TextField()
    target = TextField()
    timestamp = BigIntegerField()
    body = TextField()
    """One element of the record's ``payload.bodies``, as JSON."""
    ext = TextField(null=True)
    """As JSON; null for none."""
    online_only = BooleanField(default=False)
    sync_device = BooleanField(default=False)
    level = CharField(null=True)
    """Of a chat-room message: high, normal or low."""

    class Meta:
        indexes = ((("app", "timestamp", "id"), False),)


class Recalled(_Table):
    """The greatest id of a message that was recalled, so that no other is given it."""

    id = BigIntegerField(primary_key=True)


class Waiting(_Table):
    """A message in a user's offline queue, until a device has received it.

    A send to a large group writes thousands, chosen from who and what there is: so
    neither is checked again. Triggers remove what waits with its user or message.
    """

    user_id = BigIntegerField()
    message_id = BigIntegerField(index=True)

    class Meta:
        primary_key = CompositeKey("user_id", "message_id")
        without_rowid = True


class Event(_Table):
    """What one user is told besides the queue, in one order with it: ids are messages'.

    Passing: told to who receives at that moment, and to who resumes soon after. Else it
    waits as a message does, until a device has received it.
    """

    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    id = BigIntegerField()
    kind = CharField()
    """``message``: that of this id. Else ``recall``, ``group``, ``room``, ..."""
    passing = BooleanField()
    data = TextField(null=True)
    """As JSON; null for a message, which is kept elsewhere."""

    class Meta:
        primary_key = CompositeKey("user", "id")
        without_rowid = True
        indexes = ((("passing", "id"), False),)


class Presence(_Table):
    """What a user said of themselves."""

    user = ForeignKeyField(User, primary_key=True, on_delete="CASCADE")
    ext = TextField()
    modified = BigIntegerField()


class PresenceStatus(_Table):
    """And how they are on one device."""

    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    resource = CharField()
    status = CharField()

    class Meta:
        primary_key = CompositeKey("user", "resource")
        without_rowid = True


class PresenceWatch(_Table):
    """*user* wants to be told of *watched*, for a while."""

    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    watched = ForeignKeyField(User, on_delete="CASCADE")
    expires = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("user", "watched")
        without_rowid = True


class Muc(_Table):
    """A multi-user chat: a group or a chat room, in one space of ids."""

    id = BigIntegerField(primary_key=True)
    app = ForeignKeyField(App, on_delete="CASCADE", index=False)
    kind = CharField()
    """``group`` or ``chatroom``."""
    name = TextField()
    description = TextField()
    custom = TextField(default="")
    announcement = TextField(default="")
    public = BooleanField(default=True)
    members_only = BooleanField(default=False)
    allow_invites = BooleanField(default=False)
    invite_need_confirm = BooleanField(default=True)
    max_users = IntegerField()
    """Capacity, the owner included."""
    owner = ForeignKeyField(User)
    """Their deletion destroys what they own; store/users.py does that first."""
    mute_all = BooleanField(default=False)
    disabled = BooleanField(default=False)
    created = BigIntegerField()
    modified = BigIntegerField()
    member_count = IntegerField(default=0)
    """How many rows of MucMember it has, the owner's included, kept beside them."""

    class Meta:
        indexes = (
            (("app", "kind", "id"), False),
            (("app", "kind", "public", "id"), False),
        )


class LastMuc(_Table):
    """The id that a group or room was given last, in one row: none is given twice."""

    one = IntegerField(primary_key=True)
    id = BigIntegerField()


class MucMember(_Table):
    """A user in a group or room, the owner too."""

    id = BigAutoField()
    """The order of joining."""
    muc = ForeignKeyField(Muc, on_delete="CASCADE", index=False)
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    kind = CharField()
    """The Muc's, so that a user's groups are counted without their rooms."""
    admin = BooleanField(default=False)
    allowed = BooleanField(default=False)
    """On the allow list: may speak while all are muted."""

    class Meta:
        indexes = (
            (("muc", "user"), True),
            (("muc", "id"), False),
            (("user", "kind", "id"), False),
        )


# Few of many members are administrators or on the allow list.
for _flag in (MucMember.admin, MucMember.allowed):
    MucMember.add_index(
        MucMember.muc, MucMember.id, where=_flag, name=f"muc_member_{_flag.name}"
    )


class MucBlock(_Table):
    """A user who was taken out and cannot come back until unblocked."""

    id = BigAutoField()
    muc = ForeignKeyField(Muc, on_delete="CASCADE", index=False)
    user = ForeignKeyField(User, on_delete="CASCADE")

    class Meta:
        indexes = ((("muc", "user"), True),)


class MucMute(_Table):
    """A user who may not speak in one group or room. A room's outlives membership."""

    id = BigAutoField()
    muc = ForeignKeyField(Muc, on_delete="CASCADE", index=False)
    user = ForeignKeyField(User, on_delete="CASCADE")
    until = BigIntegerField(index=True)
    """Unix ms, or the fixed moment that stands for ever."""

    class Meta:
        indexes = ((("muc", "user"), True),)


class SuperAdmin(_Table):
    """A user who may create rooms through the client protocol."""

    id = BigAutoField()
    app = ForeignKeyField(App, on_delete="CASCADE", index=False)
    user = ForeignKeyField(User, on_delete="CASCADE", unique=True)

    class Meta:
        indexes = ((("app", "id"), False),)


class File(_Table):
    """An upload: a chat file, or a group's shared file. The bytes are elsewhere."""

    id = BigAutoField()
    """The order of uploading."""
    uuid = CharField(unique=True)
    app = ForeignKeyField(App, on_delete="CASCADE", index=False)
    muc = ForeignKeyField(Muc, null=True, on_delete="CASCADE", index=False)
    """The group it is shared in; null for a chat file."""
    owner = CharField()
    """Who uploaded it; ``admin`` for an app token."""
    name = TextField()
    content_type = CharField()
    size = BigIntegerField()
    created = BigIntegerField()
    restricted = BooleanField(default=False)
    secret_hash = BlobField(null=True)
    """SHA-256 of a chat file's share-secret."""
    thumbnail_type = CharField(null=True)
    """Content type of the thumbnail kept beside it; null for none."""

    class Meta:
        indexes = ((("app", "created"), False),)


# The order of a group's list, and of the sweep: files of groups stay.
File.add_index(File.muc, File.id, where=File.muc.is_null(False), name="file_muc_id_id")
File.add_index(File.created, where=File.muc.is_null(), name="file_created")


class QuotaUse(_Table):
    """What an app has used of a quota on one UTC day."""

    app = ForeignKeyField(App, on_delete="CASCADE", index=False)
    rule = CharField()
    day = IntegerField()
    """Since 1970-01-01, UTC."""
    used = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("app", "rule", "day")
        without_rowid = True  # one tree to write at each send, not two
        indexes = ((("day",), False),)  # of the sweep; a day's use does not touch it


class ServerSecret(_Table):
    """Random keys of this installation, made at its first start."""

    name = CharField(primary_key=True)
    key = BlobField()


class Operator(_Table):
    """Someone who may use the console."""

    id = BigAutoField()
    name = CharField(unique=True)
    key_hash = BlobField(unique=True)
    """SHA-256 of the key, which is random and not kept."""
    created = BigIntegerField()
    seen = BigIntegerField(null=True)
    """When the last session of theirs was used, within a minute."""


class OperatorSession(_Table):
    """A browser in which an operator is signed in."""

    token_hash = BlobField(primary_key=True)
    operator = ForeignKeyField(Operator, on_delete="CASCADE")
    created = BigIntegerField(index=True)
    seen = BigIntegerField()


class Audit(_Table):
    """One change that an operator, a command or a start has made."""

    id = BigAutoField()
    at = BigIntegerField()
    actor = TextField()
    action = CharField()
    subject = TextField()
    """The key of the app, the operator's name, or the rules' digest."""
    words = TextField()

    class Meta:
        indexes = ((("subject", "id"), False), (("action", "id"), False))


class RulesSeen(_Table):
    """The figures of the tables that were in force, as each was first seen."""

    id = BigAutoField()
    at = BigIntegerField()
    digest = CharField()
    figures = TextField()
    """As JSON, see server/rules_history.py."""


TABLES: tuple[type[Any], ...] = (
    App,
    User,
    Attributes,
    Connection,
    Contact,
    Block,
    Mute,
    Message,
    Recalled,
    Waiting,
    Event,
    Presence,
    PresenceStatus,
    PresenceWatch,
    Muc,
    LastMuc,
    MucMember,
    MucBlock,
    MucMute,
    SuperAdmin,
    File,
    QuotaUse,
    ServerSecret,
    Operator,
    OperatorSession,
    Audit,
    RulesSeen,
)
