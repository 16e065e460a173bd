"""How much a voucher may carry (济科发〔2019〕78号): shares, caps per holder, event and year."""

from __future__ import annotations

from fractions import Fraction

from marketplace.accounts.rules import OrganisationKind
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import FEN_PER_YUAN, Fen
from marketplace.techservices.parameters import VoucherTerms


def holder_of(kind: OrganisationKind) -> str | None:
    """Return as what an organisation holds an instrument voucher, or None.

    Enterprises are registered here; 创客团队 are no organisations of the platform.
    """
    return "enterprise" if kind is OrganisationKind.ENTERPRISE else None


def instrument_cap(terms: VoucherTerms, kind: OrganisationKind) -> Fen:
    """Return what an organisation may use of instrument vouchers in a year, or refuse."""
    holder = holder_of(kind)
    cap = terms.cap_of(holder) if holder else None
    if cap is None:
        raise RuleBroken(
            "vouchers.holder",
            f"{terms.label}发给企业和创客团队，贵单位的类型不能使用；请不勾选创新券",
            "voucher",
        )
    return Fen(cap * FEN_PER_YUAN)


def instrument_amount(terms: VoucherTerms, *, fee_fen: Fen, cap_fen: Fen, used_fen: Fen) -> Fen:
    """Return what the voucher pays of a fee: its share at most, what the year leaves at most."""
    share = terms.fraction() * fee_fen
    left = max(0, cap_fen - used_fen)
    return Fen(min(share.numerator // share.denominator, left))


def settled_amount(terms: VoucherTerms, *, reserved_fen: Fen, paid_fen: Fen) -> Fen:
    """Return what the voucher pays in the end, beside what the customer really paid.

    The whole fee is paid + voucher, of which the voucher is its share at most; who paid less than
    was agreed uses less of the voucher.
    """
    share = terms.fraction()
    most = paid_fen * share / (1 - share) if share < 1 else Fraction(reserved_fen)
    return Fen(min(reserved_fen, most.numerator // most.denominator))


def event_amount(terms: VoucherTerms, *, given_count: int, used_fen: Fen) -> Fen:
    """Return the value of one more event voucher: nothing beyond the event's or the year's cap."""
    each = (terms.each_yuan or 0) * FEN_PER_YUAN
    cap = (terms.cap_of("institution") or 0) * FEN_PER_YUAN
    if given_count >= (terms.at_most_per_event or 0) or used_fen + each > cap:
        return Fen(0)
    return Fen(each)
