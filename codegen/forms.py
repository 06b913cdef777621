"""The forms a phrase can take: one small entry each, tried in this order.

To add a form, add an entry: a template, what fills it to make the example, the pattern
of its smoothed words, and what it states. Every example is read back by a test.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from codegen import spec
from codegen.figures import MOST_CALLS, Found
from codegen.problems import Misread
from codegen.spec import Kind, Scope, Unit
from codegen.words import Smooth

PIECES = {
    "<n>": r"(?P<n>[0-9][0-9,.]*)",
    "<unit>": r"(?P<unit>\S+)",
    "<subject>": r"(?P<subject>[^0-9]+?)",
    "<things>": r"(?P<things>[^0-9]+?)",
    "<per>": r"(?:/|per|each|every|a)",
    "<every time>": r"(?:(?:per|each|every) time|at a time)",
}
GAP = re.compile(r"(?<!\?P)<[a-z ]+>")


@dataclass(frozen=True)
class CallsClaim:
    """A rate, before it is known which editions it binds."""

    name: str
    scope: Scope
    calls: int
    unit: Unit


@dataclass(frozen=True)
class BoundClaim:
    """A figure, before it is known which edition it binds."""

    name: str
    kind: Kind
    figure: int


Claim = CallsClaim | BoundClaim


@dataclass(frozen=True)
class Form:
    """One way to word a limit."""

    template: str
    sample: Mapping[str, str]
    shape: str
    """The pattern of the smoothed phrase; names in <> stand for PIECES."""
    build: Callable[[Found], Claim] = field(repr=False)

    @property
    def example(self) -> str:
        return self.template.format_map(self.sample)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(GAP.sub(lambda gap: PIECES[gap[0]], self.shape))

    def read(self, smooth: Smooth) -> Claim | None:
        """What the phrase states; None when it is not of this form.

        Raises:
            Misread: it is of this form, with a figure, unit or name that cannot be.
        """
        match = self.pattern.fullmatch(smooth.text)
        return self.build(Found(smooth, match)) if match else None


def _calls(name: str, scope: Scope) -> Callable[[Found], CallsClaim]:
    return lambda found: CallsClaim(
        name, scope, found.figure(most=MOST_CALLS), found.time()
    )


def _bandwidth(found: Found) -> BoundClaim:
    per_second = found.figure(times=found.bytes())
    return BoundClaim("download_bandwidth", spec.BANDWIDTH, per_second)


def _message_size(found: Found) -> BoundClaim:
    size = found.figure(times=found.bytes())
    return BoundClaim("message_and_extension", spec.MAX_BYTES, size)


def _length(found: Found) -> BoundClaim:
    return BoundClaim(
        found.subject(), spec.MAX_LENGTH, found.figure(times=found.characters())
    )


def _size(found: Found) -> BoundClaim:
    return BoundClaim(
        found.subject(), spec.MAX_BYTES, found.figure(times=found.bytes())
    )


def _joined(found: Found) -> BoundClaim:
    return BoundClaim(f"joined_{found.things()}", spec.MEMBERSHIP, found.figure())


def _held(found: Found) -> BoundClaim:
    name = f"{found.things()}_per_{found.subject()}"
    return BoundClaim(name, spec.MEMBERSHIP, found.figure())


def _each_time(found: Found) -> BoundClaim:
    found.things()  # a unit is no thing to count
    return BoundClaim(found.subject(), spec.MAX_ITEMS, found.figure())


def _kept(found: Found) -> BoundClaim:
    seconds = spec.SECONDS[found.time()]
    return BoundClaim(found.subject(), spec.KEPT, found.figure(times=seconds))


def _quota(found: Found) -> BoundClaim:
    return BoundClaim(found.subject(), spec.QUOTA, found.figure())


APP_CALLS = Form(
    "single app call limited to {n} times/{time}",
    {"n": "10", "time": "second"},
    "single app calls? <n> times? <per> <unit>",
    _calls("calls", "app"),
)

FORMS = (
    APP_CALLS,
    Form(
        "cluster download call limited to {n} times/{time}",
        {"n": "300", "time": "second"},
        "cluster downloads? calls? <n> times? <per> <unit>",
        _calls("cluster_downloads", "cluster"),
    ),
    Form(
        "single connection download limited to {n}k/s",
        {"n": "500"},
        "single connection downloads? <n> <unit>(?: bytes?)? <per> "
        "(?:s|secs?|seconds?)",
        _bandwidth,
    ),
    Form(
        "message + extended field length {n}k bytes",
        {"n": "4"},
        r"messages? (?:\+|and|plus) (?:extended fields?|extensions?) lengths? "
        "<n> <unit>(?: bytes?)?",
        _message_size,
    ),
    Form(
        "single user can join {n} {things}",
        {"n": "500", "things": "groups"},
        "single users? can join <n> (?P<things>groups?|chat rooms?)",
        _joined,
    ),
    Form(
        "{subject} length {n} characters",
        {"subject": "user ID", "n": "64"},
        "<subject> lengths? <n> <unit>",
        _length,
    ),
    Form(
        "{subject} size {n}k bytes",
        {"subject": "attributes", "n": "2"},
        "<subject> sizes? <n> <unit>(?: bytes?)?",
        _size,
    ),
    Form(
        "{subject} {n} {things} each time",
        {"subject": "bulk registration", "n": "60", "things": "IDs"},
        "<subject> <n> <things> <every time>",
        _each_time,
    ),
    Form(
        "{subject} kept {n} {time}",
        {"subject": "files", "n": "7", "time": "days"},
        "<subject> kept <n> <unit>",
        _kept,
    ),
    Form(
        'the limit of "{subject}" is {n} messages',
        {"subject": "daily system push messages", "n": "20,000"},
        "(?:the )?of (?P<subject>daily [^0-9]+?) <n> messages?",
        _quota,
    ),
    Form(
        "single {subject} can have {n} {things}",
        {"subject": "user", "n": "3,000", "things": "contacts"},
        "single <subject> can have <n> <things>",
        _held,
    ),
)


def claim(smooth: Smooth) -> Claim | None:
    """What a phrase states, by the first form that reads it whole; None by none.

    Raises:
        Misread: a form reads it, and what it says cannot be.
    """
    misread: Misread | None = None
    for form in FORMS:
        try:
            claimed = form.read(smooth)
        except Misread as error:
            misread = misread or error
        else:
            if claimed:
                return claimed
    if misread:
        raise misread
    return None
