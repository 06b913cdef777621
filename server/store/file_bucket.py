"""Files as objects of an S3 bucket, through fsspec's s3fs.

Bytes wait on this host's disk, in a file without a name, until they are whole: a slow
or broken upload is nothing to the bucket, and a killed process leaves nothing. Then
they are put under their key, straight from that file, so that they are never in memory
either. What is very large goes in parts; what a kill leaves of those is no object, and
for the sweep (server/retention.py).

Address and credentials are the usual variables of AWS (``AWS_ENDPOINT_URL``,
``AWS_ACCESS_KEY_ID``, ...), which botocore reads by itself.
"""

import os
import secrets
import tempfile
import threading
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from fsspec.asyn import sync
from fsspec.core import url_to_fs

from server.store.file_place import Entry

_PART = 5 * 1024 * 1024
"""Bytes: the least that S3 takes as a part of more."""
_READ_AHEAD = 256 * 1024
"""Bytes asked for at a time, so many are in memory for each download."""
_MOST_AT_ONCE = 64 * 1024 * 1024
"""Bytes of one put: should it fail, all of them are sent again."""
_PUTS_IN_PARTS = threading.Semaphore(2)
"""Each holds up to two parts in memory."""
_CHECK = "check"

# A caller waits no longer than this for a bucket that is not there.
_TRANSPORT = {
    "connect_timeout": 2,
    "read_timeout": 10,
    "retries": {"total_max_attempts": 2, "mode": "standard"},
    "max_pool_connections": 32,
    # Newer clients add checksums that stores older than them do not know.
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


class Bucket:
    """A bucket, or what is in it below a prefix."""

    def __init__(self, url: str, spool: Path) -> None:
        """*spool*: the folder in which bytes wait."""
        self.name = url
        self.spool = spool
        self.fs: Any
        self.fs, self._root = url_to_fs(
            url,
            config_kwargs=_TRANSPORT,
            use_listings_cache=False,  # other hosts write as well
            skip_instance_cache=True,
        )
        self.fs.retries = 2
        # As optional as s3fs, and so not at the top.
        botocore = import_module("botocore.exceptions")
        self._expect_header = import_module("botocore.handlers").add_expect_header
        aiohttp = import_module("aiohttp")
        self.errors: tuple[type[Exception], ...] = (
            OSError,
            botocore.BotoCoreError,
            botocore.ClientError,
            aiohttp.ClientError,
        )

    def path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def prepare(self) -> None:
        self.spool.mkdir(mode=0o700, parents=True, exist_ok=True)

    def check(self) -> None:
        key = f"{_CHECK}/{secrets.token_hex(16)}"
        self.fs.pipe_file(self.path(key), b"")
        self.remove(key)

    def incoming(self) -> "Spooled":
        return Spooled(self)

    def put(self, key: str, file: BinaryIO) -> None:
        """The bytes of *file*, read as they are sent.

        Past s3fs's own call, which would send the rest of a half-read file when it
        tries again; botocore begins from the start.
        """

        async def put() -> None:
            await self.fs.set_session()
            bucket, name, _ = self.fs.split_path(self.path(key))
            client = await self.fs.get_s3(bucket)
            # aiohttp waits without end for a "100 Continue" that a store leaves out.
            client.meta.events.unregister("before-call.s3", self._expect_header)
            file.seek(0)
            await client.put_object(Bucket=bucket, Key=name, Body=file)

        sync(self.fs.loop, put)

    def open(self, key: str) -> BinaryIO:
        opened: BinaryIO = self.fs.open(
            self.path(key), "rb", block_size=_READ_AHEAD, cache_type="readahead"
        )
        return opened

    def remove(self, key: str) -> None:
        self.fs.rm_file(self.path(key))

    def remove_folder(self, key: str) -> None:
        """There are none: what is in none is nowhere."""

    def entries(self, folder: str) -> list[Entry]:
        try:
            found = self.fs.ls(self.path(folder), detail=True, refresh=True)
        except FileNotFoundError:
            return []
        return [
            Entry(
                f"{folder}/{each['name'].rpartition('/')[2]}",
                each["type"] == "directory",
                _ms(each.get("LastModified")),
            )
            for each in found
        ]

    def remove_leftovers(self, before_ms: int) -> int:
        """Parts of what was never completed; S3 lists a thousand at a time."""
        bucket, prefix, _ = self.fs.split_path(self.path(""))
        found = self.fs.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=prefix)
        old = [
            each
            for each in found.get("Uploads", [])
            if _ms(each["Initiated"]) < before_ms
        ]
        for each in old:
            self.fs.abort_mpu(bucket, each["Key"], each["UploadId"])
        return len(old)


class Spooled:
    """Bytes on their way in, on this host until they are kept."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self.file: BinaryIO = tempfile.TemporaryFile(dir=bucket.spool)  # noqa: SIM115 (drop closes it)

    def read_back(self) -> BinaryIO:
        """Through a file of its own, so that closing it is not the end of this one."""
        self.file.flush()
        return Path(f"/dev/fd/{self.file.fileno()}").open("rb")

    def keep(self, key: str) -> None:
        self.file.flush()
        if self.file.seek(0, os.SEEK_END) <= _MOST_AT_ONCE:
            self._bucket.put(key, self.file)
            return
        with _PUTS_IN_PARTS:
            self._bucket.fs.put_file(
                f"/dev/fd/{self.file.fileno()}",
                self._bucket.path(key),
                chunksize=_PART,
                max_concurrency=1,
            )

    def drop(self) -> None:
        self.file.close()


def _ms(moment: Any) -> int:
    return 0 if moment is None else int(moment.timestamp() * 1000)
