"""Files shared in groups, by app tokens and by those of members."""

import io
import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from server.settings import Settings
from tests.conftest import Clock, Tenant, make_tenant
from tests.probes.groups import one_file
from tests.server.api import mucs
from tests.server.api.mucs import (
    NOWHERE,
    check,
    illegal,
    new_group,
    refused,
    unknown,
)
from tests.server.api.test_files import on_disk

NOW = 1_700_000_000_000
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CONTENT = b"rota\x00\xff"


@pytest.fixture
def group(globex: Tenant) -> str:
    return new_group(globex)


def share(
    tenant: Tenant, group: str, name: str = "rota.xlsx", content: bytes = CONTENT
) -> TestResponse:
    return tenant.post(f"/chatgroups/{group}/share_files", **one_file(content, name))


def test_an_upload_is_listed_and_comes_back(globex: Tenant, group: str) -> None:
    answer = share(globex, group)

    file_id = answer.json["data"]["file_id"]
    assert UUID.fullmatch(file_id)
    url = f"http://localhost/globex/chat/chatgroups/{group}/share_files/{file_id}"
    check(
        answer,
        {
            "file_url": url,
            "group_id": group,
            "file_name": "rota.xlsx",
            "created": NOW,
            "file_id": file_id,
            "file_size": len(CONTENT),
        },
    )
    check(
        globex.get(f"/chatgroups/{group}/share_files"),
        [
            {
                "file_id": file_id,
                "file_name": "rota.xlsx",
                "file_owner": "admin",
                "file_size": len(CONTENT),
                "created": NOW,
            }
        ],
    )
    back = globex.get(f"/chatgroups/{group}/share_files/{file_id}")
    assert (back.status_code, back.data) == (200, CONTENT)
    assert back.content_length == len(CONTENT)


def test_the_newest_is_listed_first(globex: Tenant, group: str) -> None:
    for name in ("a", "b", "c"):
        share(globex, group, name)
    path = f"/chatgroups/{group}/share_files"

    def names(query: str) -> list[str]:
        return [each["file_name"] for each in globex.get(path + query).json["data"]]

    assert names("") == ["c", "b", "a"]
    assert names("?pagenum=2&pagesize=2") == ["a"]
    assert names("?pagenum=999999999999999999") == []


def test_members_share_and_the_uploader_deletes(globex: Tenant, group: str) -> None:
    linus, grace = globex.as_user("linus"), globex.as_user("grace")
    path = f"/chatgroups/{group}/share_files"
    file_id = share(linus, group).json["data"]["file_id"]

    assert linus.get(path).json["data"][0]["file_owner"] == "linus"
    assert grace.get(f"{path}/{file_id}").data == CONTENT
    assert grace.delete(f"{path}/{file_id}").status_code == 401
    check(
        linus.delete(f"{path}/{file_id}"),
        {"group_id": group, "file_id": file_id, "result": True},
    )
    assert grace.get(f"{path}/{file_id}").status_code == 404
    assert grace.delete(f"{path}/{file_id}").status_code == 404


@pytest.mark.parametrize("role", ["owner", "admin", "app"])
def test_who_else_deletes(globex: Tenant, group: str, role: str) -> None:
    globex.post(f"/chatgroups/{group}/admin", json={"newadmin": "grace"})
    file_id = share(globex.as_user("linus"), group).json["data"]["file_id"]
    by = {
        "owner": globex.as_user("ada"),
        "admin": globex.as_user("grace"),
        "app": globex,
    }[role]

    gone = by.delete(f"/chatgroups/{group}/share_files/{file_id}")

    assert gone.status_code == 200


@pytest.mark.parametrize("who", ["ken", "nobody"])
@pytest.mark.parametrize(
    ("method", "ending"),
    [("GET", ""), ("POST", ""), ("GET", "/x"), ("DELETE", "/x")],
)
def test_others_may_not(
    globex: Tenant, group: str, who: str, method: str, ending: str
) -> None:
    other = globex.as_nobody() if who == "nobody" else globex.as_user("ken")

    for group_id in (group, NOWHERE):
        answer = other.call(method, f"/chatgroups/{group_id}/share_files{ending}")

        assert answer.status_code == 401
        assert {key: answer.json[key] for key in mucs.DENIED} == mucs.DENIED


def test_what_is_not_there(app: Flask, globex: Tenant, group: str) -> None:
    hooli = make_tenant(app, "hooli/chat", "enterprise")
    other = new_group(hooli)
    foreign = share(hooli, other).json["data"]["file_id"]
    second = new_group(globex, owner="ken")
    elsewhere = share(globex, second).json["data"]["file_id"]

    for file_id in ("x", foreign, elsewhere):
        path = f"/chatgroups/{group}/share_files/{file_id}"
        for method in ("GET", "DELETE"):
            refused(
                globex.call(method, path),
                404,
                "not_found",
                f"null for uri: http://localhost/globex/chat{path}",
                "com.sun.jersey.api.NotFoundException",
            )
    for group_id in (NOWHERE, other):
        path = f"/chatgroups/{group_id}/share_files"
        unknown(globex.get(path), group_id)
        unknown(globex.get(f"{path}/{foreign}"), group_id)
        unknown(globex.delete(f"{path}/{foreign}"), group_id)
        unknown(share(globex, group_id), group_id)
    assert len(hooli.get(f"/chatgroups/{other}/share_files").json["data"]) == 1


def test_uploads_that_are_none_leave_nothing(
    globex: Tenant, group: str, settings: Settings
) -> None:
    path = f"/chatgroups/{group}/share_files"

    illegal(
        globex.post(path, data={"other": (io.BytesIO(b"x"), "x")}),
        "file must be provided",
    )
    assert globex.post(path, json={}).status_code == 415
    assert share(globex, group, content=b"x" * (10 * 1024**2 + 1)).status_code == 413
    share(globex, NOWHERE)
    assert on_disk(settings) == []


def test_bytes_go_with_the_file_and_with_the_group(
    globex: Tenant, group: str, settings: Settings
) -> None:
    file_id = share(globex, group).json["data"]["file_id"]
    share(globex, group)
    assert len(on_disk(settings)) == 2

    globex.delete(f"/chatgroups/{group}/share_files/{file_id}")
    assert len(on_disk(settings)) == 1
    globex.delete(f"/chatgroups/{group}")
    assert on_disk(settings) == []


def test_shared_files_are_no_chat_files_and_do_not_age(
    globex: Tenant, group: str, clock: Clock
) -> None:
    file_id = share(globex, group).json["data"]["file_id"]
    clock.forward(8 * 24 * 3600)

    assert globex.get(f"/chatfiles/{file_id}").status_code == 404
    back = globex.get(f"/chatgroups/{group}/share_files/{file_id}")
    assert back.data == CONTENT
