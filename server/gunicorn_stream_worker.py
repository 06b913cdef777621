"""gunicorn's gevent worker, which has streams end when it is to end."""

from typing import Any

from gunicorn.workers.ggevent import GeventWorker

from server.gunicorn_worker import end_streams


class StreamWorker(GeventWorker):  # type: ignore[misc]  # gunicorn ships no types
    """A greenlet for each connection: thousands are no more than their memory."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        end_streams(self.wsgi)
