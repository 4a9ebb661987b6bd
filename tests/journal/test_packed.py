"""Events as bytes, against a struct of the standard library."""

import pytest

from fastrouter.journal.packed import unpack

from .events import entry, packed


@pytest.mark.parametrize("size", range(20, 30))
def test_what_was_packed(size):
    one = entry(7, size)
    assert unpack(packed(one)) == one


def test_texts_of_any_length_and_script():
    one = entry(7)._replace(symbol="S:é€", account="", event_type="signal", body=b"[]")
    assert unpack(packed(one)) == one
    assert unpack(packed(one._replace(account="x" * 70_000))).account == "x" * 70_000


@pytest.mark.parametrize("change", [lambda data: b"", lambda data: data[:-8],
                                    lambda data: data + bytes(8), lambda data: bytes(len(data)),
                                    lambda data: data[:28] + b"\xff" + data[29:]])  # fmt: skip
def test_what_is_no_event(change):
    with pytest.raises(ValueError, match="are no event"):
        unpack(change(packed(entry(7))))
