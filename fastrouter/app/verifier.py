"""Who may open a session, as it is configured."""

from __future__ import annotations

from pathlib import Path

from fastrouter import config
from fastrouter.errors import ConfigError
from fastrouter.session.auth import Verifier

__all__ = ["verifier_of"]


def verifier_of(auth: config.Auth) -> Verifier | None:
    """What checks the configured tokens; None with auth off. Raises ConfigError."""
    if not auth.enabled:
        return None
    secret = None if auth.secret is None else auth.secret.get_secret_value().encode()
    if auth.secret_file is not None:
        secret = _key_file("secret_file", auth.secret_file).rstrip(b"\r\n")
    public_key = None
    if auth.public_key is not None:
        public_key = _key_file("public_key", auth.public_key)
    return Verifier(
        secret=secret,
        public_key=public_key,
        algorithms=auth.algorithms,
        issuer=auth.issuer,
        audience=auth.audience,
        key_id=auth.key_id,
        leeway=auth.leeway_seconds,
    )


def _key_file(name: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"auth.{name} = {str(file)!r} cannot be read: {error.strerror}") from None
