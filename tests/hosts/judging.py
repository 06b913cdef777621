"""What must hold of the calls that several hosts answered, whatever happened to them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import orjson

from tests.hosts.load import Outcome


def most_in_a_second(admitted: Iterable[Outcome]) -> int:
    """The most calls that were certainly counted within a second of each other.

    Each was counted between its two times. Of as many that end less than a second after
    the first of them began, all lie in one window.
    """
    calls = list(admitted)
    begins = sorted(each.began for each in calls)
    ends = sorted(each.ended for each in calls)
    most = last = 0
    for first, began in enumerate(begins):
        while last < len(ends) and ends[last] - began < 1.0:
            last += 1
        most = max(most, last - first)
    return most


def out_of_order(sends: Sequence[Outcome]) -> list[tuple[Outcome, Outcome]]:
    """Pairs of which the first was answered before the second began, with larger ids."""
    found = []
    ended = sorted(sends, key=lambda each: each.ended)
    last, largest = 0, None
    for send in sorted(sends, key=lambda each: each.began):
        while last < len(ended) and ended[last].ended < send.began:
            if largest is None or max(ended[last].ids) > max(largest.ids):
                largest = ended[last]
            last += 1
        if largest is not None and min(send.ids) <= max(largest.ids):
            found.append((largest, send))
    return found


def wrongly_kept(
    sends: Iterable[Outcome],
    rows: Iterable[tuple[int, str, str]],
    targets: Sequence[str],
) -> list[str]:
    """What the messages that are kept, as (id, target, body), have against the answers.

    An acknowledged send is there whole, under the ids it was told; a refused one is
    not; one without an answer is there whole, or not at all.
    """
    kept: dict[str, list[tuple[int, str]]] = {}
    for id_, target, body in rows:
        kept.setdefault(orjson.loads(body)["msg"], []).append((id_, target))
    wrong = []
    for send in sends:
        found = sorted(kept.pop(send.marker, []))
        if send.status == 200:
            good = found == list(zip(send.ids, targets, strict=True))
        elif send.is_unknown:
            good = [target for _, target in found] in ([], list(targets))
        else:
            good = not found
        if not good:
            wrong.append(f"{send} is kept as {found}")
    return wrong + [f"nobody sent {marker}" for marker in kept]


def figures(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What was answered, and how near the rates it came, for a report."""
    for interface in sorted({each.interface for each in outcomes}):
        found = [each for each in outcomes if each.interface == interface]
        told = Counter(
            "no answer" if each.is_unknown else str(each.status) for each in found
        )
        counts = ", ".join(f"{count} x {what}" for what, count in sorted(told.items()))
        yield f"{interface}: {counts}"
        for app in sorted({each.app for each in found}):
            admitted = [
                each
                for each in found
                if each.app == app
                and each.status not in (429, 503)
                and not each.is_unknown
            ]
            yield f"  {app}: at most {most_in_a_second(admitted)} admitted in a second"
