"""The figures of Upload and download."""

import uuid

from werkzeug.test import TestResponse

from server.clock import now_ms
from server.store.models import File
from tests.conftest import Tenant, make_tenant
from tests.probes.base import CALLS, passes, probe, refused_by

NOWHERE = "/chatfiles/3c1f9a60-7b52-11ee-9d0e-6f2b8c4d1a77"
APPS_OF_A_CLUSTER = 60
"""So many that no app's own rate is met before the cluster's."""


def upload(tenant: Tenant, content: bytes) -> TestResponse:
    body = (
        b'--limit\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        + content
        + b"\r\n--limit--\r\n"
    )
    kind = "multipart/form-data; boundary=limit"
    return tenant.post("/chatfiles", data=body, content_type=kind)


def kept(tenant: Tenant, content: bytes) -> str:
    found: str = passes(upload(tenant, content)).json["entities"][0]["uuid"]
    return f"/chatfiles/{found}"


# A call that no limit but the interface's own binds: an upload without a file.
CALLS["files.calls"] = lambda tenant: tenant.post(
    "/chatfiles", data=b"", content_type="text/plain"
)


def cluster_download(tenant: Tenant) -> TestResponse:
    """By one of many apps, each in its turn."""
    apps: list[Tenant] = tenant.__dict__.setdefault("cluster", [])
    if len(apps) < APPS_OF_A_CLUSTER:
        name = f"cluster/{uuid.uuid4().hex}"
        apps.append(make_tenant(tenant.client.application, name, tenant.row.edition))
        return apps[-1].get(NOWHERE)
    apps.append(apps.pop(0))
    return apps[-1].get(NOWHERE)


CALLS["files.cluster_downloads"] = cluster_download


@probe("files.file")
def file_size(tenant: Tenant, figure: int) -> None:
    refused_by("files.file", upload(tenant, bytes(figure + 1)), 413)
    passes(upload(tenant, bytes(figure)))


@probe("files.uploaded_file")
def uploaded_file(tenant: Tenant, figure: int) -> None:
    """It was uploaded so long ago, as if it had been."""
    path = kept(tenant, b"x")
    File.update(created=now_ms() - figure * 1000).execute()
    passes(tenant.get(path, buffered=True))
    File.update(created=now_ms() - figure * 1000 - 1).execute()
    assert tenant.get(path).status_code == 404


@probe("files.download_bandwidth")
def download_bandwidth(tenant: Tenant, figure: int) -> None:
    """One second's worth may leave at once, the rest takes its time to the byte."""
    path = kept(tenant, bytes(figure * 3))
    began, sent = now_ms(), 0
    answer = passes(tenant.get(path))
    for chunk in answer.response:
        sent += len(chunk)
        # The clock of the test is read in whole milliseconds.
        assert sent <= figure * (now_ms() - began + 1) / 1000 + figure
    answer.close()
    assert sent == figure * 3
    assert 1999 <= now_ms() - began <= 2001
