from typing import final

@final
class Kept: ...
