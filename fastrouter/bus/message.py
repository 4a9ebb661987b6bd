"""A message on the bus: the event's type, a space, and DGBIT's envelope.

::

    job.created {"type":"job.created","timestamp":"…","payload":{…}}

NNG compares what a subscriber asked for with a message's first bytes: the type in front is what
makes ``job.`` a subscription. What is read is taken more generously: whatever stands before the
first ``{``, and an envelope with nothing before it, too.
"""

from __future__ import annotations

from fastrouter.errors import MessageError

__all__ = ["message_of", "payload_of"]

TYPE = b'{"type":"'
SEPARATOR = b" "


def message_of(payload: bytes) -> bytes:
    """The message that brings an envelope as our dialects write it: ``type`` comes first."""
    end = payload.find(b'"', len(TYPE))
    if not payload.startswith(TYPE) or end < 0:
        raise ValueError(f"an envelope that does not begin with its type: {payload[:40]!r}")
    return payload[len(TYPE) : end] + SEPARATOR + payload


def payload_of(message: bytes) -> bytes:
    """The envelope in a message. Raises MessageError when there is none."""
    start = message.find(b"{")
    if start < 0:
        raise MessageError(f"no JSON object in {message[:60]!r}")
    return message[start:]
