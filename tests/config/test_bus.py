import pytest

from fastrouter import config
from fastrouter.errors import ConfigError


def bus(**values: object) -> config.Bus:
    overrides = {f"bus.{name}": value for name, value in values.items()}
    return config.load(None, overrides).settings.bus


def test_there_is_none_unless_configured():
    found = bus()
    assert (found.dial, found.listen, found.publish) == ((), (), None)
    assert found.kinds == ("job", "trade", "position", "signal", "order")


def test_one_and_several(tmp_path):
    file = tmp_path / "f.toml"
    file.write_text(
        '[bus]\nlisten = "tcp://127.0.0.1:5555"\ndial = ["ipc:///run/a", "ws://h:1/b"]\n'
        'topics = "job.*, trade."\nkinds = ["quote"]\nbuffer = 8\n'
    )
    found = config.load(file).settings.bus
    assert found.listen == ("tcp://127.0.0.1:5555",)
    assert found.dial == ("ipc:///run/a", "ws://h:1/b")
    assert (found.topics, found.kinds, found.buffer) == (("job.*", "trade."), ("quote",), 8)


def test_by_the_environment(monkeypatch):
    monkeypatch.setenv("FASTROUTER_BUS__DIAL", "tcp://a:1,tcp://b:2,tcp://a:1")
    monkeypatch.setenv("FASTROUTER_BUS__PUBLISH", "tcp://127.0.0.1:0")
    found = config.load().settings.bus
    assert (found.dial, found.publish) == (("tcp://a:1", "tcp://b:2"), "tcp://127.0.0.1:0")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("dial", "a:1", "bus.dial = 'a:1' (command line): 'a:1' is no address of a bus"),
        ("listen", "tcp://h", "'tcp://h' lacks a host or a port"),
        ("publish", "x", "'x' is no address of a bus; allowed: tcp://HOST:PORT"),
        ("kinds", "coffee", "'coffee' is no kind; allowed: quote, candle, order"),
        ("kinds", "", "at least 1 item"),
        ("buffer", 0, "bus.buffer = 0 (command line)"),
        ("buffer", 9000, "1 to 8192 messages"),
        ("speed", 1, "bus.speed = 1 (command line): no such setting"),
    ],
)
def test_what_cannot_be(name, value, said):
    with pytest.raises(ConfigError) as caught:
        bus(**{name: value})
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
