"""Claims for programs: the pages' forms and services as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from sqlalchemy.orm import Session

from marketplace.foundation import api, attachments, web
from marketplace.foundation.access import SIGNED_IN
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.errors import NotFound
from marketplace.subsidies import claim_views, queries, rules, service
from marketplace.subsidies.forms import ApplicationForm, RecognitionForm, TrainingForm
from marketplace.subsidies.queries import ClaimView
from marketplace.subsidies.rules import ClaimStatus
from marketplace.subsidies.word_rules import ClaimItem

routes = api.Routes("subsidies", __name__, tag="补助申报")


class ClaimLine(api.Answer):
    """One claim of the token's organisation."""

    id: int
    number: str
    round_id: int
    item: ClaimItem
    year: int
    status: ClaimStatus
    claimed: api.Yuan = Field(validation_alias="claimed_fen")
    approved: api.Yuan | None = Field(validation_alias="approved_fen")
    payable: api.Yuan | None = Field(validation_alias="payable_fen")
    applied_at: api.Moment | None
    due_on: api.Days | None
    reason: str


class ClaimList(api.Answer):
    """One page of a list; ``next`` goes into ``after``."""

    items: list[ClaimLine]
    next: str | None = Field(validation_alias="next_token")


class ClaimRecord(ClaimLine):
    """One claim, with the amount that an application now has to confirm."""

    claimable: api.Yuan | None
    contact_name: str
    contact_phone: str
    bank_name: str
    bank_account: str
    statement: str
    files: list[api.FileLine]


class RoundLine(api.Answer):
    """A round of applications that is open."""

    id: int
    number: str
    year: int
    title: str
    opens_on: api.Days
    closes_on: api.Days
    items: list[ClaimItem]


class RoundList(api.Answer):
    """The rounds that are open today."""

    items: list[RoundLine]


@routes.reads("/rounds", permission=rules.CLAIM, summary="列出正在受理的申报通知", answer=RoundList)
def list_rounds(_asked: api.AnyQuery) -> Any:
    """List the rounds that take applications."""
    return {"items": queries.open_rounds(web.session(), now=web.now())}


@routes.reads(
    "/claims",
    permission=rules.CLAIM,
    summary="列出本单位的补助申报",
    answer=ClaimList,
    query=api.PageQuery,
)
def list_claims(asked: api.PageQuery) -> Any:
    """List the claims of the token's organisation, the newest first."""
    return queries.page_of_claims(
        web.session(), web.actor().organisation_id or 0, after=asked.after, size=asked.limit
    )


@routes.reads(
    "/claims/<int:claim_id>",
    permission=rules.CLAIM,
    summary="读取一件补助申报",
    answer=ClaimRecord,
)
def get_claim(_asked: api.AnyQuery, claim_id: int) -> Any:
    """Return one of one's own claims."""
    view = queries.get_own_claim(web.session(), web.actor(), claim_id)
    return {
        **vars(view.row),
        **vars(view),
        "claimable": _claimable(view),
        "files": attachments.of(web.session(), f"claim:{claim_id}"),
    }


def _claimable(view: ClaimView) -> int | None:
    if view.status not in rules.WITH_APPLICANT:
        return None
    computed = queries.computed_now(web.session(), view, now=web.now())
    return None if computed is None else computed.claimable_fen


@routes.writes(
    "/rounds/<int:round_id>/claims/<item>",
    permission=rules.CLAIM,
    scope=api.Scope.WRITE_CLAIMS,
    summary="由登记的合同生成一件申报；已有的返回原编号",
    codes={"item": ClaimItem},
)
def prepare_claim(session: Session, _form: None, round_id: int, item: ClaimItem) -> Any:
    """Make a claim out of what the platform knows."""
    claim_id = service.prepare(
        session, actor=web.actor(), now=web.now(), round_id=round_id, item=item
    )
    return api.Made(id=claim_id)


@routes.writes(
    "/claims/<int:claim_id>/application",
    permission=rules.CLAIM,
    scope=api.Scope.WRITE_CLAIMS,
    summary="确认金额并提交申报，可附证明材料；confirmed 为 claimable 的分数",
    form=ApplicationForm,
)
def apply_claim(session: Session, form: ApplicationForm, claim_id: int) -> Any:
    """Send a claim, for the first time or after a correction."""
    queries.get_own_claim(session, web.actor(), claim_id)
    service.apply(
        session,
        actor=web.actor(),
        now=web.now(),
        claim_id=claim_id,
        confirmed_fen=form.confirmed_fen,
        declared=form.declared.data,
        payee=claim_views.payee_of(form),
        uploads=web.read_uploads(form.attachments.uploads()),
        attachment_store=web.resource(AttachmentStore),
    )
    return api.Made(id=claim_id)


@routes.sends(
    "/claims/<int:claim_id>/files/<int:attachment_id>",
    permission=SIGNED_IN,
    summary="下载申报的证明材料",
)
def get_claim_file(claim_id: int, attachment_id: int) -> Any:
    """Send a claim's file to its applicant or to a reviewer who may see the claim."""
    return claim_views.file(claim_id, attachment_id)


@routes.writes(
    "/claims/<int:claim_id>/recognition",
    method="PUT",
    permission=rules.CLAIM,
    scope=api.Scope.WRITE_CLAIMS,
    summary="填写单项补助所依据的认定",
    form=RecognitionForm,
)
def enter_recognition(session: Session, form: RecognitionForm, claim_id: int) -> Any:
    """Keep the recognition that a single payment rests on."""
    return _enter(session, claim_id, form)


@routes.writes(
    "/claims/<int:claim_id>/trainings",
    method="PUT",
    permission=rules.CLAIM,
    scope=api.Scope.WRITE_CLAIMS,
    summary="填写技术经理人培训",
    form=TrainingForm,
)
def enter_trainings(session: Session, form: TrainingForm, claim_id: int) -> Any:
    """Keep the trainings that a claim for their fees rests on."""
    return _enter(session, claim_id, form)


def _enter(session: Session, claim_id: int, form: RecognitionForm | TrainingForm) -> api.Made:
    view = queries.get_own_claim(session, web.actor(), claim_id)
    if claim_views.entry_form_of(view) is not type(form):
        raise NotFound()
    service.enter(
        session, actor=web.actor(), now=web.now(), claim_id=claim_id, entries=form.entries()
    )
    return api.Made(id=claim_id)
