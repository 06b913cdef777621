"""Calls and refusals of the last 15 minutes, as lines to draw."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from server import activity, rules
from server.console.kept import Kept

NOW_SECONDS = 5
"""What is called "now" is the mean of so many: single seconds flicker."""
STEP_SECONDS = 10
"""Of a point of a line."""
_OUTSIDE = "Outside the table"


@dataclass(frozen=True, slots=True)
class Line:
    """The calls of one interface."""

    title: str
    name: str
    now: float
    refused_now: float
    total: int
    refused_total: int
    admitted_points: Sequence[float]
    refused_points: Sequence[float]
    """Calls a second, a point for each step, the oldest first."""

    @property
    def top(self) -> float:
        """The highest point, at least one call a second."""
        both = zip(self.admitted_points, self.refused_points, strict=True)
        return max(1.0, *(admitted + refused for admitted, refused in both))

    def all_path(self, width: int, height: int) -> str:
        """Every call, admitted or refused, as the ``d`` of an SVG path."""
        both = zip(self.admitted_points, self.refused_points, strict=True)
        return _path([sum(pair) for pair in both], self.top, width, height)

    def refused_path(self, width: int, height: int) -> str:
        return _path(self.refused_points, self.top, width, height)


def _path(values: Sequence[float], top: float, width: int, height: int) -> str:
    """The area below *values*, closed along the ground."""
    step = width / max(1, len(values) - 1)
    points = (
        f"{round(n * step, 1):g},{round(height - value / top * height, 1):g}"
        for n, value in enumerate(values)
    )
    return f"M0,{height} L{' '.join(points)} L{width},{height} Z"


def _line(title: str, name: str, series: Iterable[activity.Series]) -> Line:
    each = [*series]
    admitted = [sum(second) for second in zip(*(s.admitted for s in each), strict=True)]
    refused = [sum(second) for second in zip(*(s.refused for s in each), strict=True)]
    return Line(
        title,
        name,
        _mean(admitted[-NOW_SECONDS:]) + _mean(refused[-NOW_SECONDS:]),
        _mean(refused[-NOW_SECONDS:]),
        sum(admitted) + sum(refused),
        sum(refused),
        _steps(admitted),
        _steps(refused),
    )


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values) if values else 0.0


def _steps(values: Sequence[int]) -> list[float]:
    # From the end, so that the newest step is a whole one.
    first = len(values) % STEP_SECONDS
    return [
        _mean(values[at : at + STEP_SECONDS])
        for at in range(first, len(values), STEP_SECONDS)
    ]


def _find() -> tuple[Line, list[Line]]:
    found = activity.calls_per_second()
    lines = [
        _line(each.title, each.name, [found[each.name]]) for each in rules.INTERFACES
    ]
    whole = _line("All interfaces", "all", [found[each.name] for each in lines])
    outside = _line(_OUTSIDE, activity.OTHER, [found[activity.OTHER]])
    return whole, [*lines, outside]


lines = Kept(1, _find)
"""All interfaces together, then each, then what is outside the table."""
