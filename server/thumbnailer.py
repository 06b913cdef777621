"""The process that decodes pictures: ``python -m server.thumbnailer DESCRIPTOR``.

It is a worker's own (server/thumbnails.py) and ends with it, by the end of the socket
between them.
"""

import os
import resource
import socket
import sys

from server import allocator, pictures
from server.thumbnails import ASKED, MADE

MOST_MEMORY = 512 * 1024 * 1024
"""Of addresses, which are more than what is used of them."""


def main(descriptor: int) -> None:
    """Make one thumbnail after another, until nobody asks."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    allocator.give_back_early()
    if hasattr(os, "sched_setaffinity"):  # a worker is kept to one core
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    with socket.socket(fileno=descriptor) as link:
        while True:
            asked, files, _, _ = socket.recv_fds(link, ASKED.size, 1)
            if not asked:
                return
            with os.fdopen(files[0], "rb") as source:
                made = pictures.shrink(source, ASKED.unpack(asked))
            content, kind = made or (b"", "")
            head = MADE.pack(len(kind), len(content))
            link.sendall(head + kind.encode() + content)


if __name__ == "__main__":
    main(int(sys.argv[1]))
