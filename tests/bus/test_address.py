import pytest

from fastrouter.bus.address import check, is_local


@pytest.mark.parametrize(
    "address",
    [
        "tcp://127.0.0.1:5555",
        "tcp://[::1]:0",
        "tcp://bus.example:65535",
        "ipc:///run/bus.sock",
        "ws://localhost:80/bus",
        "inproc://bus",
    ],
)
def test_an_address(address):
    assert check(address) == address


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "is no address"),
        ("5555", "is no address"),
        ("127.0.0.1:5555", "is no address"),
        ("http://h:1", "is no address"),
        ("tls+tcp://h:1", "is no address"),
        ("tcp://h", "lacks a host or a port"),
        ("tcp://:5555", "lacks a host or a port"),
        ("tcp://h:65536", "lacks a host or a port"),
        ("tcp://h:x", "lacks a host or a port"),
        ("tcp://[::1:5", "lacks a host or a port"),
        ("ipc://", "names nothing"),
        ("ipc:///", "names nothing"),
        ("inproc://", "names nothing"),
        ("ipc:///a b", "characters"),
        ("tcp://h:1\n", "characters"),
    ],
)
def test_what_is_none_is_told_what_is_allowed(address, reason):
    with pytest.raises(ValueError, match="allowed: tcp://HOST:PORT, ipc:///PATH") as caught:
        check(address)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("tcp://127.0.0.1:1", True),
        ("tcp://[::1]:1", True),
        ("ws://localhost:1/x", True),
        ("ipc:///run/bus", True),
        ("inproc://bus", True),
        ("tcp://0.0.0.0:1", False),
        ("tcp://10.0.0.1:1", False),
        ("ws://bus.example:1", False),
    ],
)
def test_whether_others_reach_it(address, local):
    assert is_local(address) is local
