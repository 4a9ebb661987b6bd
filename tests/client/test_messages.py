import json
import uuid

from fastrouter.client import messages


def test_pong():
    assert json.loads(messages.PONG) == {"type": "pong"}


def test_acknowledge_is_what_the_guide_shows():
    message = json.loads(messages.acknowledge([123, 124], 1_700_000_000.0))
    assert uuid.UUID(message.pop("correlation_id")).version == 4
    assert message == {
        "type": "event_ack",
        "events_processed": ["evt_123", "evt_124"],
        "timestamp": 1_700_000_000_000,
    }


def test_change():
    assert json.loads(messages.change("subscribe", ["S:AAPL:quote"])) == {
        "type": "subscribe",
        "subscriptions": ["S:AAPL:quote"],
    }
