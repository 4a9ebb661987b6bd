"""Which tokens prove something, and what."""

from __future__ import annotations

import builtins
import hashlib
import hmac
import time

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastrouter.errors import AuthError, ConfigError
from fastrouter.session.auth import Grant, Verifier
from fastrouter.session.subscriptions import parse_item

from ..tokens import SECRET, forged, hs256, part, private_key, public_pem, rs256

NOW = 1_000_000_000.0
HEADER = {"alg": "HS256", "typ": "JWT"}


def signed(header: object, claims: object, key: bytes = SECRET) -> str:
    """Any header and claims under a right HMAC."""
    text = f"{part(header)}.{part(claims)}"
    return f"{text}.{part(hmac.digest(key, text.encode(), hashlib.sha256))}"


@pytest.fixture(scope="module")
def both() -> Verifier:
    return Verifier(secret=SECRET, public_key=public_pem())


def test_hs256(both):
    assert both.verify(hs256(), NOW) == Grant("ada", ("ada",), None, None)


def test_rs256(both):
    claims = {"accounts": ["a", "b", "a"], "exp": NOW + 5}
    assert both.verify(rs256(**claims), NOW) == Grant("ada", ("a", "b"), None, NOW + 5)


def test_the_grant(both):
    grant = both.verify(hs256(subscriptions=["S:*:quote", " C:X:candle "], accounts=[]), NOW)
    assert grant.accounts == ()
    assert grant.entitlement.covers(parse_item("S:AAPL:quote"))
    assert grant.entitlement.covers(parse_item("C:X:candle@1h"))
    assert not grant.entitlement.covers(parse_item("*:quote"))
    text = both.verify(hs256(subscriptions="S:A:quote,S:B:order"), NOW).entitlement
    assert text.covers(parse_item("S:B:order"))
    nothing = both.verify(hs256(subscriptions=""), NOW).entitlement
    assert nothing is not None
    assert not nothing.covers(parse_item("S:B:order"))


@pytest.mark.parametrize("keys", [{"secret": SECRET}, {"public_key": public_pem()}])
def test_issued_tokens_hold_until_they_are_revoked(keys):
    verifier = Verifier(**keys)
    granted = [Grant("s-1", ("default",), None), Grant("s-2", ("default",), None)]
    first, second = map(verifier.issue, granted)
    assert len({first, second}) == 2
    assert [verifier.verify(one, NOW) for one in (first, second)] == granted
    verifier.revoke(first)
    verifier.revoke(first)
    for unknown in (first, second[:-1], second + "A", second.swapcase()):
        with pytest.raises(AuthError, match="malformed"):
            verifier.verify(unknown, NOW)
    assert verifier.verify(second, NOW) == granted[1]
    with pytest.raises(AuthError, match="malformed"):
        Verifier(**keys).verify(second, NOW)


@pytest.mark.parametrize("name", ["admin", "publish", "strategies"])
@pytest.mark.parametrize(
    ("claim", "granted"), [(True, True), (False, False), ("true", False), (1, False)]
)
def test_claims_that_are_true(both, name, claim, granted):
    grant = both.verify(hs256(**{name: claim}), NOW)
    assert getattr(grant, name) is granted
    assert grant.admin + grant.publish + grant.strategies == granted


PEM = public_pem()
CONFUSED = signed({"alg": "HS256"}, {"sub": "eve"}, PEM)  # HMAC keyed with the public key
FORGED = {
    "none": forged({"alg": "none"}, {"sub": "eve"}),
    "None": forged({"alg": "None"}, {"sub": "eve"}),
    "no alg": forged({}, {"sub": "eve"}),
    "alg is no text": forged({"alg": ["HS256"]}, {"sub": "eve"}),
    "header is an array": forged([], {"sub": "eve"}),
    "public key as secret": CONFUSED,
    "HS512": jwt.encode({"sub": "eve"}, SECRET * 2, "HS512"),
    "another secret": hs256(b"x" * 32),
    "no signature": hs256().rpartition(".")[0] + ".",
    "cut signature": hs256()[:-2],
    "other claims": ".".join([*hs256().split(".")[:1], part({"sub": "eve"}), "xxxx"]),
    "two parts": "a.b",
    "four parts": hs256() + ".x",
    "blank": "",
    "not base64": "!.!.!",
    "not ASCII": "é" + hs256(),
    "too long": hs256(note="x" * 9000),
    "deep header": forged(b"[" * 5000, {}),
    "deep claims": signed(HEADER, b"[" * 5000),
    "claims are an array": signed(HEADER, [1]),
    "claims are not UTF-8": signed(HEADER, b"\xff"),
    "critical extension": hs256(headers={"crit": ["x"], "x": 1}),
    "empty critical extension": signed({**HEADER, "crit": []}, {"sub": "eve"}),
}


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("keys", ["secret", "public_key", "both"])
def test_a_forged_token_is_refused(name, keys):
    material = {"secret": SECRET, "public_key": PEM}
    chosen = material if keys == "both" else {keys: material[keys]}
    with pytest.raises(AuthError) as caught:
        Verifier(**chosen).verify(FORGED[name], NOW)
    assert caught.value.code == "NOT_AUTHENTICATED"


def test_only_configured_algorithms_are_taken():
    only = Verifier(secret=SECRET, public_key=PEM, algorithms=["RS256"])
    assert only.verify(rs256(), NOW).subject == "ada"
    with pytest.raises(AuthError, match="algorithm is not allowed; allowed: RS256"):
        only.verify(hs256(), NOW)


def test_a_key_id_has_to_be_the_configured_one():
    verifier = Verifier(secret=SECRET, key_id="k1")
    assert verifier.verify(hs256(headers={"kid": "k1"}), NOW).subject == "ada"
    assert verifier.verify(hs256(), NOW).subject == "ada"
    with pytest.raises(AuthError, match="key id is not known"):
        verifier.verify(hs256(headers={"kid": "k2"}), NOW)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOW}, "expired"),
        ({"exp": NOW - 1000}, "expired"),
        ({"nbf": NOW + 1}, "not valid yet"),
        ({"iat": NOW + 1}, "issued in the future"),
        ({"exp": "soon"}, "exp is not a time"),
        ({"exp": None}, "exp is not a time"),
        ({"exp": True}, "exp is not a time"),
        ({"exp": float("nan")}, "exp is not a time"),
        ({"exp": float("inf")}, "exp is not a time"),
        ({"exp": -1}, "exp is not a time"),
        ({"exp": NOW * 1000}, "exp is not a time in Unix seconds"),
        ({"exp": 10**400}, "malformed|exp is not a time"),
        ({"nbf": []}, "nbf is not a time"),
        ({"iat": {}}, "iat is not a time"),
        ({"sub": None}, "sub is not text"),
        ({"sub": ""}, "sub is not text"),
        ({"sub": 5}, "sub is not text"),
        ({"sub": "x" * 257}, "sub is not text"),
        ({"sub": "\ud800"}, "sub is not text"),
        ({"accounts": "a"}, "accounts are not an array"),
        ({"accounts": [1]}, "accounts is not text"),
        ({"accounts": None}, "accounts are not an array"),
        ({"subscriptions": None}, "subscriptions are neither"),
        ({"subscriptions": [1]}, "subscriptions are neither"),
        ({"subscriptions": {"a": 1}}, "subscriptions are neither"),
        ({"subscriptions": "S:AAPL:hush"}, "name an item that is malformed"),
        ({"subscriptions": ["S:AAPL"]}, "name an item that is malformed"),
    ],
)
def test_claims_that_do_not_hold(claims, reason):
    with pytest.raises(AuthError, match=reason):
        Verifier(secret=SECRET).verify(hs256(**claims), NOW)


def test_an_expired_token_says_so_by_its_code():
    with pytest.raises(AuthError) as caught:
        Verifier(secret=SECRET).verify(hs256(exp=NOW - 1), NOW)
    assert caught.value.code == "TOKEN_EXPIRED"


def test_leeway():
    verifier = Verifier(secret=SECRET, leeway=10)
    grant = verifier.verify(hs256(exp=NOW - 9, nbf=NOW + 9, iat=NOW + 9), NOW)
    assert grant.expires == NOW + 1
    assert not grant.expired(NOW)
    assert grant.expired(NOW + 1)
    with pytest.raises(AuthError):
        verifier.verify(hs256(exp=NOW - 10), NOW)


def test_the_callers_clock_and_no_other():
    assert Verifier(secret=SECRET).verify(hs256(exp=100, nbf=50, iat=40), 60).expires == 100
    later = time.time() + 10_000
    token = hs256(exp=later + 10, nbf=later - 10, iat=later - 10)
    assert Verifier(secret=SECRET).verify(token, later).expires == later + 10


def test_audience_and_issuer_are_required_when_configured():
    verifier = Verifier(secret=SECRET, audience="fleet", issuer="desk")
    assert verifier.verify(hs256(aud=["x", "fleet"], iss="desk"), NOW).subject == "ada"
    for claims in ({}, {"aud": "fleet"}, {"iss": "desk"}):
        with pytest.raises(AuthError, match="lacks a claim"):
            verifier.verify(hs256(**claims), NOW)
    with pytest.raises(AuthError, match="another audience"):
        verifier.verify(hs256(aud="x", iss="desk"), NOW)
    with pytest.raises(AuthError, match="another issuer"):
        verifier.verify(hs256(aud="fleet", iss="x"), NOW)


def test_audience_and_issuer_of_a_token_do_not_matter_otherwise(both):
    assert both.verify(hs256(aud="x", iss="y"), NOW).subject == "ada"


@pytest.mark.parametrize("name", FORGED)
def test_an_error_never_holds_the_token(both, name):
    with pytest.raises(AuthError) as caught:
        both.verify(FORGED[name], NOW)
    parts = [piece for piece in FORGED[name].split(".") if len(piece) > 8]
    assert not any(piece in str(caught.value) for piece in parts)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@given(st.text() | st.binary().map(lambda data: f"{part(HEADER)}.{part(data)}.{part(data)}"))
def test_no_text_does_more_than_be_refused(token):
    with pytest.raises(AuthError):
        Verifier(secret=SECRET).verify(token, NOW)


@given(st.dictionaries(st.sampled_from(["sub", "exp", "accounts", "subscriptions", "aud", "nbf"]),
                       st.recursive(st.none() | st.booleans() | st.floats() | st.text(),
                                    st.lists)))  # fmt: skip
def test_no_claims_do_more_than_be_refused(claims):
    try:
        grant = Verifier(secret=SECRET).verify(signed(HEADER, claims), NOW)
    except AuthError:
        return
    assert grant.subject == claims["sub"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "neither a secret nor a public key"),
        ({"secret": b"x" * 31}, "31 bytes; allowed: 32 or more"),
        ({"secret": PEM}, "is a public key"),
        ({"public_key": b"hello"}, "not a public key in PEM"),
        ({"public_key": b""}, "not a public key in PEM"),
        ({"public_key": public_pem(1024)}, "not RSA of 2048 bits"),
        ({"secret": SECRET, "algorithms": ["none"]}, "'none' is not taken; allowed: HS256, RS256"),
        ({"secret": SECRET, "algorithms": ["RS256"]}, "RS256 has no key; it needs a public key"),
        ({"public_key": PEM, "algorithms": ["HS256"]}, "HS256 has no key; it needs a secret"),
    ],
)
def test_keys_that_cannot_be_used(options, said):
    with pytest.raises(ConfigError, match=said):
        Verifier(**options)


def test_a_private_key_is_not_taken_for_a_public_one():
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    pem = private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ConfigError, match="not a public key"):
        Verifier(public_key=pem)


def test_without_pyjwt_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def missing(name, *rest):
        if name == "jwt":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigError, match=r"pip install 'fastrouter\[server\]'"):
        Verifier(secret=SECRET)
