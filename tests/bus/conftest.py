"""Without pynng there is no bus to test."""

import pytest

pytest.importorskip("pynng")
