"""Phrases to claims: every form, in the wordings that a table may use."""

import pytest

from codegen import inline, phrases, spec
from codegen.forms import FORMS, BoundClaim, CallsClaim, Claim, Form
from codegen.phrases import Reading
from codegen.problems import Misread

EDITIONS = {"community": "Community Edition", "enterprise": "Enterprise Edition"}


def read(words: str) -> Reading | None:
    return phrases.read(inline.read(words, 1, 1), EDITIONS)


def claim(words: str) -> Claim:
    reading = read(words)
    assert reading
    return reading.claim


EXAMPLES = {
    "single app call limited to 10 times/second": CallsClaim(
        "calls", "app", 10, "second"
    ),
    "cluster download call limited to 300 times/second": CallsClaim(
        "cluster_downloads", "cluster", 300, "second"
    ),
    "single connection download limited to 500k/s": BoundClaim(
        "download_bandwidth", spec.BANDWIDTH, 512_000
    ),
    "message + extended field length 4k bytes": BoundClaim(
        "message_and_extension", spec.MAX_BYTES, 4096
    ),
    "single user can join 500 groups": BoundClaim(
        "joined_groups", spec.MEMBERSHIP, 500
    ),
    'the limit of "daily system push messages" is 20,000 messages': BoundClaim(
        "daily_system_push_messages", spec.QUOTA, 20_000
    ),
    "single user can have 3,000 contacts": BoundClaim(
        "contacts_per_user", spec.MEMBERSHIP, 3000
    ),
    "user ID length 64 characters": BoundClaim("user_id", spec.MAX_LENGTH, 64),
    "attributes size 2k bytes": BoundClaim("attributes", spec.MAX_BYTES, 2048),
    "bulk registration 60 IDs each time": BoundClaim(
        "bulk_registration", spec.MAX_ITEMS, 60
    ),
    "files kept 7 days": BoundClaim("files", spec.KEPT, 604_800),
}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.example)
def test_the_example_of_a_form_is_read_back(form: Form) -> None:
    assert claim(form.example) == EXAMPLES[form.example]


@pytest.mark.parametrize(
    ("words", "calls", "unit"),
    [
        ("Single APP call limit 10 times/second", 10, "second"),
        ("Single APP call is limited to 10 times/s", 10, "second"),
        ("single app calls limited to up to 1,000 times / min", 1000, "minute"),
        ("SINGLE APP CALL LIMIT 1 time/minute", 1, "minute"),
        ("single app call: at most 5 times per hour.", 5, "hour"),
        ("single app call limit 7 times a day", 7, "day"),
        ("single app call limit 7 times each hr", 7, "hour"),
        ("single app call max 7 times every sec", 7, "second"),
    ],
)
def test_a_rate_may_be_worded_so(words: str, calls: int, unit: str) -> None:
    assert claim(words) == CallsClaim("calls", "app", calls, unit)


@pytest.mark.parametrize(
    ("words", "name", "kind", "figure"),
    [
        ("User ID length Maximum 64 characters", "user_id", spec.MAX_LENGTH, 64),
        ("the “user ID” length is 64 character", "user_id", spec.MAX_LENGTH, 64),
        ("e-mail length: 50 characters", "e_mail", spec.MAX_LENGTH, 50),
        ("file size up to 10MB", "file", spec.MAX_BYTES, 10 * 1024**2),
        ("file size 10 m bytes", "file", spec.MAX_BYTES, 10 * 1024**2),
        ("file size 2048 bytes", "file", spec.MAX_BYTES, 2048),
        ("app attributes size 10G", "app_attributes", spec.MAX_BYTES, 10 * 1024**3),
        ("message and extension length 5 kb", "message_and_extension",
         spec.MAX_BYTES, 5120),
        ("members added 60 users at a time", "members_added", spec.MAX_ITEMS, 60),
        ("single group can have 1 administrator", "administrators_per_group",
         spec.MEMBERSHIP, 1),
        ("Single user can join up to 500 chat rooms", "joined_chat_rooms",
         spec.MEMBERSHIP, 500),
        ("history is kept 30 minutes", "history", spec.KEPT, 1800),
        ("links kept 90 sec", "links", spec.KEPT, 90),
        ("single connection download 1 MB per second", "download_bandwidth",
         spec.BANDWIDTH, 1024**2),
    ],
)  # fmt: skip
def test_a_bound_may_be_worded_so(
    words: str, name: str, kind: spec.Kind, figure: int
) -> None:
    assert claim(words) == BoundClaim(name, kind, figure)


@pytest.mark.parametrize(
    "words",
    [
        "user ID length 64 characters in the Community edition",
        "user ID length in the community version is 64 characters",
        "user ID length 64 characters in community editions",
        "user ID length 64 characters in the Community Version.",
    ],
)
def test_any_form_may_name_an_edition(words: str) -> None:
    reading = read(words)

    assert reading
    assert reading.edition == "community"
    assert reading.claim == BoundClaim("user_id", spec.MAX_LENGTH, 64)


def test_a_subject_may_be_a_version_of_something() -> None:
    reading = read("client version length 9 characters in the enterprise edition")

    assert reading
    assert reading.edition == "enterprise"
    assert reading.claim == BoundClaim("client_version", spec.MAX_LENGTH, 9)


def test_the_words_are_the_phrase_as_written() -> None:
    text = inline.read("  User  ID length\tMaximum 64 characters ", 3, 10)
    (piece,) = phrases.split(text)

    reading = phrases.read(piece, EDITIONS)

    assert reading
    assert reading.stated.words == "User ID length Maximum 64 characters"
    assert (reading.stated.line, reading.stated.column) == (3, 12)


@pytest.mark.parametrize("words", ["", "just words", "a/b, c"])
def test_words_without_a_figure_are_description(words: str) -> None:
    assert read(words) is None


@pytest.mark.parametrize(
    "words",
    [
        "5",
        "10 times/second",
        "user ID length 64 characters or so",
        "about user ID length -64 characters",
        "user ID length 64 characters 5",
        "user 2 length 64 characters",
        "user ID length 6 4 characters",
        "user ID length 6-4 characters",
        "user ID length 64,00 characters",
        "user ID length 6e4 characters",
        "user ID length 0x40 characters",
        "user ID length 1_000 characters",
        "user ID length 50% characters",
        "user ID length <64 characters",
        "user ID length ６４ characters",
        "user ID length Ⅳ characters",
        "no user ID length 64 characters",
        "single app call limit ½ times/second 1",
        "single app call limit 10 times/second or 5",
        "single app call limit 10 times each time",
        "single connection download size 500k",
        "kept 5 weeks",
        "files kept 5 weeks",
        "single user can have 0 contacts",
        "limit of daily push messages is 5 users",
    ],
)
def test_a_figure_is_never_half_understood(words: str) -> None:
    with pytest.raises(Misread):
        read(words)


def test_phrases_are_parted_by_semicolons_and_brackets() -> None:
    cell = inline.read("a; b (c; d) e；f", 1, 1)

    assert [piece.plain for piece in phrases.split(cell)] == list("abcdef")


def test_a_rate_ends_the_description_that_spilled_before_it() -> None:
    cell = inline.read("add or remove Single APP call limit 10 times/sec", 1, 5)

    before, rate = phrases.read_rate(cell, EDITIONS)

    assert before.plain == "add or remove"
    assert rate
    assert rate.stated.words == "Single APP call limit 10 times/sec"
    assert rate.stated.column == 19
