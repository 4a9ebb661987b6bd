"""Who a token's bearer is and what it may have: JSON Web Tokens (RFC 7519), HS256 and RS256,
and opaque ones that the server itself has issued, for programs that it runs.

The configuration decides which algorithms there are and which key belongs to
each; a token only names one of them. PyJWT checks signature, audience and
issuer; times are checked here, against the caller's clock.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from fastrouter.errors import AuthError, ConfigError, ErrorCode, SubscriptionError
from fastrouter.session.entitlement import Entitlement, Pattern

__all__ = ["ALGORITHMS", "MAX_TOKEN_BYTES", "MIN_SECRET_BYTES", "Grant", "Verifier"]

ALGORITHMS = ("HS256", "RS256")
MIN_SECRET_BYTES = 32  # what HS256 needs at least (RFC 7518, 3.2)
MIN_KEY_BITS = 2048  # what RS256 needs at least (RFC 7518, 3.3)
MAX_TOKEN_BYTES = 8192
MAX_TIME = 253_402_300_799  # the last second of the year 9999: later ones are milliseconds
ISSUED_BYTES = 32  # of chance, in a token of ours
MAX_NAME = 256  # characters of a subject or account

Claims = Mapping[str, Any]


class Grant(NamedTuple):
    """What a token proved."""

    subject: str
    accounts: tuple[str, ...]
    entitlement: Entitlement | None  # None: every subscription
    expires: float | None = None  # Unix seconds until which it is honoured, leeway included
    admin: bool = False  # may use the control port, command strategies, and publish by HTTP
    strategies: bool = False  # may start, pause and stop strategies
    publish: bool = False  # may publish events by HTTP
    strategy_id: str | None = None  # of whose process it is: it acts as that strategy alone

    def expired(self, now_s: float) -> bool:
        """Whether its time is over."""
        return self.expires is not None and now_s >= self.expires

    def check_strategy(self, said: str | None) -> None:
        """Raises AuthError, code FORBIDDEN, for another strategy than the token's; None is none."""
        own = self.strategy_id
        if own is not None and said not in (None, own):
            raise AuthError(
                f"the token is of strategy {own!r}, which acts as itself alone: "
                f"strategy_id is {said!r}; allowed: {own!r}",
                code=ErrorCode.FORBIDDEN,
            )


class Verifier:
    """Verifies tokens.

    - `secret`: bytes shared with who issues HS256 tokens, 32 or more;
    - `public_key`: PEM of the RSA key (2048 bits or more) of who issues RS256 tokens;
    - `algorithms`: which of the two are taken; default those that have a key;
    - `issuer`, `audience`: what the claims ``iss`` and ``aud`` must say;
    - `key_id`: what the header's ``kid`` must say, where there is one;
    - `leeway`: s that clocks may differ.

    Raises ConfigError for keys that cannot be used, or when PyJWT is missing.
    """

    def __init__(
        self,
        *,
        secret: bytes | None = None,
        public_key: bytes | None = None,
        algorithms: Iterable[str] = (),
        issuer: str | None = None,
        audience: str | None = None,
        key_id: str | None = None,
        leeway: float = 0.0,
    ) -> None:
        self._jwt = _pyjwt()
        self._keys = _keys(self._jwt, secret, public_key, tuple(algorithms))
        self._issuer = issuer
        self._audience = audience
        self._key_id = key_id
        self._leeway = leeway
        self._options = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "sub", "jti")}
        self._options |= {"verify_aud": audience is not None, "verify_iss": issuer is not None}
        required = (("aud", audience), ("iss", issuer))
        self._required = [claim for claim, wanted in required if wanted is not None]
        self._issued: dict[bytes, Grant] = {}  # by `_digest`

    def issue(self, grant: Grant) -> str:
        """A new token that grants this until it is revoked: ASCII, that is no JSON Web Token."""
        token = secrets.token_urlsafe(ISSUED_BYTES)
        self._issued[_digest(token)] = grant
        return token

    def revoke(self, token: str) -> None:
        """An issued token holds no more. Safe to call again; sessions it has opened stay."""
        self._issued.pop(_digest(token), None)

    def verify(self, token: str, now_s: float) -> Grant:
        """Return what the token grants at `now_s` (Unix seconds).

        Raises AuthError, code TOKEN_EXPIRED or NOT_AUTHENTICATED, that says what is wrong.
        """
        _check_form(token)
        issued = self._issued.get(_digest(token))
        if issued is not None:
            return issued
        claims = self._claims(token)
        expires = self._times(claims, now_s)
        subject = _name("sub", claims.get("sub"))
        return Grant(
            subject,
            _accounts(claims, subject),
            _entitlement(claims),
            expires,
            admin=claims.get("admin") is True,
            strategies=claims.get("strategies") is True,
            publish=claims.get("publish") is True,
        )

    def _claims(self, token: str) -> Claims:
        """The claims of a token whose signature, audience and issuer are right."""
        jwt = self._jwt
        try:
            key = self._key(jwt.get_unverified_header(token))
            claims: Claims = jwt.decode(
                token,
                key,
                algorithms=list(self._keys),
                options={**self._options, "require": self._required},
                audience=self._audience,
                issuer=self._issuer,
            )
        except jwt.PyJWTError as error:
            raise AuthError(_reason(jwt, error)) from None
        except (ValueError, TypeError, KeyError, RecursionError):
            raise AuthError("the token is malformed") from None
        return claims

    def _key(self, header: Claims) -> Any:
        """The key of the algorithm that the header names: each has its own."""
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in self._keys:
            raise AuthError(
                f"the token's algorithm is not allowed; allowed: {', '.join(self._keys)}"
            )
        if "crit" in header:
            raise AuthError("the token's header has extensions that are not understood")
        if self._key_id is not None and header.get("kid", self._key_id) != self._key_id:
            raise AuthError("the token's key id is not known")
        return self._keys[algorithm]

    def _times(self, claims: Claims, now_s: float) -> float | None:
        """Until when the token is honoured, None for ever."""
        expires, begins, issued = (_time(claims, name) for name in ("exp", "nbf", "iat"))
        if begins is not None and begins > now_s + self._leeway:
            raise AuthError("the token is not valid yet (nbf)")
        if issued is not None and issued > now_s + self._leeway:
            raise AuthError("the token was issued in the future (iat)")
        if expires is None:
            return None
        until = expires + self._leeway
        if now_s >= until:
            raise AuthError("the token has expired", code=ErrorCode.TOKEN_EXPIRED)
        return until


def _check_form(token: str) -> None:
    if not 0 < len(token) <= MAX_TOKEN_BYTES or not token.isascii():
        raise AuthError(f"the token is not 1 to {MAX_TOKEN_BYTES} ASCII characters")


def _digest(token: str) -> bytes:
    """What issued tokens are looked up by: how long that takes tells nothing of a token."""
    return hashlib.sha256(token.encode()).digest()


# ------------------------------------------------------------------------- keys


def _pyjwt() -> Any:
    try:
        import jwt
    except ImportError:
        raise ConfigError("auth needs PyJWT; run: pip install 'fastrouter[server]'") from None
    return jwt


def _keys(
    jwt: Any, secret: bytes | None, public_key: bytes | None, algorithms: tuple[str, ...]
) -> dict[str, Any]:
    """The key of each algorithm that is taken."""
    given = {"HS256": secret, "RS256": public_key}
    wanted = algorithms or tuple(name for name, key in given.items() if key is not None)
    if not wanted:
        raise ConfigError("auth has neither a secret nor a public key")
    keys = {}
    for name in wanted:
        if name not in given:
            raise ConfigError(f"auth algorithm {name!r} is not taken; allowed: {', '.join(given)}")
        material = given[name]
        if material is None:
            raise ConfigError(f"auth algorithm {name} has no key; it needs a {NEEDS[name]}")
        keys[name] = PREPARE[name](jwt, material)
    return keys


def _secret(jwt: Any, secret: bytes) -> bytes:
    if len(secret) < MIN_SECRET_BYTES:
        raise ConfigError(
            f"the auth secret is {len(secret)} bytes; allowed: {MIN_SECRET_BYTES} or more"
        )
    try:
        prepared: bytes = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256
                                                       ).prepare_key(secret)  # fmt: skip
    except jwt.PyJWTError:
        raise ConfigError("the auth secret is a public key or a certificate, or a JWK") from None
    return prepared


def _public_key(jwt: Any, pem: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError:
        raise ConfigError(
            "RS256 needs PyJWT with cryptography; run: pip install 'fastrouter[server]'"
        ) from None
    try:
        key = load_pem_public_key(pem)
    except Exception:  # its errors are many, and some quote what they read
        raise ConfigError("the auth public key is not a public key in PEM") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < MIN_KEY_BITS:
        raise ConfigError(f"the auth public key is not RSA of {MIN_KEY_BITS} bits or more")
    return key


NEEDS = {"HS256": "secret", "RS256": "public key"}
PREPARE: dict[str, Callable[[Any, bytes], Any]] = {"HS256": _secret, "RS256": _public_key}


# ----------------------------------------------------------------------- claims


def _reason(jwt: Any, error: Exception) -> str:
    """What is wrong, in words of ours: PyJWT's may quote the token."""
    reasons = (
        (jwt.InvalidSignatureError, "the token's signature is wrong"),
        (jwt.InvalidAudienceError, "the token is for another audience (aud)"),
        (jwt.InvalidIssuerError, "the token is of another issuer (iss)"),
        (jwt.MissingRequiredClaimError, "the token lacks a claim that is required (aud, iss)"),
        (jwt.InvalidAlgorithmError, "the token's algorithm is not allowed"),
    )
    found = (text for kind, text in reasons if isinstance(error, kind))
    return next(found, "the token is malformed")


def _time(claims: Claims, name: str) -> float | None:
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_TIME:
        raise AuthError(f"the token's {name} is not a time in Unix seconds")
    return float(value)


def _name(claim: str, value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME or not _is_unicode(value):
        raise AuthError(f"the token's {claim} is not text of 1 to {MAX_NAME} characters")
    return value


def _is_unicode(text: str) -> bool:
    """Whether it can be sent: JSON can smuggle in a lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _accounts(claims: Claims, subject: str) -> tuple[str, ...]:
    value = claims.get("accounts", [subject])
    if not isinstance(value, list):
        raise AuthError("the token's accounts are not an array of texts")
    return tuple(dict.fromkeys(_name("accounts", item) for item in value))


def _entitlement(claims: Claims) -> Entitlement | None:
    if "subscriptions" not in claims:
        return None
    value = claims["subscriptions"]
    if isinstance(value, str):
        value = value.split(",") if value.strip() else []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise AuthError("the token's subscriptions are neither an array of texts nor a text")
    try:
        return Entitlement(Pattern.parse(item.strip()) for item in value)
    except SubscriptionError:  # which quotes the item: a part of the token
        raise AuthError("the token's subscriptions name an item that is malformed") from None
