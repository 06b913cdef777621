"""What the project promises, a sentence a test."""

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from server import api, rules
from server.kinds import Bound, Calls
from server.payload import READS
from tests import facts, probes
from tests.conftest import Clock, Tenant, make_tenant
from tests.probes.messages import send
from tests.trees import copy_to

ROOT = Path(__file__).parent.parent
TABLE_LINE = re.compile(r"^\|(?! ?-)")
FIGURE = re.compile(r"\d[\d,]*")

# The next interfaces to build; a figure of theirs is a warning of the compiler's.
WITHOUT_HANDLERS: set[str] = set()
OUTSIDE_THE_TABLE = {
    "tokens.issue", "limits.read", "ops.health", "history_files.download",
    "ops.metrics",
    "reference.openapi",
    "pages.docs", "pages.limits", "pages.section", "pages.asset",
    "console.asset", "console.missing", "console.sign_in", "console.enter",
    "console.leave", "console.overview", "console.live_overview", "console.app",
    "console.live_app", "console.change_edition", "console.rotate_secret",
    "console.delete", "console.try_sending", "console.open_stream",
    "console.document",
    "console.live_document", "console.changes",
}  # fmt: skip


def codegen(*arguments: str, tree: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "codegen", *arguments],
        cwd=tree, capture_output=True, text=True, check=False,
    )  # fmt: skip


def explained() -> dict[str, dict[str, object]]:
    return json.loads(codegen("explain", "--format", "json").stdout)


def served_rules() -> list[Calls | Bound]:
    return [
        rule
        for interface in rules.INTERFACES
        for rule in interface.rules
        if interface.name not in WITHOUT_HANDLERS
    ]


def test_generated_rules_are_what_the_table_compiles_to() -> None:
    checked = codegen("check")

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_figure_of_the_table_was_read_into_exactly_one_rule() -> None:
    lines = (ROOT / "limits.md").read_text().splitlines()
    in_document = [
        int(figure.replace(",", ""))
        for line in lines
        if TABLE_LINE.match(line)
        for figure in FIGURE.findall(line)
    ]

    words = [
        each["words"]
        for interface in explained()["interfaces"]
        for rule in interface["rules"]
        # A rate of one edition's column has words for each edition.
        for each in (
            rule["places"].values() if rule["name"].endswith(".calls") else [rule]
        )
    ]
    in_rules = [
        int(figure.replace(",", ""))
        for phrase in words
        for figure in FIGURE.findall(phrase)
    ]
    assert sorted(in_rules) == sorted(in_document)


def test_rules_and_hand_typed_facts_agree() -> None:
    rates, bounds = {}, {}
    for interface in rules.INTERFACES:
        for rule in interface.rules:
            if isinstance(rule, Calls):
                rates[rule.name] = {
                    edition: (rate.calls, rate.seconds)
                    for edition, rate in rule.rates.items()
                }
                continue
            bounds[rule.name] = [
                (rule.kind, stated.value, edition)
                for edition, stated in [(None, rule.everyone), *rule.by_edition.items()]
                if stated is not None
            ]

    assert {each.name: each.title for each in rules.INTERFACES} == facts.INTERFACES
    assert rates == facts.RATES
    assert bounds == {name: facts.bound(name) for name in facts.BOUNDS}


def test_every_rule_of_an_interface_with_handlers_is_enforced_by_an_operation() -> None:
    unenforced = [
        rule["name"]
        for interface in explained()["interfaces"]
        for rule in interface["rules"]
        if interface["name"] not in WITHOUT_HANDLERS and not rule["enforced_by"]
    ]

    assert unenforced == []


def test_every_route_belongs_to_an_interface_but_for_a_named_few(app: Flask) -> None:
    known = {interface.name for interface in rules.INTERFACES}

    outside = {
        each for each in app.view_functions if each.partition(".")[0] not in known
    }

    assert outside == OUTSIDE_THE_TABLE


def test_every_interface_has_handlers_but_those_still_to_come(app: Flask) -> None:
    served = {endpoint.partition(".")[0] for endpoint in app.view_functions}

    missing = {interface.name for interface in rules.INTERFACES} - served

    assert missing == WITHOUT_HANDLERS
    assert {each.name for each in api.BLUEPRINTS} == set(facts.INTERFACES) - missing


def test_explain_names_the_routes_that_flask_has(app: Flask) -> None:
    """What codegen reads out of the handlers' text is what Flask is told."""
    told = {
        operation
        for interface in explained()["interfaces"]
        for rule in interface["rules"]
        for operation in rule["enforced_by"]
    }

    routed = {
        f"{method} {rule.rule.replace('<', '{').replace('>', '}')}"
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint not in OUTSIDE_THE_TABLE
    }
    assert told == routed


@pytest.mark.parametrize(
    ("rule", "edition", "figure"),
    [
        (name, edition or "enterprise", figure)
        for name in facts.BOUNDS
        for _, figure, edition in facts.bound(name)
        if name.partition(".")[0] not in WITHOUT_HANDLERS
    ],
)
def test_the_figure_binds(app: Flask, rule: str, edition: str, figure: int) -> None:
    probes.PROBES[rule](make_tenant(app, "acme/chat", edition), figure)


@pytest.mark.parametrize("edition", ["community", "enterprise"])
@pytest.mark.parametrize("rule", sorted(probes.CALLS))
def test_the_rate_binds(app: Flask, clock: Clock, rule: str, edition: str) -> None:
    tenant = make_tenant(app, "acme/chat", edition)

    probes.rate(tenant, clock, rule, *facts.RATES[rule][edition])


def test_there_is_a_probe_for_every_figure() -> None:
    named = {rule.name for rule in served_rules()}

    assert named == set(probes.PROBES) | set(probes.CALLS)


def changed(kind: str, figure: int) -> int:
    """Another figure, which the probe can reach and the others leave room for."""
    return figure * 2 if kind in ("max_bytes", "bandwidth", "kept") else figure + 3


def test_with_every_figure_changed_the_behaviour_follows(tmp_path: Path) -> None:
    tree = copy_to(tmp_path / "tree", with_tests=True)
    document = tree / "limits.md"
    lines = document.read_text().splitlines(keepends=True)
    new: dict[str, object] = {"bounds": [], "rates": {}}
    for rule in [each for each in served_rules() if isinstance(each, Bound)]:
        for kind, figure, edition in facts.bound(rule.name):
            stated = rule.everyone if edition is None else rule.by_edition[edition]
            written = FIGURE.search(stated.words)[0]
            scale = figure // int(written.replace(",", ""))
            wanted = changed(kind, figure // scale)
            replace(lines, stated, stated.words.replace(written, str(wanted)))
            new["bounds"].append((rule.name, edition or "enterprise", wanted * scale))
    for rule in [each for each in served_rules() if isinstance(each, Calls)]:
        new["rates"][rule.name] = {}
        for edition, rate in rule.rates.items():
            wanted = rate.calls + 7
            new["rates"][rule.name][edition] = (wanted, rate.seconds)
            if rule.scope == "cluster" and len(new["rates"][rule.name]) > 1:
                continue  # one phrase of the notes, for every edition
            replace(lines, rate, rate.words.replace(f" {rate.calls} ", f" {wanted} "))
    document.write_text("".join(lines))
    compiled = codegen(tree=tree)
    assert compiled.returncode == 0, compiled.stderr

    probed = subprocess.run(
        [sys.executable, "-m", "tests.probes"],
        cwd=tree, input=json.dumps(new), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert probed.returncode == 0, probed.stdout + probed.stderr
    found = sum(len(by_edition) for by_edition in new["rates"].values())
    assert len(probed.stdout.splitlines()) == len(new["bounds"]) + found


def replace(lines: list[str], stated: object, words: str) -> None:
    at = int(stated.source.removeprefix("limits.md:")) - 1
    assert stated.words in lines[at]
    lines[at] = lines[at].replace(stated.words, words, 1)


# Each may import from the lines above it, never from below or beside.
LAYERS = [
    {"urls"},
    {"redis_urls", "pacing"},
    {"redis_clients"},
    {"redis_check"},
    {
        "settings",
        "errors",
        "clock",
        "locks",
        "tally",
        "visible",
        "log_stream",
        "pictures",
        "thumbnails",
        "allocator",
        "descriptors",
        "state_dir",
    },
    {"caller", "refusal_ring", "cli"},
    {"kinds", "loading", "muc_errors", "passwords", "cursors", "thumbnailer", "logs"},
    {"metrics", "activity", "connections"},
    {"access_log"},
    {"bodies", "limiting", "store"},
    {"rules", "auth"},
    {
        "paths",
        "retention",
        "envelope",
        "record",
        "replay",
        "scrape",
        "shadow_report",
        "demo",
        "streaming",
        "rules_history",
    },
    {"payload", "downloads", "uploads", "answers"},
    {"api"},
    {"reference"},
    {"pages"},
    {"console", "console_output"},
    {
        "operator_commands",
        "commands",
        "database_commands",
        "develop",
        "first_start",
        "limit_commands",
    },
    {"app"},
    {"gunicorn_patience", "gunicorn_roster"},
    {"gunicorn_stuck"},
    {"gunicorn_worker"},
    {"gunicorn_stream_worker"},
    {"gunicorn_conf", "gunicorn_stream_conf"},
]


def test_imports_go_one_way() -> None:
    level = {name: n for n, layer in enumerate(LAYERS) for name in layer}
    wrong = []
    for path in sorted((ROOT / "server").rglob("*.py")):
        here = path.relative_to(ROOT / "server").with_suffix("").parts[0]
        if here == "__init__":
            continue
        wrong += [
            f"{path.relative_to(ROOT)} imports {imported}"
            for imported in imports_of(path)
            if imported != here and level[imported] >= level[here]
        ]

    assert wrong == []


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "server":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "server."
        ):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.split(".")[1]
                for alias in node.names
                if alias.name.startswith("server.")
            }
    return found


def test_compiler_and_server_never_import_each_other() -> None:
    for folder, other in (("codegen", "server"), ("server", "codegen")):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom):
                    assert (node.module or "").split(".")[0] != other, path
                elif isinstance(node, ast.Import):
                    assert all(each.name.split(".")[0] != other for each in node.names)


def test_a_handlers_arguments_are_its_path_and_its_schemas_fields(app: Flask) -> None:
    for route in app.url_map.iter_rules():
        view = app.view_functions[route.endpoint]
        given = route.arguments - {"org", "app"} | getattr(view, READS, frozenset())
        parameters = inspect.signature(inspect.unwrap(view)).parameters.values()
        named = {each.name for each in parameters if each.kind is each.KEYWORD_ONLY}
        takes_rest = any(each.kind is each.VAR_KEYWORD for each in parameters)

        assert named <= given, route
        assert takes_rest or named == given, route


def test_one_apps_calls_do_not_spend_anothers(acme: Tenant, globex: Tenant) -> None:
    for _ in range(10):
        acme.get("/users/alice")

    assert acme.get("/users/alice").status_code == 429
    assert globex.get("/users/alice").status_code == 404


def test_categories_do_not_affect_one_another(acme: Tenant) -> None:
    for _ in range(10):
        acme.get("/users/alice")

    assert acme.get("/users/alice").status_code == 429
    assert send(acme).status_code == 200


def test_a_refused_call_spends_nothing(acme: Tenant, clock: Clock) -> None:
    for _ in range(10):
        acme.get("/users/alice")
    for _ in range(50):
        clock.forward(0.019)
        assert acme.get("/users/alice").status_code == 429

    clock.forward(0.05)

    assert [acme.get("/users/alice").status_code for _ in range(11)] == [200] * 10 + [
        429
    ]
