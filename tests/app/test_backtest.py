"""Which data set a server simulates for who names none."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from fastrouter import app
from fastrouter.app.backtest import engine_of, tell_choice
from fastrouter.commands.serve import KEYS
from fastrouter.errors import ConfigError

from ..net.wire import Wire
from .visit import Visitor, settings

ROWS = "time,symbol,bid,ask\n1735689600,S:A,1,2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("days", "nights"):
        (tmp_path / f"{name}.csv").write_text(ROWS)
    (tmp_path / "hollow").mkdir()
    return tmp_path


async def told(**options: object) -> list[dict]:
    engine = engine_of(settings(**{f"backtest__{name}": value for name, value in options.items()}))
    with capture_logs() as logs:
        tell_choice(engine)
    await engine.close()
    return logs


async def test_that_clients_have_to_choose_is_logged(folder):
    (line,) = await told(data=folder)
    assert line == {
        "event": "several data sets for backtests, none by default: "
        "a client must say ?dataset=NAME, or serve --dataset NAME",
        "datasets": "days, nights",
        "log_level": "info",
    }


async def test_with_one_or_a_default_there_is_nothing_to_tell(folder):
    assert await told(data=folder, dataset="nights") == []
    assert await told() == []
    (folder / "days.csv").unlink()
    assert await told(data=folder) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [("noons", "allowed: days, nights"), ("hollow", "no file in it ends with .csv")],
)
async def test_a_default_that_is_not_there(folder, name, why):
    with pytest.raises(ConfigError, match=f"dataset = '{name}': {why}"):
        await told(data=folder, dataset=name)


def test_it_is_logged_once_when_the_server_starts(folder, capfd):
    assert app.serve(settings(backtest__data=folder), ready=Visitor())
    out, err = capfd.readouterr()
    assert f"{out}{err}".count("several data sets for backtests") == 1


def test_the_option_is_for_who_names_none(folder):
    """HELLO's URL as it is, at a server of several."""
    chosen = settings(**{KEYS["data"]: folder, KEYS["dataset"]: "nights"})
    welcomes = []

    async def come(serving: app.Serving) -> None:
        (url,) = (place.url for place in serving.endpoints if place.about == "backtests")
        wire = await Wire.open(int(url.split(":")[2].split("/")[0]), "/ws")
        assert (await wire.response())[0] == 101
        welcomes.append(await wire.message())
        await wire.bye()

    visitor = Visitor(come)
    assert app.serve(chosen, ready=visitor)
    visitor.task.result()
    assert welcomes[0]["dataset"] == "nights"
