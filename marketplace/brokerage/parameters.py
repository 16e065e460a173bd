"""Dated data of brokerage: conditions of filing, terms, the confidentiality agreement's text."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from functools import cache

from pydantic import BaseModel, ConfigDict

from marketplace.brokerage.feedback_rules import ReminderTerms
from marketplace.brokerage.register_rules import FilingConditions
from marketplace.foundation.local_time import last_day_after
from marketplace.foundation.parameters import value_on
from marketplace.foundation.reference import load


def filing_conditions_on(day: date) -> FilingConditions:
    """Return the least figures that an agency needs on a day."""
    return FilingConditions(
        service_income_yuan=value_on("filing_service_income_yuan", day),
        brokered_yuan=value_on("filing_brokered_yuan", day),
        internal_brokered_yuan=value_on("filing_internal_brokered_yuan", day),
        internal_conversion_count=value_on("filing_internal_conversion_count", day),
    )


def filing_ends_on(day: date) -> date:
    """Return the last day of a filing that begins on a day, as the platform proposes it."""
    return last_day_after(day, value_on("filing_valid_years", day))


def agreement_ends_on(day: date) -> date:
    """Return the last day of a confidentiality agreement accepted on a day."""
    return last_day_after(day, value_on("agreement_valid_years", day))


def introduction_ends_on(day: date) -> date:
    """Return the last day on which an introduction recorded on a day counts."""
    return last_day_after(day, value_on("introduction_valid_years", day))


def introduction_lookback_on(day: date) -> timedelta:
    """Return how long before an introduction a contract may name its signing and be checked."""
    return timedelta(days=value_on("introduction_lookback_days", day))


def stale_days_on(day: date) -> int:
    """Return after how many days without a contact a deal counts as going stale."""
    return value_on("deal_stale_days", day)


def follow_up_days_on(day: date) -> int:
    """Return how many days after a call the next one is set when nobody says otherwise."""
    return value_on("deal_follow_up_days", day)


def rating_days_on(day: date) -> int:
    """Return for how many days after the registration a contract's broker may be rated."""
    return value_on("rating_days", day)


def reminder_terms_on(day: date) -> ReminderTerms:
    """Return when an answer that is owed from a day on is reminded of."""
    return ReminderTerms(
        value_on("answer_first_reminder_workdays", day),
        value_on("answer_second_reminder_workdays", day),
        value_on("answer_operator_workdays", day),
    )


class AgreementText(BaseModel):
    """One version of the confidentiality agreement."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    since: date
    title: str
    clauses: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the wording, kept with every acceptance."""
        wording = "\n".join((self.version, self.title, *self.clauses))
        return hashlib.sha256(wording.encode()).hexdigest()


class _AgreementTexts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    versions: tuple[AgreementText, ...]


@cache
def _texts() -> tuple[AgreementText, ...]:
    return load("confidentiality_agreement", _AgreementTexts).versions


def agreement_text_on(day: date) -> AgreementText:
    """Return the newest version of the agreement on a day."""
    return max((t for t in _texts() if t.since <= day), key=lambda text: text.since)


def agreement_text(version: str) -> AgreementText:
    """Return a version of the agreement by its name, as it was accepted."""
    return next(text for text in _texts() if text.version == version)
