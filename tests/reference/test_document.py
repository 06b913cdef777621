"""The document of the API: valid, whole, and true."""

import json
import subprocess
import sys
from typing import Any

import jsonschema
import pytest
from flask import Flask, Response
from openapi_spec_validator import validate

from server import rules
from server.answers import ANSWERS, JSON
from server.app import create_app
from server.reference import document, operations, words
from server.reference.operations import Operation
from server.reference.reach import reach
from server.settings import Settings
from server.store import database
from tests import contract, facts
from tests.conftest import Tenant
from tests.contract import Contract, NotDescribed, shape
from tests.test_promises import ROOT, codegen

Json = dict[str, Any]

PAGES = ("pages.", "console.")
"""For people; programs have no use for them."""
REFUSES_EVERY_CALL = {"history.query"}


@pytest.fixture
def told(app: Flask) -> Json:
    return contract.of(app).told


@pytest.fixture
def every(app: Flask) -> list[Operation]:
    return operations.every(app)


def each_operation(told: Json) -> list[tuple[str, str, Json]]:
    return [
        (path, method, operation)
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
    ]


def test_it_is_openapi(told: Json) -> None:
    assert told["openapi"] == "3.1.0"
    validate(told)


def test_every_route_and_method_is_in_it_and_nothing_else(
    app: Flask, told: Json
) -> None:
    routed = {
        f"{method} {shape(route.rule)}"
        for route in app.url_map.iter_rules()
        for method in route.methods - {"HEAD", "OPTIONS"}
        if not route.endpoint.startswith(PAGES)
    }

    listed = [f"{m.upper()} {shape(path)}" for path, m, _ in each_operation(told)]

    assert sorted(listed) == sorted(routed)


def test_every_operation_is_told_and_named_once(told: Json) -> None:
    ids = [operation["operationId"] for _, _, operation in each_operation(told)]

    assert len(set(ids)) == len(ids)
    for _, _, operation in each_operation(told):
        assert operation["summary"], operation
        assert operation["description"].startswith(operation["summary"]), operation


def test_every_operation_says_what_it_answers(
    app: Flask, every: list[Operation]
) -> None:
    silent = {each.endpoint for each in every if not hasattr(each.view, ANSWERS)}

    assert silent == REFUSES_EVERY_CALL


def test_each_category_is_a_row_of_the_table(told: Json) -> None:
    tags = [tag["name"] for tag in told["tags"]]

    assert tags[: len(facts.INTERFACES)] == list(facts.INTERFACES.values())
    for _, _, operation in each_operation(told):
        (tag,) = operation["tags"]
        interface = operation["operationId"].partition(".")[0]
        assert tag == facts.INTERFACES.get(interface, tag)
        assert tag in tags


def test_each_rule_of_the_table_is_where_the_compiler_says_it_is(told: Json) -> None:
    explained = json.loads(codegen("explain", "--format", "json").stdout)
    by_compiler = {
        (rule["name"], shape(operation))
        for interface in explained["interfaces"]
        for rule in interface["rules"]
        for operation in rule["enforced_by"]
    }

    by_document = {
        (limit["rule"], f"{method.upper()} {shape(path)}")
        for path, method, operation in each_operation(told)
        for limit in operation["x-weir-limits"]
        if operation["operationId"].partition(".")[0] in facts.INTERFACES
    }

    assert by_document == by_compiler
    assert {rule for rule, _ in by_document} == set(facts.BOUNDS) | set(facts.RATES)


def test_each_figure_is_what_a_person_reads(told: Json) -> None:
    for _, _, operation in each_operation(told):
        for limit in operation["x-weir-limits"]:
            if limit["kind"] == "calls":
                found = {
                    edition: (each["calls"], each["seconds"])
                    for edition, each in limit["editions"].items()
                }
                assert found == facts.RATES[limit["rule"]]
                continue
            for kind, figure, edition in facts.bound(limit["rule"]):
                assert limit["kind"] == kind
                for each in [edition] if edition else rules.EDITIONS:
                    assert figure in limit["editions"][each].values()


def test_each_limit_is_in_the_description_with_its_words_and_line(told: Json) -> None:
    for _, _, operation in each_operation(told):
        for limit in operation["x-weir-limits"]:
            assert f"`{limit['rule']}`" in operation["description"]
            for each in limit["editions"].values():
                said = f"{each['limit']}"
                assert said in operation["description"]
                assert f"({each['doc']})" in operation["description"]


def test_lengths_and_counts_of_the_rules_are_in_the_schemas(told: Json) -> None:
    schemas = told["components"]["schemas"]

    user = schemas["NewUser"]["properties"]
    assert user["username"]["maxLength"] == facts.BOUNDS["users.user_id"][1]
    assert user["password"]["maxLength"] == facts.BOUNDS["users.password"][1]
    register = told["paths"]["/{org}/{app}/users"]["post"]["requestBody"]
    _, many = register["content"]["application/json"]["schema"]["anyOf"]
    assert many["maxItems"] == facts.BOUNDS["users.bulk_registration"][1]
    message = schemas["NewMessage"]["properties"]
    assert message["target"]["maxItems"] == facts.BOUNDS["messages.targets"][1]
    custom = message["msg"]["anyOf"][-1]["properties"]
    assert (
        custom["customEvent"]["maxLength"] == facts.BOUNDS["messages.custom_event"][1]
    )


def test_who_may_call_is_what_the_marks_say(told: Json) -> None:
    def security(path: str, method: str) -> list[str]:
        found = told["paths"][f"/{{org}}/{{app}}{path}"][method]["security"]
        return [next(iter(each), "") for each in found]

    assert security("/users/{username}", "get") == ["appToken"]
    assert security("/users", "post") == ["appToken", ""]
    assert security("/users/{username}/password", "put") == [
        "appToken",
        "userToken",
        "",
    ]
    assert security("/chatfiles", "post") == ["appToken", "userToken"]
    assert security("/token", "post") == []


def test_the_parameters_are_those_the_handlers_read(told: Json) -> None:
    def names(path: str, method: str = "get") -> set[tuple[str, str]]:
        found = told["paths"][f"/{{org}}/{{app}}{path}"][method]["parameters"]
        return {(each["in"], each["name"]) for each in found if "$ref" not in each}

    assert names("/users") == {("query", "limit"), ("query", "cursor")}
    assert names("/chatgroups/{group_id}/users") == {
        ("path", "group_id"),
        *(
            ("query", name)
            for name in ("pagenum", "pagesize", "version", "sort", "limit", "cursor")
        ),
    }
    assert names("/messages", "post") == {("query", "useMsgId")}
    assert names("/chatfiles/{uuid}") == {
        ("path", "uuid"),
        ("query", "share-secret"),
        ("header", "share-secret"),
        ("header", "thumbnail"),
        ("header", "Range"),
    }


def test_there_are_words_for_every_name_and_no_more(every: list[Operation]) -> None:
    met = [each.reach for each in every]

    assert {name for each in met for name in each.query} == set(words.QUERY)
    assert {name for each in met for name in each.parts} == set(words.PARTS)
    headers = {name for each in met for name in each.headers}
    assert headers == set(words.HEADERS) | words.UNDESCRIBED_HEADERS
    paths = {name for each in every for name in each.names.values()}
    assert paths | {"org", "app"} == set(words.PATH)


def test_every_example_is_as_its_schema_has_it(told: Json) -> None:
    checked = 0
    for media in contents(told):
        schema = {"components": told["components"], **media.get("schema", {})}
        given = [each["value"] for each in media.get("examples", {}).values()]
        given += [media["example"]] if "example" in media else []
        for example in given:
            jsonschema.Draft202012Validator(schema).validate(example)
            checked += 1

    assert checked > len(each_operation(told)) * 2


def contents(node: Any) -> list[Json]:
    """Every media type object, wherever it is."""
    if isinstance(node, list):
        return [found for each in node for found in contents(each)]
    if not isinstance(node, dict):
        return []
    own = list(node["content"].values()) if "content" in node else []
    return own + [found for each in node.values() for found in contents(each)]


def test_every_example_of_a_body_is_one_the_server_takes(
    acme: Tenant, told: Json
) -> None:
    for name in ("ada", "linus", "grace"):
        acme.post("/users", json={"username": name, "password": "x"})
    tried = 0
    for path, method, operation in each_operation(told):
        body = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in body or operation["operationId"] == "tokens.issue":
            continue
        token = acme.token
        if "/stream/" in path:
            token = acme.user_token("alice")  # their own alone
        fresh = Tenant(acme.client, acme.key, acme.credentials, token)
        filled = path.removeprefix("/{org}/{app}")
        for parameter in ("group_id", "room_id", "expiry"):
            filled = filled.replace(f"{{{parameter}}}", "1")
        for name in ("owner_username", "contact_username", "username"):
            filled = filled.replace(f"{{{name}}}", "alice")
        answer = fresh.call(
            method.upper(), filled, json=body["application/json"]["example"]
        )
        tried += 1

        refused = answer.get_json().get("error")
        # What is asked for may not be there, or be full; but it was understood.
        understood = {None, "required_property_not_found"} | {
            "resource_not_found",
            "duplicate_unique_property_exists",
            "service_resource_not_found",
            "reach_limit",
        }
        remarked = "not friends" in answer.get_json().get("error_description", "")
        assert refused in understood or remarked, (path, answer.get_json())
    assert tried > 30


def test_it_is_sent_as_it_is_and_not_again(app: Flask) -> None:
    client = app.test_client()

    first = client.get("/openapi.json")
    again = client.get(
        "/openapi.json", headers={"If-None-Match": first.headers["ETag"]}
    )

    assert first.status_code == 200
    assert first.content_type == "application/json"
    assert first.get_json() == document.build(app, "/")
    assert (again.status_code, again.get_data()) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


def test_it_says_where_callers_call(settings: Settings) -> None:
    public = Settings(
        state_dir=settings.state_dir,
        counters_url="memory://",
        public_url="https://chat.example.com/api",
    )

    served = create_app(public).test_client().get("/openapi.json").get_json()
    database.disconnect()

    assert served["servers"] == [{"url": "https://chat.example.com/api"}]


def test_a_call_of_the_api_carries_no_header_of_the_pages(acme: Tenant) -> None:
    for path in ("/users", "/limits"):
        assert "Content-Security-Policy" not in acme.get(path).headers
    assert "Content-Security-Policy" in acme.client.get("/docs").headers


HEALTHY = {"status": "ok", "timestamp": 1, "duration": 0}


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/nowhere", 200, {}),
        ("/healthz", 418, {}),
        ("/healthz", 200, {"status": "ok", "timestamp": 1}),
        ("/healthz", 200, HEALTHY | {"timestamp": "1"}),
        ("/healthz", 200, HEALTHY | {"status": "fine"}),
        ("/healthz", 200, HEALTHY | {"more": 1}),
        ("/healthz", 503, HEALTHY),
    ],
)
def test_what_the_document_does_not_have_is_noticed(
    told: Json, path: str, status: int, body: Json
) -> None:
    held = Contract(told)
    held.check("GET", "/healthz", 200, "application/json", HEALTHY)

    with pytest.raises(NotDescribed):
        held.check("GET", path, status, "application/json", body)


def test_an_answer_that_is_not_described_fails_the_test_that_got_it(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        app.view_functions, "ops.health", lambda: Response("{}", content_type=JSON)
    )

    assert app.test_client().get("/healthz").status_code == 500


def test_reach_takes_a_default_only_where_nothing_is_given(app: Flask) -> None:
    password = reach(app.view_functions["users.change_password"])

    names = [refusal.__name__ for refusal in password.refusals]

    assert "UserEntityNotFound" in names
    assert "NotFound" not in names


def test_building_it_imports_no_compiler() -> None:
    found = subprocess.run(
        [sys.executable, "-c",
         "import sys, server.reference; print('codegen' in sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert found.stdout.strip() == "False"
