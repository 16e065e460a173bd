"""我能解决 for programs: answer a need, read the answers to one's own and decide on them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from marketplace.foundation import api, web
from marketplace.foundation.access import SIGNED_IN
from marketplace.foundation.errors import NotFound
from marketplace.needs import queries, service
from marketplace.needs.answer_views import offer_own
from marketplace.needs.api import routes
from marketplace.needs.forms import AnswerForm, ReasonForm
from marketplace.needs.rules import ANSWER, EDIT, AnswerState


class AnswerLine(api.Answer):
    """What an organisation offers to solve a need, and what became of it."""

    id: int
    organisation_id: int
    achievement_id: int | None
    text: str
    state: AnswerState
    reason: str
    created_at: api.Moment
    decided_at: api.Moment | None


class AnswerList(api.Answer):
    """The answers to a need that the caller may read, oldest first."""

    items: list[AnswerLine]


@routes.reads(
    "/needs/<int:need_id>/answers",
    permission=SIGNED_IN,
    summary="列出需求的答复：自己的需求看全部，别人的需求看本单位的",
    answer=AnswerList,
)
def list_answers(_asked: api.AnyQuery, need_id: int) -> Any:
    """List all answers for the need's owner, one's own for those who answered."""
    session, actor = web.session(), web.actor()
    queries.get_for(session, actor, need_id)
    return {"items": queries.answers_for(session, actor, need_id)}


@routes.writes(
    "/needs/<int:need_id>/answers",
    permission=ANSWER,
    scope=api.Scope.WRITE_NEEDS,
    summary="答复一项需求：我能解决",
    form=AnswerForm,
    prepare=offer_own,
    status=201,
)
def answer_need(session: Session, form: AnswerForm, need_id: int) -> Any:
    """Tell a need's owner that one's organisation can solve it."""
    queries.get_for(session, web.actor(), need_id)
    chosen = form.achievement_id.data
    answer_id = service.answer(
        session,
        actor=web.actor(),
        now=web.now(),
        need_id=need_id,
        text=form.text.data or "",
        achievement_id=int(chosen) if chosen else None,
    )
    return api.Made(id=answer_id)


@routes.writes(
    "/needs/<int:need_id>/answers/<int:answer_id>/acceptance",
    permission=EDIT,
    scope=api.Scope.WRITE_NEEDS,
    summary="愿意与答复的一方洽谈",
)
def accept_need_answer(session: Session, _form: None, need_id: int, answer_id: int) -> Any:
    """Agree to talk with who answered."""
    return _decide(session, need_id, answer_id, accepted=True)


@routes.writes(
    "/needs/<int:need_id>/answers/<int:answer_id>/refusal",
    permission=EDIT,
    scope=api.Scope.WRITE_NEEDS,
    summary="说明原因，暂不采纳答复",
    form=ReasonForm,
)
def decline_need_answer(session: Session, form: ReasonForm, need_id: int, answer_id: int) -> Any:
    """Decline an answer with the reason that its author learns."""
    return _decide(session, need_id, answer_id, accepted=False, reason=form.reason.data or "")


def _decide(
    session: Session, need_id: int, answer_id: int, *, accepted: bool, reason: str = ""
) -> api.Made:
    known = {answer.id for answer in queries.answers_for(session, web.actor(), need_id)}
    if answer_id not in known:
        raise NotFound()
    service.decide_answer(
        session,
        actor=web.actor(),
        now=web.now(),
        answer_id=answer_id,
        accepted=accepted,
        reason=reason,
    )
    return api.Made(id=answer_id)
