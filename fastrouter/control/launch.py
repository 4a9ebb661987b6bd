"""Becomes the program that its arguments name, which then ends with whoever started it.

A program of its own, ``launch.py PARENT DESCRIPTOR NICE COMMAND…``: what has to be done between
fork and exec is done after an exec here, so that the server need not copy itself for it.
What keeps the program from being run is written to the descriptor, as its errno; nothing is
when it runs.
"""

import ctypes
import os
import signal
import sys

PDEATHSIG = 1  # prctl(2)
IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)  # by this interpreter; what is ignored stays so


def main() -> None:
    parent, descriptor, nice, *command = sys.argv[1:]
    os.set_inheritable(int(descriptor), False)
    ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):  # it was gone before we had asked for that
        return
    os.nice(int(nice))
    for number in IGNORED:
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(int(descriptor), str(error.errno).encode())


if __name__ == "__main__":
    main()
