"""Learning: a table from answers that no single voter makes or breaks, and what it brings."""

from __future__ import annotations

from search import learning, matching
from search.engine import Engine
from search.expansion import LEARNED
from search.features import Seeker
from search.learning import Answer
from search.schema import Document, Scope

ASKED = "大棚里的番茄一到阴天就掉花，坐不住果，减产三成"
TERMS = ("保花保果", "植物生长调节剂")


def answers(voters: int, *, good: bool = True, asked: str = ASKED) -> list[Answer]:
    return [Answer(asked, TERMS, f"organisation {n}", good) for n in range(voters)]


def meant(pairs: tuple[learning.Pair, ...], said: str) -> set[str]:
    return {pair.meant for pair in pairs if pair.said == said}


def test_three_voters_make_a_pair_and_two_do_not() -> None:
    assert learning.learn(answers(2)) == ()
    pairs = learning.learn(answers(3))
    assert meant(pairs, "番茄") == set(TERMS)
    assert all(0 < pair.weight <= 1 and pair.supporters == 3 for pair in pairs)


def test_one_voter_counts_once_however_often_he_votes() -> None:
    loud = [Answer(f"{ASKED}，第 {n} 次", TERMS, "one organisation") for n in range(500)]
    assert learning.learn(loud) == ()
    assert learning.learn([*answers(2), *loud]) != ()


def test_one_malicious_voter_cannot_take_a_pair_away() -> None:
    against = [Answer(ASKED, TERMS, "malicious", good=False)] * 200
    pairs = learning.learn([*answers(4), *against])
    assert meant(pairs, "番茄") == set(TERMS)
    assert {pair.opponents for pair in pairs} == {1}


def test_as_many_against_as_for_is_no_pair() -> None:
    against = [Answer(ASKED, TERMS, f"opponent {n}", good=False) for n in range(3)]
    assert learning.learn([*answers(3), *against]) == ()


def test_opponents_lower_a_weight() -> None:
    against = [Answer(ASKED, TERMS, "opponent", good=False)]
    before = learning.learn(answers(5))[0].weight
    assert learning.learn([*answers(5), *against])[0].weight < before


def test_habits_of_asking_and_talk_lead_to_nothing() -> None:
    talk = "希望解决问题，寻求合作。我公司成立于 2003 年，员工 300 人。"
    pairs = learning.learn(answers(5, asked=f"{talk}番茄掉花"), common={"掉花"})
    said = {pair.said for pair in pairs}
    assert "番茄" in said
    assert said.isdisjoint({"希望", "问题", "合作", "公司", "员工", "掉花"})


def test_a_word_that_means_everything_means_nothing() -> None:
    many = [
        Answer("设备坏了", (f"专业术语甲{k}",), f"organisation {n}")
        for k in range(40)
        for n in range(3)
    ]
    assert learning.learn(many) == ()


def test_terms_that_the_asker_used_himself_need_no_bridge() -> None:
    pairs = learning.learn(answers(3, asked=f"{ASKED}，想用植物生长调节剂"))
    assert meant(pairs, "番茄") == {"保花保果"}


def test_learned_terms_say_where_they_come_from_and_can_be_switched_off() -> None:
    pairs = learning.learn(answers(3))
    terms = learning.expand(pairs, "番茄不坐果")
    assert {(term.text, term.because, term.source) for term in terms} == {
        (name, "番茄", LEARNED) for name in TERMS
    }
    [left] = learning.expand(pairs, "番茄不坐果", without={TERMS[0]})
    assert left.text == TERMS[1]
    assert learning.expand(pairs, "轴承过热") == ()


def test_a_document_names_itself_by_keywords_and_longer_words_of_its_title() -> None:
    named = learning.document_terms("设施蔬菜保花保果技术", ("熊蜂授粉", "技术", "x"))
    assert "熊蜂授粉" in named
    assert {"技术", "设施", "x"}.isdisjoint(named)


def test_an_offer_finds_its_askers_by_the_same_table_read_backwards() -> None:
    pairs = learning.inverse(learning.learn(answers(3)))
    said = {term.text for term in learning.expand(pairs, "一种植物生长调节剂")}
    assert "番茄" in said


def test_the_right_document_is_raised_and_a_dismissed_one_lowered(engine: Engine) -> None:
    scope = Scope(kinds=frozenset({"offer"}))
    documents = [
        Document(id="offer:1", kind="offer", title="番茄酱加工的番茄去皮机", body="番茄去皮率高。"),
        Document(
            id="offer:2",
            kind="offer",
            title="设施蔬菜保花保果技术",
            body="以植物生长调节剂处理花序，低温弱光下坐果率提高。",
        ),
        Document(id="offer:3", kind="offer", title="番茄分选线", body="按大小颜色分选番茄。"),
    ]
    engine.upsert(documents)
    engine.commit()
    seeker = Seeker(text="番茄一到阴天就谢了，减产三成")

    def order(**more: object) -> list[str]:
        found = matching.match(engine, seeker, scope, expand=False, **more)  # type: ignore[arg-type]  # a test's shorthand
        return [match.document.id for match in found]

    assert order()[0] != "offer:2"
    terms = learning.expand(learning.learn(answers(3)), seeker.text)
    assert order(learned=terms)[0] == "offer:2"
    assert order(learned=terms, without_terms={term.text for term in terms}) == order()
    assert order(learned=terms, adjust={"offer:2": 0.05})[-1] == "offer:2"
    best = matching.match(engine, seeker, scope, expand=False, learned=terms)[0]
    assert {term.source for term in best.expansions} == {LEARNED}
