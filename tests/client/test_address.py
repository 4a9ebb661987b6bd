import pytest

from fastrouter.client.address import asked_for, check, split_items, with_subscriptions
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
