"""The SDK in a real browser, imported from a running server."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.browser.chromium import SECONDS, chromium, pages
from tests.browser.sdk import QUICK, SCRIPTS
from tests.seeds import examples
from tests.seeds.program import CLIENTS, client
from tests.served import Served

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    with pages(SCRIPTS) as url:
        yield f"{url}/page.html"


def wait(browser: Chrome, what: str, holds: Callable[[], bool]) -> None:
    from selenium.webdriver.support.wait import WebDriverWait

    waiting = WebDriverWait(browser, SECONDS, poll_frequency=0.02)
    waiting.until(lambda _: holds(), f"no {what}; {browser.get_log('browser')}")


class Tab:
    """The page that observes a service, in a browser."""

    def __init__(self, browser: Chrome, page: str, **how: Any) -> None:
        self._browser = browser
        self._told: dict[str, deque[Any]] = defaultdict(deque)
        browser.get("about:blank")  # a new hash alone would not load it anew
        browser.get(f"{page}#{quote(json.dumps(how))}")

    def run(self, script: str, *values: Any) -> Any:
        return self._browser.execute_script(script, *values)

    def told(self, what: str) -> Any:
        """The next value of that kind."""

        def look() -> bool:
            for kind, value in self.run("return window.told?.splice(0) ?? []"):
                self._told[kind].append(value)
            return bool(self._told[what])

        wait(self._browser, what, look)
        return self._told[what].popleft()

    def message(self, kind: str) -> dict[str, Any]:
        while (message := self.told("message"))["type"] != kind:
            pass
        return message


def test_it_connects_subscribes_and_survives_a_restart(browser: Chrome, page: str):
    with Served("--symbols", "S:AAPL,S:MSFT", "--rate", "200") as server:
        tab = Tab(
            browser,
            page,
            module=server.url(8080, "/fastrouter.js", "http"),
            url=server.url(8082, "/"),
            options={"subscriptions": "S:MSFT:candle", **QUICK},
        )
        assert tab.told("connected") is True
        assert tab.message("connection")["data"]["event"] == "CONNECTED"
        tab.run("service.subscribe('S:AAPL:quote')")
        held = {"subscriptions": ["S:MSFT:candle", "S:AAPL:quote"]}
        assert tab.message("subscribed")["data"] == held
        assert tab.message("quote")["data"]["symbol"] == "S:AAPL"
        tab.run("service.getActiveStrategies()")
        assert tab.told("update")["type"] == "strategy_status_list"
        server.restart()
        assert [tab.told("connected"), tab.told("connected")] == [False, True]
        tab.run("told.length = 0")
        assert tab.message("quote")["data"]["symbol"] == "S:AAPL"
        assert tab.run("return service.isConnected()") is True
        tab.run("service.close()")
        assert tab.told("connected") is False


PAGE = """<!doctype html>
<title>DGBIT</title>
<script>
  window.printed = [];
  console.log = (...values) => printed.push(values.map(String).join(' '));
</script>
<script src="prelude.js"></script>
<script src="client.js"></script>
"""


def test_the_client_of_dgbits_page(browser: Chrome, tmp_path: Path):
    with Served("--rate", "0.001") as server, pages(tmp_path) as url:
        (tmp_path / "index.html").write_text(PAGE)
        (tmp_path / "prelude.js").write_text((CLIENTS.parent / "prelude.js").read_text())
        (tmp_path / "client.js").write_text(client("dgbit_browser.js", server.ports))
        browser.get(url)

        def printed(line: str) -> None:
            wait(browser, line, lambda: line in browser.execute_script("return printed"))

        printed("Connected to event stream")
        printed("Event: connection [object Object]")
        server.publish("job", examples.JOB_COMPLETED)
        server.publish("position", examples.POSITION_OPENED)
        printed(f"Job {examples.JOB} completed")
        printed("Win rate: 60.0%")
        printed("Event: trade.entered [object Object]")
        server.stop()
        printed("Disconnected from event stream")
