"""Pipelines: their file, what a step asks for, moves, and the change to another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.brokerage.pipeline_rules import (
    _MET,
    END,
    LOST,
    MISSING,
    Condition,
    DealFacts,
    Occasion,
    Pipeline,
    Pipelines,
    Step,
    check_change,
    check_move,
    checklist,
    choices,
    landing,
    occasion_of,
    onward,
)
from marketplace.brokerage.rules import (
    AFTER_SIGNING,
    CLOSED,
    ORDER,
    TALKING,
    DealSource,
    DealStage,
    can_be_lost,
    can_register,
    can_take_award,
)
from marketplace.foundation import reference
from marketplace.foundation.errors import Conflict, DomainError, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TradingMode

TODAY = date(2024, 3, 15)
TRANSFER, DEVELOPMENT, TRIAL, SERVICE = (
    pipelines().get(code) for code in ("transfer", "development", "trial", "service")
)
# Everything is there that any condition asks for.
FULL: dict[str, Any] = {
    "contact_count": 1,
    "agreement_accepted": True,
    "amount_fen": Fen(1),
    "trading_mode": TradingMode.TRIAL,
    "signed_on": TODAY,
    "has_need": True,
    "has_broker": True,
    "introduction_acknowledged": True,
    "commission_agreed": True,
    "talk_held": True,
    "visit_held": True,
    "file_shared": True,
    "next_task_on": TODAY,
}
# What takes each condition away from the full facts.
LACKING: dict[Condition, dict[str, Any]] = {
    Condition.CONTACT: {"contact_count": 0},
    Condition.NEED: {"has_need": False},
    Condition.INTRODUCTION: {"introduction_acknowledged": False},
    Condition.COMMISSION: {"commission_agreed": False},
    Condition.AGREEMENT: {"agreement_accepted": False},
    Condition.FILE: {"file_shared": False},
    Condition.TALK: {"talk_held": False},
    Condition.VISIT: {"visit_held": False},
    Condition.NEXT_TASK: {"next_task_on": None},
    Condition.TRIAL: {"trading_mode": TradingMode.TRANSFER},
    Condition.AMOUNT: {"amount_fen": None},
    Condition.MODE: {"trading_mode": None},
    Condition.SIGNED_ON: {"signed_on": None},
}


def at(pipeline: Pipeline, code: str, **changed: Any) -> DealFacts:
    """Return the full facts of a deal at a step, with some of them changed."""
    return DealFacts(**({"stage": pipeline.step(code).stage, "step": code} | FULL | changed))


@pytest.mark.parametrize("condition", list(Condition))
def test_each_condition_says_what_is_missing_and_what_to_do(condition: Condition) -> None:
    step = Step(code="next", label="下一步", stage=DealStage.CONTACTED, needs=(condition,))
    [there] = checklist(at(TRANSFER, "lead"), step)
    [missing] = checklist(at(TRANSFER, "lead", **LACKING[condition]), step)
    assert there.met
    assert there.text == condition.label
    assert not missing.met
    assert missing.text == MISSING[condition]
    assert "请" in missing.text


@pytest.mark.parametrize("condition", [Condition.INTRODUCTION, Condition.COMMISSION])
def test_what_only_a_broker_brings_is_not_asked_of_a_deal_without_one(condition: Condition) -> None:
    step = Step(code="next", label="下一步", stage=DealStage.CONTACTED, needs=(condition,))
    [asked] = checklist(at(TRANSFER, "lead", has_broker=False, **LACKING[condition]), step)
    assert asked.met


def test_a_waiver_replaces_the_agreement() -> None:
    waived = at(TRANSFER, "confidentiality", agreement_accepted=False, agreement_waived=True)
    assert check_move(TRANSFER, waived, "technical_talk").code == "technical_talk"


def test_the_first_pipeline_asks_for_what_the_stages_always_asked() -> None:
    assert [step.code for step in TRANSFER.steps] == [stage.value for stage in ORDER]
    assert [step.label for step in TRANSFER.steps] == [stage.label for stage in ORDER]
    assert {step.code: step.needs for step in TRANSFER.steps if step.needs} == {
        "contacted": (Condition.CONTACT,),
        "technical_talk": (Condition.AGREEMENT,),
        "contract_draft": (Condition.AMOUNT, Condition.MODE),
        "signed": (Condition.AMOUNT, Condition.MODE, Condition.SIGNED_ON),
    }


@pytest.mark.parametrize("pipeline", pipelines().every, ids=lambda each: each.code)
def test_a_step_is_refused_exactly_for_what_the_checklist_lacks(pipeline: Pipeline) -> None:
    for before, step in zip(pipeline.steps, pipeline.steps[1:], strict=False):
        if step.stage is DealStage.REGISTERED:
            continue
        assert check_move(pipeline, at(pipeline, before.code), step.code) is step
        for needed in step.needs:
            with pytest.raises(RuleBroken) as refusal:
                check_move(pipeline, at(pipeline, before.code, **LACKING[needed]), step.code)
            codes = [problem.code for problem in refusal.value.problems]
            assert f"deal.no_{needed}" in codes
            assert len(codes) == sum(
                not each.met
                for each in checklist(at(pipeline, before.code, **LACKING[needed]), step)
            )


@pytest.mark.parametrize(
    ("step", "to", "kind", "code"),
    [
        ("lead", "trial_terms", RuleBroken, "deal.skipped"),
        ("on_trial", "contacted", Conflict, "deal.backwards"),
        ("on_trial", "on_trial", Conflict, "deal.backwards"),
        ("on_trial", "solution", RuleBroken, "deal.unknown_step"),
        ("on_trial", "lost", RuleBroken, "deal.loss_needs_reason"),
        ("signed", "registered", RuleBroken, "deal.registered_by_registrar"),
        ("paid", "paid", Conflict, "deal.closed"),
    ],
)
def test_a_move_goes_one_step_on_and_nowhere_else(
    step: str, to: str, kind: type[DomainError], code: str
) -> None:
    with pytest.raises(kind) as refusal:
        check_move(TRIAL, at(TRIAL, step), to)
    assert refusal.value.code == code


def test_a_refusal_names_the_steps_of_the_deals_own_pipeline() -> None:
    with pytest.raises(RuleBroken, match="现在是“线索”，下一步是“了解情况”"):
        check_move(SERVICE, at(SERVICE, "lead"), "quotation")


def test_a_lost_deal_keeps_its_step_and_goes_nowhere() -> None:
    lost = replace(at(TRIAL, "on_trial"), stage=DealStage.LOST)
    assert choices(TRIAL, lost.stage, lost.step) == ()
    with pytest.raises(Conflict):
        check_move(TRIAL, lost, "trial_review")


def test_after_registration_only_payment_follows() -> None:
    assert [s.code for s in choices(SERVICE, DealStage.REGISTERED, "registered")] == ["paid"]
    assert choices(SERVICE, DealStage.SIGNED, "signed") == (LOST,)
    assert choices(SERVICE, DealStage.PAID, "paid") == ()


@pytest.mark.parametrize(
    ("source", "has_achievement", "listed_as", "expected"),
    [
        (DealSource.ANSWER, True, None, "development"),
        (DealSource.ANSWER, False, None, "development"),
        (DealSource.SELLER, False, None, "development"),
        (DealSource.INTENT, True, TradingMode.TRIAL, "trial"),
        (DealSource.BROKER, True, TradingMode.TRIAL, "trial"),
        (DealSource.INTENT, True, TradingMode.TRANSFER, "transfer"),
        (DealSource.BROKER, True, None, "transfer"),
    ],
)
def test_a_new_deal_takes_the_pipeline_that_claims_how_it_came_about(
    source: DealSource, has_achievement: bool, listed_as: TradingMode | None, expected: str
) -> None:
    occasion = occasion_of(source, has_achievement=has_achievement, listed_as=listed_as)
    assert pipelines().fitting(occasion).code == expected


def test_a_retired_pipeline_claims_nothing() -> None:
    only = Pipelines((TRANSFER, replace(TRIAL, retired=True)))
    assert only.fitting(Occasion.TRIAL) is TRANSFER
    assert only.offered == (TRANSFER,)
    assert only.get("trial").retired


def test_a_change_lands_at_the_stage_that_is_reached() -> None:
    facts = at(TRANSFER, "technical_talk")
    assert check_change(facts, TRANSFER, TRIAL).code == "on_trial"
    assert check_change(facts, TRANSFER, DEVELOPMENT).code == "solution"
    # Without a step of that stage it stands at the one before.
    assert check_change(facts, TRANSFER, SERVICE).code == "contacted"


def test_a_change_stops_where_something_is_missing() -> None:
    facts = at(TRANSFER, "technical_talk", visit_held=False)
    assert check_change(facts, TRANSFER, TRIAL).code == "trial_terms"
    assert check_change(replace(facts, next_task_on=None), TRANSFER, TRIAL).code == "contacted"


def test_of_several_steps_in_one_stage_a_change_lands_at_the_first() -> None:
    long = replace(
        SERVICE,
        talking=(
            *SERVICE.talking[:2],
            Step(code="second_look", label="再看一次", stage=DealStage.CONTACTED),
            *SERVICE.talking[2:],
        ),
    )
    assert landing(long, at(TRANSFER, "contacted")).code == "contacted"
    assert landing(long, at(TRANSFER, "price_talk")).code == "quotation"


@pytest.mark.parametrize(
    ("facts", "to", "kind", "code"),
    [
        (at(TRANSFER, "signed"), TRIAL, Conflict, "deal.pipeline_fixed"),
        (
            replace(at(TRANSFER, "lead"), stage=DealStage.LOST),
            TRIAL,
            Conflict,
            "deal.pipeline_fixed",
        ),
        (at(TRANSFER, "lead"), TRANSFER, RuleBroken, "deal.same_pipeline"),
        (
            at(TRANSFER, "lead"),
            replace(TRIAL, retired=True),
            RuleBroken,
            "deal.pipeline_retired",
        ),
    ],
)
def test_a_change_is_refused(
    facts: DealFacts, to: Pipeline, kind: type[DomainError], code: str
) -> None:
    with pytest.raises(kind) as refusal:
        check_change(facts, TRANSFER, to)
    assert refusal.value.code == code


# ---- the file ------------------------------------------------------------------------------


WRITTEN = reference.text("pipelines")


def reading(monkeypatch: pytest.MonkeyPatch, text: str) -> Pipelines:
    """Load pipelines from a text as if it stood in the file."""
    monkeypatch.setattr(reference, "text", lambda _name: text)
    return pipelines.__wrapped__()


def test_adding_a_pipeline_changes_the_file_only(monkeypatch: pytest.MonkeyPatch) -> None:
    added = """
  - code: equity
    name: 作价入股
    purpose: 成果作价投到企业里。
    steps:
      - {code: lead, label: 线索, stage: lead, does: 弄清谁出什么}
      - {code: valuation, label: 评估作价, stage: price_talk, does: 评估, needs: [agreement, file]}
      - {code: articles, label: 章程, stage: contract_draft, does: 写章程, needs: [agreed_amount]}
"""
    found = reading(monkeypatch, WRITTEN + added)
    assert [each.code for each in found.every][-1] == "equity"
    equity = found.get("equity")
    assert [step.label for step in equity.steps] == [
        "线索", "评估作价", "章程", "已签约", "已登记", "已付款",
    ]  # fmt: skip
    with pytest.raises(RuleBroken) as refusal:
        check_move(equity, at(equity, "lead", file_shared=False), "valuation")
    assert refusal.value.code == "deal.no_file"
    assert equity.draft.code == "articles"


def _changed(change: Callable[[Any], None]) -> str:
    content = yaml.safe_load(WRITTEN)
    change(content["pipelines"])
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p[0]["steps"][1].update(need=["contact"]), "不认识的项，是不是 needs？"),
        (lambda p: p[0]["steps"][1].update(needs=["phone"]), "应为以下之一：contact, need,"),
        (lambda p: p[0]["steps"][1].update(stage="talk"), "应为以下之一：lead, contacted,"),
        (lambda p: p[0]["steps"][1].update(stage="signed"), "签约以后各流程都一样"),
        (lambda p: p[0]["steps"][1].update(code="paid"), "是各流程共同的结尾"),
        (lambda p: p[0]["steps"][1].update(code="已接触"), "代码只用小写英文字母"),
        (lambda p: p[0]["steps"][1].update(code="lead"), "步骤代码 lead 写了两次"),
        (lambda p: p[0]["steps"][1].update(label="线索"), "步骤名称 线索 写了两次"),
        (lambda p: p[0]["steps"][1].update(stage="price_talk"), "退到了“已接触”前面"),
        (lambda p: p[0]["steps"][1].update(stale_days=0), "应为 1 到 365 天"),
        (lambda p: p[0]["steps"].pop(0), "第一步的 stage 应为 lead"),
        (lambda p: p[0]["steps"][0].update(needs=["contact"]), "不写 needs"),
        (lambda p: p[0]["steps"].pop(), "最后一步的 stage 应为 contract_draft"),
        (lambda p: p[0].update(steps=[]), "第一步的 stage 应为 lead"),
        (lambda p: p[0].pop("purpose"), "缺少这一项"),
        (lambda p: p[0].update(retired=True), "不能停用"),
        (lambda p: p[1].update(code="transfer"), "流程代码 transfer 写了两次"),
        (lambda p: p[1].update(name="转让与许可"), "流程名称 转让与许可 写了两次"),
        (lambda p: p[0].update(fits=["trial_listing"]), "fits trial_listing 写了两次"),
        (lambda p: p.clear(), "不能没有"),
    ],
)
def test_a_file_that_no_deal_could_follow_is_refused(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], None], said: str
) -> None:
    with pytest.raises(RuleBroken) as refusal:
        reading(monkeypatch, _changed(change))
    assert said in refusal.value.problems[0].message
    assert "pipelines.yaml 不能使用" in refusal.value.problems[0].message


def test_a_refusal_names_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = WRITTEN.splitlines()
    number = next(n for n, line in enumerate(lines, 1) if "needs: [contact]" in line)
    lines[number - 1] = lines[number - 1].replace("needs", "asks")
    with pytest.raises(RuleBroken, match=f"第 {number} 行，pipelines 第 1 项 → steps 第 2 项"):
        reading(monkeypatch, "\n".join(lines))


# ---- any pipeline, any facts ---------------------------------------------------------------


@st.composite
def any_pipeline(draw: st.DrawFn, code: str) -> Pipeline:
    """Draw a pipeline such as the file may hold."""
    between = sorted(
        draw(st.lists(st.sampled_from(TALKING), max_size=7)), key=lambda stage: TALKING.index(stage)
    )
    stages = [DealStage.LEAD, *between, DealStage.CONTRACT_DRAFT]
    needs = st.lists(st.sampled_from(list(Condition)), max_size=3, unique=True)
    talking = tuple(
        Step(
            code=f"{code}_{place}",
            label=f"第 {place} 步",
            stage=stage,
            needs=tuple(draw(needs)) if place else (),
        )
        for place, stage in enumerate(stages)
    )
    return Pipeline(code=code, name=code, purpose="", talking=talking)


any_facts = st.fixed_dictionaries(
    {
        name: st.sampled_from([full, lacking])
        for condition in Condition
        for name, lacking in LACKING[condition].items()
        for full in [FULL[name]]
    }
    | {"has_broker": st.booleans(), "agreement_waived": st.booleans()}
)


class DealsWay(RuleBasedStateMachine):
    """One deal in pipelines nobody has seen: moved, changed, lost, awarded, registered."""

    @initialize(one=any_pipeline("one"), other=any_pipeline("other"), there=any_facts)
    def begin(self, one: Pipeline, other: Pipeline, there: dict[str, Any]) -> None:
        """Open a deal in one pipeline, with another to change to."""
        self.pipeline, self.other = one, other
        self.facts = DealFacts(stage=DealStage.LEAD, step=one.steps[0].code, **there)

    def _stand(self, step: Step) -> None:
        self.facts = replace(self.facts, stage=step.stage, step=step.code)

    @rule(there=any_facts)
    def things_come_and_go(self, there: dict[str, Any]) -> None:
        """Let papers be signed, prices agreed, tasks done."""
        self.facts = replace(self.facts, **there)

    @rule(data=st.data())
    def somebody_moves_it(self, data: st.DataObject) -> None:
        """Ask for any step: only the next one is entered, and only with its conditions."""
        asked = data.draw(st.sampled_from([*self.pipeline.steps, LOST, *self.other.talking]))
        place = None if self.facts.stage in CLOSED else self.pipeline.place(self.facts.step)
        stage_before = self.facts.stage
        try:
            entered = check_move(self.pipeline, self.facts, asked.code)
        except DomainError:
            if onward(self.pipeline, self.facts.stage, self.facts.step) is asked:
                assert not all(_MET[each](self.facts) for each in asked.needs)
            return
        assert place is not None
        assert entered is asked is self.pipeline.steps[place + 1]
        assert all(_MET[each](self.facts) for each in asked.needs)
        assert entered.stage is not DealStage.REGISTERED
        assert ORDER.index(entered.stage) >= ORDER.index(stage_before)
        self._stand(entered)

    @rule()
    def it_goes_on_in_the_other_pipeline(self) -> None:
        """Change: never beyond what is reached, nothing entered without its conditions."""
        before = self.facts.stage
        try:
            landed = check_change(self.facts, self.pipeline, self.other)
        except DomainError:
            assert before not in TALKING
            return
        assert ORDER.index(landed.stage) <= ORDER.index(before)
        passed = self.other.talking[: self.other.place(landed.code) + 1]
        assert all(_MET[each](self.facts) for step in passed for each in step.needs)
        self.pipeline, self.other = self.other, self.pipeline
        self._stand(landed)

    @precondition(lambda self: can_take_award(self.facts.stage))
    @rule()
    def the_hall_awards_it(self) -> None:
        """An award overrides the board: the deal goes on at the contract draft."""
        self._stand(self.pipeline.draft)
        assert self.facts.stage is DealStage.CONTRACT_DRAFT

    @precondition(lambda self: can_register(self.facts.stage))
    @rule()
    def its_contract_is_registered(self) -> None:
        """A registration overrides the board, wherever the deal stands."""
        self._stand(self.pipeline.step(DealStage.REGISTERED))
        assert choices(self.pipeline, self.facts.stage, self.facts.step) == (END[-1],)

    @precondition(lambda self: can_be_lost(self.facts.stage))
    @rule()
    def it_is_lost(self) -> None:
        """A loss leaves the step as it was."""
        self.facts = replace(self.facts, stage=DealStage.LOST)

    @invariant()
    def it_can_be_lost_or_moved_or_is_closed(self) -> None:
        """No deal is caught: it can leave, go on, or has ended."""
        open_ways = choices(self.pipeline, self.facts.stage, self.facts.step)
        assert bool(open_ways) is (self.facts.stage not in CLOSED)
        if self.facts.stage in (*TALKING, DealStage.SIGNED):
            assert LOST in open_ways

    @invariant()
    def the_stage_is_its_steps(self) -> None:
        """The stage follows the step; only a loss leaves the step behind."""
        if self.facts.stage is not DealStage.LOST:
            assert self.pipeline.step(self.facts.step).stage is self.facts.stage


TestDealsWay = DealsWay.TestCase
TestDealsWay.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


@given(pipeline=any_pipeline("any"), there=any_facts, reached=st.sampled_from(TALKING))
def test_a_change_lands_as_far_on_as_it_may(
    pipeline: Pipeline, there: dict[str, Any], reached: DealStage
) -> None:
    facts = DealFacts(stage=reached, step="", **there)
    landed = landing(pipeline, facts)
    after = pipeline.steps[pipeline.place(landed.code) + 1]
    # What holds it back is its stage, something missing, or that it has begun its stage there.
    assert (
        after.stage in AFTER_SIGNING
        or ORDER.index(after.stage) > ORDER.index(reached)
        or not all(each.met for each in checklist(facts, after))
        or (after.stage is reached and landed.stage is reached)
    )
