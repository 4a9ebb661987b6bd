from typing import final

@final
class Ring:
    def __new__(cls, capacity: int, slot_count: int) -> Ring: ...
