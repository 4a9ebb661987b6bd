from typing import final

@final
class Showing: ...
