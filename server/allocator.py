"""How glibc keeps memory that is free: for itself, unless it is told not to."""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGE = 128 * 1024
_ARENAS = 2


def give_back_early() -> None:
    """Have what is large given back to the system when it is freed.

    By default each thread fills a heap of its own, and after the first large block that
    is freed, ever larger ones are kept: a worker that was busy once stays large.
    Children inherit this. Where the library is another, nothing is changed.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    mallopt(_MMAP_THRESHOLD, _LARGE)
    mallopt(_TRIM_THRESHOLD, _LARGE)
    mallopt(_ARENA_MAX, _ARENAS)
