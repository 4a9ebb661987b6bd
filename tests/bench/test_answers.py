"""What is a fault in the answers to a fuzzer."""

import json

import pytest

from fastrouter.bench import answers, inputs

OK = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
TEXT = b"\x81\x0e" + json.dumps({"type": "ab"}).encode()
FAULTS = {
    "hung": OK + answers.HUNG,
    "no HTTP": b"SSH-2.0",
    "status": b"HTTP/1.1 500 Internal Server Error\r\n\r\n",
    "masked": OK + b"\x81\x80mask",
    "fragment": OK + b"\x01\x00",
    "reserved bit": OK + b"\xc1\x00",
    "not whole": OK + TEXT[:-1],
    "no type": OK + b"\x81\x02{}",
    "binary": OK + b"\x82\x00",
    "close code": OK + b"\x88\x02\x03\xed",
    "after the close": OK + b"\x88\x02\x03\xe8" + TEXT,
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told(name):
    with pytest.raises(answers.BadAnswer):
        answers.judge(FAULTS[name], legal=False)


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (b"", "cut"),
        (OK + TEXT, "cut"),
        (OK + TEXT + b"\x88\x02\x03\xea", "close 1002"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n{}", "HTTP 404"),
    ],
)
def test_how_a_connection_may_end(answer, how):
    assert answers.judge(answer, legal=False) == how
    with pytest.raises(answers.BadAnswer):
        answers.judge(answer, legal=True)


def test_the_sentinels_pong_is_all_that_is_well():
    pong = b"\x8a" + bytes([len(inputs.SENTINEL)]) + inputs.SENTINEL
    assert answers.judge(OK + TEXT + pong, legal=True) == "well"


# ---------------------------------------------------------------------------- HTTP


def http(status: int, body: bytes = b"{}", *headers: bytes) -> bytes:
    told = b"".join(b"\r\n" + line for line in headers)
    return b"HTTP/1.1 %d X\r\ncontent-length: %d%b\r\n\r\n%b" % (status, len(body), told, body)


LAST = http(400, b"{}", b"Connection: close")
PONG = b"\x8a" + bytes([len(inputs.SENTINEL)]) + inputs.SENTINEL
HTTP_FAULTS = {
    "hung": (http(200) + answers.HUNG, ()),
    "status": (http(500), ()),
    "no length": (b"HTTP/1.1 200 OK\r\n\r\n", ()),
    "more than its length": (http(200) + b"x\r\n\r\n", ()),
    "behind the last": (LAST + http(200), ()),
    "one is missing": (http(200), (200, 404)),
    "one too many": (http(200) + http(404), (200,)),
    "another": (http(404), (200,)),
    "cut": (http(200)[:-1], (200,)),
    "nothing": (b"", (200,)),
    "no session": (http(200) + OK + TEXT, (200, 101)),
    "frame": (OK + b"\x81\x02{}", ()),
}


@pytest.mark.parametrize("name", HTTP_FAULTS)
def test_a_fault_of_http_is_told(name):
    with pytest.raises(answers.BadAnswer):
        answers.judge_http(*HTTP_FAULTS[name])


@pytest.mark.parametrize(
    ("answer", "statuses", "how"),
    [
        (b"", (), "cut"),
        (http(200) + http(404)[:-1], (), "cut"),
        (http(200) + http(404)[:10], (), "cut"),
        (http(202) + LAST, (), "HTTP 400"),
        (http(202) + answers.CONTINUE + LAST, (202, 400), "HTTP 400"),
        (http(200) + OK + TEXT + b"\x88\x02\x03\xea", (), "close 1002"),
        (http(200) + OK + TEXT + PONG, (200, 101), "well"),
    ],
)
def test_how_requests_may_end(answer, statuses, how):
    assert answers.judge_http(answer, statuses) == how
