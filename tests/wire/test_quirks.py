"""Every row of "Client quirks the server must live with", in the clients' own bytes."""

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.server.gunicorn import ROOT, Gunicorn, flask, serving
from tests.wire.player import BASE, Answer
from tests.wire.typed import END, JSON, Client, bytes_of, file_of, part, sent, uploaded

HI = b'{"target_type":"users","target":["ada"],"msg":{"type":"txt","msg":"hi"}}'
BYTES = bytes(range(256)) * 100
"""Nothing that text could be: zeros, line ends, and no UTF-8."""


@pytest.fixture
def client(server: Gunicorn, stored: None) -> Client:
    return Client(server)


@pytest.fixture
def crew(client: Client) -> str:
    """A group of Ada's in which Linus and Grace are."""
    client.cast.give("group crew owner ada members linus, grace")
    return str(client.cast.kept.values["crew"])


@pytest.mark.parametrize(
    "label",
    [
        "",
        "Content-Type: application/x-www-form-urlencoded\n",
        "Content-Type: APPLICATION/JSON; charset=utf-8\n",
    ],
)
def test_json_without_a_type_or_under_a_forms(client: Client, label: str) -> None:
    answer = client.say(
        f"POST /acme/lounge/messages HTTP/1.1\nHost: chat.acme.example\n{label}"
        "Authorization: Bearer TOKEN\nConnection: close\nContent-Length: LENGTH",
        HI,
    )

    assert sent(answer)["data"] == {"ada": "success"}


@pytest.mark.parametrize(
    "accept",
    [
        "Accept: application/json\n",
        "Accept: application/octet-stream\nAccept: application/json\n",
        "Accept: nonsense\n",
    ],
)
def test_accept_wrong_or_doubled_on_a_download(client: Client, accept: str) -> None:
    path = file_of(uploaded(client, part('name="file"; filename="a.bin"', BYTES) + END))

    answer = bytes_of(client, path, accept)

    assert (answer.status, answer.body) == (200, BYTES)


def test_a_file_without_a_name_beside_a_part_that_names_it(client: Client) -> None:
    body = part('name="file"', BYTES) + part('name="filename"', b"desk.png") + END

    path = file_of(uploaded(client, body, "restrict-access: false\n"))

    assert bytes_of(client, path).body == BYTES  # and needs no share-secret


def test_a_files_address_is_uri_slash_uuid(client: Client) -> None:
    answer = uploaded(client, part('name="file"; filename="a.bin"', BYTES) + END)

    assert answer["uri"] == f"{BASE}/acme/lounge/chatfiles"
    assert bytes_of(client, file_of(answer)).body == BYTES


def test_a_history_address_is_fetched_by_a_bare_client(client: Client) -> None:
    then = str(client.cast.kept.values["two_hours_ago_ms"]).encode()
    client.ask(
        "POST /acme/lounge/messages", HI[:-1] + b',"msg_timestamp":' + then + b"}"
    )
    hour = client.cast.kept.values["two_hours_ago"]
    told = client.ask(f"GET /acme/lounge/chatmessages/{hour}")
    (place,) = told["data"]

    answer = client.say(
        f"GET {place['url'].removeprefix(BASE)} HTTP/1.1\n"
        "Host: chat.acme.example\nConnection: close"
    )

    assert answer.status == 200
    assert "content-encoding" not in answer.headers
    assert len(gzip.decompress(answer.body).splitlines()) == 1


@pytest.mark.parametrize("restrict", ["", "restrict-access: false\n", "restrict-access: true\n"])  # fmt: skip
def test_every_upload_tells_a_share_secret(client: Client, restrict: str) -> None:
    answer = uploaded(client, part('name="file"', b"x") + END, restrict)

    (entity,) = answer["entities"]
    assert len(entity["share-secret"]) == 48


def test_sends_go_to_use_msg_id(client: Client) -> None:
    answer = client.say(
        """
        POST /acme/lounge/messages?useMsgId=true HTTP/1.1
        Host: chat.acme.example
        Content-Type: application/json
        Authorization: Bearer TOKEN
        Content-Length: LENGTH
        Connection: close
        """,
        HI,
    )

    (message_id,) = sent(answer)["data"].values()
    assert message_id.isdigit()


@pytest.mark.parametrize("kind", ["group", "room"])
def test_lists_are_followed_until_the_cursor_is_null(client: Client, kind: str) -> None:
    for name in ("one", "two", "three"):
        client.cast.give(f"{kind} {name} owner ada")
    path = {"group": "chatgroups", "room": "chatrooms"}[kind]

    seen, cursor, pages = [], "", 0
    while cursor is not None:
        page = client.ask(f"GET /acme/lounge/{path}?limit=2&cursor={cursor}")
        seen += page["data"]
        cursor, pages = page.get("cursor"), pages + 1

    assert (len(seen), pages) == (3, 2)
    assert "cursor" not in page


def test_member_pages_are_followed_while_they_are_full(
    client: Client, crew: str
) -> None:
    seen, number, count = [], 1, 2
    while count >= 2:
        page = client.ask(
            f"GET /acme/lounge/chatgroups/{crew}/users?pagenum={number}&pagesize=2"
        )
        seen += page["data"]
        count = page["count"]
        number = int(page["params"]["pagenum"][0]) + 1

    assert seen == [{"owner": "ada"}, {"member": "linus"}, {"member": "grace"}]


def test_members_asked_with_version_v3_are_plain_names(
    client: Client, crew: str
) -> None:
    client.cast.give("room hall owner ada members linus")
    hall = client.cast.kept.values["hall"]

    group = client.ask(f"GET /acme/lounge/chatgroups/{crew}/users?version=v3&limit=10")
    room = client.ask(f"GET /acme/lounge/chatrooms/{hall}/users?version=v3&limit=10")

    assert sorted(group["data"]) == ["grace", "linus"]
    assert room["data"] == ["linus"]


@pytest.mark.parametrize("path", ["users", "chatgroups", "chatrooms"])
def test_limit_zero_and_an_empty_cursor_are_the_first_page(
    client: Client, crew: str, path: str
) -> None:
    client.cast.give("room hall owner ada")

    page = client.ask(f"GET /acme/lounge/{path}?limit=0&cursor=")

    assert page["count"] == (3 if path == "users" else 1)


def test_a_group_is_made_and_renamed_in_old_words(client: Client) -> None:
    made = client.ask(
        "POST /acme/lounge/chatgroups",
        b'{"groupname":"night shift","desc":"on-call","public":true,"maxusers":200,'
        b'"members_only":true,"approval":true,"owner":"ada","members":["linus"],'
        b'"scale":"normal","need_verify":false,"avatar":"x","groupid":"7"}',
    )
    gid = made["data"]["groupid"]
    renamed = client.ask(f"PUT /acme/lounge/chatgroups/{gid}", b'{"name":"day shift"}')

    assert renamed["data"] == {"groupname": True}
    (told,) = client.ask(f"GET /acme/lounge/chatgroups/{gid}")["data"]
    assert (told["name"], told["description"]) == ("day shift", "on-call")
    assert told["membersonly"] is True


@pytest.mark.parametrize("names", ["linus,%20grace", "linus%2C%20grace"])
def test_blanks_after_commas_are_trimmed(client: Client, crew: str, names: str) -> None:
    answer = client.ask(f"DELETE /acme/lounge/chatgroups/{crew}/users/{names}")

    assert [each["user"] for each in answer["data"]] == ["linus", "grace"]


@pytest.mark.parametrize(
    "target", ["/acme/lounge/users/ada/", "/acme/lounge//users/ada", "/acme/lounge/users//ada", "/acme/lounge//users//ada//"]
)  # fmt: skip
def test_slashes_too_many_are_one(client: Client, target: str) -> None:
    assert client.ask(f"GET {target}")["count"] == 1


def test_unblocking_many_is_a_delete_with_a_json_body(
    client: Client, crew: str
) -> None:
    names = b'{"usernames":["linus","grace"]}'
    client.ask(f"POST /acme/lounge/chatgroups/{crew}/blocks/users", names)

    answer = client.say(
        f"DELETE /acme/lounge/chatgroups/{crew}/blocks/users HTTP/1.1\n"
        "Host: chat.acme.example\nContent-Type: application/json\n"
        "Authorization: Bearer TOKEN\nContent-Length: LENGTH\nConnection: close",
        names,
    )

    assert [each["result"] for each in sent(answer)["data"]] == [True, True]


def test_what_is_gone_is_404_and_who_is_not_in_is_403(
    client: Client, crew: str
) -> None:
    def status(target: str) -> int:
        return client.say(
            f"DELETE /acme/lounge/chatgroups/{crew}{target} HTTP/1.1\n"
            "Host: chat.acme.example\nAuthorization: Bearer TOKEN\nConnection: close"
        ).status

    assert [status("/users/linus"), status("/users/linus")] == [200, 403]
    assert [status(""), status(""), status("/users/grace")] == [200, 404, 404]


def test_answers_are_checked_field_by_field(client: Client, crew: str) -> None:
    client.cast.give("room hall owner ada members linus")
    group = f"/acme/lounge/chatgroups/{crew}"
    room = f"/acme/lounge/chatrooms/{client.cast.kept.values['hall']}"

    def data(line: str, body: bytes = b"") -> object:
        return client.ask(line, body)["data"]

    muted = data(f"POST {group}/mute", b'{"usernames":["linus"],"mute_duration":1000}')
    assert muted[0]["result"] is True
    for place in (group, room):
        made = data(f"POST {place}/admin", b'{"newadmin":"linus"}')
        assert made["result"] == "success"
        unmade = data(f"DELETE {place}/admin/linus")
        assert unmade["result"] == "success"
        out = data(f"DELETE {place}/users/linus")
        assert out["result"] is True
    assert data(f"PUT {room}", b'{"name":"party"}') == {"groupname": True}
    assert data(f"DELETE {group}")["success"] is True


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /acme/lounge/nothing", 404),
        ("BREW /acme/lounge/users", 501),
        ("PATCH /acme/lounge/users", 405),
        ("GET /acme/lounge/chatfiles/none", 404),
        ("POST /acme/lounge/chatfiles", 415),
        ("GET /history/acme/lounge/2023111509.gz", 403),
        ("GET /acme/lounge/users/%FF", 404),
        ("GET /none/at/all", 404),
        ("GET /", 404),
    ],
)
def test_every_error_is_json_with_a_description(
    client: Client, line: str, status: int
) -> None:
    answer = client.say(
        f"{line} HTTP/1.1\nHost: chat.acme.example\nAccept: image/png\n"
        "Authorization: Bearer TOKEN\nConnection: close"
    )

    assert answer.status == status
    assert answer.headers["content-type"] == JSON
    assert json.loads(answer.body)["error_description"]


def test_a_success_always_has_a_body(client: Client) -> None:
    for line in (
        "POST /acme/lounge/users/ada/activate",
        "DELETE /acme/lounge/metadata/user/ada",
        "DELETE /acme/lounge/contacts/users/ada",
        "GET /acme/lounge/users/ada/disconnect",
        "DELETE /acme/lounge/users/grace",
    ):
        assert client.ask(line)


def chunked(body: bytes, size: int) -> bytes:
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    framed = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in pieces)
    return framed + b"0\r\n\r\n"


def test_bodies_come_in_chunks_token_included(client: Client) -> None:
    kept = client.cast.kept
    grant = {"grant_type": "client_credentials"} | {
        name: kept.values[name] for name in ("client_id", "client_secret")
    }
    head = "Host: chat.acme.example\nAuthorization: Bearer TOKEN\nTransfer-Encoding: chunked\nConnection: close\n"

    token = client.say(
        f"POST /acme/lounge/token HTTP/1.1\n{head}Content-Type: application/json",
        chunked(orjson.dumps(grant), 10),
    )
    message = client.say(
        f"POST /acme/lounge/messages/ HTTP/1.1\n{head}Content-Type: application/json",
        chunked(HI, 10),
    )
    upload = client.say(
        f"POST /acme/lounge/chatfiles HTTP/1.1\n{head}Content-Type: multipart/form-data; boundary=limit",
        chunked(part('name="file"; filename="a.bin"', BYTES) + END, 7000),
    )

    assert sent(token)["expires_in"] == 5184000
    assert sent(message)["data"] == {"ada": "success"}
    assert bytes_of(client, file_of(sent(upload))).body == BYTES


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_framed_body_where_none_belongs_is_skipped(
    client: Client, method: str
) -> None:
    """The next request on the connection is not disturbed."""
    head = f"{method} /acme/lounge/users/ada/contacts/users/linus HTTP/1.1\n"
    if method == "GET":
        head = "GET /acme/lounge/users/ada/status HTTP/1.1\n"
    head += "Host: chat.acme.example\nAuthorization: Bearer TOKEN\n"
    first = client.raw(
        head + "Content-Type: application/json\nContent-Length: LENGTH", b"null"
    )
    second = client.raw(head + "Connection: close")

    raw = client.server.raw(first + second)

    assert raw.count(b"HTTP/1.1 200 OK") == 2


def test_unframed_bytes_after_the_head_are_ignored(client: Client) -> None:
    answer = client.say(
        """
        DELETE /acme/lounge/users/grace HTTP/1.1
        Host: chat.acme.example
        Authorization: Bearer TOKEN
        Connection: close
        """,
        b"{}",
    )

    assert sent(answer)["action"] == "delete"


def test_a_type_without_a_body(client: Client) -> None:
    answer = client.say(
        """
        DELETE /acme/lounge/users/grace HTTP/1.1
        Host: chat.acme.example
        Content-Type: application/x-www-form-urlencoded
        Authorization: Bearer TOKEN
        Connection: close
        """
    )

    assert sent(answer)["action"] == "delete"


@pytest.mark.parametrize("body", [b"[]", b"null", b"{}"])
def test_empty_posts_carry_something(client: Client, body: bytes) -> None:
    for line in (
        "POST /acme/lounge/users/ada/contacts/users/linus",
        "POST /acme/lounge/users/ada/deactivate",
        "POST /acme/lounge/users/ada/activate",
    ):
        assert client.ask(line, body)["action"]


def test_a_doubled_slash_is_answered_directly(client: Client) -> None:
    for line, body in (
        ("POST /acme/lounge//messages", HI),
        ("DELETE /acme/lounge//users/grace", b""),
    ):
        answer = client.say(
            f"{line} HTTP/1.1\nHost: chat.acme.example\nAuthorization: Bearer TOKEN\n"
            "Connection: close\nContent-Length: LENGTH",
            body,
        )
        assert sent(answer)
        assert "location" not in answer.headers


def test_phps_curl_uploads_a_form_field_up_to_the_full_size(client: Client) -> None:
    most = (BYTES * 410)[: 10 * 1024 * 1024]

    path = file_of(uploaded(client, part('name="file"', most) + END))

    answer = bytes_of(client, path, f"Range: bytes={len(most) - 300}-\n")
    assert answer.status == 206
    assert answer.headers["content-range"].endswith(f"/{len(most)}")
    assert answer.body == most[-300:]


@pytest.mark.parametrize("label", ["multipart/form-data", "application/json"])
def test_multipart_without_a_boundary_or_called_json(
    client: Client, label: str
) -> None:
    answer = client.say(
        "POST /acme/lounge/chatfiles HTTP/1.1\nHost: chat.acme.example\n"
        f"Content-Type: {label}\nAuthorization: Bearer TOKEN\nConnection: close\n"
        "Content-Length: LENGTH",
        part('name="file"', BYTES) + END,
    )

    assert 400 <= answer.status < 500
    assert json.loads(answer.body)["error_description"]


@pytest.fixture(scope="module")
def as_shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gunicorn, bytes]]:  # fmt: skip
    """A server with the guard it has by itself, and an app's token request."""
    place: Path = tmp_path_factory.mktemp("as-shipped") / "state"
    made = json.loads(flask(ROOT, place, "apps", "create", "acme/lounge", "--json"))
    grant = orjson.dumps(
        {"grant_type": "client_credentials", "ttl": "", **made}
    )  # fmt: skip
    with serving(place, workers="1") as server:
        yield (
            server,
            (
                b"POST /acme/lounge/token HTTP/1.1\r\nHost: chat.acme.example\r\n"
                b"Connection: close\r\nContent-Length: %d\r\n\r\n%b"
                % (len(grant), grant)
            ),
        )


def test_a_token_is_fetched_before_every_call(
    as_shipped: tuple[Gunicorn, bytes],
) -> None:
    """Twenty a second are let through, and the first still opens."""
    server, request = as_shipped

    tokens = [sent(Answer(server.raw(request)))["access_token"] for _ in range(20)]

    assert len(set(tokens)) == 20
    assert server.call("GET", "/acme/lounge/users", token=str(tokens[0]))[0] == 200


@pytest.mark.parametrize(("ttl", "lasts"), [('""', 5_184_000), ("7200", 7_200)])
def test_a_ttl_that_is_empty_or_given(client: Client, ttl: str, lasts: int) -> None:
    kept = client.cast.kept.values
    told = client.ask(
        "POST /acme/lounge/token",
        f'{{"grant_type":"client_credentials","client_id":"{kept["client_id"]}",'
        f'"client_secret":"{kept["client_secret"]}","ttl":{ttl}}}'.encode(),
    )

    assert told["expires_in"] == lasts


def test_a_sender_of_null_and_queries_that_mean_nothing(client: Client) -> None:
    sent_by_nobody = client.ask(
        "POST /acme/lounge/messages", HI[:-1] + b',"from":null}'
    )
    listed = client.ask("GET /acme/lounge/users?ql=None&query[limit]=5")

    assert sent_by_nobody["data"] == {"ada": "success"}
    assert listed["count"] == 3
    assert listed["params"] == {"ql": ["None"], "query[limit]": ["5"]}


def test_headers_are_booleans_in_any_case_doubled_or_unknown(client: Client) -> None:
    path = file_of(uploaded(client, part('name="file"', b"x") + END))

    answer = bytes_of(
        client, path, "thumbnail: True\nAccept: a/b\nAccept: c/d\nenctype: x\n"
    )

    assert (answer.status, answer.body) == (200, b"x")


def test_after_429_one_second_is_enough(client: Client) -> None:
    request = client.raw(
        """
        GET /acme/lounge/users/ada HTTP/1.1
        Host: chat.acme.example
        Authorization: Bearer TOKEN
        Connection: close
        """
    )
    answers = []
    for _ in range(50):  # until twenty came within a second
        answers += [Answer(each) for each in pipelined(client.server, request, 20)]
        if any(each.status == 429 for each in answers):
            break

    refused = next(each for each in answers if each.status == 429)
    assert refused.headers["retry-after"] == "1"
    time.sleep(1)  # as the client does, and then once more
    assert Answer(client.server.raw(request)).status == 200


def pipelined(server: Gunicorn, request: bytes, times: int) -> list[bytes]:
    """The answers to many requests written at once on one connection."""
    kept = request.replace(b"Connection: close\r\n", b"").rstrip() + b"\r\n\r\n"
    raw = server.raw(kept * (times - 1) + request)
    return [b"HTTP/1.1 " + each for each in raw.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("name", ["", '; filename="a"'])
def test_every_answer_has_a_type_downloads_too(client: Client, name: str) -> None:
    path = file_of(uploaded(client, part(f'name="file"{name}', b"x") + END))

    found = bytes_of(client, path)
    missing = bytes_of(client, path[:-1] + "~")

    assert found.headers["content-type"] == "application/octet-stream"
    assert missing.headers["content-type"] == JSON


def test_params_are_lists_of_strings_and_integers_are_integers(client: Client) -> None:
    page = client.ask("GET /acme/lounge/users?limit=2&limit=3")

    assert page["params"] == {"limit": ["2", "3"]}
    assert [type(page[key]) for key in ("count", "timestamp", "duration")] == [int] * 3


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.1\nHost: chat.acme.example\nConnection: close\nExpect: 100-continue",
        "HTTP/1.0",
        "HTTP/1.0\nHost: chat.acme.example",
    ],
)
def test_expect_100_continue_and_http_1_0(client: Client, head: str) -> None:
    answer = client.say(
        f"POST /acme/lounge/messages {head}\nAuthorization: Bearer TOKEN\n"
        "Content-Length: LENGTH",
        HI,
    )

    assert sent(answer)["data"] == {"ada": "success"}


def test_a_target_with_scheme_and_host(client: Client) -> None:
    """As clients write it that believe they talk to a proxy."""
    assert client.ask("POST http://chat.acme.example/acme/lounge/messages", HI)
