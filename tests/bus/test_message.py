import pytest

from fastrouter.bus.message import message_of, payload_of
from fastrouter.errors import MessageError

ENVELOPE = b'{"type":"job.created","timestamp":"2024-01-15T10:30:00Z","payload":{"a":{}}}'


def test_the_type_stands_in_front():
    assert message_of(ENVELOPE) == b"job.created " + ENVELOPE


def test_there_and_back():
    assert payload_of(message_of(ENVELOPE)) == ENVELOPE


@pytest.mark.parametrize(
    "front", [b"", b" ", b"job.created", b"job.created\0", b"job.created|", b"\xff\xfe: "]
)
def test_whatever_stands_in_front_is_passed_over(front):
    assert payload_of(front + ENVELOPE) == ENVELOPE


@pytest.mark.parametrize("message", [b"", b"job.created", b"[1]", b"\xff" * 200])
def test_a_message_without_an_object(message):
    with pytest.raises(MessageError, match="no JSON object in b"):
        payload_of(message)


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"id":"evt_1","type":"x"}', b'{"type":"x'])
def test_an_envelope_that_does_not_begin_with_its_type(payload):
    with pytest.raises(ValueError, match="does not begin with its type"):
        message_of(payload)
