from typing import final

@final
class Budget:
    def __new__(cls, limit: int) -> Budget: ...
