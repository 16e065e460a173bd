"""When mails are tried again and given up, and what the announcement tables may say."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask

from marketplace.foundation.clock import LOCAL
from marketplace.notifications import rules
from marketplace.notifications.announcing import Announcement, known_words, numbered, used_words
from marketplace.notifications.handlers import ANNOUNCEMENTS, SUBSCRIPTIONS
from marketplace.notifications.rules import MAILED_BY_DEFAULT, MessageKind

NOW = datetime(2024, 3, 15, 9, 0, tzinfo=LOCAL)


@pytest.mark.parametrize(("tries", "seconds"), [(1, 30), (2, 60), (3, 120), (8, 3840)])
def test_waits_double(tries: int, seconds: int) -> None:
    assert rules.next_try(tries, now=NOW) == NOW + timedelta(seconds=seconds)


def test_a_mail_is_given_up_after_eight_tries_or_three_days() -> None:
    def given_up(tries: int, age: timedelta) -> bool:
        return rules.given_up(tries, queued_at=NOW - age, now=NOW)

    assert not given_up(7, timedelta(days=3))
    assert given_up(8, timedelta())
    assert given_up(0, timedelta(days=3, seconds=1))


def test_a_choice_goes_before_the_default() -> None:
    assert rules.mailed(MessageKind.PUBLICITY, None) is False
    assert rules.mailed(MessageKind.PUBLICITY, True) is True
    assert rules.mailed(MessageKind.CLAIM, None) is True
    assert rules.mailed(MessageKind.CLAIM, False) is False
    assert MessageKind.ACHIEVEMENT not in MAILED_BY_DEFAULT


def test_every_text_uses_only_what_its_event_knows() -> None:
    wrong = {
        name: sorted(unknown)
        for name, line in numbered(ANNOUNCEMENTS)
        if (unknown := used_words(line.title + line.text) - known_words(line.event))
    }
    assert not wrong


def test_every_link_and_word_is_filled_from_a_field_of_its_event() -> None:
    for name, line in numbered(ANNOUNCEMENTS):
        fields = set(line.event.__dataclass_fields__)
        assert set(line.params.values()) <= fields, name
        assert set(line.words) <= fields, name


def test_every_link_leads_to_a_page(app: Flask) -> None:
    pages = {rule.endpoint: rule for rule in app.url_map.iter_rules() if "GET" in rule.methods}
    wrong = []
    for name, line in numbered(ANNOUNCEMENTS):
        if not line.endpoint:
            continue
        page = pages.get(line.endpoint)
        if page is None or page.arguments != set(line.params):
            wrong.append((name, line.endpoint, sorted(line.params)))
    assert not wrong


def test_subscribers_have_names_of_their_own() -> None:
    names = [subscription.subscriber for subscription in SUBSCRIPTIONS]
    assert len(names) == len(set(names))
    assert all(name.startswith("notifications.") for name in names)


def test_lines_of_one_event_are_told_apart() -> None:
    lines: dict[object, list[Announcement]] = {}
    for line in ANNOUNCEMENTS:
        lines.setdefault(line.event, []).append(line)
    for several in lines.values():
        assert len({line.name for line in several}) == len(several), several[0].event
