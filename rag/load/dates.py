"""Dates as mails and feeds write them, made sortable."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

_MAX_LENGTH = 100


def iso_date(written: str) -> str:
    """``Wed, 21 Mar 2018 14:14:32 -0800`` as ``2018-03-21 14:14:32 -08:00``.

    The time of day stays that of the sender. What is not understood stays as it is.
    """
    written = " ".join(written.split())
    if not written or len(written) > _MAX_LENGTH:
        return written
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        try:
            moment = parsedate_to_datetime(written)
        except Exception:  # it lets IndexError, TypeError and others through
            return written
    if "T" not in written and ":" not in written:
        return moment.date().isoformat()
    return readable(moment)


def readable(moment: datetime) -> str:
    """Return the date, time to the second, and the zone where it is known."""
    text = moment.strftime("%Y-%m-%d %H:%M:%S")
    zone = moment.strftime("%z")
    return f"{text} {zone[:3]}:{zone[3:5]}" if zone else text
