"""Indexes of what the sweep removes and of nothing else, in words of both databases.

The sweep of uploads walked all the files shared in groups that were older, each time;
mutes that had ended stayed for ever.
"""

from peewee import Database

from server.store.migrations import Step


def up(_: object, database: Database) -> None:
    step = Step(database)
    step.run("CREATE INDEX file_created ON file (created) WHERE muc_id IS NULL")
    step.run("CREATE INDEX mute_until ON mute (until)")
    step.run("CREATE INDEX muc_mute_until ON muc_mute (until)")
    for flag in ("admin", "allowed"):
        step.run(f"DROP INDEX muc_member_{flag}")
        step.run(
            f"CREATE INDEX muc_member_{flag} ON muc_member (muc_id, id) WHERE {flag}"
        )
