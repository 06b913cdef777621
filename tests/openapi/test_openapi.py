"""The short form of ``python -m tests.openapi``, and that it would notice."""

from pathlib import Path

from tests.openapi.run import run
from tests.trees import edit

TWO = (
    "--include-operation-id",
    "users.list_users",
    "--include-operation-id",
    "groups.list_groups",
)


def test_no_answer_is_other_than_described(tmp_path: Path) -> None:
    report = run(tmp_path, examples=1, phases=("fuzzing", "stateful"))

    assert report.status == 0, report.output
    assert report.calls > 300
    assert report.met == report.documented
    assert 429 not in report.by_status
    assert len(report.done) > len(report.documented) / 3  # with one example of each


def test_a_key_that_is_not_described_and_a_fault_are_noticed(tmp_path: Path) -> None:
    def spoil(tree: Path) -> None:
        more = '"uuid": user.uuid, "more": 1,'
        edit(tree / "server/api/users.py", '"uuid": user.uuid,', more)
        edit(tree / "server/api/group_index.py", '"type": "group",', '"type": 1 / 0,')

    report = run(tmp_path, 3, phases=("fuzzing",), more=TWO, spoil=spoil)

    assert report.status == 1, report.output
    assert "('more' was unexpected)" in report.output
    assert "/chatgroups: 500" in report.output
