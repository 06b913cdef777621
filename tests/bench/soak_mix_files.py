"""The calls of a soak: uploads, downloads, and the export of an hour."""

import json
import os
import time

from tests.bench import load
from tests.bench.soak_load import Call
from tests.bench.soak_mix import Mix, call, kind
from tests.bench.soak_world import Tenant

KIND = b"multipart/form-data; boundary=limit"
SIZES = (2_000, 20_000, 60_000, 200_000)
LARGE = 1_200_000
"""More than leaves at once: the table paces it."""
OVER_SECONDS = 30
"""For so long what is over is still asked for."""
SENT_SECONDS = 60
"""An answer may have been on its way for so long."""
MARGIN_SECONDS = 3
"""Around the moment at which something is over, both answers are right."""
BYTES = os.urandom(LARGE)


@kind(2.5, "files")
def upload(mix: Mix, tenant: Tenant) -> Call:
    return _upload(tenant, mix.chance.choice(SIZES))


@kind(0.1, "files")
def upload_large(mix: Mix, tenant: Tenant) -> Call:
    return _upload(tenant, LARGE)


def _upload(tenant: Tenant, size: int) -> Call:
    body = (
        b'--limit\r\nContent-Disposition: form-data; name="file"; filename="f.bin"\r\n\r\n'
        + BYTES[:size]
        + b"\r\n--limit--\r\n"
    )

    def answered(_status: int, told: bytes) -> None:
        (made,) = json.loads(told)["entities"]
        tenant.files.append((made["uuid"], time.monotonic(), size))

    whole = load.request("POST", f"{tenant.path}/chatfiles", tenant.token, body)
    whole = whole.replace(b"application/json", KIND, 1)
    return Call("upload", whole, tenant.path, "files", answered)


@kind(5, "files")
def download(mix: Mix, tenant: Tenant) -> Call:
    """One that is kept is there whole, one that is over is not."""
    forgotten = time.monotonic() - mix.plan.kept_seconds - OVER_SECONDS
    while tenant.files and tenant.files[0][1] < forgotten:
        tenant.files.popleft()
    if not tenant.files:
        return upload(mix, tenant)
    uuid, made, size = mix.chance.choice(tenant.files)
    over = made + mix.plan.kept_seconds

    def answered(status: int, body: bytes) -> str | None:
        if status == 404:
            gone_early = time.monotonic() < over - MARGIN_SECONDS
            return "gone before its time" if gone_early else None
        if asked.sent > over + MARGIN_SECONDS:
            return "there after its time"
        return None if len(body) == size else f"{len(body)} bytes of {size}"

    asked = call(
        tenant, "files", "GET", f"/chatfiles/{uuid}", None, answered, name="download",
        expected=frozenset({200, 404}),
    )  # fmt: skip
    asked.paced = size == LARGE
    return asked


@kind(0.4, "history")
def export(mix: Mix, tenant: Tenant) -> Call:
    """Of the next app in turn: each may ask once a minute."""
    tenant = mix.history_turn[0]
    if time.monotonic() < mix.exported.get(tenant.path, 0) + 65:
        return upload(mix, tenant)
    mix.history_turn.rotate(-1)
    mix.exported[tenant.path] = time.monotonic()
    before = mix.chance.randint(0, 1)
    over = mix.plan.over_at(before)

    def answered(status: int, body: bytes) -> str | None:
        if status == 400:
            return (
                "over before its time" if time.time() < over - MARGIN_SECONDS else None
            )
        if time.time() > over + SENT_SECONDS:
            return "there after its time"
        (found,) = json.loads(body)["data"]
        mix.follow.append(("/" + found["url"].split("/", 3)[3], over))
        return None

    return call(
        tenant, "history", "GET", f"/chatmessages/{mix.plan.hour(before)}", None, answered,
        name="export", expected=frozenset({200, 400}),
    )  # fmt: skip


@kind(0.4, "")
def fetch_history(mix: Mix, tenant: Tenant) -> Call:
    """The file at an address that was told."""
    if not mix.follow:
        return upload(mix, tenant)
    address, over = mix.follow.popleft()

    def answered(status: int, body: bytes) -> str | None:
        if status == 404:
            return (
                "gone before its time" if time.time() < over - MARGIN_SECONDS else None
            )
        return None if body[:2] == b"\x1f\x8b" else "no gzip"

    whole = f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    return Call("history file", whole, "", "", answered, frozenset({200, 404}))
