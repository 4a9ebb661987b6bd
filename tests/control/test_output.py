"""Logs, checked against all that was written."""

from __future__ import annotations

import asyncio
import errno
import os
import random
from pathlib import Path

import pytest

from fastrouter.control.output import LINE, Log, Output, last_lines


def pieces(text: bytes, random: random.Random) -> list[bytes]:
    found = []
    while text:
        size = random.choice((1, 2, 10, 100))
        found.append(text[:size])
        text = text[size:]
    return found


def _no_room(*args: object) -> int:
    raise OSError(errno.EMFILE, "no room")


class TestLog:
    @pytest.mark.parametrize("seed", range(20))
    def test_its_last_lines_however_they_come(self, seed, tmp_path):
        rnd = random.Random(seed)
        lines = [rnd.randbytes(rnd.randrange(30)).replace(b"\n", b"") for _ in range(300)]
        text = b"\n".join(lines)
        log = Log(tmp_path / "log", most=10**6, lines=50)
        for piece in pieces(text, rnd):
            log.write(piece)
        log.close()
        expected = [line.decode(errors="replace") for line in lines]
        if not expected[-1]:
            expected.pop()
        assert log.tail(10) == expected[-10:]
        assert log.tail(0) == log.tail(-1) == []
        assert (tmp_path / "log").read_bytes() == text
        assert last_lines(tmp_path / "log", 120) == expected[-120:]

    def test_its_file_is_there_again_when_it_turns(self, tmp_path):
        log = Log(tmp_path / "log", most=10)
        log.write(b"old\n")
        (tmp_path / "log").unlink()
        for _ in range(3):
            log.write(b"new line\n")
        log.close()
        assert last_lines(tmp_path / "log", 10) == ["new line", "new line"]

    def test_its_file_turns_once_there_is_room(self, tmp_path, monkeypatch):
        log = Log(tmp_path / "log", most=10)
        log.write(b"old\n")
        with monkeypatch.context() as patched:
            patched.setattr("os.open", _no_room)
            log.write(b"lost line\n")
        log.write(b"new line\n")
        log.close()
        assert last_lines(tmp_path / "log", 10) == ["old", "new line"]
        assert log.tail(10) == ["old", "lost line", "new line"]

    def test_a_line_in_memory_is_bounded(self):
        log = Log(None)
        log.write(b"x" * 100_000)
        assert log.tail(1) == ["x" * LINE]
        log.write(b"y\nz")
        assert log.tail(2) == ["x" * LINE, "z"]

    def test_its_file_turns(self, tmp_path):
        log = Log(tmp_path / "deep" / "log", most=100)
        for number in range(100):
            log.write(b"%09d\n" % number)
        log.close()
        path = tmp_path / "deep" / "log"
        sizes = {file.name: file.stat().st_size for file in path.parent.iterdir()}
        assert sizes == {"log": 100, "log.1": 100}
        assert last_lines(path, 13) == [f"{number:09d}" for number in range(87, 100)]
        assert len(last_lines(path, 1000)) == 20
        assert last_lines(path, 1000, most=25) == ["0097", "000000098", "000000099"]
        assert path.stat().st_mode & 0o777 == 0o600

    def test_it_goes_on_with_a_file(self, tmp_path):
        for word in (b"a\n", b"b\n"):
            log = Log(tmp_path / "log")
            log.write(word)
            log.close()
            log.close()
        assert last_lines(tmp_path / "log", 10) == ["a", "b"]

    @pytest.mark.parametrize("kept", [True, False])
    def test_what_begins_a_line_does_so(self, kept, tmp_path):
        log = Log(tmp_path / "log" if kept else None)
        log.end_line()
        for piece in (b"whole\n", b"not", b" whole", b"", b"\n", b"x" * 5000):
            log.write(piece)
        log.end_line()
        log.end_line()
        log.write(b"ours\n")
        log.end_line()
        log.close()
        assert log.tail(10) == ["whole", "not whole", "x" * LINE, "ours"]
        if kept:
            lines = ["whole", "not whole", "x" * 5000, "ours", ""]
            assert (tmp_path / "log").read_text().split("\n") == lines

    def test_a_file_that_does_not_end_with_a_line_is_gone_on_with_in_the_next(self, tmp_path):
        for word in (b"a", b"", b"b\n", b"c"):
            log = Log(tmp_path / "log")
            log.write(word)
            log.close()
        assert (tmp_path / "log").read_bytes() == b"a\nb\nc"

    def test_a_disk_that_takes_nothing(self):
        log = Log(Path("/dev/full"))
        log.write(b"kept all the same\n")
        log.close()
        assert log.tail(1) == ["kept all the same"]

    def test_a_folder_that_is_gone(self, tmp_path):
        log = Log(tmp_path / "here" / "log", most=10)
        log.write(b"first\n")
        (tmp_path / "here" / "log").unlink()
        (tmp_path / "here").rmdir()
        log.write(b"second\n")
        log.close()
        assert log.tail(2) == ["first", "second"]

    def test_a_place_that_cannot_be(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(OSError, match="file"):
            Log(tmp_path / "file" / "log")

    def test_of_no_file_there_are_no_lines(self, tmp_path):
        assert last_lines(tmp_path / "none", 10) == []


class TestOutput:
    async def test_what_is_there_at_the_end_is_taken(self):
        taken: list[bytes] = []
        output = Output(taken.append)
        holder = os.dup(output.writer)
        os.write(output.writer, b"x" * 60_000)
        output.close()
        assert b"".join(taken) == b"x" * 60_000
        output.close()
        os.close(holder)

    async def test_its_other_end_is_closed(self):
        taken: list[bytes] = []
        output = Output(taken.append)
        os.write(output.writer, b"abc")
        output.started()
        while output._reader >= 0:  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(0)
        assert taken == [b"abc"]
        output.close()
