"""PostgreSQL and Redis, stopped, killed and paused under those who use them."""

import os
import signal
from pathlib import Path

from tests.faults.stage import Report, Stage, served
from tests.services import postgres
from tests.services.postgres import Cluster
from tests.services.redis import redis_server


def database(stage: Stage) -> Report:
    """PostgreSQL stopped, crashed and paused; then it is there again."""
    postgres.need()
    cluster = Cluster()
    try:
        cluster.execute("CREATE DATABASE weir")
        with served(stage, database_url=cluster.url("weir")):
            for turn in stage.turns():
                how = ("stop", "crash", "pause")[turn % 3]
                if how == "pause":
                    _pause(stage, cluster)
                else:
                    cluster.stop(signal.SIGINT if how == "stop" else signal.SIGQUIT)
                    stage.answered(503, 10)
                    cluster.start()
                stage.did(how)
                stage.go_on(3 * 12)
            return stage.report()
    finally:
        cluster.remove()


def _pause(stage: Stage, cluster: Cluster) -> None:
    """All of its processes; who waits for it meanwhile is answered when it wakes."""
    parent = cluster.postmaster()
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    pids = [parent, *map(int, children)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    stage.quiet(stage.chance.uniform(0.5, 3))
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def counters(stage: Stage) -> Report:
    """Redis killed and paused: closed meanwhile, nothing counted wrongly by it."""
    with (
        redis_server(stage.place / "redis") as redis,
        served(stage, counters_url=redis.url),
    ):
        for turn in stage.turns():
            how = ("kill", "pause")[turn % 2]
            (redis.kill if how == "kill" else redis.pause)()
            stage.answered(503, 30)
            (redis.start if how == "kill" else redis.resume)()
            stage.did(how)
            stage.go_on(3 * 12)
        return stage.report()
