"""The Autobahn test suite against our listener, where the suite is installed.

It needs Python 2.7: ``pip install autobahntestsuite`` there, and ``wstest`` on the PATH.
What of it can be said without it is in test_rfc6455.
"""

import json
import shutil
import signal
import subprocess
import sys
from collections import Counter

import pytest

from fastrouter.bench.child import Child

WSTEST = shutil.which("wstest")
COMPRESSION = ["12.*", "13.*"]  # not offered


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(WSTEST is None, reason="wstest is not on the PATH; it needs Python 2.7")
def test_no_case_fails(tmp_path):
    command = [sys.executable, "-m", "fastrouter.bench.echo", "--port", "0"]
    with Child(command) as server:
        spec = {
            "outdir": str(tmp_path / "reports"),
            "servers": [
                {"agent": "ours", "url": f"ws://127.0.0.1:{server.hear_word('PORT')}"},
            ],
            "cases": ["*"],
            "exclude-cases": COMPRESSION,
            "exclude-agent-cases": {},
        }
        (tmp_path / "spec.json").write_text(json.dumps(spec))
        done = subprocess.run(
            [WSTEST, "-m", "fuzzingclient", "-s", str(tmp_path / "spec.json")],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        server.signal(signal.SIGTERM)
    cases = json.loads((tmp_path / "reports" / "index.json").read_text())["ours"]
    failed = {
        name: case
        for name, case in cases.items()
        if not {case["behavior"], case["behaviorClose"]} <= {"OK", "NON-STRICT", "INFORMATIONAL"}
    }
    assert failed == {}
    counts = Counter(case["behavior"] for case in cases.values())
    assert counts["OK"] >= 290, counts
