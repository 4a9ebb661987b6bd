"""The encode table of one envelope family: a C method per hot kind, Python for the rest."""

from libc.stdint cimport uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from fastrouter.core.structs cimport TEXT_CHUNK

from fastrouter.errors import MessageError


cdef class Dialect:
    """How events look on the wire for one family of clients.

    A dialect is stateless towards sessions: the same event is the same bytes
    for every one of them. Subclass it in Python and give `encode`, `control`
    and `decode`; in Cython also `encode_quote` and `encode_candle`, which write
    one JSON payload of at most MAX_MARKET_FRAME bytes to `out` and return its
    size, or NOT_SENT, or ASK_PYTHON.
    """

    #: kinds that it has no message for, though others do: nothing of them is sent in it
    wordless = ()

    def __init__(self, name: str) -> None:
        self.name = name

    cdef Py_ssize_t encode_quote(self, char* out, TopicText* text, const Topic* topic,
                                 const Stamp* stamp, const MarketFields* value,
                                 bint snapshot) noexcept:
        return ASK_PYTHON

    cdef Py_ssize_t encode_candle(self, char* out, TopicText* text, const Topic* topic,
                                  const Stamp* stamp, const MarketFields* value,
                                  bint snapshot) except? -2:
        return ASK_PYTHON

    cdef TopicText* new_text(self, const Topic* topic) except NULL:
        """What is constant per topic, rendered once. The router frees `data` and the struct."""
        cdef:
            bytes rendered = self.topic_text(
                topic.symbol[:topic.symbol_size].decode(),
                topic.timeframe_name.decode() if topic.timeframe else "")
            TopicText* text = <TopicText*>calloc(1, sizeof(TopicText))
        if text != NULL:
            text.data = <char*>calloc(len(rendered) // TEXT_CHUNK + 1, TEXT_CHUNK)
        if text == NULL or text.data == NULL:
            free(text)
            raise MemoryError()
        memcpy(text.data, <const char*>rendered, len(rendered))
        text.size = <uint32_t>len(rendered)
        return text

    def topic_text(self, symbol: str, timeframe: str) -> bytes:
        """The bytes a C encoder copies for every event of a topic; `timeframe` is "" for quotes."""
        return b""

    def encode(self, event):
        """The payload of a Quote, Candle or Event (with `id` and `time` set) as bytes.

        None: this dialect has no such message.
        """
        raise NotImplementedError(f"dialect {self.name!r} encodes no {type(event).__name__}")

    def control(self, kind: str, fields, time: int) -> bytes:
        """A message to one session: ``welcome``, ``ping``, ``error``, ``subscribed`` ...

        `fields` are its body in order, a dict or for ``strategy_status_list`` a list; `time`
        in ns since the epoch. NotImplementedError where this dialect has no word for it: then
        nothing is sent.
        """
        raise NotImplementedError(f"dialect {self.name!r} has no {kind!r} message")

    def decode(self, data: bytes):
        """The Quote, Candle or Event a server message stands for; MessageError if none."""
        raise MessageError(f"dialect {self.name!r} decodes nothing")
