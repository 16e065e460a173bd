"""What every engine must do: one suite, run on each."""

from __future__ import annotations

import dataclasses

import pytest
from pytest_mock import MockerFixture

from search import rebuild, text
from search.engine import Ask, Engine, Unit
from search.errors import (
    AskRejected,
    IndexMissing,
    SearchUnavailable,
    VerificationFailed,
)
from search.ranking import Scorer, rank
from search.schema import MEMBERS, PUBLIC, Document, Filters, Range, Scope
from tests.search.conftest import CORPUS, EVERYTHING

MEMBERS_TOO = dataclasses.replace(EVERYTHING, visibilities=frozenset({PUBLIC, MEMBERS}))


def ask(*words: str, **changes: object) -> Ask:
    units = tuple(Unit(word, (text.cover(word),)) for word in words)
    values: dict[str, object] = {
        "scope": EVERYTHING,
        "units": units,
        "minimum": len(units),
        "words": {w: 1.0 for word in words for w in text.words(word)},
        "grams": {g: 1.0 for word in words for g in text.grams(word)},
    }
    return Ask(**(values | changes))  # type: ignore[arg-type]  # a test's shorthand


def found(engine: Engine, asked: Ask, **options: object) -> list[str]:
    return [hit.document.id for hit in engine.search(asked, **options).hits]  # type: ignore[arg-type]


def test_a_document_comes_back_as_it_went_in(engine: Engine) -> None:
    held = engine.get([document.id for document in CORPUS], MEMBERS_TOO)
    assert {name: hit.document for name, hit in held.items()} == {d.id: d for d in CORPUS}


def test_words_of_two_characters_inside_a_title_are_found(engine: Engine) -> None:
    assert found(engine, ask("脱硝"))[0] == "achievement:1"
    assert found(engine, ask("阻垢")) == ["achievement:2"]


def test_latin_words_and_numbers_match_whole_only(engine: Engine) -> None:
    assert found(engine, ask("mosfet")) == ["achievement:3"]
    assert found(engine, ask("mos")) == []
    assert found(engine, ask("180")) == ["achievement:1"]


def test_minimum_is_the_number_of_units_that_must_occur(engine: Engine) -> None:
    strict = ask("低温", "催化剂", "碳化硅")
    assert found(engine, strict) == []
    assert found(engine, dataclasses.replace(strict, minimum=2)) == ["achievement:1"]
    loose = dataclasses.replace(strict, minimum=1)
    assert set(found(engine, loose)) == {"achievement:1", "achievement:3", "need:1"}
    assert engine.count(loose) == 3


def test_half_of_many_words(engine: Engine) -> None:
    known = ("低温", "脱硝", "催化剂", "烟气", "温度", "活性", "连续", "运行")
    strangers = ("量子", "卫星", "疫苗", "基因", "陶瓷", "光纤", "风机", "水泵")
    half = ask(*known, *strangers, minimum=8)
    assert found(engine, half) == ["achievement:1"]
    assert found(engine, dataclasses.replace(half, minimum=9)) == []


def test_another_name_of_a_unit_satisfies_it(engine: Engine) -> None:
    unit = Unit("水垢", (text.cover("水垢"), text.cover("阻垢剂")))
    assert found(engine, ask(units=(unit,), minimum=1)) == ["achievement:2"]


def test_phrases_are_unbroken_and_do_not_cross_title_and_body(engine: Engine) -> None:
    assert found(engine, ask(phrases=(tuple(text.unigrams("锰铈复合")),))) == ["achievement:1"]
    assert found(engine, ask(phrases=(tuple(text.unigrams("锰复合")),))) == []
    across = tuple(text.unigrams("除垢装置循环"))
    assert found(engine, ask(phrases=(across,))) == []


def test_a_phrase_is_more_than_its_pairs_standing_apart(engine: Engine) -> None:
    apart = Document(id="achievement:8", kind="achievement", title="锰铈氧化，再铈复氧化，锰复合")
    engine.upsert([apart])
    needle = tuple(text.unigrams("锰铈复合"))
    assert found(engine, ask(phrases=(needle,))) == ["achievement:1"]
    assert "achievement:8" in found(engine, ask(excluded=(needle,)))
    assert "achievement:1" not in found(engine, ask(excluded=(needle,)))


def test_a_phrase_crosses_marks_but_not_parts(engine: Engine) -> None:
    assert found(engine, ask(phrases=(tuple(text.unigrams("催化剂180")),))) == ["achievement:1"]
    assert found(engine, ask(phrases=(tuple(text.unigrams("加热焦炉")),))) == []
    assert found(engine, ask(phrases=(("热", "焦"),))) == []


def test_excluded_phrases_shut_documents_out(engine: Engine) -> None:
    asked = ask("低温", excluded=(tuple(text.unigrams("铸造")),))
    assert found(engine, asked) == ["achievement:1"]


def test_filters_within_a_field_add_and_between_fields_narrow(engine: Engine) -> None:
    either = Filters({"region": frozenset({"370102", "370112"})})
    assert engine.count(ask(filters=either)) == 4
    both = Filters({"region": frozenset({"370102"}), "field": frozenset({"05"})})
    assert found(engine, ask(filters=both)) == ["achievement:2"]


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        (Range(low=40_000_000, high=180_000_000), {"achievement:1", "achievement:3"}),
        (Range(high=60_000_000), {"achievement:3"}),
        (Range(high=60_000_000, absent=True), {"achievement:3", "achievement:2"}),
        (Range(low=180_000_001), {"need:1"}),
    ],
)
def test_ranges_include_their_bounds_and_the_unknown_only_when_asked(
    engine: Engine, bounds: Range, expected: set[str]
) -> None:
    assert set(found(engine, ask(filters=Filters(ranges={"price": bounds})))) == expected


def test_values_that_differ_in_case_or_form_stay_apart(engine: Engine) -> None:
    regions = ("b01J", "B01J", " b01j", "①", "1", 'a" OR "b', "济南")
    twins = [
        Document(id=f"need:{number}", kind="need", region=region)
        for number, region in enumerate(regions, start=100)
    ]
    engine.upsert(twins)
    counted = engine.facets(ask(), ["region"])["region"]
    for twin in twins:
        chosen = Filters({"region": frozenset({twin.region})})
        assert found(engine, ask(filters=chosen)) == [twin.id]
        assert counted[twin.region] == 1


def test_facets_ignore_their_own_filter_and_obey_the_others(engine: Engine) -> None:
    chosen = Filters({"region": frozenset({"370102"}), "kind": frozenset({"achievement"})})
    counted = engine.facets(ask(filters=chosen), ["region", "field", "kind"])
    assert counted["region"] == {"370102": 2, "370112": 1}
    assert counted["field"] == {"07": 1, "05": 1, "01": 1}
    assert counted["kind"] == {"achievement": 2}


def test_orders(engine: Engine) -> None:
    achievements = ask(scope=Scope(kinds=frozenset({"achievement"})))
    by_price = ["achievement:3", "achievement:1", "achievement:2"]
    assert found(engine, achievements, sort="price") == by_price  # without a price: last
    assert found(engine, achievements, sort="maturity")[0] == "achievement:1"
    assert found(engine, achievements, sort="updated")[0] == "achievement:1"
    with pytest.raises(AskRejected):
        engine.search(achievements, sort="beauty")


def test_pages_cover_everything_once(engine: Engine) -> None:
    asked = ask()
    pages = [found(engine, asked, sort="updated", offset=o, limit=1) for o in range(5)]
    assert sorted(name for page in pages for name in page) == [
        d.id for d in CORPUS if d.visibility == PUBLIC
    ]
    assert found(engine, asked, offset=10**9) == []


def test_pages_by_relevance_cover_everything_once_and_begin_with_the_best(engine: Engine) -> None:
    many = [
        Document(
            id=f"need:{number}",
            kind="need",
            title="石墨烯" if number == 333 else f"石墨烯散热膜样品 {number}",
            body="" if number == 333 else "用于散热的薄膜。",
        )
        for number in range(100, 560)
    ]
    engine.upsert(many)
    asked = ask("石墨烯")
    pages = [found(engine, asked, offset=offset, limit=50) for offset in range(0, 500, 50)]
    assert pages[0][0] == "need:333"
    assert sorted(name for page in pages for name in page) == sorted(d.id for d in many)
    assert engine.search(asked).total == engine.count(asked) == len(many)


def test_what_a_reader_may_not_see_is_nowhere(engine: Engine) -> None:
    secret = ask("水肥")
    assert found(engine, secret) == []
    assert engine.candidates(secret) == ()
    assert engine.count(secret) == 0
    assert engine.get(["achievement:4"], EVERYTHING) == {}
    assert "370181" not in engine.facets(ask(), ["region"])["region"]
    assert engine.vocabulary("phrases", "滴灌", EVERYTHING) == []
    assert engine.vocabulary("initials", "dg", EVERYTHING) == []
    assert found(engine, dataclasses.replace(secret, scope=MEMBERS_TOO)) == ["achievement:4"]
    assert engine.vocabulary("phrases", "滴灌", MEMBERS_TOO) == [("滴灌\t滴灌", 1)]


def test_own_and_named_documents_can_be_left_out(engine: Engine) -> None:
    own = dataclasses.replace(EVERYTHING, without_owner="1")
    assert found(engine, ask("低温", scope=own)) == ["need:1"]
    named = dataclasses.replace(EVERYTHING, without_ids=frozenset({"need:1"}))
    assert found(engine, ask("低温", scope=named)) == ["achievement:1"]


def test_states_limit_the_scope(engine: Engine) -> None:
    listed = dataclasses.replace(EVERYTHING, states=frozenset({"listed"}))
    assert found(engine, ask(scope=listed)) == ["achievement:1"]


def test_a_low_rank_comes_later(engine: Engine) -> None:
    twin = dataclasses.replace(CORPUS[1], id="achievement:9", rank=0.5)
    engine.upsert([twin])
    assert found(engine, ask("阻垢剂")) == ["achievement:2", "achievement:9"]
    first, second = engine.search(ask("阻垢剂")).hits
    assert second.score == pytest.approx(first.score * 0.5, rel=0.01)


def test_the_score_of_a_page_is_that_of_the_candidates(engine: Engine) -> None:
    asked = ask("低温", "脱硝", "催化剂", minimum=1)
    scores = [(hit.document.id, hit.score) for hit in engine.candidates(asked)]
    page = [(hit.document.id, hit.score) for hit in engine.search(asked).hits]
    assert page == [(name, pytest.approx(score)) for name, score in scores]


def test_upsert_replaces_and_delete_removes(engine: Engine) -> None:
    changed = dataclasses.replace(CORPUS[1], title="超声除垢", body="", keywords=())
    assert engine.upsert([changed]) == 1
    assert found(engine, ask("阻垢剂")) == []
    assert found(engine, ask("超声")) == ["achievement:2"]
    assert len(list(engine.ids())) == len(CORPUS)
    engine.delete(["achievement:2", "achievement:404"])
    assert found(engine, ask("超声")) == []
    assert "achievement:2" not in set(engine.ids())


def test_the_last_of_two_versions_in_one_batch_stays(engine: Engine) -> None:
    first = dataclasses.replace(CORPUS[1], title="先写的")
    second = dataclasses.replace(CORPUS[1], title="后写的")
    engine.upsert([first, second])
    held = engine.get(["achievement:2"], EVERYTHING)
    assert held["achievement:2"].document.title == "后写的"


def test_the_engines_score_is_the_shared_one(engine: Engine) -> None:
    asked = ask("低温", "脱硝", "催化剂", minimum=1)
    hits = engine.candidates(asked)
    ranked = rank(asked, engine.statistics(*Scorer.terms(asked)), hits)
    assert [hit.document.id for hit, _ in ranked] == [hit.document.id for hit in hits]
    if engine.capabilities.shared_scores:
        for hit, score in ranked:
            assert score == pytest.approx(hit.score, rel=0.05)


def test_without_an_index_reading_says_so(bare: Engine) -> None:
    with pytest.raises(IndexMissing):
        bare.search(ask("脱硝"))
    assert not bare.health().ok


def test_a_swap_keeps_the_old_generation_for_a_roll_back(engine: Engine) -> None:
    before = engine.generation()
    report = rebuild.rebuild(engine, lambda: CORPUS[:2])
    assert report.documents == 2
    assert engine.generation() == report.generation != before
    assert len(list(engine.ids())) == 2
    assert rebuild.roll_back(engine) == before
    assert len(list(engine.ids())) == len(CORPUS)


def test_what_changes_during_a_rebuild_is_in_the_new_generation(engine: Engine) -> None:
    newcomer = dataclasses.replace(CORPUS[0], id="achievement:7", title="新来的量子成果")
    changes = [rebuild.Change("achievement:7", newcomer), rebuild.Change("achievement:3", None)]
    rebuild.rebuild(engine, lambda: CORPUS, changes=lambda: changes)
    assert found(engine, ask("量子")) == ["achievement:7"]
    assert engine.get(["achievement:3"], EVERYTHING) == {}


def test_an_incomplete_generation_is_not_taken_into_use(engine: Engine) -> None:
    before = engine.generation()
    made = rebuild.build(engine, CORPUS[:1])
    with pytest.raises(VerificationFailed):
        rebuild.verify(engine, made, [document.id for document in CORPUS])
    assert engine.generation() == before


def test_a_rebuild_that_lost_documents_keeps_the_old_generation(
    engine: Engine, mocker: MockerFixture
) -> None:
    before = engine.generation()
    whole = engine.upsert
    mocker.patch.object(
        engine, "upsert", lambda documents, **named: whole(list(documents)[1:], **named)
    )
    with pytest.raises(VerificationFailed):
        rebuild.rebuild(engine, lambda: CORPUS)
    assert engine.generation() == before


def test_old_generations_are_dropped_but_never_the_current_one(engine: Engine) -> None:
    for _ in range(4):
        rebuild.rebuild(engine, lambda: CORPUS)
    assert len(engine.generations()) == 2
    current = engine.generation()
    assert current in engine.generations()
    assert current is not None
    with pytest.raises(SearchUnavailable):
        engine.drop(current)


def test_probing_names_what_cannot_be_found(engine: Engine) -> None:
    assert rebuild.probe(engine, CORPUS) == []
    stranger = Document(id="achievement:99", kind="achievement", title="不在索引里的成果")
    assert rebuild.probe(engine, [*CORPUS, stranger]) == ["achievement:99"]
