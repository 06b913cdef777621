"""Receiving: what is told besides the queues, whose process holds a device, presence.

``connection`` gets an app, so that who of an app receives now is found without a look
at each member of a large group; what was connected before the upgrade has none.
"""

from peewee import Database

from server.store.migrations import Step

TABLES = """
ALTER TABLE connection ADD COLUMN app_id {whole} REFERENCES app ON DELETE CASCADE;
ALTER TABLE connection ADD COLUMN owner {name} NOT NULL DEFAULT '';
CREATE INDEX connection_app_id_user_id ON connection (app_id, user_id);
CREATE INDEX connection_owner ON connection (owner);

CREATE TABLE event (
    user_id {whole} NOT NULL REFERENCES "user" ON DELETE CASCADE,
    id {whole} NOT NULL,
    kind {name} NOT NULL,
    passing {truth} NOT NULL,
    data {text},
    PRIMARY KEY (user_id, id)
) {by_key};
CREATE INDEX event_passing_id ON event (passing, id);

CREATE TABLE presence (
    user_id {whole} NOT NULL PRIMARY KEY REFERENCES "user" ON DELETE CASCADE,
    ext {text} NOT NULL,
    modified {whole} NOT NULL
);

CREATE TABLE presence_status (
    user_id {whole} NOT NULL REFERENCES "user" ON DELETE CASCADE,
    resource {name} NOT NULL,
    status {name} NOT NULL,
    PRIMARY KEY (user_id, resource)
) {by_key};

CREATE TABLE presence_watch (
    user_id {whole} NOT NULL REFERENCES "user" ON DELETE CASCADE,
    watched_id {whole} NOT NULL REFERENCES "user" ON DELETE CASCADE,
    expires {whole} NOT NULL,
    PRIMARY KEY (user_id, watched_id)
) {by_key};
CREATE INDEX presence_watch_watched_id ON presence_watch (watched_id)
"""


def up(_: object, database: Database) -> None:
    step = Step(database)
    for statement in TABLES.split(";"):
        step.run(statement)
