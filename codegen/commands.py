"""write, check and explain: one function a command, which gives its exit code."""

from codegen import check as checking
from codegen import explain as explaining
from codegen import output
from codegen.check import Difference
from codegen.compiler import Compiled
from codegen.display import counted
from codegen.job import Job
from codegen.output import FINE, PROBLEMS
from codegen.problems import Problem, Span


def write(job: Job) -> int:
    """Write server/rules/, or nothing at all."""
    compiled = job.compile()
    changed = apply(job, compiled)
    problems = [*compiled.problems, *_foreign(changed)]
    output.complain(problems, job.form)
    if job.form == "json":
        output.machine(
            {
                "problems": [output.as_json(problem) for problem in problems],
                "written": [str(one.path) for one in changed if one.wanted is not None],
                "removed": [
                    str(one.path)
                    for one in changed
                    if one.wanted is None and not one.foreign
                ],
            }
        )
    if compiled.errors:
        output.note(output.total(compiled.errors, "nothing was written"))
        return PROBLEMS
    if job.form == "text":
        output.answer(summary(job, compiled, changed))
    return FINE


def apply(job: Job, compiled: Compiled) -> list[Difference]:
    """Bring server/rules/ up to date unless there are errors; what was out of date."""
    if compiled.errors:
        return []
    changed = checking.compare(compiled.files(), job.tree.rules())
    job.tree.write({one.path: one.wanted for one in changed if one.wanted is not None})
    job.tree.remove(
        one.path for one in changed if one.wanted is None and not one.foreign
    )
    return changed


def summary(job: Job, compiled: Compiled, changed: list[Difference]) -> str:
    """What was compiled and what it changed, in a line."""
    rules = sum(1 for _ in compiled.spec.rules()) if compiled.spec else 0
    written = sum(1 for one in changed if not one.foreign)
    done = f"{counted(written, 'file')} of server/rules/ changed"
    return f"{job.shown}: {rules} rules; {done if written else 'nothing to change'}"


def check(job: Job) -> int:
    """Say what in server/rules/ is not as the table wants it."""
    compiled = job.compile()
    output.complain(compiled.problems, job.form)
    differences: list[Difference] = []
    if not compiled.errors:
        differences = checking.compare(compiled.files(), job.tree.rules())
    if job.form == "json":
        output.machine(
            {
                "ok": not compiled.errors and not differences,
                "problems": [output.as_json(one) for one in compiled.problems],
                "files": [
                    {"path": str(one.path), "state": one.state} for one in differences
                ],
                "command": job.command,
            }
        )
    if compiled.errors:
        output.note(output.total(compiled.errors, "nothing was compared"))
        return PROBLEMS
    for difference in differences:
        _show(difference, job)
    if differences:
        output.note(_remedy(differences, job))
        return PROBLEMS
    if job.form == "text":
        output.answer(f"server/rules/ is what {job.shown} compiles to")
    return FINE


def _remedy(differences: list[Difference], job: Job) -> str:
    """What to do about the files, as far as a command can."""
    count = counted(len(differences), "file")
    if all(one.foreign for one in differences):
        return f"{count} of server/rules/ to move or delete"
    return f"{count} of server/rules/ not as the table wants; run: {job.command}"


def _show(difference: Difference, job: Job) -> None:
    path = str(difference.path)
    if job.form == "github":
        text = f"{difference.state}; run: {job.command}"
        if difference.foreign:
            text = "left over, and not generated; move or delete it"
        output.answer(output.annotation("error", path, text))
    elif job.form == "text":
        by_hand = "; not generated: move or delete it" if difference.foreign else ""
        output.note(f"{path}: {difference.state}{by_hand}")
        if not difference.foreign:
            output.answer(difference.diff().rstrip("\n"))


def explain(job: Job) -> int:
    """List every figure with its rule and its operations, enforced or not."""
    compiled = job.compile()
    output.complain(compiled.problems, job.form)
    if compiled.spec and compiled.uses:
        if job.form == "json":
            output.machine(explaining.as_json(compiled.spec, compiled.uses))
        elif job.form == "text":
            output.answer(explaining.as_text(compiled.spec, compiled.uses).rstrip())
    if compiled.errors:
        output.note(output.total(compiled.errors, "see above"))
    return PROBLEMS if compiled.errors else FINE


def _foreign(differences: list[Difference]) -> list[Problem]:
    """Warnings of files that are left over and not the compiler's to remove."""
    return [
        Problem(
            str(one.path),
            Span(1, 1),
            "no row of the table wants this file, and it was not generated",
            hints=("it is left alone; move or delete it",),
            warning=True,
        )
        for one in differences
        if one.foreign
    ]
