from fastrouter.journal.entry import Entry

__all__ = ["unpack"]

def unpack(data: bytes) -> Entry: ...
