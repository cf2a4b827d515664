"""Run dal-audit as `python -m dal_audit`."""

import os
import sys

# Python looks for modules in the current folder first, which may be that of the audited project.
if sys.path and sys.path[0] == os.getcwd():  # noqa: PTH109  # nothing is imported before that
    del sys.path[0]

from dal_audit.commands.main import main

if __name__ == "__main__":
    main()
