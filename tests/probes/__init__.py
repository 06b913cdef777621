"""For each rule, an experiment that finds its figure by calling the server.

A probe is told the figure it should find: what is just within it passes, one more is
refused under the rule's name. So the same probes show that behaviour follows the table
when its figures are changed. ``python -m tests.probes`` tries figures given as JSON.

A module an interface; each is found by being here.
"""

import importlib
import pkgutil

from tests.probes.base import CALLS, PROBES, rate

__all__ = ["CALLS", "PROBES", "rate"]

for _module in pkgutil.iter_modules(__path__):
    if _module.name not in ("base", "__main__"):
        importlib.import_module(f"{__name__}.{_module.name}")
