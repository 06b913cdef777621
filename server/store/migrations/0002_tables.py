"""The tables of the first release: what a database of ``user_version`` 2 has."""

from peewee import Database

from server.store.migrations import Step

TABLES = """
CREATE TABLE app (
    id {key},
    org {name} NOT NULL,
    name {name} NOT NULL,
    uuid {name} NOT NULL,
    edition {name} NOT NULL,
    open_registration {truth} NOT NULL,
    client_id {name} NOT NULL,
    secret_hash {bytes} NOT NULL,
    token_key {bytes} NOT NULL,
    created {whole} NOT NULL,
    user_count {whole} NOT NULL,
    attribute_bytes {whole} NOT NULL,
    group_count {whole} NOT NULL,
    chatroom_count {whole} NOT NULL
);
CREATE UNIQUE INDEX app_uuid ON app (uuid);
CREATE UNIQUE INDEX app_client_id ON app (client_id);
CREATE UNIQUE INDEX app_org_name ON app (org, name);

CREATE TABLE "user" (
    id {key},
    app_id {whole} NOT NULL REFERENCES app ON DELETE CASCADE,
    username {name} NOT NULL,
    uuid {name} NOT NULL,
    password_hash {text},
    token_key {bytes} NOT NULL,
    created {whole} NOT NULL,
    modified {whole} NOT NULL,
    activated {truth} NOT NULL,
    nickname {text},
    display_style {whole},
    no_disturbing {truth},
    no_disturbing_start {whole},
    no_disturbing_end {whole}
);
CREATE UNIQUE INDEX user_uuid ON "user" (uuid);
CREATE UNIQUE INDEX user_app_id_username ON "user" (app_id, username);
CREATE INDEX user_app_id_id ON "user" (app_id, id);

CREATE TABLE attributes (
    user_id {whole} NOT NULL PRIMARY KEY REFERENCES "user" ON DELETE CASCADE,
    pairs {text} NOT NULL,
    size {whole} NOT NULL
);

CREATE TABLE block (
    id {key},
    owner_id {whole} NOT NULL REFERENCES "user" ON DELETE CASCADE,
    blocked_id {whole} NOT NULL REFERENCES "user" ON DELETE CASCADE
);
CREATE INDEX block_blocked_id ON block (blocked_id);
CREATE UNIQUE INDEX block_owner_id_blocked_id ON block (owner_id, blocked_id);
CREATE INDEX block_owner_id_id ON block (owner_id, id);

CREATE TABLE connection (
    id {key},
    user_id {whole} NOT NULL REFERENCES "user" ON DELETE CASCADE,
    resource {name} NOT NULL,
    device_uuid {text} NOT NULL,
    device_name {text} NOT NULL,
    expires {whole} NOT NULL
);
CREATE INDEX connection_user_id ON connection (user_id);

CREATE TABLE contact (
    id {key},
    owner_id {whole} NOT NULL REFERENCES "user" ON DELETE CASCADE,
    friend_id {whole} NOT NULL REFERENCES "user" ON DELETE CASCADE,
    remark {text}
);
CREATE INDEX contact_friend_id ON contact (friend_id);
CREATE UNIQUE INDEX contact_owner_id_friend_id ON contact (owner_id, friend_id);
CREATE INDEX contact_owner_id_id ON contact (owner_id, id);

CREATE TABLE muc (
    id {whole} NOT NULL PRIMARY KEY,
    app_id {whole} NOT NULL REFERENCES app ON DELETE CASCADE,
    kind {name} NOT NULL,
    name {text} NOT NULL,
    description {text} NOT NULL,
    custom {text} NOT NULL,
    announcement {text} NOT NULL,
    public {truth} NOT NULL,
    members_only {truth} NOT NULL,
    allow_invites {truth} NOT NULL,
    invite_need_confirm {truth} NOT NULL,
    max_users {whole} NOT NULL,
    owner_id {whole} NOT NULL REFERENCES "user",
    mute_all {truth} NOT NULL,
    disabled {truth} NOT NULL,
    created {whole} NOT NULL,
    modified {whole} NOT NULL,
    member_count {whole} NOT NULL
);
CREATE INDEX muc_owner_id ON muc (owner_id);
CREATE INDEX muc_app_id_kind_id ON muc (app_id, kind, id);

CREATE TABLE file (
    uuid {name} NOT NULL PRIMARY KEY,
    app_id {whole} NOT NULL REFERENCES app ON DELETE CASCADE,
    muc_id {whole} REFERENCES muc ON DELETE CASCADE,
    owner {name} NOT NULL,
    name {text} NOT NULL,
    content_type {name} NOT NULL,
    size {whole} NOT NULL,
    created {whole} NOT NULL,
    restricted {truth} NOT NULL,
    secret_hash {bytes},
    thumbnail_type {name}
);
CREATE INDEX file_muc_id ON file (muc_id);
CREATE INDEX file_app_id_created ON file (app_id, created);
CREATE INDEX file_created ON file (created);

CREATE TABLE message (
    id {whole} NOT NULL PRIMARY KEY,
    app_id {whole} NOT NULL REFERENCES app ON DELETE CASCADE,
    chat_type {name} NOT NULL,
    sender {text} NOT NULL,
    target {text} NOT NULL,
    timestamp {whole} NOT NULL,
    body {text} NOT NULL,
    ext {text},
    online_only {truth} NOT NULL,
    sync_device {truth} NOT NULL,
    level {name}
);
CREATE INDEX message_app_id_timestamp_id ON message (app_id, timestamp, id);

CREATE TABLE muc_block (
    id {key},
    muc_id {whole} NOT NULL REFERENCES muc ON DELETE CASCADE,
    user_id {whole} NOT NULL REFERENCES "user" ON DELETE CASCADE
);
CREATE INDEX muc_block_user_id ON muc_block (user_id);
CREATE UNIQUE INDEX muc_block_muc_id_user_id ON muc_block (muc_id, user_id);

CREATE TABLE muc_member (
    id {key},
    muc_id {whole} NOT NULL REFERENCES muc ON DELETE CASCADE,
    user_id {whole} NOT NULL REFERENCES "user" ON DELETE CASCADE,
    kind {name} NOT NULL,
    admin {truth} NOT NULL,
    allowed {truth} NOT NULL
);
CREATE UNIQUE INDEX muc_member_muc_id_user_id ON muc_member (muc_id, user_id);
CREATE INDEX muc_member_muc_id_id ON muc_member (muc_id, id);
CREATE INDEX muc_member_user_id_kind_id ON muc_member (user_id, kind, id);
CREATE INDEX muc_member_admin ON muc_member (muc_id, id) WHERE admin{is_set};
CREATE INDEX muc_member_allowed ON muc_member (muc_id, id) WHERE allowed{is_set};

CREATE TABLE muc_mute (
    id {key},
    muc_id {whole} NOT NULL REFERENCES muc ON DELETE CASCADE,
    user_id {whole} NOT NULL REFERENCES "user" ON DELETE CASCADE,
    until {whole} NOT NULL
);
CREATE INDEX muc_mute_user_id ON muc_mute (user_id);
CREATE UNIQUE INDEX muc_mute_muc_id_user_id ON muc_mute (muc_id, user_id);

CREATE TABLE mute (
    id {key},
    app_id {whole} NOT NULL REFERENCES app ON DELETE CASCADE,
    user_id {whole} NOT NULL REFERENCES "user" ON DELETE CASCADE,
    chat_type {name} NOT NULL,
    until {whole} NOT NULL
);
CREATE UNIQUE INDEX mute_user_id_chat_type ON mute (user_id, chat_type);
CREATE INDEX mute_app_id_id ON mute (app_id, id);

CREATE TABLE quota_use (
    app_id {whole} NOT NULL REFERENCES app ON DELETE CASCADE,
    rule {name} NOT NULL,
    day {whole} NOT NULL,
    used {whole} NOT NULL,
    PRIMARY KEY (app_id, rule, day)
) {by_key};

CREATE TABLE recalled (
    id {whole} NOT NULL PRIMARY KEY
);

CREATE TABLE server_secret (
    name {name} NOT NULL PRIMARY KEY,
    key {bytes} NOT NULL
);

CREATE TABLE super_admin (
    id {key},
    app_id {whole} NOT NULL REFERENCES app ON DELETE CASCADE,
    user_id {whole} NOT NULL REFERENCES "user" ON DELETE CASCADE
);
CREATE UNIQUE INDEX super_admin_user_id ON super_admin (user_id);
CREATE INDEX super_admin_app_id_id ON super_admin (app_id, id);

CREATE TABLE waiting (
    user_id {whole} NOT NULL REFERENCES "user" ON DELETE CASCADE,
    message_id {whole} NOT NULL REFERENCES message ON DELETE CASCADE,
    PRIMARY KEY (user_id, message_id)
) {by_key};
CREATE INDEX waiting_message_id ON waiting (message_id);
"""


def up(_: object, database: Database) -> None:
    step = Step(database)
    is_set = "" if step.is_postgresql else " = 1"
    for statement in TABLES.replace("{is_set}", is_set).split(";"):
        if statement.strip():
            step.run(statement)
