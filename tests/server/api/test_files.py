"""Upload, download, thumbnails: what the reference says, and what hostile bytes get."""

import hashlib
import io
import re
from pathlib import Path

import pytest
from flask import Flask
from fsspec.core import url_to_fs
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image
from werkzeug.test import TestResponse

from server import uploads
from server.kinds import MaxBytes
from server.settings import Settings
from server.store import file_storage, files, tokens
from server.store.models import File
from tests import facts
from tests.conftest import Clock, Tenant
from tests.server.api.mucs import new_group

MOST = facts.BOUNDS["files.file"][1]
KEPT_SECONDS = facts.BOUNDS["files.uploaded_file"][1]
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
EVERY_BYTE = bytes(range(256)) * 3 + b"\r\n--b\r\n--\r\n\r\n\x00"
TYPE = "multipart/form-data; boundary=limit"


def part(name: str, content: bytes, file_name: str = "", kind: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"'
    head += f'; filename="{file_name}"' if file_name else ""
    head += f"\r\nContent-Type: {kind}" if kind else ""
    return f"--limit\r\n{head}\r\n\r\n".encode() + content + b"\r\n"


def multipart(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--limit--\r\n"


def upload(tenant: Tenant, *parts: bytes, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return tenant.post(
        "/chatfiles", data=multipart(*parts), content_type=TYPE, headers=named
    )


def kept(tenant: Tenant, content: bytes, **headers: str) -> dict[str, str]:
    answer = upload(tenant, part("file", content, "f.bin"), **headers)
    assert answer.status_code == 200, answer.text
    return answer.json["entities"][0]


def fetch(tenant: Tenant, uuid: str, query: str = "", **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return tenant.get(f"/chatfiles/{uuid}{query}", headers=named, buffered=True)


def on_disk(settings: Settings) -> list[Path]:
    """Every file that is kept, under whatever name; or as much as in a bucket."""
    if settings.files_url.startswith("s3://"):
        bucket, root = url_to_fs(settings.files_url, use_listings_cache=False)
        assert bucket.list_multipart_uploads(root.partition("/")[0]) == []
        waiting = (settings.state_dir / "incoming").iterdir()
        return [*waiting, *map(Path, bucket.find(root))]
    root = settings.state_dir / "files"
    return [path for path in root.rglob("*") if path.is_file()]


def picture(kind: str, size: tuple[int, int], **options: object) -> bytes:
    noise = Image.effect_noise(size, 100).convert("RGB")
    out = io.BytesIO()
    noise.save(out, kind, **options)
    return out.getvalue()


def test_an_upload_answers_as_the_reference_does(acme: Tenant) -> None:
    answer = upload(acme, part("file", b"abc", "a.txt", "text/plain"))

    assert answer.status_code == 200
    body = answer.json
    (entity,) = body.pop("entities")
    assert body == {
        "action": "post",
        "application": acme.row.uuid,
        "path": "/chatfiles",
        "uri": "http://localhost/acme/chat/chatfiles",
        "timestamp": 1_700_000_000_000,
        "duration": body["duration"],
        "organization": "acme",
        "applicationName": "chat",
    }
    assert set(entity) == {"uuid", "type", "share-secret"}
    assert entity["type"] == "chatfile"
    assert UUID.fullmatch(entity["uuid"])
    assert re.fullmatch(r"[A-Za-z0-9_-]{48}", entity["share-secret"])


def test_the_bytes_come_back(acme: Tenant) -> None:
    made = upload(acme, part("file", EVERY_BYTE, "a.png", "image/png")).json
    answer = fetch(acme, made["entities"][0]["uuid"])

    assert answer.status_code == 200
    assert answer.data == EVERY_BYTE
    assert answer.headers["Content-Length"] == str(len(EVERY_BYTE))
    assert answer.content_type == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_field_without_a_file_name_is_a_file_all_the_same(acme: Tenant) -> None:
    made = upload(acme, part("file", EVERY_BYTE)).json["entities"][0]

    answer = fetch(acme, made["uuid"])

    assert answer.data == EVERY_BYTE
    assert answer.content_type == "application/octet-stream"
    assert File.get(File.uuid == made["uuid"]).name == made["uuid"]


def test_the_name_is_the_parts_own_or_the_part_filenames(globex: Tenant) -> None:
    names = [
        [part("filename", "größe.bin".encode()), part("file", b"x")],
        [part("file", b"x"), part("filename", b"later.bin")],
        [part("file", b"x", "own.bin"), part("filename", b"other.bin")],
    ]
    made = [upload(globex, *parts).json["entities"][0]["uuid"] for parts in names]

    kept_as = [File.get(File.uuid == uuid).name for uuid in made]
    assert kept_as == ["größe.bin", "later.bin", "own.bin"]


def test_who_uploaded_is_kept(acme: Tenant) -> None:
    by_alice = kept(acme.as_user("alice"), b"x")["uuid"]
    by_app = kept(acme, b"x")["uuid"]

    assert File.get(File.uuid == by_alice).owner == "alice"
    assert File.get(File.uuid == by_app).owner == "admin"


def test_of_two_files_the_first_is_kept_and_other_parts_are_ignored(
    acme: Tenant,
) -> None:
    parts = [part("x", b"y"), part("file", b"one"), part("file", b"two")]

    made = upload(acme, *parts).json["entities"][0]

    assert fetch(acme, made["uuid"]).data == b"one"


def test_an_empty_file_and_one_file_twice(acme: Tenant) -> None:
    empty = kept(acme, b"")
    one, two = kept(acme, b"same"), kept(acme, b"same")

    answer = fetch(acme, empty["uuid"])
    assert answer.status_code == 200
    assert answer.data == b""
    assert one["uuid"] != two["uuid"]
    assert one["share-secret"] != two["share-secret"]


def test_a_file_of_the_full_size_passes_and_a_byte_more_does_not(
    acme: Tenant, settings: Settings, clock: Clock
) -> None:
    full = kept(acme, bytes(MOST))
    before = on_disk(settings)

    refused = upload(acme, part("file", bytes(MOST + 1)))

    assert refused.status_code == 413
    assert refused.json["error"] == "Request Entity Too Large"
    assert refused.json["error_description"] == "Request Entity Too Large"
    assert refused.json["rule"] == "files.file"
    assert on_disk(settings) == before
    assert File.select().count() == 1
    clock.forward(1)
    assert fetch(acme, full["uuid"]).data == bytes(MOST)


def test_what_stands_beside_the_file_is_not_without_end(
    acme: Tenant, settings: Settings
) -> None:
    refused = upload(acme, part("file", b"x"), part("other", bytes(MOST + 1)))

    assert refused.status_code == 413
    assert on_disk(settings) == []


def test_parts_beside_the_file_are_not_without_number(
    acme: Tenant, settings: Settings
) -> None:
    """Each costs far more than its bytes do."""
    few = [part(f"other-{n}", b"x") for n in range(900)]

    refused = upload(acme, part("file", b"x"), *few, *few)

    assert refused.status_code == 413
    assert on_disk(settings) == []
    assert upload(acme, part("file", b"x"), *few).status_code == 200


@pytest.mark.parametrize(
    ("content_type", "body", "status", "description"),
    [
        (TYPE, multipart(part("files", b"x")), 400, "file must be provided"),
        (TYPE, b"--limit--\r\n", 400, "file must be provided"),
        (TYPE, b"", 400, "file must be provided"),
        (TYPE, b"nothing of the kind", 400, "this is an invalid request."),
        (TYPE, part("file", b"no end"), 400, "this is an invalid request."),
        (TYPE, part("file", b"x") + b"--limi", 400, "this is an invalid request."),
        (TYPE, b"--limit\r\nbad header\r\n\r\nx\r\n--limit--", 400, "this is an invalid request."),
        (TYPE, b"--limit\r\n" + b"a: b\r\n" * 5000, 400, "this is an invalid request."),
        (TYPE, b"--limit\r\na: " + b"b" * 100_000, 400, "this is an invalid request."),
        ("multipart/form-data", multipart(part("file", b"x")), 400, "this is an invalid request."),
        ("multipart/form-data; boundary=", b"x", 400, "this is an invalid request."),
        ("multipart/form-data; boundary=" + "b" * 300, b"x", 400, "this is an invalid request."),
        ("application/json", multipart(part("file", b"x")), 415, "Unsupported Media Type"),
        ("application/x-www-form-urlencoded", b"file=x", 415, "Unsupported Media Type"),
        ("multipart/mixed; boundary=limit", multipart(part("file", b"x")), 415, "Unsupported Media Type"),
        (None, b"x", 415, "Unsupported Media Type"),
    ],
)  # fmt: skip
def test_an_upload_that_cannot_be_leaves_nothing(
    acme: Tenant,
    settings: Settings,
    content_type: str | None,
    body: bytes,
    status: int,
    description: str,
) -> None:
    answer = acme.post("/chatfiles", data=body, content_type=content_type)

    assert answer.status_code == status
    assert answer.json["error_description"] == description
    assert on_disk(settings) == []
    assert File.select().count() == 0


def test_a_body_shorter_than_its_head_says_leaves_nothing(
    acme: Tenant, settings: Settings
) -> None:
    body = multipart(part("file", bytes(200_000)))

    answer = acme.post(
        "/chatfiles",
        input_stream=io.BytesIO(body[:150_000]),
        content_type=TYPE,
        environ_overrides={"CONTENT_LENGTH": str(len(body))},
    )

    assert answer.status_code == 408
    assert on_disk(settings) == []


def test_nothing_is_left_when_the_row_cannot_be_written(
    acme: Tenant, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a crash between: bytes without a row, which the sweep takes."""

    def fail(_: object) -> None:
        raise OSError

    monkeypatch.setattr(files, "write", fail)
    acme.client.application.testing = False
    answer = upload(acme, part("file", b"x"))

    assert answer.status_code == 500
    assert not [path for path in on_disk(settings) if path.parent.name == "incoming"]
    assert File.select().count() == 0


@pytest.mark.disk
def test_uploads_are_the_owners_alone_to_read(acme: Tenant, settings: Settings) -> None:
    kept(acme, b"x")

    root = settings.state_dir / "files"
    for path in [root, *root.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_only_the_hash_of_a_share_secret_is_kept(acme: Tenant) -> None:
    made = kept(acme, b"x")

    row = File.get(File.uuid == made["uuid"])
    assert row.secret_hash == hashlib.sha256(made["share-secret"].encode()).digest()


@hypothesis_settings(
    max_examples=150, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    pieces=st.lists(
        st.sampled_from([b"\r\n", b"\r", b"\n", b"--", b"--limit", b"--limit--", b"\r\n--limi",
                         b"\r\n--limit-", b"\r\n--limitx", b"\x00", b"\xff", b"x" * 65_500, b"abc"]),
        max_size=12,
    ),
    size=st.integers(1, 70_000),
)  # fmt: skip
def test_bytes_that_look_like_the_boundary_survive(
    app: Flask, pieces: list[bytes], size: int
) -> None:
    """Whatever the pieces in which the body comes; a true boundary would end it."""
    content = b"".join(pieces)
    for ends in (
        b"\r\n--limit\r\n",
        b"\r\n--limit--",
        b"\r\n--limit ",
        b"\r\n--limit\t",
    ):
        content = content.replace(ends, b"")
    if content.startswith((b"--limit\r\n", b"--limit--")):
        content = b"_" + content
    if re.search(rb"\r\n--limit(\r?$|-?$|--|\r\n)", content):
        return

    found = received(app, multipart(part("file", content)), size)

    assert found == content


def received(app: Flask, body: bytes, size: int) -> bytes:
    """The file of *body*, parsed as it comes in pieces of *size*."""

    class Pieces(io.BytesIO):
        def read(self, wanted: int | None = -1) -> bytes:
            return super().read(min(size, wanted or size))

    options = {"input_stream": Pieces(body), "content_type": TYPE, "method": "POST"}
    length = {"Content-Length": str(len(body))}
    with (
        app.test_request_context("/", headers=length, **options),
        uploads.receive(at_most=MaxBytes("none")) as upload,
        upload.content.read_back() as back,
    ):
        return back.read()


def test_a_restricted_file_needs_its_secret(globex: Tenant) -> None:
    made = kept(globex, b"secret bytes", restrict_access="true")
    uuid, secret = made["uuid"], made["share-secret"]

    for refused in (
        fetch(globex, uuid),
        fetch(globex, uuid, share_secret="wrong"),
        fetch(globex, uuid, share_secret=""),
        fetch(globex, uuid, "?share-secret=wrong"),
        fetch(globex, uuid, f"?share-secret={secret}", share_secret="wrong"),
        fetch(globex, uuid, share_secret="\xe9"),
        fetch(globex, uuid, "?share-secret=%ff"),
        fetch(globex, uuid, thumbnail="true"),
    ):
        assert refused.status_code == 403
        assert refused.json["error"] == "forbidden_op"
        assert refused.json["error_description"] == "share-secret is missing or wrong"
    for opened in (
        fetch(globex, uuid, share_secret=secret),
        fetch(globex, uuid, f"?share-secret={secret}"),
        fetch(globex, uuid, "?share-secret=wrong", share_secret=secret),
    ):
        assert opened.data == b"secret bytes"


@pytest.mark.parametrize(
    ("said", "restricted"),
    [
        (None, False), ("false", False), ("FALSE", False), (" False ", False),
        ("true", True), ("", True), ("0", True), ("no", True),
    ],
)  # fmt: skip
def test_what_restricts(acme: Tenant, said: str | None, restricted: bool) -> None:
    headers = {} if said is None else {"restrict_access": said}

    made = kept(acme, b"x", **headers)

    assert fetch(acme, made["uuid"]).status_code == (403 if restricted else 200)


def test_a_secret_is_ignored_where_none_is_needed(acme: Tenant) -> None:
    assert fetch(acme, kept(acme, b"x")["uuid"], share_secret="wrong").data == b"x"


CORRUPT = "Unable to authenticate due to corrupt access token"


def test_who_may(acme: Tenant, globex: Tenant, clock: Clock) -> None:
    uuid = kept(acme, b"x")["uuid"]
    foreign = Tenant(acme.client, acme.key, acme.credentials, globex.token)
    forged = acme.token[:-9] + "A" * 9
    for stranger in (
        acme.as_nobody(),
        foreign,
        Tenant(acme.client, acme.key, acme.credentials, "rubbish"),
        Tenant(acme.client, acme.key, acme.credentials, forged),
    ):
        for answer in (upload(stranger, part("file", b"x")), fetch(stranger, uuid)):
            assert answer.status_code == 401
            assert answer.json["error"] == "auth_bad_access_token"
            assert answer.json["error_description"] == CORRUPT
    assert fetch(acme.as_user("bob"), uuid).data == b"x"


def test_a_token_that_is_over(acme: Tenant) -> None:
    over = tokens.issue(acme.id, None, 1, acme.row.token_key)
    late = Tenant(acme.client, acme.key, acme.credentials, over)

    answer = fetch(late, "x")

    assert answer.status_code == 401
    assert answer.json["error"] == "unauthorized"
    assert answer.json["error_description"] == (
        "Unable to authenticate due to expired access token"
    )


def assert_unknown(answer: TestResponse) -> None:
    assert answer.status_code == 404
    assert answer.json["error"] == "service_resource_not_found"
    assert answer.json["error_description"] == "Service resource not found"


def test_what_is_not_there(acme: Tenant, globex: Tenant) -> None:
    foreign = kept(globex, b"x", restrict_access="true")
    for uuid in (
        "3c1f9a60-7b52-11ee-9d0e-6f2b8c4d1a77",
        "malformed",
        "..%2F..%2Fweir.db",
        "%00",
        foreign["uuid"],
    ):
        assert_unknown(fetch(acme, uuid))


def test_a_shared_file_of_a_group_is_no_chat_file(acme: Tenant) -> None:
    uuid = kept(acme, b"x")["uuid"]
    File.update(muc=int(new_group(acme))).where(File.uuid == uuid).execute()

    assert_unknown(fetch(acme, uuid))


def test_a_file_is_gone_when_its_time_is_over(acme: Tenant, clock: Clock) -> None:
    uuid = kept(acme, b"x")["uuid"]

    clock.forward(KEPT_SECONDS)
    assert fetch(acme, uuid).data == b"x"
    clock.forward(0.001)
    assert_unknown(fetch(acme, uuid))


def test_a_file_whose_bytes_are_lost(acme: Tenant) -> None:
    uuid = kept(acme, b"x")["uuid"]
    file_storage.remove(files.key_of(uuid))

    assert_unknown(fetch(acme, uuid))


@pytest.mark.parametrize(
    ("stated", "served"),
    [
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/xhtml+xml", "application/octet-stream"),
        ("text/javascript", "application/octet-stream"),
        ("image/png\x7f", "application/octet-stream"),
        ("x" * 3000, "application/octet-stream"),
        ("", "application/octet-stream"),
        ("text/plain; charset=utf-7", "text/plain"),
        ("Image/JPEG", "image/jpeg"),
        ("audio/amr", "audio/amr"),
        ("video/mp4", "video/mp4"),
    ],
)
def test_a_type_that_a_browser_would_run_is_not_repeated(
    acme: Tenant, stated: str, served: str
) -> None:
    made = upload(acme, part("file", b"<script>", "x", stated)).json["entities"][0]

    answer = fetch(acme, made["uuid"])

    assert answer.headers["Content-Type"].split(";")[0] == served
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


TEN = b"0123456789"


@pytest.mark.parametrize(
    ("asked", "content", "told"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=-99", TEN, "bytes 0-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
        ("BYTES=9-9", b"9", "bytes 9-9/10"),
    ],
)
def test_a_range(acme: Tenant, asked: str, content: bytes, told: str) -> None:
    answer = fetch(acme, kept(acme, TEN)["uuid"], Range=asked)

    assert answer.status_code == 206
    assert answer.data == content
    assert answer.headers["Content-Range"] == told
    assert answer.headers["Content-Length"] == str(len(content))


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_range_of_nothing(acme: Tenant, asked: str) -> None:
    answer = fetch(acme, kept(acme, TEN)["uuid"], Range=asked)

    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */10"
    assert answer.json["error"] == "range_not_satisfiable"


@pytest.mark.parametrize(
    "asked", ["bytes=-", "bytes=5-2", "bytes=0-1,3-4", "lines=0-1", "bytes=a-b", "x"]
)
def test_what_is_no_single_range_gives_the_whole(acme: Tenant, asked: str) -> None:
    answer = fetch(acme, kept(acme, TEN)["uuid"], Range=asked)

    assert answer.status_code == 200
    assert answer.data == TEN
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_a_range_under_a_condition_gives_the_whole(acme: Tenant) -> None:
    uuid = kept(acme, TEN)["uuid"]

    assert fetch(acme, uuid, Range="bytes=0-1", If_Range='"x"').data == TEN


def test_head_says_the_length_and_sends_nothing(acme: Tenant) -> None:
    uuid = kept(acme, TEN)["uuid"]

    answer = acme.call("HEAD", f"/chatfiles/{uuid}")

    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == "10"
    assert answer.data == b""
