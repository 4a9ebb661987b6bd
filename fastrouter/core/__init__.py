"""The compiled middle: events, topics, the ring of frames and who gets what (sans-IO)."""
