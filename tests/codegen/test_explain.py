"""explain: every figure, its place, and who enforces it."""

from pathlib import Path

from codegen import explain
from codegen.compiler import Compiled, compile_bytes
from codegen.tree import Tree
from tests.codegen.tables import HEADER, further, row, tree_with

USERS = """
from server.rules import users as rules
blueprint = rules.blueprint
@blueprint.post("/users")
def register(): rules.USER_ID, rules.CONTACTS_PER_USER
"""

TABLE = (
    HEADER
    + row("Users", notes="user ID length 64 characters")
    + row(
        "Upload and download",
        notes="cluster download call limited to 300 times/s; files kept 7 days; "
        "single connection download limited to 500k/s",
    )
    + row("Messages", 'x (limit of "daily pushes" in the Community edition 5 messages)')
    + further(
        ("Users", "single user can have 20 contacts"),
        ("Users", "single user can have 10 contacts in the Community edition"),
        ("Messages", "targets 600 IDs each time; body size 64k"),
    )
)


def compiled(root: Path) -> Compiled:
    tree = Tree(tree_with(root, users=USERS))
    return compile_bytes(TABLE.encode(), "limits.md", "limits.md", tree)


def explained(root: Path) -> dict[tuple[object, object], dict[str, object]]:
    """Each rule by its name and edition."""
    result = compiled(root)
    assert result.spec
    assert result.uses
    answer = explain.as_json(result.spec, result.uses)
    assert answer["editions"] == ["community", "enterprise"]
    rules: dict[tuple[object, object], dict[str, object]] = {}
    for interface in answer["interfaces"]:
        assert list(interface) == ["name", "title", "line", "rules"]
        for rule in interface["rules"]:
            rules[rule["name"], rule["edition"]] = rule
    return rules


def test_the_calls_of_an_interface(tmp_path: Path) -> None:
    assert explained(tmp_path)["users.calls", None] == {
        "name": "users.calls",
        "kind": "calls",
        "line": 3,
        "column": 26,
        "words": "single app call limit 10 times/second",
        "edition": None,
        "enforced_by": ["POST /{org}/{app}/users"],
        "scope": "app",
        "rates": {
            "community": {"calls": 10, "seconds": 1},
            "enterprise": {"calls": 30, "seconds": 1},
        },
        "places": {
            "community": {
                "line": 3,
                "column": 26,
                "words": "single app call limit 10 times/second",
            },
            "enterprise": {
                "line": 3,
                "column": 66,
                "words": "single app call limit 30 times/second",
            },
        },
    }


def test_a_rate_for_the_cluster_names_every_edition(tmp_path: Path) -> None:
    rule = explained(tmp_path)["files.cluster_downloads", None]

    assert rule["scope"] == "cluster"
    assert rule["rates"] == {
        "community": {"calls": 300, "seconds": 1},
        "enterprise": {"calls": 300, "seconds": 1},
    }
    assert list(rule["places"]) == ["community", "enterprise"]


def test_each_kind_has_its_figure_under_its_own_key(tmp_path: Path) -> None:
    rules = explained(tmp_path)

    kinds = {
        ("users.user_id", None): ("max_length", "characters", 64),
        ("users.contacts_per_user", None): ("membership", "most", 20),
        ("users.contacts_per_user", "community"): ("membership", "most", 10),
        ("files.files", None): ("kept", "seconds", 604_800),
        ("files.download_bandwidth", None): (
            "bandwidth",
            "bytes_per_second",
            512_000,
        ),
        ("messages.daily_pushes", "community"): ("quota", "per_day", 5),
        ("messages.targets", None): ("max_items", "items", 600),
        ("messages.body", None): ("max_bytes", "bytes", 65_536),
    }
    for key, (kind, counts, figure) in kinds.items():
        assert rules[key]["kind"] == kind
        assert rules[key][counts] == figure


def test_the_text_form_says_the_same_for_people(tmp_path: Path) -> None:
    result = compiled(tmp_path)
    assert result.spec
    assert result.uses

    text = explain.as_text(result.spec, result.uses)

    assert (
        "  users.contacts_per_user\n"
        "    at most 10, Community Edition\n"
        "      limits.md:10:11 “single user can have 10 contacts in the Community"
        " edition”\n"
        "    enforced by\n"
        "      POST /{org}/{app}/users\n"
    ) in text
    assert "300 calls/second, all apps together" in text
    assert "enforced by nothing yet" in text
