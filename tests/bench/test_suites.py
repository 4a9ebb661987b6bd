"""The pytest-benchmark suites: what they time is right, and their figures come out."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fastrouter import bench
from fastrouter.bench.aims import Aim, judge, ns, ratio, slope
from fastrouter.commands.bench import BENCHES

FOLDER = Path(bench.__file__).parent
SUITES = sorted(path.name for path in FOLDER.glob("bench_*.py"))


def run(*command: str) -> str:
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_suite_has_a_command() -> None:
    names = {name.removeprefix("bench_").removesuffix(".py") for name in SUITES}
    assert names == {"encode", "match", "publish", "market", "broker", "leaves"}
    assert names <= set(BENCHES)


@pytest.mark.parametrize("name", SUITES)
def test_quick_form(name: str) -> None:
    """All that a suite asserts, each loop run once and not timed."""
    out = run("pytest", str(FOLDER / name), "-q", "--benchmark-disable", "-p", "no:cacheprovider")
    assert " passed" in out
    assert "skipped" not in out


def test_json_has_figures_and_aims() -> None:
    document = json.loads(run("fastrouter.cli", "bench", "publish", "--json", "-k", "publish_to"))
    (found,) = document["benchmarks"]
    assert found["extra_info"]["ns_per_item"] > 0
    assert [aim["aim"] for aim in document["aims"]] == ["publish() with no subscriber, ns <= 250"]


def test_aims_are_judged_when_their_benches_ran() -> None:
    aims = [
        Aim("alone", 150, ns("ours")),
        Aim("beside", 1 / 3, ratio("ours", "theirs")),
        Aim("each", 40, slope("ours[10]", "ours", 9)),
        Aim("not run", 1, ns("other")),
    ]
    found = judge(aims, {"ours": 100.0, "theirs": 200.0, "ours[10]": 190.0})
    assert [(verdict.aim, verdict.measured, verdict.holds) for verdict in found] == [
        ("alone <= 150", "100", True),
        ("beside <= 0.3333", "0.5", False),
        ("each <= 40", "10", True),
    ]
