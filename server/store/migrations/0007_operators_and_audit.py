"""Who operates the server, and who changed what: operators, their sessions, the audit.

``rules_seen`` keeps the figures of each table that was in force, so that a start can
say what changed since the last one.
"""

from peewee import Database

from server.store.migrations import Step


def up(_: object, database: Database) -> None:
    step = Step(database)
    step.run(
        "CREATE TABLE operator (id {key}, name {name} NOT NULL,"
        " key_hash {bytes} NOT NULL, created {whole} NOT NULL, seen {whole})"
    )
    step.run("CREATE UNIQUE INDEX operator_name ON operator (name)")
    step.run("CREATE UNIQUE INDEX operator_key_hash ON operator (key_hash)")
    step.run(
        "CREATE TABLE operator_session (token_hash {bytes} NOT NULL PRIMARY KEY,"
        " operator_id {whole} NOT NULL REFERENCES operator ON DELETE CASCADE,"
        " created {whole} NOT NULL, seen {whole} NOT NULL)"
    )
    step.run(
        "CREATE INDEX operator_session_operator_id ON operator_session (operator_id)"
    )
    step.run("CREATE INDEX operator_session_created ON operator_session (created)")
    step.run(
        "CREATE TABLE audit (id {key}, at {whole} NOT NULL, actor {text} NOT NULL,"
        " action {name} NOT NULL, subject {text} NOT NULL, words {text} NOT NULL)"
    )
    step.run("CREATE INDEX audit_subject_id ON audit (subject, id)")
    step.run("CREATE INDEX audit_action_id ON audit (action, id)")
    step.run(
        "CREATE TABLE rules_seen (id {key}, at {whole} NOT NULL,"
        " digest {name} NOT NULL, figures {text} NOT NULL)"
    )
