"""The terms of vouchers, read from the policy file that fixes them: 济科发〔2019〕78号."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.reference import load

POLICY = "policies/jkf-2019-78"


class _Part(BaseModel):
    # The subsidies slice checks the whole file; here only the vouchers are read.
    model_config = ConfigDict(extra="ignore", frozen=True, arbitrary_types_allowed=True)


class VoucherCap(_Part):
    """What one holder may use in a year, in whole yuan."""

    holder: Literal["enterprise", "team", "institution"]
    cap_yuan: int


class VoucherTerms(_Part):
    """A voucher: a share of a fee, or a value each."""

    key: str
    label: str
    share: str | None = None
    each_yuan: int | None = None
    at_most_per_event: int | None = None
    caps: tuple[VoucherCap, ...]

    def cap_of(self, holder: str) -> int | None:
        """Return a holder's yearly cap in yuan, or None where the voucher is not for it."""
        return next((cap.cap_yuan for cap in self.caps if cap.holder == holder), None)

    def fraction(self) -> Fraction:
        """Return the share of the fee that the voucher pays."""
        return Fraction(self.share or "0")


class _Period(_Part):
    since: date = Field(alias="from")
    until: date | None = Field(alias="to")


class VoucherPolicy(_Part):
    """The document with its vouchers."""

    document_no: str
    title: str
    in_force: _Period
    vouchers: tuple[VoucherTerms, ...]


@cache
def voucher_policy() -> VoucherPolicy:
    """Return the document that grants vouchers."""
    return load(POLICY, VoucherPolicy)


def voucher_terms_on(key: str, on: date) -> VoucherTerms:
    """Return a voucher's terms on a day; refuse a day outside the document's force."""
    policy = voucher_policy()
    period = policy.in_force
    if on < period.since or (period.until is not None and period.until < on):
        raise RuleBroken(
            "vouchers.not_in_force",
            f"{policy.document_no}在 {on.isoformat()} 没有施行，不能使用创新券",
            "voucher",
        )
    return next(terms for terms in policy.vouchers if terms.key == key)
