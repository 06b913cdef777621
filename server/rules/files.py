# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""Files: the rules of limits.md:24."""

from flask import Blueprint

from server.kinds import Bandwidth, Calls, Kept, MaxBytes, Rate, Stated
from server.limiting import limit_every_route, limit_route

blueprint = Blueprint("files", __name__)

CALLS = Calls(
    "files.calls",
    scope="app",
    rates={
        "community": Rate(
            10,
            "second",
            "single app call limit 10 times/second",
            "limits.md:24",
        ),
        "enterprise": Rate(
            30,
            "second",
            "single app call limit 30 times/second",
            "limits.md:24",
        ),
    },
)
limit_every_route(blueprint, CALLS)

DOWNLOAD_BANDWIDTH = Bandwidth(
    "files.download_bandwidth",
    Stated(512000, "single connection download limited to 500k/s", "limits.md:24"),
)

CLUSTER_DOWNLOADS = Calls(
    "files.cluster_downloads",
    scope="cluster",
    rates={
        "community": Rate(
            300,
            "second",
            "cluster download call limited to 300 times/second",
            "limits.md:24",
        ),
        "enterprise": Rate(
            300,
            "second",
            "cluster download call limited to 300 times/second",
            "limits.md:24",
        ),
    },
)
cluster_downloads = limit_route(CLUSTER_DOWNLOADS)

FILE = MaxBytes(
    "files.file",
    Stated(10485760, "file size 10M bytes", "limits.md:52"),
)

UPLOADED_FILE = Kept(
    "files.uploaded_file",
    Stated(604800, "uploaded file kept 7 days", "limits.md:52"),
)
