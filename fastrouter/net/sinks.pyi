from typing import final

from typing_extensions import disjoint_base

from fastrouter.core.sink import Sink

@disjoint_base
class PeerSink(Sink): ...

@final
class SocketSink(PeerSink): ...

@final
class TransportSink(PeerSink): ...
