"""The Python SDK: a connection to a router as an iterator of typed events."""

from fastrouter.client.connection import Connection, connect
from fastrouter.client.options import Options
from fastrouter.client.statistics import Statistics
from fastrouter.client.surroundings import Surroundings
from fastrouter.client.tls import trusting

__all__ = ["Connection", "Options", "Statistics", "Surroundings", "connect", "trusting"]
