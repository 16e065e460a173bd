"""Deadlines as a calendar file (RFC 5545), for the calendar that people use already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from icalendar import Alarm, Calendar, Event

_PRODUCT = "-//Jinan technology market//deadlines//ZH"


@dataclass(frozen=True)
class Deadline:
    """One day by which something is done, or one moment at which something begins.

    ``uid`` stays the same when the day moves, so that a calendar moves its entry.
    """

    uid: str
    what: str
    when: date | datetime
    url: str
    note: str = ""
    until: datetime | None = None  # of a moment: when it is over


def calendar_file(name: str, deadlines: Sequence[Deadline], *, now: datetime) -> bytes:
    """Write deadlines as a calendar: days as whole days, each with a reminder the day before."""
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", name)
    for deadline in deadlines:
        event = Event()
        event.add("uid", deadline.uid)
        event.add("dtstamp", now)
        event.add("summary", deadline.what)
        event.add("dtstart", deadline.when)
        if not isinstance(deadline.when, datetime):
            event.add("dtend", deadline.when + timedelta(days=1))
        elif deadline.until is not None:
            event.add("dtend", deadline.until)
        event.add("url", deadline.url)
        if deadline.note:
            event.add("description", deadline.note)
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", deadline.what)
        alarm.add("trigger", timedelta(days=-1))
        event.add_component(alarm)
        calendar.add_component(event)
    return bytes(calendar.to_ical())
