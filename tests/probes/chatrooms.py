"""The figures of Chat rooms."""

from server.store.database import Statement
from tests.conftest import Tenant
from tests.probes import mucs
from tests.probes.base import CALLS, passes, populate, probe

PATH = "/chatrooms"

CALLS["chatrooms.calls"] = lambda tenant: tenant.get(f"{PATH}/1")

mucs.held(
    "chatrooms",
    PATH,
    "chatroom",
    {
        "joined": "joined_chat_rooms",
        "per_app": "chat_rooms_per_app",
        "members": "members_per_chat_room",
        "administrators": "administrators_per_chat_room",
    },
)
mucs.texts(
    "chatrooms",
    PATH,
    {
        "chat_room_name": "name",
        "description": "description",
        "custom_text": "custom",
        "announcement": "announcement",
    },
)
mucs.lists("chatrooms", PATH, "chatroom")
mucs.whole_body("chatrooms", PATH)
mucs.details("chatrooms", "chat_room_details", PATH)


@probe("chatrooms.chat_room_list")
def chat_room_list(tenant: Tenant, figure: int) -> None:
    """A page of one more is asked for, and holds the figure."""
    populate(tenant, 1)
    mucs.stock(tenant, "chatroom", figure + 1)
    assert tenant.get(f"{PATH}?limit={figure + 1}").json["count"] == figure


@probe("chatrooms.whole_chat_room_list")
def whole_chat_room_list(tenant: Tenant, figure: int) -> None:
    """There is one more, and the list holds the figure."""
    populate(tenant, 1)
    mucs.stock(tenant, "chatroom", figure + 1)
    answer = passes(tenant.get(PATH)).json
    assert (answer["count"], "cursor" in answer) == (figure, True)


@probe("chatrooms.member_page")
def member_page(tenant: Tenant, figure: int) -> None:
    """A page of one more is asked for, and holds the figure."""
    path = f"{PATH}/{mucs.crowd(tenant, 'chatroom', figure + 1)}/users"
    assert tenant.get(f"{path}?pagesize={figure + 1}").json["count"] == figure
    assert tenant.get(path).json["count"] == figure


@probe("chatrooms.member_list")
def member_list(tenant: Tenant, figure: int) -> None:
    """A page of one more is asked for, and holds the figure."""
    path = f"{PATH}/{mucs.crowd(tenant, 'chatroom', figure + 2)}/users"
    later = tenant.get(f"{path}?version=v3&limit={figure + 1}")
    assert later.json["count"] == figure


@probe("chatrooms.super_admin_list")
def super_admin_list(tenant: Tenant, figure: int) -> None:
    """A page of one more is asked for, and holds the figure."""
    populate(tenant, figure + 1)
    Statement(
        "INSERT INTO super_admin (app_id, user_id) SELECT app_id, id FROM user"
    ).run()
    path = f"{PATH}/super_admin?pagesize={figure + 1}"
    assert tenant.get(path).json["count"] == figure
