"""What the suites share: time an item, and say at the end which aims hold.

A figure is the least of all rounds divided by the items of one call: what the code costs when
nobody else runs. The table beside it has the medians.
"""

from dataclasses import asdict

import pytest

from fastrouter.bench.aims import judge
from fastrouter.bench.report import verdict_line

FIGURES = pytest.StashKey[dict[str, float]]()
AIMS = pytest.StashKey[list]()


def pytest_configure(config):
    config.stash[FIGURES] = {}
    config.stash[AIMS] = []


def pytest_collection_modifyitems(config, items):
    for module in dict.fromkeys(item.module for item in items):
        config.stash[AIMS] += getattr(module, "AIMS", ())


@pytest.fixture
def per_item(benchmark, request):
    """``per_item(call, items)``: ns each of the ``items`` took that one call works off.

    ``setup`` is called before each round, untimed.
    """

    def measure(call, items, *, setup=None, rounds=100):
        benchmark.pedantic(call, setup=setup, rounds=rounds, warmup_rounds=rounds // 10)
        if benchmark.stats is not None:  # --benchmark-disable
            found = benchmark.stats["min"] * 1e9 / items
            benchmark.extra_info["ns_per_item"] = round(found, 2)
            request.config.stash[FIGURES][request.node.name.removeprefix("test_")] = found

    return measure


def verdicts(config):
    return judge(config.stash[AIMS], config.stash[FIGURES])


def pytest_benchmark_update_json(config, benchmarks, output_json):
    output_json["aims"] = [asdict(verdict) for verdict in verdicts(config)]


def pytest_terminal_summary(terminalreporter, config):
    figures = config.stash[FIGURES]
    if figures:
        terminalreporter.section("ns an item, least of all rounds")
    for name, found in figures.items():
        terminalreporter.write_line(f"{found:12,.1f}  {name}")
    for verdict in verdicts(config):
        terminalreporter.write_line(verdict_line(verdict))
