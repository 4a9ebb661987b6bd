import io
import json
import logging
import sys

import pytest
import structlog

from fastrouter import log
from fastrouter.config import Log


def test_json_lines_for_every_logger(capsys: pytest.CaptureFixture[str]):
    log.configure(Log(format="json"))
    structlog.stdlib.get_logger("ours").info("said", price=1.5)
    logging.getLogger("theirs").warning("%s is %d", "x", 7)
    logging.getLogger("theirs").debug("not this")
    ours, theirs = map(json.loads, capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["price"], ours["logger"], ours["level"]) == (
        "said", 1.5, "ours", "info",
    )  # fmt: skip
    assert (theirs["event"], theirs["level"]) == ("x is 7", "warning")
    assert theirs["timestamp"].endswith("Z")


def test_json_has_the_traceback(capsys: pytest.CaptureFixture[str]):
    log.configure(Log(format="json"))
    try:
        raise ValueError("why")
    except ValueError:
        logging.getLogger("theirs").exception("failed")
    assert "ValueError: why" in json.loads(capsys.readouterr().err)["exception"]


def test_console_has_no_colour_off_a_terminal(capsys: pytest.CaptureFixture[str]):
    log.configure(Log(level="warning"))
    structlog.stdlib.get_logger("ours").info("not this")
    structlog.stdlib.get_logger("ours").error("this", n=1)
    said = capsys.readouterr().err
    assert "this" in said
    assert "not this" not in said
    assert "\x1b" not in said


def test_the_stream_is_whatever_stderr_is_now(monkeypatch: pytest.MonkeyPatch):
    log.configure(Log(format="json"))
    later = io.StringIO()
    monkeypatch.setattr(sys, "stderr", later)
    logging.getLogger("theirs").error("now")
    assert json.loads(later.getvalue())["event"] == "now"
