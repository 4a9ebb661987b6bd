from typing import final

from fastrouter.core.router import Router

@final
class Watchdog:
    def __init__(self, router: Router, silence_ns: int) -> None: ...
    def scan(self, now: int) -> tuple[list[tuple[str, str, int]], list[tuple[str, str, int]]]: ...
