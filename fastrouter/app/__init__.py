"""The composition root: builds the parts from the configuration, starts them, drains them."""

from fastrouter.app.check import check
from fastrouter.app.feeds import feed_of
from fastrouter.app.server import run, serve
from fastrouter.app.serving import Serving
from fastrouter.app.store import open_store
from fastrouter.app.verifier import verifier_of

__all__ = ["Serving", "check", "feed_of", "open_store", "run", "serve", "verifier_of"]
