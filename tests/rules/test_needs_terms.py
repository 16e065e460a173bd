"""Expert terms by the rules: what is proposed, who may accept, how they are written."""

from __future__ import annotations

import pytest

from marketplace.foundation.access import ANONYMOUS, Actor, Role
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.needs import term_rules as rules
from marketplace.needs.forms import begun, join_words, split_words
from marketplace.needs.rules import TERMS_MAX, TITLE_MAX, NeedContent, NeedState

OWNER = Actor(1, 1, frozenset({Role.ENTERPRISE}), verified=True)
BROKER = Actor(2, 2, frozenset({Role.BROKER}), verified=True)
UNVERIFIED = Actor(3, 3, frozenset({Role.BROKER}), verified=False)
SELLER = Actor(4, 4, frozenset({Role.OFFICER}), verified=True)


def test_terms_are_proposed_with_the_words_that_led_to_them() -> None:
    content = NeedContent(problem="凉水塔里全是水垢，酸洗太频繁")
    proposed = rules.read(content).terms
    assert 0 < len(proposed) <= rules.PROPOSED_AT_ONCE
    assert all(term.because for term in proposed)
    taken = NeedContent(problem=content.problem, expert_terms=(proposed[0].text.upper(),))
    assert proposed[0].text not in {term.text for term in rules.read(taken).terms}
    assert rules.read(NeedContent()) == rules.Reading((), (), ())


def test_the_field_and_the_talk_about_the_company_are_told() -> None:
    content = NeedContent(problem="本公司成立于1998年，员工300人。红绿灯停电就瞎，路口乱成一锅粥")
    reading = rules.read(content)
    assert any("交通" in name for name in reading.fields)
    assert "本公司成立于1998年" in reading.talk
    assert not any("红绿灯" in clause for clause in reading.talk)
    assert rules.read(NeedContent(problem="本公司成立于1998年，员工300人")).talk == ()


@pytest.mark.parametrize(
    ("actor", "insider", "state", "accept", "drop"),
    [
        (OWNER, True, NeedState.DRAFT, True, True),
        (OWNER, True, NeedState.OPEN, True, True),
        (OWNER, True, NeedState.REVIEW, False, False),
        (OWNER, True, NeedState.CLOSED, False, False),
        (BROKER, False, NeedState.OPEN, True, False),
        (BROKER, False, NeedState.DRAFT, False, False),
        (UNVERIFIED, False, NeedState.OPEN, False, False),
        (SELLER, False, NeedState.OPEN, False, False),
        (ANONYMOUS, False, NeedState.OPEN, False, False),
    ],
)
def test_owners_and_brokers_may_accept_and_only_owners_drop(
    actor: Actor, insider: bool, state: NeedState, accept: bool, drop: bool
) -> None:
    assert rules.may_accept(actor, insider=insider, state=state) is accept
    assert rules.may_drop(actor, insider=insider, state=state) is drop


def test_a_term_is_tidied_kept_once_and_bounded() -> None:
    assert rules.with_term(("脱硝",), "  低温   脱硝 ") == ("脱硝", "低温 脱硝")
    assert rules.with_term(("SCR",), "scr") == ("SCR",)
    assert rules.with_term((), "脱\x00硝") == ("脱 硝",)
    assert rules.without_term(("SCR", "脱硝"), "scr") == ("脱硝",)
    for wrong in ("", "x", "，，", "词" * 31):
        with pytest.raises(RuleBroken):
            rules.with_term((), wrong)
    with pytest.raises(Conflict):
        rules.with_term([f"词语{n}" for n in range(TERMS_MAX)], "再一个")


def test_only_what_is_proposed_may_be_written_into_anothers_need() -> None:
    rules.check_proposed("SCR", ["scr"])
    with pytest.raises(RuleBroken):
        rules.check_proposed("买我的产品", ["scr"])


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("低温脱硝 催化剂", ("低温脱硝", "催化剂")),
        ("SiC MOSFET、驱动芯片", ("SiC MOSFET", "驱动芯片")),
        ("SiC MOSFET、", ("SiC MOSFET",)),
        ("a，a;b\nc", ("a", "b", "c")),
        (" 、 ，", ()),
    ],
)
def test_terms_are_split_and_joined_again(typed: str, words: tuple[str, ...]) -> None:
    assert split_words(typed) == words
    assert split_words(join_words(words)) == words


def test_a_searched_text_becomes_the_beginning_of_a_need() -> None:
    assert begun("低温脱硝") == {"title": "低温脱硝", "problem": ""}
    long = "烘炉烟气超标。" + "现在用燃气加热到 280 度再脱硝，燃气费太高。" * 6
    assert begun(long) == {"title": "烘炉烟气超标", "problem": long}
    endless = "字" * 300
    assert begun(endless) == {"title": "字" * TITLE_MAX, "problem": endless}
