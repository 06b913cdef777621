"""Two readers of one connection must agree where a request ends.

A proxy that reads a request's length another way than we do would let a caller put a
second one inside the first, past whatever the proxy forbids. So what can be read two
ways is refused, and nothing that follows it on the connection is served.
"""

import pytest

from tests.security.conftest import Attacked

HIDDEN = b"GET /healthz?hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SEND = b'{"target_type":"users","target":["ada"],"msg":{"type":"txt","msg":"hi"}}'
HEAD = (
    b"POST /acme/chat/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n"
)


def chunk(content: bytes, size: bytes | None = None, end: bytes = b"\r\n") -> bytes:
    return (size or b"%x" % len(content)) + b"\r\n" + content + end


WHOLE = chunk(SEND) + b"0\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(SEND)
CHUNKED = b"Transfer-Encoding: chunked\r\n"

# What stands in the head after HEAD, and the body.
FRAMINGS: dict[str, tuple[bytes, bytes]] = {
    "CL.TE": (b"Content-Length: 6\r\n" + CHUNKED, b"0\r\n\r\nG"),
    "CL.TE the other way round": (CHUNKED + b"Content-Length: 6\r\n", b"0\r\n\r\nG"),
    "TE.CL": (CHUNKED + b"Content-Length: 4\r\n", WHOLE),
    "TE.CL of nothing": (CHUNKED + b"Content-Length: 0\r\n", WHOLE),
    "two lengths": (b"Content-Length: 0\r\n" + LENGTH, SEND),
    "one length twice": (LENGTH + LENGTH, SEND),
    "a list of lengths": (b"Content-Length: 71, 71\r\n", SEND),
    "a length with a sign": (b"Content-Length: +71\r\n", SEND),
    "a negative length": (b"Content-Length: -1\r\n", SEND),
    "a length in hex": (b"Content-Length: 0x47\r\n", SEND),
    "a length with a blank in it": (b"Content-Length: 7 1\r\n", SEND),
    "a length with an underscore": (b"Content-Length: 7_1\r\n", SEND),
    "a length in other digits": (b"Content-Length: 7\xb9\r\n", SEND),
    "no length at all": (b"Content-Length:\r\n", SEND),
    "a length beyond all": (b"Content-Length: " + b"9" * 5000 + b"\r\n", SEND),
    "a blank before the colon": (b"Content-Length : 71\r\n", SEND),
    "a tab before the colon": (b"Transfer-Encoding\t: chunked\r\n", WHOLE),
    "two codings": (b"Transfer-Encoding: chunked, chunked\r\n", WHOLE),
    "two coding fields": (CHUNKED + CHUNKED, WHOLE),
    "chunked and then not": (b"Transfer-Encoding: chunked, identity\r\n", WHOLE),
    "not chunked at the end": (b"Transfer-Encoding: chunked, gzip\r\n", WHOLE),
    "gzip alone": (b"Transfer-Encoding: gzip\r\n", SEND),
    "identity beside a length": (b"Transfer-Encoding: identity\r\n" + LENGTH, SEND),
    "an unknown coding": (b"Transfer-Encoding: xchunked\r\n", WHOLE),
    "a coding in quotes": (b'Transfer-Encoding: "chunked"\r\n', WHOLE),
    "a coding with a parameter": (b"Transfer-Encoding: chunked;q=1\r\n", WHOLE),
    "a coding behind a control": (b"Transfer-Encoding: \x0bchunked\r\n", WHOLE),
    "no coding": (b"Transfer-Encoding:\r\n", WHOLE),
    "a coding that is folded": (b"Transfer-Encoding:\r\n chunked\r\n", WHOLE),
    "a field that is folded": (b"X-A: b\r\n Transfer-Encoding: chunked\r\n" + LENGTH, SEND),
    "a fold of the first line": (b" folded: x\r\n" + LENGTH, SEND),
    "a bare line feed": (b"X-A: b\nTransfer-Encoding: chunked\r\n" + LENGTH, SEND),
    "a bare carriage return": (b"X-A: b\rTransfer-Encoding: chunked\r\n" + LENGTH, SEND),
    "a zero byte": (b"X-A: b\x00\r\n" + LENGTH, SEND),
    "a name with a zero byte": (b"X\x00A: b\r\n" + LENGTH, SEND),
    "a name that is none": (b"X(A): b\r\n" + LENGTH, SEND),
    "a line without a colon": (b"nonsense\r\n" + LENGTH, SEND),
    "two hosts": (b"Host: y\r\n" + LENGTH, SEND),
    "a size with a sign": (CHUNKED, chunk(SEND, b"+47") + b"0\r\n\r\n"),
    "a size as Python writes it": (CHUNKED, chunk(SEND, b"0x47") + b"0\r\n\r\n"),
    "a size with an underscore": (CHUNKED, chunk(SEND, b"4_7") + b"0\r\n\r\n"),
    "a size with a blank before": (CHUNKED, chunk(SEND, b" 47") + b"0\r\n\r\n"),
    "a size with a blank behind": (CHUNKED, chunk(SEND, b"47 ") + b"0\r\n\r\n"),
    "a negative size": (CHUNKED, chunk(SEND, b"-47") + b"0\r\n\r\n"),
    "an empty size": (CHUNKED, b"\r\n" + SEND + b"\r\n0\r\n\r\n"),
    "a size that overflows": (CHUNKED, chunk(SEND, b"1" + b"0" * 16 + b"47") + b"0\r\n\r\n"),
    "a size that has no end": (CHUNKED, b"0" * 20_000 + b"47\r\n" + SEND + b"\r\n0\r\n\r\n"),
    "a chunk longer than its size": (CHUNKED, chunk(SEND, b"40") + b"0\r\n\r\n"),
    "a chunk that ends in a line feed": (CHUNKED, chunk(SEND, end=b"\n") + b"0\r\n\r\n"),
    "a chunk that does not end": (CHUNKED, chunk(SEND, end=b"") + b"0\r\n\r\n"),
    "a chunk that ends in something": (CHUNKED, chunk(SEND, end=b"XX") + b"0\r\n\r\n"),
    "a size that ends in a line feed": (CHUNKED, b"47\n" + SEND + b"\r\n0\r\n\r\n"),
    "an extension with a return": (CHUNKED, chunk(SEND, b"47;a\rb") + b"0\r\n\r\n"),
    "an extension with a line feed": (CHUNKED, chunk(SEND, b"47;a\nb") + b"0\r\n\r\n"),
    "a trailer with a length": (CHUNKED, chunk(SEND) + b"0\r\nContent-Length: 9\r\n\r\n"),
    "a trailer with a token": (CHUNKED, chunk(SEND) + b"0\r\nAuthorization: Bearer x\r\n\r\n"),
    "a trailer with a coding": (CHUNKED, chunk(SEND) + b"0\r\nTransfer-Encoding: x\r\n\r\n"),
    "a trailer with a line feed": (CHUNKED, chunk(SEND) + b"0\r\nX: y\nZ: 1\r\n\r\n"),
    "a trailer that is none": (CHUNKED, chunk(SEND) + b"0\r\nnonsense\r\n\r\n"),
}  # fmt: skip

LINES: dict[str, bytes] = {
    "a line feed in the first line": b"GET /acme/chat/users HTTP/1.1\nHost: x\r\n\r\n",
    "all in line feeds": b"GET /acme/chat/users HTTP/1.1\nHost: x\n\n",
    "no version": b"GET /acme/chat/users\r\nHost: x\r\n\r\n",
    "a version of its own": b"GET /acme/chat/users HTTP/1.1x\r\nHost: x\r\n\r\n",
    "a version to come": b"GET /acme/chat/users HTTP/3.0\r\nHost: x\r\n\r\n",
    "two targets": b"GET /acme/chat/users /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tab for a blank": b"GET\t/acme/chat/users\tHTTP/1.1\r\nHost: x\r\n\r\n",
    "a target with a zero byte": b"GET /acme/chat/us\x00ers HTTP/1.1\r\nHost: x\r\n\r\n",
    "a target with other bytes": b"GET /acme/chat/\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "chunks of 1.0": b"POST /acme/chat/users HTTP/1.0\r\nHost: x\r\n" + CHUNKED + b"\r\n" + WHOLE,
    "the preface of 2.0": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}  # fmt: skip


def check_one_refusal(raw: bytes) -> None:
    """One answer, which refuses; what followed on the connection was not served."""
    assert raw.count(b"HTTP/1.1 ") == 1, raw
    status = int(raw.split(b" ", 2)[1])
    assert 400 <= status < 500 or status in (501, 505), raw
    assert b'"status":"ok"' not in raw


@pytest.mark.parametrize("form", FRAMINGS)
def test_a_length_that_can_be_read_two_ways_is_refused(
    attacked: Attacked, form: str
) -> None:
    more, body = FRAMINGS[form]

    raw = attacked.send_and_end(HEAD + more + b"\r\n" + body + HIDDEN)

    check_one_refusal(raw)


@pytest.mark.parametrize("form", LINES)
def test_a_first_line_that_is_none_is_refused(attacked: Attacked, form: str) -> None:
    check_one_refusal(attacked.send_and_end(LINES[form] + HIDDEN))


GOOD: dict[str, tuple[bytes, bytes]] = {
    "a length": (LENGTH, SEND),
    "chunks": (CHUNKED, WHOLE),
    "chunks of one byte": (CHUNKED, b"".join(chunk(SEND[n : n + 1]) for n in range(len(SEND))) + b"0\r\n\r\n"),
    "chunks in capitals": (b"transfer-encoding: CHUNKED\r\n", WHOLE),
    "zeros before a size": (CHUNKED, chunk(SEND, b"00000" + b"%x" % len(SEND)) + b"000\r\n\r\n"),
    "extensions": (CHUNKED, chunk(SEND, b"%x" % len(SEND) + b';a=b;c="d"') + b"0;last\r\n\r\n"),
    "a trailer": (CHUNKED, chunk(SEND) + b"0\r\nX-Checksum: 1\r\n\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("form", GOOD)
def test_after_a_good_body_the_next_request_begins(
    attacked: Attacked, form: str
) -> None:
    """So that what the other tests see refused is not all that there is."""
    more, body = GOOD[form]

    raw = attacked.send(HEAD + more + b"\r\n" + body + HIDDEN)

    first, second = raw.split(b"HTTP/1.1 ")[1:]
    assert b'"ada":"success"' in first, raw
    assert b'"status":"ok"' in second, raw


@pytest.mark.parametrize("size", [1_000, 70_000, 1_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_of_a_body_that_was_refused_unread_nothing_is_served(
    attacked: Attacked, size: int, chunked: bool
) -> None:
    """The rest of it may look like a request; it is read away, or the connection ends."""
    hidden = b"GET /healthz?hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    content = (hidden * (size // len(hidden) + 1))[:size]
    framing, body = (
        (CHUNKED, chunk(content) + b"0\r\n\r\n")
        if chunked
        else (b"Content-Length: %d\r\n" % size, content)
    )
    head = HEAD.replace(b"Bearer TOKEN", b"Bearer nobody's") + framing

    raw = attacked.send_and_end(head + b"\r\n" + body)

    assert raw.startswith(b"HTTP/1.1 401 ")
    assert raw.count(b"HTTP/1.1 ") == 1
    assert b'"status":"ok"' not in raw


FROM_A_PROXY: dict[str, bytes] = {
    "another root": b"SCRIPT_NAME: /x\r\n",
    "another root in capitals": b"Script_Name: /x\r\n",
    "another path": b"PATH_INFO: /healthz\r\n",
    "a user": b"REMOTE_USER: admin\r\n",
    "all": b"SCRIPT_NAME: /x\r\nPATH_INFO: /healthz\r\nREMOTE_ADDR: 127.0.0.1\r\n",
}


@pytest.mark.parametrize("form", FROM_A_PROXY)
def test_no_header_moves_a_path(attacked: Attacked, form: str) -> None:
    """Or a proxy that forbids /metrics would let /x/metrics pass, which is the same."""
    raw = attacked.send(
        b"GET /x/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        + FROM_A_PROXY[form]
        + b"\r\n"
    )

    assert raw.startswith(b"HTTP/1.1 404 "), raw
    assert b"Could not find application for x/healthz" in raw


@pytest.mark.parametrize(
    "field",
    [b"X-Forwarded-Proto: https", b"X-Forwarded-Ssl: on", b"X-Forwarded-Protocol: ssl"],
)
def test_no_header_of_a_stranger_makes_the_connection_https(
    attacked: Attacked, field: bytes
) -> None:
    raw = attacked.send(
        b"GET /acme/chat/users/ada HTTP/1.1\r\nHost: chat.example\r\nConnection: close"
        b"\r\nAuthorization: Bearer TOKEN\r\n" + field + b"\r\n\r\n"
    )

    assert b'"uri":"http://chat.example/acme/chat/users/ada"' in raw


@pytest.mark.parametrize("to", [b"h2c", b"websocket", b"TLS/1.0"])
def test_no_connection_becomes_another_protocol(attacked: Attacked, to: bytes) -> None:
    """A proxy that believed in it would let everything pass from then on."""
    raw = attacked.send(
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close"
        b"\r\nUpgrade: " + to + b"\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    )

    first = raw.split(b"HTTP/1.1 ")[1]
    assert first.startswith((b"200 ", b"400 "))
    assert b" 101 " not in raw
    assert raw.count(b'"status":"ok"') <= 1
