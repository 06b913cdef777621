"""How the database would go about a statement: by an index, in its order."""

from peewee import SqliteDatabase

from server.store import database
from server.store.database import Statement


def steps_of(statement: Statement) -> list[str]:
    """The steps of the plan, whatever the parameters are."""
    if isinstance(database.database.obj, SqliteDatabase):
        parameters = [1] * statement._sql.count("?")
        plan = database.database.execute_sql(
            f"EXPLAIN QUERY PLAN {statement._sql}", parameters
        )
        return [step for *_, step in plan.fetchall()]
    return _steps_of_postgresql(statement._sql)


def _steps_of_postgresql(sql: str) -> list[str]:
    count = sql.count("%s")
    for n in range(1, count + 1):
        sql = sql.replace("%s", f"${n}", 1)
    given = f"({', '.join(['NULL'] * count)})" if count else ""
    run = database.database.obj.connection().execute
    with database.database.atomic():
        run("SET LOCAL plan_cache_mode = force_generic_plan")
        # What it could do, if rows were many: of a few, when it last looked at them, it
        # would walk the table, or gather and sort them.
        for way in ("seqscan", "bitmapscan", "sort"):
            run(f"SET LOCAL enable_{way} = off")
        run(f"PREPARE statement AS {sql}".replace("%%", "%"))
        plan = run(f"EXPLAIN (COSTS OFF) EXECUTE statement{given}").fetchall()
        run("DEALLOCATE statement")
    return [line for (line,) in plan]


def assert_by_index(
    statement: Statement, *, in_order: bool = False, some: bool = True
) -> None:
    """No table is walked; *in_order*: nothing is sorted either."""
    steps = steps_of(statement)
    if isinstance(database.database.obj, SqliteDatabase):
        assert any(step.startswith("SEARCH") for step in steps) or not some, steps
        walked = [step for step in steps if step.startswith("SCAN")]
        assert not {*walked} - {"SCAN CONSTANT ROW"}, steps  # which is no table's
        assert not in_order or not [each for each in steps if "B-TREE" in each], steps
    else:
        assert any("Index" in step for step in steps) or not some, steps
        assert not [step for step in steps if "Seq Scan" in step], steps
