"""Pipelines: the steps a kind of deal goes through, and what must be there before each.

Pure. Which pipelines there are is data (seed/reference/pipelines.yaml); what can be asked for
before a step is the catalogue of conditions here. A step stands in one of the stages by which the
whole platform measures deals; signing, registration and payment are the end of every pipeline.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from marketplace.brokerage.rules import (
    AFTER_SIGNING,
    CLOSED,
    TALKING,
    DealSource,
    DealStage,
    can_be_lost,
)
from marketplace.foundation.errors import Conflict, Problem, RuleBroken, raise_if_any
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TradingMode
from marketplace.foundation.words import Word

_D = DealStage


@dataclass(frozen=True, kw_only=True)
class DealFacts:
    """What the conditions look at: where a deal stands and what is there of it."""

    stage: DealStage
    step: str
    contact_count: int = 0
    agreement_accepted: bool = False
    agreement_waived: bool = False
    amount_fen: Fen | None = None
    trading_mode: TradingMode | None = None
    signed_on: date | None = None
    has_need: bool = False
    has_broker: bool = False
    introduction_acknowledged: bool = False
    commission_agreed: bool = False
    talk_held: bool = False
    visit_held: bool = False
    file_shared: bool = False
    next_task_on: date | None = None


class Condition(Word):
    """What a step can ask for before it is entered."""

    CONTACT = "contact", "有联系记录"
    NEED = "need", "项目挂着技术需求"
    INTRODUCTION = "introduction", "介绍经双方确认"
    COMMISSION = "commission", "佣金约定已确认"
    AGREEMENT = "agreement", "买方接受保密协议，或写明不需要"
    FILE = "file", "资料室里有文件"
    TALK = "talk", "开过会并写下纪要"
    VISIT = "site_visit", "现场考察过并写下纪要"
    NEXT_TASK = "next_task", "排好下一步"
    TRIAL = "trial", "约定先使用后付费"
    AMOUNT = "agreed_amount", "谈定价格"
    MODE = "mode", "定下转化方式"
    SIGNED_ON = "signed_on", "填写签订日期"


_C = Condition

MISSING: dict[Condition, str] = {
    _C.CONTACT: "还没有联系记录；请先记一条电话、拜访、会议或函件",
    _C.NEED: "项目没有挂着技术需求；请企业发布需求，再从需求建立项目",
    _C.INTRODUCTION: "介绍还没有经双方确认；请把介绍存证，并请双方在项目页面确认",
    _C.COMMISSION: "佣金约定还没有确认；请提出约定，并请付款方确认",
    _C.AGREEMENT: "买方还没有接受保密协议；请成果方提供协议、买方接受，或写明不需要协议的理由",
    _C.FILE: "资料室里还没有文件；请成果方开放资料室并放进文件",
    _C.TALK: "还没有会议纪要；请约一次会议，开过以后写下纪要",
    _C.VISIT: "还没有现场考察的纪要；请约一次现场考察，看过以后写下纪要",
    _C.NEXT_TASK: "还没有排下一步；请写明下一步做什么、哪一天",
    _C.TRIAL: "还没有约定先使用后付费；请在交易条件里把转化方式定为“先使用后付费”",
    _C.AMOUNT: "还没有谈定的价格，请先填写交易条件",
    _C.MODE: "还没有转化方式，请先填写交易条件",
    _C.SIGNED_ON: "还没有签订日期，请先在交易条件里填写",
}
"""What is said, and what to do, while a condition is not met."""

_MET: dict[Condition, Callable[[DealFacts], bool]] = {
    _C.CONTACT: lambda facts: facts.contact_count > 0,
    _C.NEED: lambda facts: facts.has_need,
    # Of a deal that nobody brokers neither can be asked.
    _C.INTRODUCTION: lambda facts: facts.introduction_acknowledged or not facts.has_broker,
    _C.COMMISSION: lambda facts: facts.commission_agreed or not facts.has_broker,
    _C.AGREEMENT: lambda facts: facts.agreement_accepted or facts.agreement_waived,
    _C.FILE: lambda facts: facts.file_shared,
    _C.TALK: lambda facts: facts.talk_held,
    _C.VISIT: lambda facts: facts.visit_held,
    _C.NEXT_TASK: lambda facts: facts.next_task_on is not None,
    _C.TRIAL: lambda facts: facts.trading_mode is TradingMode.TRIAL,
    _C.AMOUNT: lambda facts: facts.amount_fen is not None,
    _C.MODE: lambda facts: facts.trading_mode is not None,
    _C.SIGNED_ON: lambda facts: facts.signed_on is not None,
}


class Occasion(Word):
    """How a deal came about, as far as it says which pipeline fits."""

    ANSWER = "answer", "需求应答被采纳"
    SCRATCH = "scratch", "没有现成成果，为需求从头做"
    TRIAL = "trial_listing", "成果以先使用后付费挂牌"


def occasion_of(
    source: DealSource, *, has_achievement: bool, listed_as: TradingMode | None
) -> Occasion | None:
    """Tell what a new deal's beginning says about its kind; None when it says nothing."""
    if listed_as is TradingMode.TRIAL:
        return Occasion.TRIAL
    if source is DealSource.ANSWER:
        return Occasion.ANSWER
    return None if has_achievement else Occasion.SCRATCH


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a pipeline: its column on the board and the stage in which it stands.

    ``stale_days`` is its own clock in days without a contact; None leaves the platform's.
    """

    code: str
    label: str
    stage: DealStage
    does: str = ""
    needs: tuple[Condition, ...] = ()
    stale_days: int | None = None

    @property
    def tone(self) -> str:
        """Return the tone of the stage, for the screen."""
        return self.stage.tone

    @property
    def value(self) -> str:
        """Return the stage by value, which gives the step its shape on the screen."""
        return self.stage.value


def _ending(stage: DealStage, does: str, *needs: Condition) -> Step:
    return Step(code=stage.value, label=stage.label, stage=stage, does=does, needs=needs)


END: tuple[Step, ...] = (
    _ending(_D.SIGNED, "双方签订技术合同，提交登记", _C.AMOUNT, _C.MODE, _C.SIGNED_ON),
    _ending(_D.REGISTERED, "登记机构登记合同后自动进入"),
    _ending(_D.PAID, "买方付款，项目结束"),
)
"""The end of every pipeline; registration is the registrar's act."""

LOST = _ending(_D.LOST, "写明原因，项目结束")
"""Where a deal may leave its pipeline; it keeps the step that it had reached."""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The way of one kind of deal, from a lead to the contract draft and on to the common end."""

    code: str
    name: str
    purpose: str
    talking: tuple[Step, ...]
    fits: frozenset[Occasion] = frozenset()
    retired: bool = False

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return all steps with the end."""
        return self.talking + END

    def place(self, code: str) -> int:
        """Return the place of a step, counted from 0; refuse one that is not of this pipeline."""
        for place, step in enumerate(self.steps):
            if step.code == code:
                return place
        raise RuleBroken(
            "deal.unknown_step",
            f"“{self.name}”里没有这一步；请刷新页面，从列出的步骤中选择",
            "step",
        )

    def step(self, code: str) -> Step:
        """Return a step by its code; refuse one that is not of this pipeline."""
        return self.steps[self.place(code)]

    @property
    def draft(self) -> Step:
        """Return the step in which a deal awarded in the trading hall goes on."""
        return next(step for step in self.talking if step.stage is _D.CONTRACT_DRAFT)


@dataclass(frozen=True)
class Pipelines:
    """All pipelines in the order in which they are offered; the first takes what nothing claims."""

    every: tuple[Pipeline, ...]

    @property
    def offered(self) -> tuple[Pipeline, ...]:
        """Return those that new deals may take."""
        return tuple(each for each in self.every if not each.retired)

    def find(self, code: str) -> Pipeline | None:
        """Return a pipeline by its code, None for an unknown one."""
        return next((each for each in self.every if each.code == code), None)

    def get(self, code: str) -> Pipeline:
        """Return a pipeline by its code; refuse an unknown one."""
        found = self.find(code)
        if found is None:
            raise RuleBroken(
                "deal.unknown_pipeline", "没有这个流程；请刷新页面，从列出的流程中选择", "pipeline"
            )
        return found

    def fitting(self, occasion: Occasion | None) -> Pipeline:
        """Return the pipeline that claims an occasion, else the first."""
        claims = (each for each in self.offered if occasion in each.fits)
        return next(claims, self.every[0])


_ROAD = (*TALKING, *AFTER_SIGNING)


def _rank(stage: DealStage) -> int:
    return _ROAD.index(stage)


def following(pipeline: Pipeline, code: str) -> Step | None:
    """Return the step after this one, or None at the end."""
    after = pipeline.place(code) + 1
    return pipeline.steps[after] if after < len(pipeline.steps) else None


def onward(pipeline: Pipeline, stage: DealStage, code: str) -> Step | None:
    """Return the step to which a person may take a deal on; None where no person can."""
    after = None if stage in CLOSED else following(pipeline, code)
    return None if after is None or after.stage is _D.REGISTERED else after


def choices(pipeline: Pipeline, stage: DealStage, code: str) -> tuple[Step, ...]:
    """List where a person may move a deal: one step on, or lost before it is registered."""
    after = onward(pipeline, stage, code)
    lost = (LOST,) if can_be_lost(stage) else ()
    return ((after,) if after is not None else ()) + lost


def check_move(pipeline: Pipeline, facts: DealFacts, to: str) -> Step:
    """Return the step to enter; refuse one that skips, leads back, or lacks a condition.

    Registration follows from the registrar's decision and is no step a person takes; a loss goes
    through ``check_loss`` because it needs a reason.
    """
    if to == _D.REGISTERED and facts.stage is _D.SIGNED:
        raise RuleBroken(
            "deal.registered_by_registrar",
            "“已登记”由登记机构登记技术合同后自动完成，请从本项目起草技术合同并提交登记",
            "step",
        )
    if to == _D.LOST:
        raise RuleBroken("deal.loss_needs_reason", "未成的项目要写明原因，请在项目页面填写", "step")
    if facts.stage in CLOSED:
        raise Conflict(
            "deal.closed", f"项目已经是“{facts.stage.label}”，不再变动；要重新谈请新建项目", "step"
        )
    here, there = pipeline.place(facts.step), pipeline.place(to)
    now, after = pipeline.steps[here], pipeline.steps[here + 1]
    if there <= here:
        raise Conflict(
            "deal.backwards",
            f"项目已到“{now.label}”，只能向前；谈不下去请记为未成并写明原因",
            "step",
        )
    if there > here + 1:
        raise RuleBroken(
            "deal.skipped", f"不能跳步：现在是“{now.label}”，下一步是“{after.label}”", "step"
        )
    raise_if_any(
        [
            Problem(f"deal.no_{each.condition}", MISSING[each.condition], "step")
            for each in checklist(facts, after)
            if not each.met
        ]
    )
    return after


@dataclass(frozen=True)
class Checked:
    """A condition and whether it is met."""

    condition: Condition
    met: bool

    @property
    def text(self) -> str:
        """Return what is there, or what is missing and what to do."""
        return self.condition.label if self.met else MISSING[self.condition]


def checklist(facts: DealFacts, step: Step) -> tuple[Checked, ...]:
    """Return what a step asks for and whether it is there; what it refuses by is the same list."""
    return tuple(Checked(each, _MET[each](facts)) for each in step.needs)


def check_change(facts: DealFacts, current: Pipeline, to: Pipeline) -> Step:
    """Return the step at which a deal goes on in another pipeline; refuse it once it is signed."""
    if facts.stage not in TALKING:
        raise Conflict(
            "deal.pipeline_fixed",
            f"项目已经是“{facts.stage.label}”，后面的步骤各流程都一样，不必再换流程",
            "pipeline",
        )
    if to.code == current.code:
        raise RuleBroken(
            "deal.same_pipeline", f"项目已经按“{to.name}”推进，请选另一个流程", "pipeline"
        )
    if to.retired:
        raise RuleBroken(
            "deal.pipeline_retired", f"“{to.name}”已停用，不再接新项目；请选别的流程", "pipeline"
        )
    return landing(to, facts)


def landing(pipeline: Pipeline, facts: DealFacts) -> Step:
    """Return where a deal that is talked over goes on in a pipeline.

    It is the first step of the last stage that the deal has reached, or an earlier one where
    something is missing on the way there: nothing is entered without its conditions.
    """
    reached = _rank(facts.stage)
    landed, way = pipeline.talking[0], pipeline.talking
    for before, step in pairwise(way):
        if _rank(step.stage) > reached:
            break
        if not all(each.met for each in checklist(facts, step)):
            break
        # Of several steps in the deal's own stage it begins with the first.
        if _rank(step.stage) == reached and step.stage is before.stage:
            break
        landed = step
    return landed
