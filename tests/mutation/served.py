"""What gunicorn serves in a copy: ``wsgi:app``, by a clock that its observer moves.

Nothing else differs from the server as it is: the same module, after the three places
where it reads the time were handed another clock.
"""

import functools
import os
from pathlib import Path

from server import clock as machine
from server import pacing
from server.limiting import loss
from server.limiting.rings import Rings
from tests.mutation.clock import FILE, SharedClock

_clock = SharedClock(Path(os.environ["WEIR_STATE_DIR"]) / FILE)
machine.time = _clock
pacing.time = _clock
loss.Rings = functools.partial(Rings, clock=_clock.monotonic_ns)

from wsgi import app  # noqa: E402  (the clock comes first)

__all__ = ["app"]
