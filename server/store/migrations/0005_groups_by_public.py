"""Which groups are public by an index of its own, and the id that was given last.

``last_muc`` is SQLite's: PostgreSQL has a sequence for it.
"""

from peewee import Database

from server.store.migrations import Step


def up(_: object, database: Database) -> None:
    step = Step(database)
    step.run("CREATE INDEX muc_app_id_kind_public_id ON muc (app_id, kind, public, id)")
    step.run(
        "CREATE TABLE last_muc (one {whole} NOT NULL PRIMARY KEY, id {whole} NOT NULL)"
    )
    if not step.is_postgresql:
        step.run("INSERT INTO last_muc SELECT 1, max(id) FROM muc HAVING max(id) > 0")
