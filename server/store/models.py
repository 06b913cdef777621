"""Every table, on one page.

Ids that a caller could hold on to (in a cursor, a token, a counter's key) are never
given twice, hence AUTOINCREMENT. Times are Unix milliseconds.
"""

from typing import Any

from peewee import (
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
from playhouse.sqlite_ext import AutoIncrementField

from server.store.database import database


class _Table(Model):
    class Meta:
        database = database
        legacy_table_names = False


class App(_Table):
    """A tenant: what ``/{org}/{app}`` names."""

    id = AutoIncrementField()
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

    class Meta:
        indexes = ((("org", "name"), True),)


class User(_Table):
    """An account of one app."""

    id = AutoIncrementField()
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

    id = AutoIncrementField()
    user = ForeignKeyField(User, on_delete="CASCADE")
    resource = CharField()
    expires = BigIntegerField()


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


class ServerSecret(_Table):
    """Random keys of this installation, made at its first start."""

    name = CharField(primary_key=True)
    key = BlobField()


TABLES: tuple[type[Any], ...] = (
    App,
    User,
    Attributes,
    Connection,
    Message,
    QuotaUse,
    ServerSecret,
)
