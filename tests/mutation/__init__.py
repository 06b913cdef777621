"""Each figure of limits.md changed in turn, and what callers then meet.

For every figure, up and down: a copy of the tree gets the other figure, is compiled and
served by gunicorn, and the probes of ``tests/probes`` find over HTTP what binds. The
figure that was changed must bind at its new value, every other one where it was:
what that is comes from ``tests/facts.py``, typed by hand.

The server of a copy reads a clock that its observer moves, see ``served.py``: a week
passes at once, and figure and figure + 1 meet in the same instant.
"""
