"""Programs of the user's that are run, paused, kept running and stopped by command.

::

    spec        what is configured of one            keeper    runs its program again and again
    records     what is kept over a restart          backoff   when, and how often
    strategy    one: its state, and who is told      registry  all of them
    commands    what sessions ask for                routes    the same by HTTP
"""

from fastrouter.control.strategies.commands import COMMANDS, Commands
from fastrouter.control.strategies.registry import Registry
from fastrouter.control.strategies.spec import Restarts, Spec
from fastrouter.control.strategies.surroundings import Place

__all__ = ["COMMANDS", "Commands", "Place", "Registry", "Restarts", "Spec"]
