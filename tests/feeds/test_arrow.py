"""pyarrow, and where its memory comes from."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ASK = """
{before}
from fastrouter.feeds.arrow import arrow
arrow("parquet")
print(arrow().default_memory_pool().backend_name)
"""


@pytest.mark.parametrize(
    ("before", "pool", "found"),
    [
        ("", None, "system"),
        ("", "mimalloc", "mimalloc"),
        ("import pyarrow; pyarrow.set_memory_pool(pyarrow.mimalloc_memory_pool())", None,
         "mimalloc"),
    ],
    ids=["ours", "the environment's", "the program's"],
)  # fmt: skip
def test_memory_is_the_c_librarys_unless_somebody_says_otherwise(before, pool, found):
    environment = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": pool or ""}
    if pool is None:
        del environment["ARROW_DEFAULT_MEMORY_POOL"]
    told = subprocess.run(
        [sys.executable, "-c", ASK.format(before=before)],
        env=environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == found
