"""Which operation enforces which rule, from the text of handlers."""

from textwrap import dedent

import pytest

from codegen import document, enforcement, interpret, uses
from codegen.uses import Uses
from tests.codegen.tables import HEADER, further, row

USERS = """
    from server import rules as every_rule
    from server.api import names
    from server.api.names import legal as checked
    from server.rules import groups
    from server.rules import users as rules
    from server.rules.users import NICKNAME

    blueprint = rules.blueprint
    PATH = "/users"

    class NewUser:
        username = Text(validate=rules.USER_ID.says("TOO_LONG"))

    LIMITS: dict = {"nickname": NICKNAME}

    @blueprint.post(PATH)
    @body(NewUser, at_most=rules.REQUEST_BODY)
    def register(): ...

    @blueprint.route(f"{PATH}/<string:username>", methods=["PUT", "patch"])
    def change(username): return LIMITS, names.NAMED

    @blueprint.get(PATH + "/<username>")
    def read(username): checked(username), groups.JOINED_GROUPS

    @blueprint.get("/users")
    def list_users(): every_rule.users.USER_LIST

    def idle(): rules.IDLE
"""
NAMES = """
    from server.rules import users as rules
    NAMED = rules.NAMED
    def legal(name): return deeper(name)
    def deeper(name): return rules.DEEP if name else legal(name)
"""
FILES = """
    from server.api.users import blueprint as others
    from server.rules import files as rules

    blueprint = rules.blueprint

    @blueprint.get("/chatfiles/<uuid:file>")
    @rules.cluster_downloads
    def download(file): ...

    @others.delete("/users/files")
    def clear(): ...
"""


def read(**modules: str) -> Uses:
    return uses.read({name: dedent(text).encode() for name, text in modules.items()})


@pytest.fixture(name="found", scope="module")
def read_all() -> Uses:
    return read(users=USERS, names=NAMES, files=FILES)


REGISTER = "POST /{org}/{app}/users"
CHANGE = ["PUT /{org}/{app}/users/{username}", "PATCH /{org}/{app}/users/{username}"]
READ = "GET /{org}/{app}/users/{username}"
LIST = "GET /{org}/{app}/users"
CLEAR = "DELETE /{org}/{app}/users/files"


@pytest.mark.parametrize(
    ("interface", "rule", "operations"),
    [
        ("users", "calls", [CLEAR, REGISTER, *CHANGE, READ, LIST]),
        ("users", "user_id", [REGISTER]),
        ("users", "request_body", [REGISTER]),
        ("users", "nickname", CHANGE),
        ("users", "named", CHANGE),
        ("users", "deep", [READ]),
        ("groups", "joined_groups", [READ]),
        ("users", "user_list", [LIST]),
        ("users", "idle", []),
        ("files", "calls", ["GET /{org}/{app}/chatfiles/{file}"]),
        ("files", "cluster_downloads", ["GET /{org}/{app}/chatfiles/{file}"]),
        ("groups", "calls", []),
    ],
)
def test_a_rule_is_enforced_by_the_routes_that_reach_it(
    found: Uses, interface: str, rule: str, operations: list[str]
) -> None:
    assert found.of_rule(interface, rule) == operations


def complaints(table: str, **modules: str) -> list[str]:
    read_table = document.of_text(table)
    spec, _ = interpret.read(read_table)
    found = enforcement.complaints(spec, read(**modules), read_table)
    return [
        f"{problem.file}:{problem.span.line}: {problem.heading}"
        for problem in found
        if not problem.warning
    ] + [
        f"warning {problem.file}:{problem.span.line}: {problem.heading}"
        for problem in found
        if problem.warning
    ]


SMALL = """
    from server.rules import users as rules
    blueprint = rules.blueprint
    @blueprint.get("/users")
    def read(): rules.USER_ID
"""


def test_an_enforced_table_is_fine() -> None:
    assert not complaints(
        HEADER + row(notes="user ID length 5 characters"), users=SMALL
    )


def test_a_figure_that_nobody_enforces_is_an_error() -> None:
    table = HEADER + row(notes="user ID length 5 characters")
    table += further(("Users", "nickname length 5 characters"))

    assert complaints(table, users=SMALL) == [
        "limits.md:7: users.nickname: no operation enforces this figure"
    ]


def test_an_interface_without_handlers_is_a_warning() -> None:
    table = HEADER + row("Groups", notes="single user can join 5 groups")

    assert complaints(table) == [
        "warning limits.md:3: groups has no handlers yet; 2 rules not enforced"
    ]


def test_a_rule_that_the_table_does_not_state_is_a_warning() -> None:
    assert complaints(HEADER + row(), users=SMALL) == [
        "warning server/api/users.py:5: the table states no users.user_id"
    ]


def test_an_interface_that_the_table_does_not_have_is_a_warning() -> None:
    other = "from server.rules import groups\nx = groups.CALLS"

    assert "warning server/api/a.py:2: the table has no interface groups" in complaints(
        HEADER + row(), a=other
    )


def test_a_computed_path_is_a_warning() -> None:
    route = '\n@blueprint.get(path_of("x"))\ndef other(): ...\n'

    assert complaints(
        HEADER + row(notes="user ID length 5 characters"), users=dedent(SMALL) + route
    ) == ["warning server/api/users.py:7: the path of this route is not plain text"]


@pytest.mark.parametrize("broken", ["def (:", "x = '\0'", "(" * 5000, "1 +"])
def test_a_handler_that_is_no_python_stops_nothing(broken: str) -> None:
    table = HEADER + row(notes="nickname length 5 characters")

    found = complaints(table, users=dedent(SMALL), broken=broken)

    assert all(line.startswith("warning") for line in found)
    assert any("server/api/broken.py:1: this is not Python" in line for line in found)


def test_handlers_that_mention_each_other_in_a_circle_are_read() -> None:
    circle = """
        from server.api.b import one
        from server.rules import users as rules
        blueprint = rules.blueprint
        @blueprint.get("/x")
        def two(): one(), rules.X
    """
    other = "from server.api.a import two, blueprint\ndef one(): two()"

    found = read(a=circle, b=other)

    assert found.of_rule("users", "x") == ["GET /{org}/{app}/x"]
