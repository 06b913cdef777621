"""The figures of Offline messages."""

from server.clock import now_ms
from server.store.messages import first_id
from server.store.models import Message, User, Waiting
from tests.conftest import Tenant
from tests.probes.base import CALLS, passes, populate, probe

PATH = "/users/p000000/offline_msg_count"

CALLS["offline.calls"] = lambda tenant: tenant.get("/users/nobody/offline_msg_count")


@probe("offline.offline_message")
def offline_message(tenant: Tenant, figure: int) -> None:
    """One that will be gone in a moment, and one that just went, as if sent then."""
    populate(tenant, 1)
    for age_ms in (figure * 1000 - 1, figure * 1000):
        message = Message.create(
            id=first_id(now_ms() - age_ms), app=tenant.id, chat_type="chat",
            sender="admin", target="p000000", timestamp=now_ms() - age_ms, body="{}",
        )  # fmt: skip
        Waiting.create(user=User.get(username="p000000"), message=message)
    assert passes(tenant.get(PATH)).json["data"] == {"p000000": 1}
