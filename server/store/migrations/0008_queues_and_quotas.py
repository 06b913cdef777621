"""Offline queues without a look at what each entry refers to; an index of quota days.

A send to a large group puts thousands of entries into the queues. Each was checked
against ``user`` and ``message``, though it was chosen from them in the same statement,
and nobody else writes in the app meanwhile. That cost more than the entry, and more
the more users there are. Whoever is deleted still takes their entries along, by a
trigger, which costs a send nothing.

The sweep of quotas of past days finds them by the day.
"""

from peewee import Database

from server.store.migrations import Step

SQLITE = (
    """
    CREATE TABLE waiting_unchecked (
        user_id {whole} NOT NULL,
        message_id {whole} NOT NULL,
        PRIMARY KEY (user_id, message_id)
    ) {by_key}
    """,
    "INSERT INTO waiting_unchecked SELECT user_id, message_id FROM waiting",
    "DROP TABLE waiting",
    "ALTER TABLE waiting_unchecked RENAME TO waiting",
    "CREATE INDEX waiting_message_id ON waiting (message_id)",
    """
    CREATE TRIGGER user_waiting AFTER DELETE ON "user"
    BEGIN DELETE FROM waiting WHERE user_id = OLD.id; END
    """,
    """
    CREATE TRIGGER message_waiting AFTER DELETE ON message
    BEGIN DELETE FROM waiting WHERE message_id = OLD.id; END
    """,
)
POSTGRESQL = (
    "ALTER TABLE waiting DROP CONSTRAINT waiting_user_id_fkey",
    "ALTER TABLE waiting DROP CONSTRAINT waiting_message_id_fkey",
    """
    CREATE FUNCTION forget_waiting_of_user() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN DELETE FROM waiting WHERE user_id = OLD.id; RETURN NULL; END $$
    """,
    """
    CREATE TRIGGER user_waiting AFTER DELETE ON "user"
    FOR EACH ROW EXECUTE FUNCTION forget_waiting_of_user()
    """,
    """
    CREATE FUNCTION forget_waiting_of_message() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN DELETE FROM waiting WHERE message_id = OLD.id; RETURN NULL; END $$
    """,
    """
    CREATE TRIGGER message_waiting AFTER DELETE ON message
    FOR EACH ROW EXECUTE FUNCTION forget_waiting_of_message()
    """,
)


def up(_: object, database: Database) -> None:
    step = Step(database)
    for statement in POSTGRESQL if step.is_postgresql else SQLITE:
        step.run(statement)
    step.run("CREATE INDEX quota_use_day ON quota_use (day)")
