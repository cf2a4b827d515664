"""Run dal-audit: as the program `dal-audit`, or as `python -m dal_audit`."""

import os
import sys

# `signal` itself takes longer to import than all of this.
from _signal import (  # type: ignore[import-not-found]
    SIG_DFL,
    SIGINT,
    default_int_handler,
    getsignal,
    signal,
)

# Until the command line can say that it was interrupted, Ctrl-C ends the process as the system
# does: by the signal, which shells tell as 130, and without a traceback.
if getsignal(SIGINT) is default_int_handler:
    signal(SIGINT, SIG_DFL)

# Python looks for modules in the current folder first, which may be that of the audited project.
if sys.path and sys.path[0] == os.getcwd():  # noqa: PTH109  # nothing is imported before that
    del sys.path[0]

from dal_audit.commands.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
