import pytest

from fastrouter.client.address import (
    asked_for,
    check,
    number_of,
    parameter,
    shown,
    split_items,
    with_parameters,
)
from fastrouter.errors import ConnectionFailed


@pytest.mark.parametrize(
    ("url", "items", "expected"),
    [
        ("ws://h:1", None, "ws://h:1"),
        ("ws://h:1/ws", ["S:AAPL:quote"], "ws://h:1/ws?subscriptions=S:AAPL:quote"),
        ("ws://h/ws?a=%20b&c", ["C:*:candle"], "ws://h/ws?a=%20b&c&subscriptions=C:*:candle"),
        ("ws://h/?subscriptions=x:quote&k=1", ["a:quote", "b:quote"],
         "ws://h/?k=1&subscriptions=a:quote,b:quote"),
        ("ws://h", ["S:A&B=C#1:quote"], "ws://h?subscriptions=S:A%26B%3DC%231:quote"),
        ("ws://h", ["S:É+:candle@5m"], "ws://h?subscriptions=S:%C3%89%2B:candle@5m"),
        ("ws://h", [], "ws://h?subscriptions="),
    ],
)  # fmt: skip
def test_subscriptions_go_by_query_string(url: str, items: list[str] | None, expected: str):
    assert with_subscriptions(url, items) == expected


def with_subscriptions(url: str, items: list[str] | None) -> str:
    return with_parameters(url, {"subscriptions": None if items is None else ",".join(items)})


def test_a_parameter_takes_the_place_of_its_own():
    url = "ws://h/?since=evt_1&k=%20&since=evt_2"
    assert parameter(url, "since") == "evt_1"
    assert parameter(url, "conflate") is None
    assert with_parameters(url, {"conflate": None}) == url
    found = with_parameters(url, {"since": "evt_9", "conflate": "250ms"})
    assert found == "ws://h/?k=%20&since=evt_9&conflate=250ms"


@pytest.mark.parametrize(
    ("url", "text"),
    [("ws://h:1/ws?token=x", "ws://h:1/ws"), ("wss://me:x@[::1]:1/#x", "wss://[::1]:1/"),
     ("ws://[", "a URL")],
)  # fmt: skip
def test_what_may_be_logged(url: str, text: str):
    assert shown(url) == text


@pytest.mark.parametrize(("since", "number"), [("evt_12", 12), ("12", 12), (12, 12), ("evt_0", 0)])
def test_an_event_number(since: str | int, number: int):
    assert number_of(since) == number


@pytest.mark.parametrize("since", ["", "evt_", "evt_-1", -1, "evt_x", "evt_1.5", True, "evt_²"])
def test_no_event_number(since: str | int):
    with pytest.raises(ConnectionFailed, match="is no event's id") as caught:
        number_of(since)
    assert caught.value.code == "INVALID_SINCE"


@pytest.mark.parametrize("items", [["S:AAPL:quote"], ["S:A&B=C#1:quote", "*:candle"], ["é:quote"]])
def test_what_goes_in_comes_out(items: list[str]):
    assert asked_for(with_subscriptions("ws://h/ws?x=1", items)) == items


def test_a_url_that_asks_for_nothing():
    assert asked_for("ws://h/ws?x=1") is None


def test_items_are_trimmed():
    assert split_items(" S:A:quote, ,C:B:candle ,") == ["S:A:quote", "C:B:candle"]


@pytest.mark.parametrize(
    "url", ["http://h", "h:8082", "ws://", "ws://h:99999", "ws://h/#x", "", "ws://[::1"]
)
def test_not_a_websocket_url(url: str):
    with pytest.raises(ConnectionFailed, match="is not a WebSocket URL") as caught:
        check(url)
    assert caught.value.code == "INVALID_URL"


@pytest.mark.parametrize("url", ["ws://h", "wss://h:1/ws?x=1", "ws://[::1]:8082/ws"])
def test_a_websocket_url(url: str):
    assert check(url) == url
