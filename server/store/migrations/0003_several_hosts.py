"""What several hosts at once need: ids that PostgreSQL gives, and files in an order.

A shared file was listed by SQLite's own row number, which PostgreSQL does not have.
"""

from peewee import Database

from server.store.migrations import Step

CLOCK = """
CREATE FUNCTION unix_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
$$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint $$
"""

# The lock is the session's, for this moment: hosts that write in other apps must not
# wait for this transaction's end. Whatever happens, it is given back. What the sequence
# is set to stays when the transaction is undone: an id that was seen is gone for good.
TAKE_IDS = """
CREATE FUNCTION take_ids(sequence text, shift bigint, count bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    ids regclass := sequence::regclass;
    first bigint;
BEGIN
    PERFORM pg_advisory_lock(ids::oid::bigint);
    first := greatest(unix_ms() << shift::int, nextval(ids));
    PERFORM setval(ids, first + count - 1);
    PERFORM pg_advisory_unlock(ids::oid::bigint);
    RETURN first;
EXCEPTION WHEN OTHERS OR query_canceled THEN
    PERFORM pg_advisory_unlock(ids::oid::bigint);
    RAISE;
END
$$
"""

FILES = """
CREATE TABLE file_in_order (
    id {key},
    uuid {name} NOT NULL,
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
)
"""
_COLUMNS = """
    uuid, app_id, muc_id, owner, name, content_type, size, created, restricted,
    secret_hash, thumbnail_type
"""


def up(_: object, database: Database) -> None:
    step = Step(database)
    if step.is_postgresql:
        for sequence in ("message_ids", "muc_ids"):
            step.run(f"CREATE SEQUENCE {sequence}")
        step.run(CLOCK)
        step.run(TAKE_IDS)
    step.run(FILES)
    order = "created" if step.is_postgresql else "rowid"
    step.run(
        f"INSERT INTO file_in_order ({_COLUMNS}) SELECT {_COLUMNS} FROM file"
        f" ORDER BY {order}"
    )
    step.run("DROP TABLE file")
    step.run("ALTER TABLE file_in_order RENAME TO file")
    step.run("CREATE UNIQUE INDEX file_uuid ON file (uuid)")
    # Chat files have no part in it, nor in its upkeep.
    step.run(
        "CREATE INDEX file_muc_id_id ON file (muc_id, id) WHERE muc_id IS NOT NULL"
    )
    step.run("CREATE INDEX file_app_id_created ON file (app_id, created)")
