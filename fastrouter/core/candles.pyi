from typing import final

@final
class CandleBuilder: ...
