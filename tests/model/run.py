"""A machine let run."""

from collections.abc import Callable

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Call, Machine


def run(
    begin: Callable[[], Call],
    examples: int,
    steps: int,
    *,
    seed: int | None = None,
    told: Callable[[], object] = lambda: None,
) -> None:
    """So many *examples* of so many *steps*; without a *seed* always the same ones.

    *told* is called as each begins.
    """

    class Beside(Machine):
        @staticmethod
        def begin() -> Call:
            told()
            return begin()

    if seed is not None:
        hypothesis.seed(seed)(Beside)
    run_state_machine_as_test(
        Beside,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=seed is None,
            database=None,
            deadline=None,
            suppress_health_check=[*HealthCheck],
            phases=(Phase.generate, Phase.shrink),
        ),
    )
