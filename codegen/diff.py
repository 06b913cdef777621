"""diff: what the table changes for callers, in its own words."""

from codegen import compiler, output, readback, revision
from codegen.changes import Changed, between
from codegen.compiler import Compiled
from codegen.job import Job, Missing
from codegen.output import FINE, PROBLEMS
from codegen.problems import Problem, Span
from codegen.spec import Spec, Stated


def run(job: Job) -> int:
    """Compare the table with what is generated, or with a revision of itself."""
    new = job.compile()
    old = _earlier(job)
    output.complain([*old.problems, *new.problems], job.form)
    if old.spec and new.spec:
        _print(between(old.spec, new.spec), old.spec, new.spec, job)
    errors = old.errors + new.errors
    if errors:
        output.note(output.total(errors, "see above"))
    return PROBLEMS if errors else FINE


def _earlier(job: Job) -> Compiled:
    """What to compare with; problems only when it cannot be read."""
    if job.against is None:
        return _generated(job)
    try:
        content = revision.read(job.table, job.against)
    except revision.NoRevision as error:
        raise Missing(error) from None
    shown = f"{job.against}:{job.table.name}"
    read = compiler.compile_bytes(content, job.table.name, shown, job.tree)
    return Compiled(() if read.spec else read.problems, read.spec)


def _generated(job: Job) -> Compiled:
    try:
        return Compiled((), readback.read(job.tree.rules()))
    except readback.NotGenerated as error:
        hint = f"run: {job.command}"
        return Compiled(
            (Problem(str(error.path), Span(1, 1), str(error), "", (hint,)),)
        )


def _print(changes: list[Changed], old: Spec, new: Spec, job: Job) -> None:
    if job.form == "json":
        output.machine({"changes": [_json(change) for change in changes]})
    elif job.form == "github":
        for change in changes:
            output.answer(_notice(change, old, new, job))
    else:
        for change in changes:
            output.answer("\n".join(_sentences(change, old, new)))
        if not changes:
            output.answer("nothing changes for callers")


def _sentences(change: Changed, old: Spec, new: Spec) -> list[str]:
    """Who fares how, and the words before and after."""
    headings = {**old.editions, **new.editions}
    whom = headings[change.edition] if change.edition else "every edition"
    lines = [f"{change.rule}, {whom}: {change.change}"]
    for sign, stated, spec in (("-", change.old, old), ("+", change.new, new)):
        if stated:
            lines.append(f"  {sign} {stated.words}  ({spec.source}:{stated.line})")
    return lines


def _notice(change: Changed, old: Spec, new: Spec, job: Job) -> str:
    place: dict[str, int] = {}
    if change.new:
        place = {"line": change.new.line, "col": change.new.column}
    text = "\n".join(_sentences(change, old, new))
    return output.annotation("notice", job.shown, text, **place)


def _json(change: Changed) -> dict[str, object]:
    return {
        "rule": change.rule,
        "edition": change.edition,
        "change": change.change,
        "old": _words(change.old),
        "new": _words(change.new),
    }


def _words(stated: Stated | None) -> dict[str, object] | None:
    return {"words": stated.words, "line": stated.line} if stated else None
