from typing import final

@final
class Moments: ...
