"""A bucket of a real object store: whole or not at all, in reach or clearly not."""

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.httpsession import AIOHTTPSession
from botocore.exceptions import EndpointConnectionError
from flask import Flask

from server import retention
from server.settings import BadSettings, Settings
from server.store import file_bucket, file_storage
from server.store.file_bucket import _PART, _READ_AHEAD, Bucket
from server.store.file_place import FilesOutOfReach
from server.store.models import File
from tests.conftest import Clock, Tenant
from tests.probes.groups import one_file
from tests.server.api.mucs import new_group
from tests.server.api.test_files import fetch, kept, part, picture, upload
from tests.server.api.test_history import HOUR, keep
from tests.services import s3

ROOT = Path(__file__).parent.parent.parent.parent
LARGE = bytes(range(256)) * (3 * _PART // 256)
FAR_FUTURE_MS = 1 << 42


@pytest.fixture
def files_url(s3_store: s3.Store) -> str:
    """These are over S3 whatever the others are over."""
    return s3_store.new_url()


@pytest.fixture
def out_of_reach(s3_store: s3.Store) -> Iterator[Any]:
    """Closes the store, for the rest of the test or until it is said to open."""

    def close() -> None:
        s3_store.close_gateway()

    yield close
    if "radosgw" not in s3_store.processes:
        s3_store.open_gateway()


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger than two parts goes in parts already."""
    monkeypatch.setattr(file_bucket, "_MOST_AT_ONCE", 2 * _PART)


def put(key: str, content: bytes) -> None:
    with file_storage.incoming() as coming:
        coming.file.write(content)
        coming.keep(key)


def spool(settings: Settings) -> list[Path]:
    return list((settings.state_dir / "incoming").iterdir())


def bucket() -> Bucket:
    place = file_storage._connected()
    assert isinstance(place, Bucket)
    return place


def test_what_is_large_goes_in_parts_and_is_whole(
    app: Flask, settings: Settings, s3_store: s3.Store, in_parts: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    called = methods_called(monkeypatch)

    put("a/large", LARGE)

    assert called.count("upload_part") == 3
    assert s3_store.keys(settings.files_url) == ["a/large"]
    assert s3_store.client.cat_file(f"{settings.files_url}/a/large") == LARGE
    assert s3_store.unfinished() == []
    assert spool(settings) == []


def methods_called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the store through s3fs from now on."""
    call, called = bucket().fs._call_s3, []

    async def noting(method: str, *arguments: Any, **options: Any) -> Any:
        called.append(method)
        return await call(method, *arguments, **options)

    monkeypatch.setattr(bucket().fs, "_call_s3", noting)
    return called


@pytest.mark.parametrize("size", [0, 1, 600_000, len(LARGE)])
def test_what_is_put_at_once_is_whole(
    app: Flask, settings: Settings, s3_store: s3.Store, size: int
) -> None:
    put("a/one", LARGE[:size])

    assert s3_store.client.cat_file(f"{settings.files_url}/a/one") == LARGE[:size]


def test_what_breaks_off_is_sent_again_from_its_start(
    app: Flask, settings: Settings, s3_store: s3.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is lost once, when half of the bytes have been read."""
    send, broken = AIOHTTPSession.send, []

    async def break_off(self: AIOHTTPSession, request: Any) -> Any:
        if not broken:
            broken.append(request.body.read(len(LARGE) // 2))
            raise EndpointConnectionError(endpoint_url=request.url)
        return await send(self, request)

    monkeypatch.setattr(AIOHTTPSession, "send", break_off)

    put("a/large", LARGE)

    assert len(broken[0]) == len(LARGE) // 2
    assert s3_store.client.cat_file(f"{settings.files_url}/a/large") == LARGE


def test_what_is_not_kept_never_reaches_the_bucket(
    app: Flask, settings: Settings, s3_store: s3.Store
) -> None:
    with file_storage.incoming() as coming:
        coming.file.write(LARGE)

    assert s3_store.keys(settings.files_url) == []
    assert spool(settings) == []


def test_parts_of_what_fails_are_taken_back(
    app: Flask, settings: Settings, s3_store: s3.Store, in_parts: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    call, called = bucket().fs._call_s3, []

    async def fail(method: str, *arguments: Any, **options: Any) -> Any:
        called.append(method)
        if method == "upload_part" and options["PartNumber"] == 2:
            raise PermissionError(13, "no more")
        return await call(method, *arguments, **options)

    monkeypatch.setattr(bucket().fs, "_call_s3", fail)
    with pytest.raises(FilesOutOfReach, match="no more"):
        put("a/large", LARGE)

    assert called[:2] == ["create_multipart_upload", "upload_part"]
    assert s3_store.keys(settings.files_url) == []
    assert s3_store.unfinished() == []


KILLED = """
import os, signal, sys
from pathlib import Path
from server.settings import Settings
from server.store import file_bucket, file_storage
file_bucket._MOST_AT_ONCE = 0
file_storage.connect(Settings(state_dir=Path(sys.argv[1]), files_url=sys.argv[2]))
fs = file_storage._connected().fs
call = fs._call_s3
async def die(method, *arguments, **options):
    if method == "upload_part" and options["PartNumber"] == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return await call(method, *arguments, **options)
fs._call_s3 = die
with file_storage.incoming() as coming:
    coming.file.write(bytes(15 * 1024 * 1024))
    coming.keep("a/large")
"""


def test_a_process_killed_in_the_middle_leaves_what_the_sweep_takes(
    app: Flask, settings: Settings, s3_store: s3.Store
) -> None:
    command = [
        sys.executable,
        "-c",
        KILLED,
        str(settings.state_dir),
        settings.files_url,
    ]
    killed = subprocess.run(command, cwd=ROOT, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    key = settings.files_url.removeprefix("s3://weir/") + "/a/large"

    assert s3_store.keys(settings.files_url) == []
    assert s3_store.unfinished() == [key]
    assert spool(settings) == []
    assert file_storage.remove_leftovers(0) == 0
    assert s3_store.unfinished() == [key]
    assert file_storage.remove_leftovers(FAR_FUTURE_MS) == 1
    assert s3_store.unfinished() == []


def test_parts_of_another_prefix_are_left_alone(
    app: Flask, settings: Settings, s3_store: s3.Store
) -> None:
    prefix = settings.files_url.removeprefix("s3://weir/")
    others = s3_store.client.call_s3(
        "create_multipart_upload", Bucket="weir", Key=f"{prefix}-other/x"
    )

    assert file_storage.remove_leftovers(FAR_FUTURE_MS) == 0

    s3_store.client.abort_mpu("weir", others["Key"], others["UploadId"])


def test_bytes_without_a_row_are_swept(
    acme: Tenant, settings: Settings, s3_store: s3.Store, clock: Clock
) -> None:
    """By the store's own clock, so the tests' is put where that one is."""
    whole = kept(acme, b"whole")["uuid"]
    lost = kept(acme, picture("PNG", (300, 300)))["uuid"]
    File.delete().where(File.uuid == lost).execute()
    modified = s3_store.client.info(f"{settings.files_url}/files/{lost[:2]}/{lost}")
    File.update(created=modified["LastModified"].timestamp() * 1000).execute()
    clock.unix_ns = int(modified["LastModified"].timestamp() * 1e9)
    clock.forward(3600 - 60)
    assert retention.sweep().orphans == 0

    clock.forward(120)

    assert retention.sweep().orphans == 2
    assert s3_store.keys(settings.files_url) == [f"files/{whole[:2]}/{whole}"]


def test_what_others_write_and_remove_is_seen(
    app: Flask, settings: Settings, s3_store: s3.Store
) -> None:
    place = f"{settings.files_url}/a/b"
    assert file_storage.entries("a") == []
    s3_store.client.pipe_file(place, b"1")
    (entry,) = file_storage.entries("a")
    assert (entry.key, entry.is_folder) == ("a/b", False)

    s3_store.client.pipe_file(place, b"22")
    with file_storage.open_stored("a/b") as stored:
        assert stored.read() == b"22"
    s3_store.client.rm_file(place)
    assert file_storage.open_stored("a/b") is None
    assert file_storage.entries("a") == []


def test_a_reader_asks_for_little_at_a_time(
    globex: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = kept(globex, LARGE[: 2 * _PART])["uuid"]
    call, asked = bucket().fs._call_s3, []

    async def noting(method: str, *arguments: Any, **options: Any) -> Any:
        if method == "get_object":
            first, last = options["Range"].removeprefix("bytes=").split("-")
            asked.append(int(last) + 1 - int(first))
        return await call(method, *arguments, **options)

    monkeypatch.setattr(bucket().fs, "_call_s3", noting)
    answer = fetch(globex, uuid, Range="bytes=1000-3000999")

    assert answer.status_code == 206
    assert answer.data == LARGE[1000:3_001_000]
    assert max(asked) <= _READ_AHEAD + 65_536
    assert sum(asked) < 3_000_000 + 2 * _READ_AHEAD


def test_out_of_reach_is_503_and_nothing_half_done(
    globex: Tenant, settings: Settings, s3_store: s3.Store, clock: Clock,
    out_of_reach: Any,
) -> None:  # fmt: skip
    """And in reach again, everything goes on as if nothing had been."""
    made = kept(globex, b"before")["uuid"]
    group = new_group(globex)
    path = f"/chatgroups/{group}/share_files"
    shared = globex.post(path, **one_file(b"x", "x")).json["data"]["file_id"]
    keep(globex.id, 3)
    before = sorted(s3_store.keys(settings.files_url))

    out_of_reach()
    answers = [
        upload(globex, part("file", b"x")),
        upload(globex, part("file", picture("PNG", (300, 300)), "a.png", "image/png")),
        fetch(globex, made),
        globex.get(f"/chatmessages/{HOUR}"),
        globex.post(path, **one_file(b"x", "x")),
    ]

    for answer in answers:
        assert answer.status_code == 503, answer.text
        assert answer.json["error"] == "service_unavailable"
        assert int(answer.headers["Retry-After"]) >= 1
        assert "weir" not in answer.json["error_description"]
    assert globex.get("/users/nobody").status_code == 404
    # The row goes first: what has none is nobody's, and the sweep's.
    assert globex.delete(f"{path}/{shared}").status_code == 200
    assert File.select().count() == 1
    assert spool(settings) == []
    sweeper = retention.Sweeper(settings)
    assert sweeper.turn() is None
    sweeper.stop()

    s3_store.open_gateway()
    assert sorted(s3_store.keys(settings.files_url)) == before
    clock.forward(61)
    assert fetch(globex, made).data == b"before"
    assert fetch(globex, kept(globex, b"after")["uuid"]).data == b"after"
    assert globex.get(f"/chatmessages/{HOUR}").status_code == 200


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"files_url": "s3://no-such-bucket/x"}, "WEIR_FILES_URL: cannot use s3://no-such-bucket/x: there is no such bucket"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "WEIR_FILES_URL: cannot use s3://weir/.*127.0.0.1:9"),
        ({"AWS_SECRET_ACCESS_KEY": "another"}, "WEIR_FILES_URL: cannot use s3://weir/.*SignatureDoesNotMatch"),
        ({"AWS_ACCESS_KEY_ID": "nobodys"}, "WEIR_FILES_URL: cannot use s3://weir/.*InvalidAccessKeyId"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "WEIR_FILES_URL: cannot use s3://weir/.*credentials"),
    ],
)  # fmt: skip
def test_a_bucket_that_cannot_be_used_is_told_at_the_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, change: dict[str, str],
    words: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    for name in set(change) - {"files_url"}:
        monkeypatch.setenv(name, change[name])
    wanted = {name: change[name] for name in change if name == "files_url"}

    with pytest.raises(BadSettings, match=words) as caught:
        file_storage.check(dataclasses.replace(settings, **wanted))

    assert s3.SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_check_leaves_nothing(settings: Settings, s3_store: s3.Store) -> None:
    file_storage.check(settings)

    assert s3_store.keys(settings.files_url) == []


def test_without_s3fs_what_to_install_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ImportError

    monkeypatch.setattr("server.store.file_bucket.url_to_fs", missing)

    with pytest.raises(BadSettings, match=r"WEIR_FILES_URL.*weir\[cluster\]"):
        file_storage.connect(settings)
