"""The benches: what a delivery costs, beside what the kernel allows.

``python -m fastrouter.bench.fanout`` measures fan-out end to end against raw C floors in the same
run; ``python -m fastrouter.bench.idle`` the memory of idle sessions. ``bench_*.py`` are
pytest-benchmark suites of single parts.
"""
