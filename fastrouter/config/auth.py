"""Who may open a session."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from fastrouter.config.section import Section
from fastrouter.config.values import Listed, Seconds
from fastrouter.session.auth import ALGORITHMS, MIN_SECRET_BYTES

__all__ = ["Auth"]


class Auth(Section):
    """Who may open a session; on when there is a secret or a public key.

    It covers the control port too, which takes tokens with the claim ``admin: true`` only. The
    claims ``subscriptions`` and ``accounts`` say what a session may have; ``strategies: true``
    lets it start, pause and stop strategies, ``publish: true`` publish by HTTP; ``admin: true``
    lets it do both.
    """

    secret: SecretStr | None = Field(
        default=None,
        description="the HS256 secret, 32 bytes or more; it is never shown. Tokens grant by the "
        "claims subscriptions and accounts, commands to strategies by strategies: true, "
        "publishing by HTTP by publish: true, and all of it and the control port by admin: true",
    )
    secret_file: Path | None = Field(
        default=None, description="a file that holds the HS256 secret, a newline at its end aside"
    )
    public_key: Path | None = Field(
        default=None, description="a PEM file: the RSA key, 2048 bits or more, of RS256 tokens"
    )
    algorithms: Listed = Field(
        default=(), description="HS256, RS256, or both; default: those that have a key"
    )
    key_id: str | None = Field(
        default=None, description="what a token's kid must be, if it has one"
    )
    issuer: str | None = Field(default=None, description="what a token's iss must be")
    audience: str | None = Field(default=None, description="what a token's aud must hold")
    leeway_seconds: float = Field(
        default=0.0, ge=0, le=600, allow_inf_nan=False, description="0 to 600 seconds clocks differ"
    )
    first_message_seconds: Seconds = Field(default=5.0, description="seconds above 0")

    @field_validator("secret")
    @classmethod
    def _secret_is_long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"shorter than {MIN_SECRET_BYTES} bytes")
        return secret

    @field_validator("secret_file")
    @classmethod
    def _one_secret(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        if file is not None and info.data.get("secret") is not None:
            raise ValueError("auth.secret is set, too")
        return file

    @field_validator("algorithms")
    @classmethod
    def _algorithms_are_taken(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in ALGORITHMS:
                raise ValueError(f"{name!r} is not taken; allowed: {', '.join(ALGORITHMS)}")
        return names

    @property
    def enabled(self) -> bool:
        """Whether sessions have to say who they are."""
        keys = (self.secret, self.secret_file, self.public_key)
        return bool(self.algorithms) or any(key is not None for key in keys)
