"""The search page's answer: tiers, highlighting, nearest, suggestions, did-you-mean."""

from __future__ import annotations

import dataclasses
import html
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_mock import MockerFixture

from search import beside, expansion, query, rebuild, searching, suggest
from search.address import open_engine
from search.engine import Engine
from search.highlight import Marks
from search.schema import Document, Filters
from tests.search.conftest import CORPUS, EVERYTHING


def answer(engine: Engine, typed: str, **options: object) -> searching.Results:
    asked = query.parse(typed)
    return searching.search(engine, asked, EVERYTHING, asked.filters, **options)  # type: ignore[arg-type]


def test_the_strictest_tier_with_enough_hits_answers(engine: Engine) -> None:
    all_words = answer(engine, "低温 催化剂", enough=1)
    assert (all_words.share, all_words.total) == (1.0, 1)
    some = answer(engine, "低温 催化剂 铸造 碳化硅", enough=1)
    assert some.share == 0.5
    assert {f.hit.document.id for f in some.found} == {"achievement:1", "need:1"}


def test_fewer_than_enough_still_answer(engine: Engine) -> None:
    results = answer(engine, "低温", enough=20)
    assert results.total == 2


def test_without_words_everything_is_listed_newest_first(engine: Engine) -> None:
    results = answer(engine, "")
    assert [found.hit.document.id for found in results.found][:2] == ["need:1", "achievement:1"]


def test_found_words_are_marked_in_title_and_passage(engine: Engine) -> None:
    first = answer(engine, "低温 脱硝").found[0]
    assert first.title.startswith("<mark>低温脱硝</mark>催化剂")
    assert "<mark>" in first.passage


def test_single_characters_are_marked_only_where_nothing_longer_was_typed(engine: Engine) -> None:
    assert "<mark>低温脱硝</mark>" in answer(engine, "低温 脱硝 气").found[0].title
    assert "<mark>气</mark>" not in answer(engine, "低温 脱硝 气").found[0].title
    assert "<mark>气</mark>" in answer(engine, "气", enough=1).found[0].title


def test_nearest_finds_something_for_a_query_without_hits(engine: Engine) -> None:
    asked = query.parse('"低温脱硝的滤袋"')
    assert searching.search(engine, asked, EVERYTHING, Filters()).total == 0
    assert searching.nearest(engine, asked, EVERYTHING)[0].hit.document.id == "achievement:1"


def test_suggestions_by_characters_pinyin_and_initials(engine: Engine) -> None:
    for typed in ("低温", "diwen", "dwtx", "DiWenTuo"):
        phrases = [entry.phrase for entry in suggest.suggest(engine, typed, EVERYTHING)]
        assert "低温脱硝" in phrases, typed
    assert suggest.suggest(engine, "", EVERYTHING) == []
    assert suggest.suggest(engine, "zzzz", EVERYTHING) == []


def test_did_you_mean_by_pinyin_and_by_one_character(engine: Engine) -> None:
    assert suggest.did_you_mean(engine, "半岛体", EVERYTHING) == "半导体"
    assert suggest.did_you_mean(engine, "脱硝崔化剂", EVERYTHING) == "脱硝催化剂"
    assert suggest.did_you_mean(engine, "循环冷去水", EVERYTHING) == "循环冷却水"
    assert suggest.did_you_mean(engine, "半导体", EVERYTHING) is None
    assert suggest.did_you_mean(engine, "滴罐", EVERYTHING) is None  # only members may know 滴灌


def test_marks_are_escaped_aligned_and_merged() -> None:
    marks = Marks(["脱硝", "硝催", "led", "<b>"])
    assert marks.mark("低温脱硝催化剂 ＬＥＤ <i>leds</i>") == (
        "低温<mark>脱硝催</mark>化剂 <mark>ＬＥＤ</mark> &lt;i&gt;leds&lt;/i&gt;"
    )


def test_markup_is_escaped_before_within_and_after_a_mark() -> None:
    marked = Marks(["脱硝"]).mark("<b>&脱硝<img src=x>脱硝</b>")
    assert marked == ("&lt;b&gt;&amp;<mark>脱硝</mark>&lt;img src=x&gt;<mark>脱硝</mark>&lt;/b&gt;")
    passage = Marks(["脱硝"]).passage("<script>" * 30 + "脱硝" + "<script>" * 30)
    assert "<script" not in passage
    assert "<mark>脱硝</mark>" in passage


def test_a_passage_shows_the_marks_and_says_where_it_is_cut() -> None:
    long = "无关的话。" * 60 + "低温脱硝效率高。" + "还有别的话。" * 60
    passage = Marks(["脱硝"]).passage(long)
    assert "<mark>脱硝</mark>" in passage
    assert passage.startswith("…")
    assert passage.endswith("…")


@given(st.text(max_size=120), st.lists(st.text(max_size=6), max_size=4))
def test_marking_changes_nothing_but_the_marks(original: str, terms: list[str]) -> None:
    marked = Marks(terms).mark(original)
    assert html.unescape(re.sub("</?mark>", "", marked)) == html.unescape(html.escape(original))
    bare = re.sub("</?mark>", "", marked)
    assert "<" not in bare


def _replaced(engine: Engine, *documents: Document) -> None:
    engine.swap(rebuild.build(engine, documents))


def test_what_was_typed_in_one_piece_favours_hits_that_hold_it_so(bare: Engine) -> None:
    plain = dataclasses.replace(CORPUS[0], title="折光", keywords=())
    scattered = dataclasses.replace(
        plain, id="achievement:1", body="透镜光栅与柱透镜光，透镜光栅与柱透镜光"
    )
    unbroken = dataclasses.replace(plain, id="achievement:2", body="柱透镜光栅，涂层均匀")
    _replaced(bare, scattered, unbroken)
    results = answer(bare, "柱透镜光栅", enough=1)
    assert results.found[0].hit.document.id == "achievement:2"


def test_a_bare_title_does_not_win_by_being_short(bare: Engine) -> None:
    short = dataclasses.replace(
        CORPUS[0], id="achievement:1", title="光栅测量", body="", keywords=()
    )
    routine = "安装在磨床导轨上，连续运行一年。"
    whole = dataclasses.replace(short, id="achievement:2", body=f"温度漂移小。{routine * 10}")
    others = [
        dataclasses.replace(short, id=f"achievement:{n}", title="磨床", body=routine * 9)
        for n in range(3, 9)
    ]
    _replaced(bare, short, whole, *others)
    asked = query.parse("光栅测量 漂移")
    flat = dataclasses.replace(searching.load_settings(), coverage=0.0, unbroken=0.0)
    results = searching.search(bare, asked, EVERYTHING, Filters(), enough=2, settings=flat)
    assert results.found[0].hit.document.id == "achievement:2"


def test_pages_follow_each_other_across_the_reranked_window(engine: Engine) -> None:
    many = [dataclasses.replace(CORPUS[0], id=f"achievement:9{n:02}") for n in range(30)]
    engine.upsert(many)
    weights = dataclasses.replace(searching.load_settings(), reranked=12, reranked_elsewhere=12)
    asked = query.parse("低温脱硝")
    seen = [
        found.hit.document.id
        for offset in range(0, 40, 5)
        for found in searching.search(
            engine, asked, EVERYTHING, Filters(), offset=offset, limit=5, settings=weights
        ).found
    ]
    assert len(seen) == len(set(seen)) == 32


@pytest.mark.parametrize("few", [0, 5_000])
def test_a_thread_counts_facets_only_where_another_has_long_to_do(
    address: str, few: int, monkeypatch: pytest.MonkeyPatch, mocker: MockerFixture
) -> None:
    engine = open_engine(address)
    many = [dataclasses.replace(CORPUS[0], id=f"achievement:{n}") for n in range(40)]
    _replaced(engine, *many)
    begun = mocker.spy(beside, "begun")
    monkeypatch.setattr(searching, "_FEW", few)
    weights = dataclasses.replace(searching.load_settings(), reranked=10, reranked_elsewhere=10)
    results = answer(engine, "低温脱硝", facets=["kind", "region"], settings=weights)
    assert results.facets == {"kind": {"achievement": 40}, "region": {"370112": 40}}
    assert bool(begun.call_count) == (few == 0 or not engine.capabilities.local)


def test_a_term_stands_for_the_words_that_led_to_it_only(engine: Engine) -> None:
    asked = query.parse("暖气 碳化硅")
    led = expansion.Term("低温脱硝", "暖气", "大气")
    unled = expansion.Term("低温脱硝", "", "大气")
    assert searching.build(asked, EVERYTHING, Filters(), (led,)).units[0].covers != (
        searching.build(asked, EVERYTHING, Filters(), (unled,)).units[0].covers
    )
    assert all(
        len(unit.covers) == 1
        for unit in searching.build(asked, EVERYTHING, Filters(), (unled,)).units
    )
    assert len(searching.build(asked, EVERYTHING, Filters(), (led,)).units[1].covers) == 1


def test_a_name_that_holds_the_word_itself_is_not_sought_besides() -> None:
    asked = query.parse("催化剂")
    longer = expansion.Term("脱硝催化剂", "催化剂", "大气")
    other = expansion.Term("触媒", "催化剂", "大气")
    (unit,) = searching.build(asked, EVERYTHING, Filters(), (longer, other, other)).units
    assert unit.covers == (("催化", "化剂"), ("触媒",))


def test_terms_that_stand_nowhere_are_not_sought(engine: Engine, mocker: MockerFixture) -> None:
    asked = mocker.spy(engine, "search")
    nowhere = expansion.Term("脱硝量子", "催化剂", "大气")
    found = expansion.Term("阻垢", "催化剂", "大气")
    answer(engine, "催化剂", terms=(nowhere, found), enough=1)
    ask = asked.call_args.args[0]
    assert [term.text for term in ask.expansions] == ["阻垢"]
    assert ask.units[0].covers == (("催化", "化剂"), ("阻垢",))


def test_unknown_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.yaml"
    path.write_text(searching.SETTINGS.read_text() + "speed: 3\n")
    with pytest.raises(TypeError, match="speed"):
        searching.load_settings(path)
