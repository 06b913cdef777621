"""An app with users, served by threads and by greenlets."""

from collections.abc import Iterator

import pytest

from tests.server.gunicorn import ROOT, flask, serving
from tests.server.streaming.sse import Chat

CONFS = {
    "threads": "server/gunicorn_conf.py",
    "greenlets": "server/gunicorn_stream_conf.py",
}


@pytest.fixture(scope="package", params=list(CONFS))
def chat(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chat]:
    """Alice, Bob and Carol of Acme, an Enterprise app; two processes."""
    state_dir = tmp_path_factory.mktemp(f"streams-by-{request.param}") / "state"
    flask(ROOT, state_dir, "apps", "create", "acme/chat", "--edition", "enterprise")
    token = flask(ROOT, state_dir, "apps", "token", "acme/chat").strip()
    conf = CONFS[request.param]
    with serving(state_dir, conf=conf, workers="2", threads="16") as server:
        chat = Chat(server, token)
        chat.add("alice", "bob", "carol")
        yield chat
        assert "Traceback" not in server.log
