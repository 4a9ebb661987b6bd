"""The spool as a crash leaves it: every byte of the file is in our hands."""

import os
import random
import zlib

import pytest

from fastrouter.errors import ConfigError
from fastrouter.journal.spool import HEAD_BYTES, Spool

PAGE = 4096


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal-spool"


def room(data):
    return (HEAD_BYTES + len(data) + 7) // 8 * 8


def reopened(path, **options):
    """What a process finds that opens the file: its entries."""
    spool = Spool(path, **options)
    try:
        return spool.entries()
    finally:
        spool.close()


def test_what_was_appended_is_there_in_the_next_process(path):
    spool = Spool(path)
    assert spool.entries() == []
    assert all(spool.append(data) for data in (b"one", b"", b"three" * 1000))
    assert spool.entries() == [b"one", b"", b"three" * 1000]
    spool.close()
    assert reopened(path) == [b"one", b"", b"three" * 1000]


def test_the_file_has_all_of_its_room_from_the_start(path):
    Spool(path, 8 * PAGE).close()
    status = path.stat()
    assert status.st_size == 9 * PAGE
    assert status.st_blocks * 512 >= 9 * PAGE


def test_what_is_released_is_not_there_any_more(path):
    spool = Spool(path)
    spool.append(b"one")
    position = spool.head
    spool.append(b"two")
    spool.release(position)
    assert spool.entries() == [b"two"]
    assert spool.used == room(b"two")
    spool.close()
    assert reopened(path) == [b"two"]


def test_reading_from_mark_on(path):
    spool = Spool(path)
    for data in (b"one", b"two", b"three"):
        spool.append(data)
    found, position = spool.read(2)
    assert found == [b"one", b"two"]
    spool.release(position)
    assert spool.read(2) == ([b"three"], spool.head)
    spool.release(spool.head)
    assert spool.read(2) == ([], spool.head)
    spool.close()


def test_only_what_stands_between_mark_and_head_can_be_released(path):
    spool = Spool(path)
    spool.append(b"one")
    with pytest.raises(ValueError, match="mark and head"):
        spool.release(spool.head + 1)
    spool.release(spool.head)
    with pytest.raises(ValueError, match="mark and head"):
        spool.release(0)
    spool.close()


def test_a_full_spool_refuses_and_takes_again_when_there_is_room(path):
    spool = Spool(path, PAGE)
    data = b"x" * 1000
    kept = 0
    while spool.append(data):
        kept += 1
    assert kept == PAGE // room(data)
    assert spool.entries() == [data] * kept
    spool.release(room(data))
    assert spool.append(data)
    assert not spool.append(data)
    assert not spool.append(b"y" * 2 * PAGE)
    spool.close()
    assert reopened(path) == [data] * kept


def test_going_around_the_ring_many_times(path):
    """Against a list, over every place an entry can break over the end of the ring."""
    rng = random.Random(1)
    spool = Spool(path, PAGE)
    expected = []
    for number in range(5000):
        data = bytes([number % 256]) * rng.randrange(200)
        while not spool.append(data):
            spool.release(spool.head - spool.used + room(expected.pop(0)))
        expected.append(data)
        if number % 100 == 0:
            spool.close()
            spool = Spool(path, PAGE)
        assert spool.entries() == expected
    spool.close()


def test_the_ring_keeps_the_size_it_was_made_with(path):
    Spool(path, PAGE).close()
    spool = Spool(path, 16 * PAGE)
    assert spool.capacity == PAGE
    spool.close()


# ------------------------------------------------------------------ crashes


def torn(path, place):
    """The file as it was before its last entry, with some of that entry's bytes."""
    spool = Spool(path, PAGE)
    for data in (b"first", b"second"):
        spool.append(data)
    start = PAGE + place(spool)
    before = path.read_bytes()
    spool.append(b"the last of them")
    after = path.read_bytes()
    spool.close()
    return start, before, after


@pytest.mark.parametrize("stale", [False, True])
def test_an_entry_of_which_any_byte_is_missing_is_not_there(path, stale):
    """Nor does it matter what stood in its place: nothing, or an entry of the lap before."""
    if stale:
        spool = Spool(path, PAGE)
        for _ in range(PAGE // 32):
            spool.append(b"an older one...."[:16])
            spool.release(spool.head)
        spool.close()
    start, before, after = torn(path, lambda spool: spool.head % PAGE)
    size = room(b"the last of them")
    changed = [at for at in range(start, start + size) if before[at] != after[at]]
    assert len(changed) > 16
    for at in changed:
        image = bytearray(after)
        image[at] = before[at]
        path.write_bytes(image)
        assert reopened(path) == [b"first", b"second"]


def test_an_entry_written_up_to_any_byte_is_not_there(path):
    start, before, after = torn(path, lambda spool: spool.head % PAGE)
    body, stamp = after[start + 8 : start + 40], after[start : start + 8]
    for count in range(len(body) + 1):  # the stamp comes last
        image = bytearray(before)
        image[start + 8 : start + 8 + count] = body[:count]
        path.write_bytes(image)
        assert reopened(path) == [b"first", b"second"]
    image[start : start + 8] = stamp
    path.write_bytes(image)
    assert reopened(path) == [b"first", b"second", b"the last of them"]


def test_after_a_torn_entry_it_goes_on(path):
    start, _, after = torn(path, lambda spool: spool.head % PAGE)
    image = bytearray(after)
    image[start + HEAD_BYTES] ^= 1
    path.write_bytes(image)
    spool = Spool(path)
    assert spool.append(b"next")
    spool.close()
    assert reopened(path) == [b"first", b"second", b"next"]


def test_a_size_that_points_outside_is_no_entry(path):
    start, _, after = torn(path, lambda spool: spool.head % PAGE)
    image = bytearray(after)
    for size in (1 << 31, PAGE, (1 << 32) - 1):
        image[start + 8 : start + 12] = size.to_bytes(4, "little")
        image[start + 12 : start + 16] = zlib.crc32(b"", size).to_bytes(4, "little")
        path.write_bytes(image)
        assert reopened(path) == [b"first", b"second"]


@pytest.mark.parametrize("size", [0, 7, 8, 30, 56, PAGE, 3 * PAGE])
def test_a_file_that_was_never_finished_is_made_anew(path, size):
    path.write_bytes(bytes(size))
    assert reopened(path, capacity=PAGE) == []
    assert path.stat().st_size == 2 * PAGE


# ------------------------------------------------------------------- header


def test_what_else_it_remembers(path):
    spool = Spool(path)
    assert (spool.owner, spool.lost_to, spool.reserved) == (bytes(16), 0, 0)
    spool.owner, spool.lost_to, spool.reserved = b"0123456789abcdef", 2**63, 7
    spool.close()
    spool = Spool(path)
    assert (spool.owner, spool.lost_to, spool.reserved) == (b"0123456789abcdef", 2**63, 7)
    with pytest.raises(ValueError, match="16 bytes"):
        spool.owner = b"short"
    spool.close()


def test_a_position_belongs_to_a_source(path):
    spool = Spool(path)
    assert (spool.source, spool.position) == (bytes(16), None)
    spool.source = b"0123456789abcdef"
    spool.position = 0
    spool.close()
    spool = Spool(path)
    assert (spool.source, spool.position) == (b"0123456789abcdef", 0)
    spool.source = b"fedcba9876543210"
    assert spool.position is None
    with pytest.raises(ValueError, match="16 bytes"):
        spool.source = b"short"
    spool.close()


def test_two_at_once_are_refused(path):
    spool = Spool(path)
    with pytest.raises(ConfigError, match="in use by another server") as caught:
        Spool(path)
    assert caught.value.code == "JOURNAL_LOCKED"
    spool.close()
    Spool(path).close()


@pytest.mark.parametrize(
    "content",
    [b"something else altogether", b"FRSPOOL1" + bytes(PAGE), b"FRSPOOL2" + bytes(PAGE),
     b"FRSPOOL2" + (5000).to_bytes(8, "little") + bytes(PAGE)],
)  # fmt: skip
def test_a_file_that_is_no_spool_is_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="no spool"):
        Spool(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("size", [100, PAGE, 2 * PAGE - 1, 3 * PAGE])
def test_a_file_that_was_cut_is_left_alone(path, size):
    Spool(path, PAGE).close()
    os.truncate(path, size)
    with pytest.raises(ConfigError, match=f"is damaged: {size} bytes, not {2 * PAGE}; put it back"):
        Spool(path)
    assert path.stat().st_size == size


def test_a_place_that_cannot_be_opened(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        Spool(tmp_path / "nowhere" / "spool")
    with pytest.raises(ConfigError, match="directory"):
        Spool(tmp_path)


def test_a_disk_without_room_says_so_at_once(path, monkeypatch):
    def full(*args):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ConfigError, match="No space left"):
        Spool(path)


def test_a_closed_one_is_closed(path):
    spool = Spool(path)
    spool.close()
    spool.close()
    for use in (spool.entries, lambda: spool.append(b""), lambda: spool.release(0),
                lambda: spool.used, lambda: spool.owner, lambda: spool.lost_to,
                lambda: spool.reserved):  # fmt: skip
        with pytest.raises(ValueError, match="closed"):
            use()


@pytest.mark.parametrize(
    ("capacity", "error", "says"),
    [
        (5000, ValueError, "4096"),
        (0, ValueError, "4096"),
        (-1, OverflowError, "negative"),
        ("", TypeError, "integer"),
    ],
)
def test_a_capacity_that_is_no_whole_number_of_pages(capacity, error, says):
    before = os.fstat(0)
    with pytest.raises(error, match=says):
        Spool("anywhere", capacity)
    assert os.fstat(0).st_ino == before.st_ino  # it closes no descriptor that is not its own
