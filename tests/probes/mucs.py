"""What the probes of groups and of chat rooms share. Many rows are put in directly."""

import orjson
from werkzeug.test import TestResponse

from server.store.database import Statement, writing
from server.store.models import App
from tests.conftest import Tenant
from tests.probes.base import names, passes, populate, probe, refused_by

OWNER = "p000000"
_USER = Statement("SELECT id FROM user WHERE app_id = ? AND username = ?")
_MUC = Statement(
    """
    INSERT INTO muc (id, app_id, kind, name, description, custom, announcement, public,
        members_only, allow_invites, invite_need_confirm, max_users, owner_id, mute_all,
        disabled, created, modified, member_count)
    VALUES (?, ?, ?, 'n', 'd', '', '', TRUE, FALSE, FALSE, TRUE, 10000, ?,
        FALSE, FALSE, 1, 1, 1)
    """
)
_MEMBER = Statement(
    """
    INSERT INTO muc_member (muc_id, user_id, kind, admin, allowed)
    VALUES (?, ?, ?, FALSE, FALSE)
    """
)
_COUNT = Statement(
    """
    UPDATE muc SET member_count =
        (SELECT count(*) FROM muc_member WHERE muc_id = muc.id) WHERE id = ?
    """
)
ADMINS = Statement(
    """
    UPDATE muc_member SET admin = TRUE WHERE muc_id = ? AND id IN (
        SELECT id FROM muc_member WHERE muc_id = ? ORDER BY id LIMIT ? OFFSET 1)
    """
)


def user_id(tenant: Tenant, name: str) -> int:
    return _USER.one(tenant.id, name)[0]


def stock(tenant: Tenant, kind: str, count: int) -> None:
    """So many groups or rooms of the first user, who is there."""
    owner = user_id(tenant, OWNER)
    with writing(tenant.id):
        _MUC.run_many([(n, tenant.id, kind, owner) for n in range(1, count + 1)])
        _MEMBER.run_many([(n, owner, kind) for n in range(1, count + 1)])
        App.update({f"{kind}_count": count}).where(App.id == tenant.id).execute()


def crowd(tenant: Tenant, kind: str, count: int) -> int:
    """One with so many members, its owner among them; its id."""
    populate(tenant, count)
    stock(tenant, kind, 1)
    others = [user_id(tenant, name) for name in names(count, "p")[1:]]
    with writing(tenant.id):
        _MEMBER.run_many([(1, other, kind) for other in others])
        _COUNT.run(1)
    return 1


def path_list(count: int) -> str:
    return ",".join(names(count, "p")[1:])


def lists(interface: str, path: str, kind: str) -> None:
    """The figures of the lists of names, in bodies and in paths."""

    def body(rule: str, ending: str, already_in: bool = True, **more: object) -> None:
        @probe(f"{interface}.{rule}")
        def batch(tenant: Tenant, figure: int) -> None:
            muc_id = crowd(tenant, kind, figure + 2 if already_in else 1)
            if not already_in:
                for name in names(figure + 2, "p")[1:]:
                    _add_user(tenant, name)
            said = names(figure + 2, "p")[1:]

            def ask(usernames: list[str]) -> TestResponse:
                whole = {"usernames": usernames} | more
                return tenant.post(f"{path}/{muc_id}/{ending}", json=whole)

            refused_by(f"{interface}.{rule}", ask(said))
            passes(ask(said[:-1]))

    body("batch_add", "users", already_in=False)
    body("batch_block", "blocks/users")
    body("batch_mute", "mute", mute_duration=1000)
    body("batch_allow", "white/users")

    def in_path(rule: str, ending: str, blocked: bool = False) -> None:
        @probe(f"{interface}.{rule}")
        def batch(tenant: Tenant, figure: int) -> None:
            muc_id = crowd(tenant, kind, figure + 2)
            if blocked:
                Statement(
                    "INSERT INTO muc_block (muc_id, user_id)"
                    " SELECT muc_id, user_id FROM muc_member"
                ).run()

            def ask(count: int) -> TestResponse:
                return tenant.delete(f"{path}/{muc_id}/{ending}/{path_list(count + 1)}")

            refused_by(f"{interface}.{rule}", ask(figure + 1))
            assert len(passes(ask(figure)).json["data"]) == figure

    in_path("batch_removal", "users")
    in_path("batch_unblock", "blocks/users", blocked=True)
    in_path("batch_unmute", "mute")
    in_path("batch_disallow", "white/users")


def _add_user(tenant: Tenant, name: str) -> None:
    Statement(
        """
        INSERT INTO user (app_id, username, uuid, token_key, created, modified, activated)
        VALUES (?, ?, ?, ?, 1, 1, TRUE)
        """
    ).run(tenant.id, name, f"{tenant.id}-{name}", b"\0")


def whole_body(interface: str, path: str) -> None:
    @probe(f"{interface}.request_body")
    def request_body(tenant: Tenant, figure: int) -> None:
        muc_id = crowd(tenant, interface.removesuffix("s"), 1)

        def ask(size: int) -> TestResponse:
            body = orjson.dumps({"announcement": "x"}).ljust(size)
            return tenant.post(
                f"{path}/{muc_id}/announcement",
                data=body,
                content_type="application/json",
            )

        refused_by(f"{interface}.request_body", ask(figure + 1), 413)
        passes(ask(figure))


def texts(interface: str, path: str, fields: dict[str, str]) -> None:
    """Lengths of what can be changed: rule -> field."""

    def text(rule: str, field: str) -> None:
        @probe(f"{interface}.{rule}")
        def length(tenant: Tenant, figure: int) -> None:
            muc_id = crowd(tenant, interface.removesuffix("s"), 1)
            ending = f"{path}/{muc_id}"

            def ask(size: int) -> TestResponse:
                body = {field: "x" * size}
                if field == "announcement":
                    return tenant.post(f"{ending}/announcement", json=body)
                return tenant.put(ending, json=body)

            refused_by(f"{interface}.{rule}", ask(figure + 1))
            passes(ask(figure))

    for rule, field in fields.items():
        text(rule, field)


def held(interface: str, path: str, kind: str, names_of: dict[str, str]) -> None:
    """What the store holds: the rules of joining, of the app, of members, of admins."""
    joined, per_app = names_of["joined"], names_of["per_app"]
    members, administrators = names_of["members"], names_of["administrators"]

    def create(tenant: Tenant, **more: object) -> TestResponse:
        name = "groupname" if kind == "group" else "name"
        whole = {name: "n", "desc": "d", "description": "d", "owner": OWNER}
        return tenant.post(path, json=whole | more)

    @probe(f"{interface}.{joined}")
    def joined_by_one(tenant: Tenant, figure: int) -> None:
        """All but one are there, as if joined: one more passes, then none, in any way."""
        populate(tenant, 2)
        stock(tenant, kind, figure - 1)
        passes(create(tenant))
        refused_by(f"{interface}.{joined}", create(tenant), 403)
        other = create(tenant, owner="p000001").json["data"]
        place = f"{path}/{other.get('groupid') or other['id']}/users"
        alone = tenant.post(f"{place}/{OWNER}")
        refused_by(f"{interface}.{joined}", alone, 403)
        batch = tenant.post(place, json={"usernames": [OWNER]})
        refused_by(f"{interface}.{joined}", batch, 403)
        member = create(tenant, owner="p000001", members=[OWNER])
        refused_by(f"{interface}.{joined}", member, 403)

    @probe(f"{interface}.{per_app}")
    def of_one_app(tenant: Tenant, figure: int) -> None:
        """The app has all but one, as if they were there: one more passes, then none."""
        populate(tenant, 1)
        App.update({f"{kind}_count": figure - 1}).execute()
        passes(create(tenant))
        refused_by(f"{interface}.{per_app}", create(tenant), 403)

    @probe(f"{interface}.{members}")
    def members_of_one(tenant: Tenant, figure: int) -> None:
        """One is as full as the figure, as if it were; its own capacity is larger."""
        muc_id = crowd(tenant, kind, 1)
        refused_by(f"{interface}.{members}", create(tenant, maxusers=figure + 1))
        passes(create(tenant, maxusers=figure))
        _add_user(tenant, "a")
        _add_user(tenant, "b")
        Statement("UPDATE muc SET member_count = ? WHERE id = ?").run(
            figure - 1, muc_id
        )
        passes(tenant.post(f"{path}/{muc_id}/users/a"))
        full = tenant.post(f"{path}/{muc_id}/users/b")
        refused_by(f"{interface}.{members}", full, 403)
        larger = tenant.put(f"{path}/{muc_id}", json={"maxusers": figure + 1})
        refused_by(f"{interface}.{members}", larger)

    @probe(f"{interface}.{administrators}")
    def administrators_of_one(tenant: Tenant, figure: int) -> None:
        """All but one are there, as if appointed: one more passes, the next is refused."""
        muc_id = crowd(tenant, kind, figure + 2)
        ADMINS.run(muc_id, muc_id, figure - 1)
        *_, one, two = names(figure + 2, "p")
        passes(tenant.post(f"{path}/{muc_id}/admin", json={"newadmin": one}))
        full = tenant.post(f"{path}/{muc_id}/admin", json={"newadmin": two})
        refused_by(f"{interface}.{administrators}", full, 403)


def details(interface: str, rule: str, path: str) -> None:
    @probe(f"{interface}.{rule}")
    def of_several(tenant: Tenant, figure: int) -> None:
        def ask(count: int) -> TestResponse:
            return tenant.get(f"{path}/{','.join(map(str, range(1, count + 1)))}")

        refused_by(f"{interface}.{rule}", ask(figure + 1))
        assert len(passes(ask(figure)).json["data"]) == figure
