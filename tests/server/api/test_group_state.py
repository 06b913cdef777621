"""Announcement, mute-all, disabled."""

import pytest

from tests.conftest import Tenant
from tests.server.api.mucs import check, illegal, new_group


@pytest.fixture
def group(globex: Tenant) -> str:
    return new_group(globex)


def test_an_announcement_is_replaced_and_cleared(globex: Tenant, group: str) -> None:
    path = f"/chatgroups/{group}/announcement"

    check(globex.get(path), {"announcement": ""})
    for text in ("Standup moved to 10:00", "x" * 512, ""):
        answer = globex.post(path, json={"announcement": text})
        check(answer, {"id": group, "result": True})
        check(globex.get(path), {"announcement": text})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "announcement must be provided"),
        ({"announcement": None}, "announcement must be provided"),
        ({"announcement": 5}, "this is an invalid request."),
        ({"announcement": "x" * 513}, "announcement exceeds the limit of 512"),
    ],
)
def test_no_announcements(globex: Tenant, group: str, body: object, text: str) -> None:
    illegal(globex.post(f"/chatgroups/{group}/announcement", json=body), text)


@pytest.mark.parametrize(
    ("on", "off", "key"),
    [
        (("POST", "ban"), ("DELETE", "ban"), "mute"),
        (("POST", "disable"), ("POST", "enable"), "disabled"),
    ],
)
def test_a_switch_is_shown_in_the_details(
    globex: Tenant, group: str, on: tuple[str, str], off: tuple[str, str], key: str
) -> None:
    for (method, ending), value in ((on, True), (on, True), (off, False), (off, False)):
        answer = globex.call(method, f"/chatgroups/{group}/{ending}")

        check(answer, {key: value})
        (found,) = globex.get(f"/chatgroups/{group}").json["data"]
        assert found[key] is value
