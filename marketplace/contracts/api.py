"""Contracts for programs: the pages' forms and services as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

from marketplace.contracts import forms, queries, rules, service, views
from marketplace.contracts.queries import ContractFilter
from marketplace.contracts.record_queries import subject
from marketplace.contracts.rules import ContractStatus, ContractType, RefusalReason
from marketplace.foundation import api, attachments, web
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.errors import NotFound

routes = api.Routes("contracts", __name__, tag="技术合同")


class ContractLine(api.Answer):
    """One contract in a list."""

    id: int
    project_name: str
    contract_type: ContractType | None
    status: ContractStatus
    seller_name: str
    buyer_name: str
    registrar_name: str
    amount: api.Yuan | None = Field(validation_alias="amount_fen")
    technology_amount: api.Yuan | None = Field(validation_alias="technology_amount_fen")
    contract_no: str | None
    signed_on: api.Days | None
    submitted_at: api.Moment | None
    due_on: api.Days | None
    registered_on: api.Days | None


class ContractList(api.Answer):
    """One page of a list; ``next`` goes into ``after``."""

    items: list[ContractLine]
    next: str | None = Field(validation_alias="next_token")


class ContractRecord(api.Answer):
    """One contract for a party, its agency or its registrar."""

    id: int
    version: int
    status: ContractStatus
    deal_id: int | None
    listing_id: int | None
    achievement_id: int | None
    created_at: api.Moment
    submitted_at: api.Moment | None
    due_on: api.Days | None
    returned_reason: str
    contract_no: str | None
    registered_on: api.Days | None
    refusal_reason: RefusalReason | None
    decision_words: str
    may_edit: bool
    files: list[api.FileLine]
    content: Annotated[dict[str, Any], api.shaped_as(forms.ContractForm)]


class ContractQuery(api.PageQuery):
    """What the list is narrowed to."""

    status: ContractStatus | None = None
    type: ContractType | None = None


@routes.reads(
    "/contracts",
    permission=rules.READ,
    summary="列出可见的技术合同",
    answer=ContractList,
    query=ContractQuery,
)
def list_contracts(asked: ContractQuery) -> Any:
    """List the contracts that the token's owner may see."""
    chosen = ContractFilter(
        statuses=(asked.status,) if asked.status else (), contract_type=asked.type
    )
    return queries.list_contracts(
        web.session(), web.actor(), chosen=chosen, after=asked.after, size=asked.limit
    )


@routes.reads(
    "/contracts/<int:contract_id>",
    permission=rules.READ,
    summary="读取一份技术合同",
    answer=ContractRecord,
)
def get_contract(_asked: api.AnyQuery, contract_id: int) -> Any:
    """Return one contract to who takes part in it."""
    view = queries.get_contract(web.session(), web.actor(), contract_id)
    uscc = view.buyer.uscc if view.buyer else ""
    kept = forms.stored(view.content, buyer_uscc=uscc, version=view.version)
    return {
        **vars(view),
        "files": attachments.of(web.session(), subject(contract_id)),
        "content": api.payload_of(forms.ContractForm, kept),
    }


@routes.writes(
    "/contracts",
    permission=rules.DRAW_UP,
    scope=api.Scope.WRITE_CONTRACTS,
    summary="新建一份合同草稿",
    status=201,
)
def draft_contract(session: Session, _form: None) -> Any:
    """Begin a contract that comes from no deal."""
    return api.Made(id=service.draft(session, actor=web.actor(), now=web.now()))


@routes.writes(
    "/deals/<int:deal_id>/contract",
    permission=rules.DRAW_UP,
    scope=api.Scope.WRITE_CONTRACTS,
    summary="由撮合项目起草合同；已有的返回原编号",
)
def draft_from_deal(session: Session, _form: None, deal_id: int) -> Any:
    """Begin the contract of a deal, or return the one it has."""
    made = service.draft_from_deal(session, actor=web.actor(), now=web.now(), deal_id=deal_id)
    return api.Made(id=made)


@routes.writes(
    "/contracts/<int:contract_id>",
    method="PUT",
    versioned=True,
    permission=rules.DRAW_UP,
    scope=api.Scope.WRITE_CONTRACTS,
    summary="保存合同的全部内容，附上的文本加到已有的之后",
    form=forms.ContractForm,
    prepare=views.offer_lists,
)
def save_contract(session: Session, form: forms.ContractForm, contract_id: int) -> Any:
    """Store the registration form; a draft may lack anything."""
    view = queries.get_contract(session, web.actor(), contract_id)
    if view.seller.id != web.actor().organisation_id:
        raise NotFound()
    version = service.save(
        session,
        actor=web.actor(),
        now=web.now(),
        contract_id=contract_id,
        content=form.content(),
        buyer_uscc=form.buyer_uscc.data,
        version=form.version_number,
        uploads=web.read_uploads(form.attachments.uploads()),
        store=web.resource(AttachmentStore),
    )
    return api.Made(id=contract_id, version=version)


@routes.writes(
    "/contracts/<int:contract_id>/submission",
    permission=rules.SUBMIT,
    scope=api.Scope.WRITE_CONTRACTS,
    summary="提交登记机构",
)
def submit_contract(session: Session, _form: None, contract_id: int) -> Any:
    """Send a complete contract to its registrar."""
    service.submit(session, actor=web.actor(), now=web.now(), contract_id=contract_id)
    return api.Made(id=contract_id)


@routes.sends(
    "/contracts/<int:contract_id>/files/<int:attachment_id>",
    permission=rules.READ,
    summary="下载合同文本",
)
def get_contract_file(contract_id: int, attachment_id: int) -> Any:
    """Send a contract's text to who takes part in it."""
    return views.attachment(contract_id, attachment_id)


@routes.writes(
    "/contracts/<int:contract_id>/files/<int:attachment_id>",
    method="DELETE",
    permission=rules.DRAW_UP,
    scope=api.Scope.WRITE_CONTRACTS,
    summary="删除未提交合同的文本",
)
def detach_from_contract(
    session: Session, _form: None, contract_id: int, attachment_id: int
) -> Any:
    """Take a text off a contract that has not been sent."""
    service.detach(
        session,
        actor=web.actor(),
        now=web.now(),
        contract_id=contract_id,
        attachment_id=attachment_id,
    )
    return api.Made(id=contract_id)
