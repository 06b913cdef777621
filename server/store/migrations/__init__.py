"""How the tables came to be: numbered steps, each whole or not done at all.

A step is a file here, ``NNNN_what_it_does.py``, of the next number. It says nothing but

    def up(_: object, database: Database) -> None:
        step = Step(database)
        step.run("CREATE TABLE presence (user_id {whole} NOT NULL PRIMARY KEY, ...)")
        step.run("CREATE INDEX presence_seen ON presence (seen)")

in SQL that both databases understand, with the types of :data:`TYPES` in braces, and
says the same in models.py: a test compares the two on either database. Never change a
step that was released: databases have it behind them. Number 2 is the first, as
``PRAGMA user_version`` of the databases from before was 2.

The runner is peewee's own (``playhouse.migrations``); server/store/schema.py says when
it runs. All steps that are due are one transaction, alone among all hosts. On SQLite
foreign keys are not enforced meanwhile, so that a table can be made anew, and checked
before the commit. What serves during the upgrade must get along with the new tables
until it is restarted: add columns with a default, and drop nothing that it uses.
"""

from dataclasses import dataclass
from typing import Any

from peewee import PostgresqlDatabase

TYPES = {
    # An id that is never given twice.
    "key": ("INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT", "BIGSERIAL PRIMARY KEY"),
    "whole": ("INTEGER", "BIGINT"),
    "truth": ("INTEGER", "BOOLEAN"),
    # Names are compared and sorted by their bytes.
    "name": ("VARCHAR(255)", 'VARCHAR COLLATE "C"'),
    "text": ("TEXT", "TEXT"),
    "bytes": ("BLOB", "BYTEA"),
    # Ends a table whose primary key is all there is to look it up by.
    "by_key": ("WITHOUT ROWID", ""),
}
"""By the word in braces: what SQLite calls it, and what PostgreSQL does."""


@dataclass(frozen=True, slots=True)
class Step:
    """The database that a step is taken on."""

    database: Any
    """peewee's, whose methods have no types."""

    @property
    def is_postgresql(self) -> bool:
        return isinstance(self.database, PostgresqlDatabase)

    def run(self, sql: str) -> None:
        """Execute a statement, its types put into this database's words."""
        column = int(self.is_postgresql)
        for word, names in TYPES.items():
            sql = sql.replace(f"{{{word}}}", names[column])
        self.database.execute_sql(sql)

    def all(self, sql: str) -> list[Any]:
        """The rows of a query."""
        rows: list[Any] = self.database.execute_sql(sql).fetchall()
        return rows
