"""Run dal-audit as `python -m dal_audit`."""

from dal_audit.commands.main import main

if __name__ == "__main__":
    main()
