"""Origins, proxies, and the count of connections."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastrouter.session.admission import Crowd, Origins, Proxies, parse_origin, parse_proxy

ALLOWED = ["https://desk.example", "http://localhost:3000", "http://[::1]:80"]


@pytest.mark.parametrize(
    ("origins", "fine"),
    [
        ([], True),
        (["https://desk.example"], True),
        (["HTTPS://Desk.Example"], True),
        (["http://localhost:3000"], True),
        (["http://[::1]:80"], True),
        (["http://desk.example"], False),
        (["https://desk.example:8443"], False),
        (["https://desk.example.evil"], False),
        (["https://evil/https://desk.example"], False),
        (["null"], False),
        ([""], False),
        (["https://desk.example", "https://evil"], False),
    ],
)
def test_origins(origins, fine):
    assert Origins(ALLOWED).allow(origins) is fine


def test_no_origins_and_all_origins():
    assert Origins().allow(["https://evil"])
    assert Origins(["*"]).allow(["https://evil"])


@pytest.mark.parametrize(
    "text", ["", "desk.example", "https://", "https://*.example", "https://a/", "https://a/b",
             "https://u@a", "https://a:x", "null", "https://a b"],
)  # fmt: skip
def test_what_is_no_origin(text):
    with pytest.raises(ValueError, match="allowed: scheme://host"):
        parse_origin(text)


@pytest.mark.parametrize("text", ["", "10.0.0.1/8", "10.0.0.0/33", "proxy.local", "fd00::/129"])
def test_what_is_no_network(text):
    with pytest.raises(ValueError, match="allowed: addresses and networks"):
        parse_proxy(text)


PROXIES = ["10.0.0.0/8", "fd00::/8", "192.168.1.1"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("fd00::1", ["2001:db8::5"], "2001:db8::5"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("8.8.8.8", ["1.2.3.4"], "8.8.8.8"),  # nobody's word counts but a proxy's
        ("10.0.0.1", ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),  # what the client itself wrote does not
        ("10.0.0.1", ["6.6.6.6", "1.2.3.4, 10.9.9.9"], "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6, 1.2.3.4, 192.168.1.1"], "1.2.3.4"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),  # all ours: the farthest
        ("10.0.0.1", ["1.2.3.4, rubbish"], "10.0.0.1"),
        ("10.0.0.1", ["rubbish, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", [" 1.2.3.4:5678 "], "1.2.3.4"),
        ("10.0.0.1", ["[2001:db8::5]:443"], "2001:db8::5"),
        ("10.0.0.1", ["::ffff:1.2.3.4"], "1.2.3.4"),
        ("::ffff:10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("fe80::1%eth0", [], "fe80::1"),
        ("", ["1.2.3.4"], ""),
    ],
)
def test_the_client_behind_proxies(peer, forwarded, client):
    assert Proxies(PROXIES).client(peer, forwarded) == client


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [(PROXIES[0].partition("/")[0], True), ("8.8.8.8", False), ("", False), ("no address", False)],
)
def test_who_is_a_proxy(peer, trusted):
    assert Proxies(PROXIES).trust(peer) is trusted
    assert not Proxies().trust(peer)


@given(st.text(), st.lists(st.text()))
def test_no_header_does_more_than_be_disbelieved(peer, forwarded):
    assert isinstance(Proxies(PROXIES).client(peer, forwarded), str)
    assert Proxies(PROXIES).client("8.8.8.8", forwarded) == "8.8.8.8"


def test_the_crowd():
    crowd = Crowd(connections=2, per_address=1)
    assert not crowd.has_its_share("a")
    crowd.enter("a")
    crowd.enter("b")
    assert crowd.has_its_share("a")
    assert not crowd.full
    assert not crowd.crowded("a")
    crowd.move("b", "a")
    assert crowd.crowded("a")
    crowd.enter("c")
    assert crowd.full
    for address in ("a", "a", "c"):
        crowd.leave(address)
    assert (crowd.connections, crowd.of("a"), crowd.of("c")) == (0, 0, 0)


def test_no_limits():
    crowd = Crowd()
    for _ in range(1000):
        crowd.enter("a")
    assert not crowd.full
    assert not crowd.crowded("a")
    assert not crowd.has_its_share("a")
    assert crowd.of("a") == 1000
