"""diff: what the table changes for callers, in its own words."""

from codegen import compiler, effects, markdown, output, readback, revision
from codegen.changes import Changed, between
from codegen.compiler import Compiled
from codegen.effects import FAILS, Effect
from codegen.job import Job, Missing
from codegen.output import FAILED_ON, FINE, PROBLEMS
from codegen.problems import Problem, Span
from codegen.spec import Spec, Stated


def run(job: Job) -> int:
    """Compare the table with what is generated, or with a revision of itself."""
    new = job.compile()
    old = _earlier(job)
    output.complain([*old.problems, *new.problems], job.form)
    found: list[Effect] = []
    if old.spec and new.spec:
        found = effects.of(between(old.spec, new.spec), old.spec, new.spec)
        _print(found, old.spec, new.spec, job)
    errors = old.errors + new.errors
    if errors:
        if job.form == "markdown":
            _refuse(old, new, job)
        output.note(output.total(errors, "see above"))
        return PROBLEMS
    return _verdict(found, job)


def _refuse(old: Compiled, new: Compiled, job: Job) -> None:
    if old.errors:
        earlier = f"{job.against}:{job.table.name}" if job.against else "server/rules/"
        output.answer(markdown.refusal(old.problems, earlier))
    if new.errors:
        output.answer(markdown.refusal(new.problems, job.shown))


def _verdict(found: list[Effect], job: Job) -> int:
    """Whether the edit has what the caller asked to fail on."""
    failing = sum(_fails(effect, job) for effect in found)
    if failing:
        output.note(output.total(failing, f"failing on {job.fail_on}", "change"))
    return FAILED_ON if failing else FINE


def _fails(effect: Effect, job: Job) -> bool:
    return job.fail_on is not None and FAILS[job.fail_on](effect)


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


def _print(found: list[Effect], old: Spec, new: Spec, job: Job) -> None:
    if job.form == "json":
        listed = [_json(effect) for effect in found]
        output.machine({"totals": effects.totals(found), "changes": listed})
    elif job.form == "github":
        for effect in found:
            output.answer(_notice(effect, old, new, job))
    elif job.form == "markdown":
        against = job.against or "the compiled rules"
        output.answer(markdown.comment(found, old, new, against=against))
    else:
        for effect in found:
            output.answer("\n".join(_sentences(effect.changed, old, new)))
        if not found:
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


def _notice(effect: Effect, old: Spec, new: Spec, job: Job) -> str:
    """An annotation of the new line: an error where the command is to fail on it."""
    change = effect.changed
    place: dict[str, int] = {}
    if change.new:
        place = {"line": change.new.line, "col": change.new.column}
    text = "\n".join(_sentences(change, old, new))
    level = "error" if _fails(effect, job) else "notice"
    return output.annotation(level, job.shown, text, **place)


def _json(effect: Effect) -> dict[str, object]:
    change = effect.changed
    return {
        "rule": change.rule,
        "edition": change.edition,
        "change": change.change,
        "tighter": effect.tighter,
        "looser": effect.looser,
        "old": _words(change.old),
        "new": _words(change.new),
    }


def _words(stated: Stated | None) -> dict[str, object] | None:
    return {"words": stated.words, "line": stated.line} if stated else None
