"""The commands: arguments in, words and exit codes out."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from codegen import diff, output
from codegen.commands import check, explain, write
from codegen.effects import FAILS
from codegen.job import Job, Missing
from codegen.output import PROBLEMS, USAGE
from codegen.tree import Tree


def main(arguments: Sequence[str]) -> int:
    """Run one command; its exit code, as HELP lists them."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows no "…" is no reason to fail.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    parser = _parser()
    options = parser.parse_args(arguments)
    for option in ("against", "fail_on"):
        if getattr(options, option) is not None and options.command != "diff":
            parser.error(f"--{option.replace('_', '-')} belongs to diff")
    if options.format == "markdown" and options.command != "diff":
        parser.error("--format markdown belongs to diff")
    job = _job(options, parser)
    try:
        return COMMANDS[options.command](job)
    except Missing as error:
        output.note(f"codegen: {error}")
        return USAGE
    except BrokenPipeError:
        # The reader has gone (`| head`); nothing is left to tell it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PROBLEMS
    except OSError as error:
        output.note(f"codegen: {output.reason(error)}")
        return PROBLEMS
    except KeyboardInterrupt:
        return PROBLEMS


def _watch(job: Job) -> int:
    # Here, not above: watchfiles is slow to import, and no other command needs it.
    from codegen import watch

    return watch.run(job)


COMMANDS: Mapping[str, Callable[[Job], int]] = {
    "write": write,
    "check": check,
    "explain": explain,
    "diff": diff.run,
    "watch": _watch,
}

HELP = """\
write    compile the table to server/rules/ (the default)
check    say whether server/rules/ is what the table compiles to; for CI
explain  list every figure, its place, its rule and the operations that enforce it
diff     say what the table changes for callers, in its own words
watch    compile at each save; keep the last good rules when the table is wrong

exit code: 0 fine, 1 problems or stale files, 2 wrong usage, 3 what --fail-on names"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m codegen",
        description="Compile limits.md to server/rules/.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("command", nargs="?", default="write", choices=COMMANDS)
    parser.add_argument("--table", metavar="FILE", help="a table other than limits.md")
    parser.add_argument(
        "--format", choices=output.FORMATS, default="text", help="default: text"
    )
    parser.add_argument(
        "--against",
        metavar="REV",
        help="diff: compare with the table of a git revision, not with server/rules/",
    )
    parser.add_argument(
        "--fail-on",
        choices=FAILS,
        help="diff: end with 3 if the edit has a change that is tighter for callers"
        " (breaking), looser, or any",
    )
    return parser


def _job(options: argparse.Namespace, parser: argparse.ArgumentParser) -> Job:
    """What is to be done, on the tree that this package lies in."""
    tree = Tree(Path(__file__).absolute().parent.parent)
    table, shown = tree.table, "limits.md"
    if options.table is not None:
        table, shown = Path(options.table), options.table
    if not table.name.isprintable() or set(table.name) & set("\"'\\`"):
        parser.error("the table's file name has characters that no source may quote")
    return Job(
        tree,
        table,
        shown,
        options.format,
        options.against,
        asked=options.table is not None,
        fail_on=options.fail_on,
    )
