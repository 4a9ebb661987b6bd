"""Reading certificates; how they serve is in test_tls.py."""

from __future__ import annotations

import ssl

import pytest

from fastrouter.errors import ConfigError
from fastrouter.net.certificate import Certificate
from tests.certificates import certify


def shake(certificate: Certificate, client: ssl.SSLContext) -> ssl.SSLObject:
    """A handshake in memory; the client's end of it."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server_side = certificate.context.wrap_bio(to_server, to_client, server_side=True)
    client_side = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    for side in (client_side, server_side) * 3:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client_side


def test_a_handshake_gets_what_was_read_last(tmp_path):
    old, new = certify(tmp_path, "old"), certify(tmp_path, "new")
    certificate = Certificate(old.cert, old.key)
    before = shake(certificate, old.trusted())
    old.cert.write_bytes(new.cert.read_bytes())
    old.key.write_bytes(new.key.read_bytes())
    certificate.reload()
    after = shake(certificate, new.trusted())
    assert after.getpeercert(True) == new.der != before.getpeercert(True)


def test_what_is_broken_is_named_and_the_old_one_stays(tmp_path):
    files, other = certify(tmp_path), certify(tmp_path, "other")
    certificate = Certificate(files.cert, files.key)
    der = files.der
    whole = files.cert.read_bytes()
    for broken in (b"", b"not PEM", whole[:200], other.cert.read_bytes()):
        files.cert.write_bytes(broken)
        with pytest.raises(ConfigError, match=r"server\.pem and key .* cannot be used") as caught:
            certificate.reload()
        assert caught.value.code == "INVALID_CERTIFICATE"
    files.cert.write_bytes(whole)
    assert shake(certificate, files.trusted()).getpeercert(True) == der


def test_a_file_that_is_not_there_is_named(tmp_path):
    files = certify(tmp_path)
    with pytest.raises(ConfigError, match=r"nowhere\.key cannot be read: No such file"):
        Certificate(files.cert, tmp_path / "nowhere.key")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        Certificate(tmp_path, files.key)


def test_a_key_with_a_password_asks_nobody(tmp_path):
    files = certify(tmp_path, password=b"secret")
    with pytest.raises(ConfigError, match="without a password"):
        Certificate(files.cert, files.key)


def test_tls_1_2_is_the_oldest(tmp_path):
    files = certify(tmp_path)
    certificate = Certificate(files.cert, files.key)
    version = ssl.TLSVersion.TLSv1_2
    assert certificate.context.minimum_version is version
    assert shake(certificate, files.trusted(maximum_version=version)).version() == "TLSv1.2"
