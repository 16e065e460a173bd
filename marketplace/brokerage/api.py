"""Deals for programs: the pages' forms and services as JSON. Private notes are not among them."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.brokerage import queries, rules, service
from marketplace.brokerage.deal_views import achievement_of, buyer_of, need_of
from marketplace.brokerage.forms import (
    DealForm,
    FinishForm,
    InterestForm,
    LossForm,
    NoteForm,
    PipelineForm,
    TaskForm,
    TermsForm,
)
from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.brokerage.pipeline_rules import Condition
from marketplace.brokerage.queries import DealFilter
from marketplace.brokerage.rules import DealSource, DealStage, LostReason
from marketplace.foundation import api, web
from marketplace.foundation.trade import TradingMode

routes = api.Routes("brokerage", __name__, tag="撮合项目")


class StepLine(api.Answer):
    """A step of a pipeline: its code, what it is called, and the stage in which it stands."""

    code: str
    label: str
    stage: DealStage
    does: str
    needs: list[Condition]
    stale_days: int | None


class PipelineLine(api.Answer):
    """A pipeline with its steps, in order."""

    code: str
    name: str
    purpose: str
    retired: bool
    steps: list[StepLine]


class PipelineList(api.Answer):
    """All pipelines."""

    items: list[PipelineLine]


class DealLine(api.Answer):
    """One deal in a list."""

    id: int
    title: str
    pipeline: str
    step: str
    stage: DealStage
    source: DealSource
    seller_name: str
    buyer_name: str
    broker_name: str
    amount: api.Yuan | None = Field(validation_alias="amount_fen")
    next_task_on: api.Days | None
    opened_on: api.Days
    lost_reason: LostReason | None
    overdue: bool
    stale: bool


class DealList(api.Answer):
    """One page of a list; ``next`` goes into ``after``."""

    items: list[DealLine]
    next: str | None = Field(validation_alias="next_token")


class DealRecord(api.Answer):
    """One deal for one of its sides."""

    id: int
    version: int
    title: str
    source: DealSource
    pipeline: str
    step: str
    stage: DealStage
    opened_at: api.Moment
    achievement_id: int | None
    need_id: int | None
    listing_id: int | None
    seller_organisation_id: int
    buyer_organisation_id: int
    amount: api.Yuan | None = Field(validation_alias="amount_fen")
    trading_mode: TradingMode | None
    signed_on: api.Days | None
    registered_on: api.Days | None
    paid_on: api.Days | None
    contract_no: str
    lost_reason: LostReason | None
    lost_words: str
    onward: str | None


class DealQuery(api.PageQuery):
    """What the list is narrowed to; a step says nothing without its pipeline."""

    pipeline: str | None = None
    step: str | None = None
    stage: DealStage | None = None


@routes.reads(
    "/deals",
    permission=rules.READ,
    summary="列出可见的撮合项目",
    answer=DealList,
    query=DealQuery,
)
def list_deals(asked: DealQuery) -> Any:
    """List the deals that the token's owner may see."""
    page = queries.list_deals(
        web.session(),
        web.actor(),
        chosen=DealFilter(pipeline=asked.pipeline, step=asked.step, stage=asked.stage),
        now=web.now(),
        after=asked.after,
        size=asked.limit,
    )
    return {
        "items": [
            {**vars(row), "pipeline": row.pipeline.code, "step": row.step.code}
            for row in page.items
        ],
        "next_token": page.next_token,
    }


@routes.reads(
    "/pipelines", permission=rules.READ, summary="列出流程、步骤和每步的条件", answer=PipelineList
)
def list_pipelines(_asked: api.AnyQuery) -> Any:
    """List the pipelines with what each step asks for."""
    return {"items": pipelines().every}


@routes.reads(
    "/deals/<int:deal_id>", permission=rules.READ, summary="读取一个撮合项目", answer=DealRecord
)
def get_deal(_asked: api.AnyQuery, deal_id: int) -> Any:
    """Return one deal to who takes part in it."""
    view = queries.get_deal(web.session(), web.actor(), deal_id)
    return {
        **vars(view),
        "seller_organisation_id": view.seller.id,
        "buyer_organisation_id": view.buyer.id,
        "pipeline": view.pipeline.code,
        "step": view.step.code,
        "onward": view.onward.code if view.onward else None,
    }


@routes.writes(
    "/deals",
    permission=rules.OPEN,
    scope=api.Scope.WRITE_DEALS,
    summary="发起一个撮合项目",
    form=DealForm,
    status=201,
)
def open_deal(session: Session, form: DealForm) -> Any:
    """Pair an achievement with a need or with an enterprise."""
    deal_id = service.open_deal(
        session,
        actor=web.actor(),
        now=web.now(),
        achievement_id=achievement_of(session, form),
        need_id=need_of(session, form),
        buyer_organisation_id=buyer_of(session, form),
        title=str(form.title.data or ""),
        pipeline=form.pipeline.data,
    )
    return api.Made(id=deal_id)


@routes.writes(
    "/deals/<int:deal_id>/moves/<step>",
    permission=rules.LEAD,
    scope=api.Scope.WRITE_DEALS,
    summary="推进到下一步",
)
def move_deal(session: Session, _form: None, deal_id: int, step: str) -> Any:
    """Move a deal on, to a step named by its code, when what the step needs is there."""
    service.move(session, actor=web.actor(), now=web.now(), deal_id=deal_id, to=step)
    return api.Made(id=deal_id)


@routes.writes(
    "/deals/<int:deal_id>/pipeline",
    method="PUT",
    permission=rules.LEAD,
    scope=api.Scope.WRITE_DEALS,
    summary="换一个流程",
    form=PipelineForm,
)
def change_pipeline(session: Session, form: PipelineForm, deal_id: int) -> Any:
    """Carry a deal on in another pipeline while it is talked over."""
    service.change_pipeline(
        session,
        actor=web.actor(),
        now=web.now(),
        deal_id=deal_id,
        to=form.pipeline.data,
    )
    return api.Made(id=deal_id)


@routes.writes(
    "/deals/<int:deal_id>/terms",
    method="PUT",
    versioned=True,
    permission=rules.LEAD,
    scope=api.Scope.WRITE_DEALS,
    summary="记下谈定的条件",
    form=TermsForm,
)
def set_terms(session: Session, form: TermsForm, deal_id: int) -> Any:
    """Note what the parties agree on."""
    service.set_terms(
        session,
        actor=web.actor(),
        now=web.now(),
        deal_id=deal_id,
        title=form.title.data,
        amount_fen=form.amount_fen.data,
        trading_mode=form.trading_mode.data,
        signed_on=form.signed_on.data,
        version=form.version_number,
    )
    return api.Made(id=deal_id)


@routes.writes(
    "/deals/<int:deal_id>/notes",
    permission=rules.WRITE_NOTE,
    scope=api.Scope.WRITE_DEALS,
    summary="写一条备注",
    form=NoteForm,
    status=201,
)
def add_note(session: Session, form: NoteForm, deal_id: int) -> Any:
    """Write a note on a deal."""
    note_id = service.add_note(
        session,
        actor=web.actor(),
        now=web.now(),
        deal_id=deal_id,
        kind=form.kind.data,
        visibility=form.visibility.data,
        body=form.body.data,
    )
    return api.Made(id=note_id)


@routes.writes(
    "/deals/<int:deal_id>/loss",
    permission=rules.END,
    scope=api.Scope.WRITE_DEALS,
    summary="说明原因，结束项目",
    form=LossForm,
)
def lose_deal(session: Session, form: LossForm, deal_id: int) -> Any:
    """Close a deal as lost, with the reason."""
    service.lose(
        session,
        actor=web.actor(),
        now=web.now(),
        deal_id=deal_id,
        reason_code=form.reason_code.data,
        reason=form.reason.data,
    )
    return api.Made(id=deal_id)


@routes.writes(
    "/deals/<int:deal_id>/tasks",
    permission=rules.WRITE_NOTE,
    scope=api.Scope.WRITE_DEALS,
    summary="定下一步要做的事",
    form=TaskForm,
    status=201,
)
def add_deal_task(session: Session, form: TaskForm, deal_id: int) -> Any:
    """Set the next thing to do on a deal."""
    task_id = service.add_task(
        session,
        actor=web.actor(),
        now=web.now(),
        deal_id=deal_id,
        what=form.what.data,
        due_on=form.due_on.data,
    )
    return api.Made(id=task_id)


@routes.writes(
    "/deal-tasks/<int:task_id>/result",
    permission=rules.WRITE_NOTE,
    scope=api.Scope.WRITE_DEALS,
    summary="办完一件事，写下结果和再下一步",
    form=FinishForm,
)
def finish_deal_task(session: Session, form: FinishForm, task_id: int) -> Any:
    """Tick off a task with its result and the next step."""
    service.finish_task(
        session,
        actor=web.actor(),
        now=web.now(),
        task_id=task_id,
        result=form.result.data or "",
        kind=form.kind.data,
        next_what=form.next_what.data,
        next_due_on=form.next_due_on.data,
    )
    return api.Made(id=task_id)


@routes.writes(
    "/achievements/<int:achievement_id>/interest",
    permission=rules.EXPRESS_INTEREST,
    scope=api.Scope.WRITE_DEALS,
    summary="告诉成果方本单位想要这项成果",
    form=InterestForm,
    status=201,
)
def express_interest(session: Session, form: InterestForm, achievement_id: int) -> Any:
    """Let an enterprise tell an achievement's owner that it wants it; return the deal."""
    achievements.get_for(session, web.actor(), achievement_id)
    deal_id = service.express_interest(
        session,
        actor=web.actor(),
        now=web.now(),
        achievement_id=achievement_id,
        message=form.message.data,
    )
    return api.Made(id=deal_id)
