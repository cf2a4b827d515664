"""What a report says of itself besides findings: its day, and where its sources are on the web."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from dal_audit.discover.errors import UsageError

if TYPE_CHECKING:
    from dal_audit.report.model import Report


def published(report: Report, options: Mapping[str, Any]) -> Report:
    """Return a report with what the options `--report-date` and `--source-url` ask for.

    Without them the day is that of SOURCE_DATE_EPOCH, or none; and the address is that of the
    repository's commit, where its remote is on GitHub or GitLab. Raises UsageError for values that
    are no day and no address.
    """
    url = options["source_url"]
    if url is None:
        from dal_audit.discover.web_address import source_url_of  # it asks git

        url = source_url_of(Path(os.path.normpath(Path.cwd() / report.there)))
    elif url and not url.startswith(("https://", "http://")):
        raise UsageError(f"error: --source-url is no address of the web: `{url}`")
    return replace(report, date=day_of(options["report_date"]), source_url=url)


def day_of(given: str | None) -> str:
    """Return the day of a report, `2026-01-31`; empty where none is given.

    Raises UsageError for what is no day, and for a SOURCE_DATE_EPOCH that is no number of seconds.
    """
    if given == "today":
        return dt.datetime.now(dt.timezone.utc).date().isoformat()
    try:
        if given is not None:
            return dt.date.fromisoformat(given).isoformat()
        epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
        return _day_of_seconds(int(epoch)) if epoch else ""
    except (ValueError, OverflowError, OSError):
        what = "--report-date" if given is not None else "SOURCE_DATE_EPOCH"
        raise UsageError(f"error: {what} is no day: write 2026-01-31, or `today`") from None


def _day_of_seconds(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc).date().isoformat()
