"""The figures of Groups."""

from werkzeug.test import TestResponse

from server.store.database import Statement, writing
from tests.conftest import Tenant
from tests.probes import mucs
from tests.probes.base import CALLS, passes, populate, probe, refused_by

PATH = "/chatgroups"
SHARE = Statement(
    """
    INSERT INTO file (uuid, app_id, muc_id, owner, name, content_type, size, created,
        restricted)
    VALUES (?, ?, ?, 'admin', 'n', 'text/plain', 1, ?, FALSE)
    """
)

CALLS["groups.calls"] = lambda tenant: tenant.get(f"{PATH}/1")

mucs.held(
    "groups",
    PATH,
    "group",
    {
        "joined": "joined_groups",
        "per_app": "groups_per_app",
        "members": "members_per_group",
        "administrators": "administrators_per_group",
    },
)
mucs.texts(
    "groups",
    PATH,
    {
        "group_name": "groupname",
        "description": "description",
        "custom_text": "custom",
        "announcement": "announcement",
    },
)
mucs.lists("groups", PATH, "group")
mucs.whole_body("groups", PATH)
mucs.details("groups", "group_details", PATH)


@probe("groups.group_list")
def group_list(tenant: Tenant, figure: int) -> None:
    """A page of one more is asked for, and holds the figure."""
    populate(tenant, 1)
    mucs.stock(tenant, "group", figure + 1)
    assert tenant.get(f"{PATH}?limit={figure + 1}").json["count"] == figure


@probe("groups.joined_group_list")
def joined_group_list(tenant: Tenant, figure: int) -> None:
    """A page of one more is asked for, and holds the figure."""
    populate(tenant, 1)
    mucs.stock(tenant, "group", figure + 1)
    path = f"/users/{mucs.OWNER}/joined_chatgroups?pagesize={figure + 1}"
    assert tenant.get(path).json["count"] == figure


@probe("groups.member_list")
def member_list(tenant: Tenant, figure: int) -> None:
    """A page of one more is asked for, and holds the figure."""
    path = f"{PATH}/{mucs.crowd(tenant, 'group', figure + 2)}/users"
    assert tenant.get(f"{path}?pagesize={figure + 1}").json["count"] == figure
    later = tenant.get(f"{path}?version=v3&limit={figure + 1}")
    assert later.json["count"] == figure


@probe("groups.initial_members")
def initial_members(tenant: Tenant, figure: int) -> None:
    populate(tenant, figure + 2)

    def ask(count: int) -> TestResponse:
        members = mucs.path_list(count + 1).split(",")
        whole = {"groupname": "n", "desc": "d", "owner": mucs.OWNER, "members": members}
        return tenant.post(PATH, json=whole)

    refused_by("groups.initial_members", ask(figure + 1))
    passes(ask(figure))


def one_file(content: bytes, name: str) -> dict[str, object]:
    """A request's body as bytes: the test client would leave a temporary file open."""
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"'
    return {
        "data": head.encode() + b"\r\n\r\n" + content + b"\r\n--b--\r\n",
        "content_type": "multipart/form-data; boundary=b",
    }


def share(tenant: Tenant, group_id: int, size: int) -> TestResponse:
    path = f"{PATH}/{group_id}/share_files"
    return tenant.post(path, **one_file(b"x" * size, "rota.xlsx"))


@probe("groups.shared_file")
def shared_file(tenant: Tenant, figure: int) -> None:
    group_id = mucs.crowd(tenant, "group", 1)
    refused_by("groups.shared_file", share(tenant, group_id, figure + 1), 413)
    passes(share(tenant, group_id, figure))


@probe("groups.shared_file_list")
def shared_file_list(tenant: Tenant, figure: int) -> None:
    """As if so many had been uploaded."""
    group_id = mucs.crowd(tenant, "group", 1)
    with writing(tenant.id):
        SHARE.run_many([(f"f{n}", tenant.id, group_id, n) for n in range(figure + 1)])
    path = f"{PATH}/{group_id}/share_files"
    assert len(tenant.get(f"{path}?pagesize={figure + 1}").json["data"]) == figure
    assert len(tenant.get(path).json["data"]) == figure
