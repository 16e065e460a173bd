"""Matches with their reasons in words: what fits, what is missing, what to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from marketplace.discovery import labels
from marketplace.discovery.learning_rules import Adjustment
from marketplace.discovery.rules import Verdict
from marketplace.foundation.access import Actor
from marketplace.foundation.money import Fen, scale
from marketplace.foundation.words import Word
from marketplace.needs.rules import Indicator
from search import text
from search.expansion import LEARNED, Term
from search.matching import Match
from search.schema import Document

_INDICATORS_SHOWN = 3
_FEATURES = {
    "industry": "行业",
    "field": "技术领域",
    "ipc": "专利分类",
    "region": "地区",
    "maturity": "成熟度",
    "price": "价格与预算",
    "freshness": "信息新近",
    "dense": "语义相近",
}


@dataclass(frozen=True)
class Check:
    """One point of a match: ``yes`` fits, ``half`` fits in part, ``no`` is missing or unknown."""

    tone: str
    label: str
    text: str


@dataclass(frozen=True, kw_only=True)
class MatchView:
    """One match as pages show it; ``factor`` is what people said of it, for the order only."""

    kind: str
    record_id: int
    need_id: int
    achievement_id: int
    title: str
    owner: str
    state: Word | None
    fit: int
    price_fen: Fen | None
    price_note: str
    checks: tuple[Check, ...]
    terms: tuple[str, ...]
    sentence: Markup
    bridges: tuple[tuple[str, str, bool], ...]
    shares: tuple[tuple[str, int], ...]
    opinion: str = ""
    own: bool = False
    verdict: Verdict | None = None
    factor: float = 1.0


def view_of(
    own: Document,
    match: Match,
    indicators: tuple[Indicator, ...],
    actor: Actor,
    adjustments: Mapping[str, Adjustment],
) -> MatchView:
    """Return a match of an own document as pages show it to the reader."""
    other = match.document
    need, offer = (other, own) if own.kind == "achievement" else (own, other)
    hidden = bool(other.shown.get("price_hidden"))
    adjusted = adjustments.get(other.id, Adjustment())
    return MatchView(
        kind=other.kind,
        record_id=_record_id(other),
        need_id=_record_id(need),
        achievement_id=_record_id(offer),
        title=other.title,
        owner="，".join(p for p in (other.shown.get("owner", ""), other.region) if p),
        state=labels.state(other.kind, other.state),
        fit=match.fit,
        price_fen=Fen(other.price) if other.price is not None else None,
        price_note="登录核验后可见" if hidden else "面议",
        checks=tuple(_checks(match, need, offer, indicators)),
        terms=tuple(term for term, _ in match.strongest),
        sentence=Markup(match.sentence),  # noqa: S704 -- highlighting has escaped it
        bridges=tuple(
            (because(term), term.text, term.source == LEARNED) for term in match.expansions
        ),
        shares=_shares(match),
        opinion=adjusted.said,
        factor=adjusted.factor,
        own=other.owner_id != "" and other.owner_id == str(actor.organisation_id),
    )


def because(term: Term) -> str:
    """Return the words that led to a term, as a reader sees them; none where it was accepted."""
    return term.because.replace(" ", "…")


def _record_id(document: Document) -> int:
    return int(document.shown["record_id"])


def _checks(
    match: Match, need: Document, offer: Document, indicators: tuple[Indicator, ...]
) -> list[Check]:
    agreed = {agreement.name: agreement for agreement in match.agreements}
    checks: list[Check] = []
    if agreed["field"].known:
        asked, held = labels.labels("field", need.field), labels.labels("field", offer.field)
        if agreed["field"].degree:
            checks.append(Check("yes", "领域", f"同属{held}"))
        else:
            checks.append(Check("half", "领域", f"需求属{asked}，成果属{held}"))
    if agreed["industry"].known and agreed["industry"].degree:
        shared = tuple(name for name in need.industry if name in offer.industry)
        checks.append(Check("yes", "行业", labels.labels("industry", shared)))
    checks += _mode_checks(need, offer)
    checks.append(_price_check(need, offer))
    checks += [_indicator_check(line, offer) for line in indicators[:_INDICATORS_SHOWN]]
    if offer.maturity is not None:
        ready = offer.maturity >= _READY
        said = f"成果 {offer.maturity} 级" + ("，已到样机以上" if ready else "，离量产还有距离")
        checks.append(Check("yes" if ready else "half", "成熟度", said))
    if match.unanswered and not indicators:
        asked_words = "、".join(match.unanswered[:3])
        checks.append(Check("no", "未提到", f"对方没有写到“{asked_words}”，请询问"))
    return checks


# From this level on a prototype has been shown in the relevant environment (GB/T 22900-2022).
_READY = 6


def _mode_checks(need: Document, offer: Document) -> list[Check]:
    if not need.mode or not offer.mode:
        return []
    shared = tuple(mode for mode in need.mode if mode in offer.mode)
    if shared:
        return [Check("yes", "方式", labels.labels("mode", shared))]
    wished, given = labels.labels("mode", need.mode), labels.labels("mode", offer.mode)
    return [Check("half", "方式", f"需求希望{wished}，成果提供{given}，可以商量")]


def _price_check(need: Document, offer: Document) -> Check:
    budget, price = need.price, offer.price
    if budget is None and price is None:
        return Check("half", "价格", "双方都写面议，请询问")
    if budget is None:
        return Check("half", "价格", f"成果期望 {_amount(price)}，需求没有写预算")
    if price is None:
        return Check("half", "价格", f"需求预算 {_amount(budget)}，成果价格面议，请询问")
    if price <= budget:
        return Check("yes", "预算", f"需求预算 {_amount(budget)}，覆盖期望价 {_amount(price)}")
    said = f"期望价 {_amount(price)} 比预算 {_amount(budget)} 高 {_amount(price - budget)}"
    return Check("half" if price <= budget * 3 // 2 else "no", "预算", said)


def _indicator_check(line: Indicator, offer: Document) -> Check:
    """Tell whether the offer speaks of what the need measures; numbers are left to people."""
    target = f"{line.target}{line.unit}".strip()
    held = text.unigrams(text.norm(f"{offer.title}\n{offer.body}"))
    names = [word for word in text.words(text.norm(line.name)) if len(word) > 1]
    spoken = [word for word in names if text.contains(held, text.unigrams(word))]
    if names and len(spoken) == len(names):
        return Check("yes", line.name, f"需求要 {target}，成果写到了这项指标，请核对数值")
    if spoken:
        return Check("half", line.name, f"需求要 {target}，成果只提到“{'、'.join(spoken)}”")
    return Check("no", line.name, f"需求要 {target}，成果未说明，请询问")


def _amount(amount: int | None) -> str:
    figure, unit = scale(Fen(amount or 0))
    return f"{figure} {unit}"


def _shares(match: Match) -> tuple[tuple[str, int], ...]:
    """Return what the score is made of, in percent, the text first."""
    features = [
        (_FEATURES[agreement.name], round(100 * agreement.share))
        for agreement in match.agreements
        if round(100 * agreement.share) > 0
    ]
    return (("文字相关", max(0, 100 - sum(part for _, part in features))), *features)
