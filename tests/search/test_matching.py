"""Matches both ways, with features, reasons and diversity."""

from __future__ import annotations

import dataclasses

import pytest

from search import backwards, expansion, features, matching, text
from search.engine import TOGETHER, Ask, Engine, Expansion
from search.features import Seeker
from search.ranking import Scorer
from search.schema import Document, Scope
from tests.search.conftest import CORPUS

ACHIEVEMENTS = Scope(kinds=frozenset({"achievement"}))
NEEDS = Scope(kinds=frozenset({"need"}))
FLUE_GAS = Seeker(
    text="烘炉烟气 170–200 ℃，氮氧化物超标，希望低温脱硝。需要 60 天供货。",
    industry=("environment",),
    maturity=6,
    price=200_000_000,
    owner_id="9",
    now=1_710_000_000,
)


def test_a_need_finds_its_achievement_with_reasons(engine: Engine) -> None:
    best, *_ = matching.match(engine, FLUE_GAS, ACHIEVEMENTS)
    assert best.document.id == "achievement:1"
    assert 50 <= best.fit <= 100
    assert "低温" in dict(best.strongest)
    assert "<mark>烟气</mark>" in best.sentence
    agreed = {entry.name: entry for entry in best.agreements}
    assert agreed["industry"].degree == 1.0
    assert agreed["price"].degree == 1.0
    assert agreed["maturity"].degree == 1.0
    assert "供货" in best.unanswered
    assert sum(share for _, share in best.strongest) <= 1.0


def test_an_achievement_finds_needs_by_the_same_code(engine: Engine) -> None:
    offer = CORPUS[0]
    seeker = Seeker(
        text=f"{offer.title}。{offer.body}",
        industry=offer.industry,
        maturity=offer.maturity,
        price=offer.price,
        owner_id=offer.owner_id,
        offers=True,
    )
    best, *_ = matching.match(engine, seeker, NEEDS)
    assert best.document.id == "need:1"
    agreed = {entry.name: entry.degree for entry in best.agreements}
    assert agreed["maturity"] == 1.0
    assert agreed["price"] == 1.0


def test_own_documents_are_never_matched(engine: Engine) -> None:
    own = dataclasses.replace(FLUE_GAS, owner_id="1")
    assert "achievement:1" not in ids(matching.match(engine, own, ACHIEVEMENTS))


def test_what_others_may_not_see_is_not_matched(engine: Engine) -> None:
    seeker = Seeker(text="小麦玉米 水肥一体化 滴灌")
    assert "achievement:4" not in ids(matching.match(engine, seeker, ACHIEVEMENTS))


def test_everyday_words_reach_the_experts_term_and_can_be_switched_off(engine: Engine) -> None:
    seeker = Seeker(text="凉水塔用几天就长硬皮")
    terms = {term.text for term in expansion.expand(seeker.text)}
    assert "循环冷却水" in terms
    best, *_ = matching.match(engine, seeker, ACHIEVEMENTS)
    assert best.document.id == "achievement:2"
    assert "循环冷却水" in {term.text for term in best.expansions}
    plain = matching.match(engine, seeker, ACHIEVEMENTS, expand=False)
    assert all(not match.expansions for match in plain)
    without = matching.match(engine, seeker, ACHIEVEMENTS, without_terms=terms)
    assert ids(without) == ids(plain)


def test_an_achievement_reaches_the_need_that_only_complains(engine: Engine) -> None:
    complaint = Document(id="need:7", kind="need", title="凉水塔又脏了，板换也跟着堵", owner_id="7")
    engine.upsert([complaint])
    offer = Seeker(text="阻垢剂与循环冷却水处理，板式换热器，阻垢率 96 %", offers=True)
    best, *_ = matching.match(engine, offer, NEEDS)
    assert best.document.id == complaint.id
    led = {term.text: term.because for term in best.expansions}
    said = next(phrase for phrase in led if TOGETHER in phrase or phrase in complaint.title)
    assert any(term in offer.text for term in led[said].split())
    assert "<mark>" in best.sentence
    plain = matching.match(engine, offer, NEEDS, expand=False)
    assert not any(match.expansions for match in plain)
    without = matching.match(engine, offer, NEEDS, without_terms=set(led))
    assert not set(led) & {term.text for match in without for term in match.expansions}
    # A need is never taken for an offer: it holds everyday words already.
    as_need = matching.match(engine, dataclasses.replace(offer, offers=False), NEEDS)
    assert not set(led) & {term.text for match in as_need for term in match.expansions}


def test_pieces_of_a_trigger_must_all_stand_in_the_need(engine: Engine) -> None:
    engine.upsert(
        [
            Document(id="need:8", kind="need", title="早上量好了，下午尺寸不一样"),
            Document(id="need:9", kind="need", title="早上量好了"),
        ]
    )
    phrase = TOGETHER.join(("早上", "下午", "尺寸不一样"))
    assert phrase in {term.text for term in backwards.everyday("机床热误差补偿方法")}
    ask = Ask(scope=NEEDS, expansions=(Expansion(phrase, text.cover(phrase), 1.0),))
    scorer = Scorer(ask, engine.statistics(*Scorer.terms(ask)))
    scores = scorer.score(engine.candidates(ask))
    found = [
        hit.document.id for hit, total in zip(scores.hits, scores.totals(), strict=True) if total
    ]
    assert found == ["need:8"]


def test_everyday_words_are_the_entrys_and_not_the_texts_own() -> None:
    written = "机床热误差补偿方法，早上与下午一致"
    said = backwards.everyday(written)
    assert {term.because for term in said if "热误差补偿" in term.because}
    assert not [term.text for term in said if term.text in written]
    assert [term.weight for term in said] == sorted((t.weight for t in said), reverse=True)
    assert len(said) <= expansion.load_settings().offer_most_words
    assert backwards.everyday("早上好") == ()


def test_near_misses_name_what_would_satisfy(engine: Engine) -> None:
    picky = dataclasses.replace(FLUE_GAS, maturity=9, price=150_000_000)
    best = next(m for m in matching.match(engine, picky, ACHIEVEMENTS) if m.fit)
    assert best.document.id == "achievement:1"
    assert best.near_misses == (("maturity", 9), ("price", 180_000_000))


def test_at_most_three_of_one_owner_come_first(engine: Engine) -> None:
    flood = [dataclasses.replace(CORPUS[0], id=f"achievement:1{n}") for n in range(8)]
    other = dataclasses.replace(CORPUS[0], id="achievement:50", owner_id="77", body="低温脱硝")
    engine.upsert([*flood, other])
    owners = [m.document.owner_id for m in matching.match(engine, FLUE_GAS, ACHIEVEMENTS, limit=10)]
    assert owners.index("77") <= 3
    assert owners[:4].count("1") == 3
    free = matching.match(engine, FLUE_GAS, ACHIEVEMENTS, limit=6, most_per_owner=None)
    assert [m.document.owner_id for m in free].count("1") == 6


def test_an_empty_need_matches_nothing(engine: Engine) -> None:
    assert matching.match(engine, Seeker(text="，。"), ACHIEVEMENTS) == []


def test_talk_about_the_company_counts_less() -> None:
    seeker = Seeker(text="本公司成立于1998年，员工300人。循环水结垢")
    ask = matching.build(seeker, ACHIEVEMENTS, matching.load_settings())
    assert ask.words["成立"] == pytest.approx(0.3)
    assert ask.words["结垢"] == 1.0


@pytest.mark.parametrize(
    ("one", "other", "degree"),
    [
        ("B01J23/34", "B01J23/34", 1.0),
        ("B01J23/34", "B01J23/10", 0.8),
        ("B01J23/34", "B01J35/00", 0.6),
        ("B01J23/34", "B01D53/86", 0.2),
        ("B01J23/34", "H03K17/00", 0.0),
    ],
)
def test_ipc_symbols_agree_by_their_levels(one: str, other: str, degree: float) -> None:
    document = Document(id="x:1", kind="achievement", ipc=(other,))
    seeker = Seeker(text="", ipc=(one,))
    found = features.agreements(document, seeker, features.Prediction())
    assert next(a.degree for a in found if a.name == "ipc") == degree


def test_the_settings_name_every_feature() -> None:
    weights = matching.load_settings().features
    document = Document(id="x:1", kind="achievement")
    sides = (Seeker(text=""), Seeker(text="", industry=("a",), field=("b",), ipc=("C01B1/00",)))
    for seeker in sides:
        for entry in features.agreements(document, seeker, features.Prediction()):
            assert entry.weight_name in weights


def test_the_lexicon_is_well_formed() -> None:
    entries = expansion.load()
    assert len(entries) > 500
    triggers = [trigger for entry in entries for trigger in entry.triggers]
    lonely = [t for t in triggers if len(t) == 1 and len(t[0]) < 2]
    assert lonely == [], "one character alone sets off too much"


def ids(matches: list[matching.Match]) -> list[str]:
    return [match.document.id for match in matches]
