from pathlib import Path

import pytest

from fastrouter import config
from fastrouter.app.verifier import verifier_of
from fastrouter.errors import ConfigError

from ..tokens import SECRET, hs256, public_pem, rs256


def auth(**keys: object) -> config.Auth:
    return config.load(None, {f"auth.{key}": value for key, value in keys.items()}).settings.auth


def test_none_with_auth_off():
    assert verifier_of(auth()) is None


def test_a_secret_by_value_and_by_file(tmp_path: Path):
    file = tmp_path / "secret"
    file.write_bytes(SECRET + b"\n")
    by_value = auth(secret=SECRET.decode())
    by_file = auth(secret_file=file)
    for chosen in (by_value, by_file):
        assert verifier_of(chosen).verify(hs256(), 0).subject == "ada"


def test_a_public_key(tmp_path: Path):
    file = tmp_path / "key.pem"
    file.write_bytes(public_pem())
    assert verifier_of(auth(public_key=file)).verify(rs256(), 0)


@pytest.mark.parametrize(
    ("key", "content", "said"),
    [
        ("secret_file", None, "auth.secret_file = .* cannot be read: No such file"),
        ("public_key", None, "auth.public_key = .* cannot be read: No such file"),
        ("secret_file", b"short\n", "the auth secret is 5 bytes; allowed: 32 or more"),
        ("public_key", b"rubbish", "not a public key in PEM"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, key, content, said):
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        verifier_of(auth(**{key: file}))


def test_an_algorithm_without_a_key():
    with pytest.raises(ConfigError, match="HS256 has no key"):
        verifier_of(auth(algorithms="HS256"))
