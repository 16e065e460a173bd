"""Organisations come, are verified and bring their members; brokers and agencies are registered."""

from __future__ import annotations

from datetime import date, datetime

from marketplace.accounts import queries, service
from marketplace.accounts.rules import (
    SELF_REGISTERED,
    District,
    OrganisationKind,
    OrganisationSubkind,
    PaperKind,
    Scale,
)
from marketplace.accounts.service import OrganisationContent, PersonContent
from marketplace.brokerage import service as brokerage
from marketplace.brokerage.register_rules import BrokerLevel, Certificate, FilingFigures
from marketplace.foundation.access import SYSTEM, Role
from marketplace.foundation.attachments import Upload
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.trade import TechnologyField
from seed.demo.content import Organisation, Person
from seed.demo.paper import write_paper
from seed.demo.stage import Stage, Story, yuan

_F = TechnologyField
_FIELDS_OF: dict[str, tuple[TechnologyField, ...]] = {
    "智能制造与高端装备": (_F.MANUFACTURING,),
    "先进材料": (_F.MATERIALS,),
    "精品钢": (_F.MATERIALS,),
    "生物医药": (_F.BIOMEDICINE,),
    "节能环保": (_F.ENVIRONMENT,),
    "新能源": (_F.ENERGY,),
    "新一代信息技术": (_F.ELECTRONICS,),
    "空天信息": (_F.AEROSPACE,),
    "量子科技": (_F.ELECTRONICS,),
    "食品与现代农业": (_F.AGRICULTURE,),
    "交通装备": (_F.TRANSPORT, _F.URBAN),
}
_LEVELS = {
    "初级": BrokerLevel.JUNIOR,
    "中级": BrokerLevel.INTERMEDIATE,
    "高级": BrokerLevel.SENIOR,
}
# Agency: last year's service income, brokered sum in yuan, conversions; inside an institution?
_FIGURES: dict[str, tuple[int, int, int, bool]] = {
    "a-quanyuan": (1_860_000, 21_400_000, 19, False),
    "a-jixia": (640_000, 6_850_000, 9, False),
    "a-qiaolian": (920_000, 11_300_000, 12, False),
    "a-quanlitto": (310_000, 5_200_000, 7, False),
    "a-changqing": (180_000, 3_400_000, 5, False),
    "p-shangce": (450_000, 4_760_000, 6, False),
    "a-laiwutt": (126_000, 3_150_000, 4, False),
}


def founding(stage: Stage, password_hash: str) -> Story:
    """Found the operator and the offices, register everybody else, and verify them."""
    yield datetime(2022, 2, 7, 9, 40, tzinfo=LOCAL)
    verified = [o for o in stage.content.organisations if o.state == "verified"]
    for organisation in verified:
        if OrganisationKind(organisation.kind) not in SELF_REGISTERED:
            stage.organisations[organisation.key] = service.establish(
                stage.session, actor=SYSTEM, now=stage.now, organisation=_content(organisation)
            )
            _add_members(stage, organisation.key, password_hash)
    yield stage.after(1, "register")
    for organisation in verified:
        if organisation.key not in stage.organisations:
            _register(stage, organisation, password_hash)
    yield stage.after(2, "verify")
    desk = stage.actor("fanghuaying")
    for organisation in verified:
        if OrganisationKind(organisation.kind) in SELF_REGISTERED:
            service.verify(
                stage.session,
                actor=desk,
                now=stage.now,
                organisation_id=stage.organisations[organisation.key],
            )
            _add_members(stage, organisation.key, password_hash)


def newcomer(stage: Stage, organisation: Organisation, password_hash: str) -> Story:
    """Register an organisation shortly before the demo begins; one of them is rejected."""
    yield stage.at(date(2024, 3, 12), organisation.key)
    _register(stage, organisation, password_hash)
    if organisation.state == "rejected":
        yield stage.after(1, organisation.key)
        service.reject(
            stage.session,
            actor=stage.actor("fanghuaying"),
            now=stage.now,
            organisation_id=stage.organisations[organisation.key],
            reason=organisation.state_reason,
        )


def broker(stage: Stage, person: Person) -> Story:
    """Let a broker write the own entry in the register once the certificate is there."""
    assert person.certificate is not None
    assert person.level is not None
    yield stage.at(max(person.certificate.issued_on, date(2022, 2, 16)), person.key)
    fields = [field for name in person.fields for field in _FIELDS_OF[name]]
    brokerage.save_profile(
        stage.session,
        actor=stage.actor(person.key),
        now=stage.now,
        certificate=Certificate(
            level=_LEVELS[person.level],
            number=person.certificate.number,
            issuer="山东省技术成果交易中心(济南)",
            valid_to=None,
        ),
        fields=list(dict.fromkeys(fields)),
        introduction=person.introduction,
    )
    # The newest certificate still waits for the operator.
    if person.certificate.issued_on < date(2023, 11, 1):
        yield stage.after(3, person.key)
        brokerage.confirm_profile(
            stage.session,
            actor=stage.actor("fanghuaying"),
            now=stage.now,
            user_id=stage.users[person.key],
        )


def filing(stage: Stage, organisation: Organisation) -> Story:
    """File an agency for the period that organisations.yaml names."""
    assert organisation.agency_filed_from is not None
    begins = organisation.agency_filed_from
    yield stage.at(max(begins, date(2022, 2, 17)), organisation.key)
    filing_id = _apply_for_filing(stage, organisation.key, stage.today.year - 1)
    yield stage.after(4, organisation.key)
    brokerage.approve_filing(
        stage.session,
        actor=stage.actor("youxueqin"),
        now=stage.now,
        filing_id=filing_id,
        valid_from=begins,
        valid_to=organisation.agency_filed_to or date(begins.year + 5, begins.month, begins.day),
    )


def filing_twice(stage: Stage, organisation: str) -> Story:
    """Decline a young agency's first filing and leave its second one waiting."""
    yield stage.at(date(2023, 4, 11), organisation)
    filing_id = _apply_for_filing(stage, organisation, 2022)
    yield stage.after(5, organisation)
    brokerage.decline_filing(
        stage.session,
        actor=stage.actor("youxueqin"),
        now=stage.now,
        filing_id=filing_id,
        reason="所附四份居间合同中有两份无对应的技术合同登记证明，核减后促成额不足三百万元",
    )
    yield stage.at(date(2024, 3, 11), organisation)
    _apply_for_filing(stage, organisation, 2023)


def _apply_for_filing(stage: Stage, organisation: str, year: int) -> int:
    income, brokered, count, internal = _FIGURES[organisation]
    return brokerage.apply_for_filing(
        stage.session,
        actor=stage.member(organisation, Role.AGENCY_HEAD, Role.ORG_ADMIN),
        now=stage.now,
        figures=FilingFigures(
            internal=internal,
            service_income_fen=yuan(income),
            brokered_fen=yuan(brokered),
            conversion_count=count,
        ),
        figures_year=year,
    )


def _register(stage: Stage, organisation: Organisation, password_hash: str) -> None:
    first = next(
        person
        for person in stage.content.people
        if person.org == organisation.key and Role.ORG_ADMIN.value in person.roles
    )
    stage.organisations[organisation.key], stage.users[first.key] = service.register(
        stage.session,
        now=stage.now,
        organisation=_content(organisation),
        person=_person(first, password_hash),
    )
    if organisation.state != "rejected":
        _show_papers(stage, organisation, first)


def _show_papers(stage: Stage, organisation: Organisation, first: Person) -> None:
    papers = {
        PaperKind.LICENCE: (
            "登记证照（演示文本）",
            [
                f"名称：{organisation.name}",
                f"统一社会信用代码：{organisation.uscc}",
                "登记机关：演示登记机关",
            ],
        ),
        PaperKind.AUTHORISATION: (
            "授 权 书（演示文本）",
            [f"{organisation.name}授权 {first.name} 办理平台入驻与交易事项。", "（盖章）"],
        ),
    }
    # Not through the stage, which keeps an actor as he was: not verified yet, without colleagues.
    newcomer = queries.actor_for(
        stage.session, stage.users[first.key], stage.organisations[organisation.key]
    )
    assert newcomer is not None
    for kind, (title, lines) in papers.items():
        service.add_papers(
            stage.session,
            actor=newcomer,
            now=stage.now,
            organisation_id=stage.organisations[organisation.key],
            kind=kind,
            uploads=[Upload(f"{kind.label}.pdf", write_paper(title, lines))],
            store=stage.store,
        )


def _add_members(stage: Stage, organisation: str, password_hash: str) -> None:
    for person in stage.content.people:
        if person.org == organisation and person.key not in stage.users:
            stage.users[person.key] = service.add_member(
                stage.session,
                actor=SYSTEM,
                now=stage.now,
                organisation_id=stage.organisations[organisation],
                person=_person(person, password_hash),
                roles={Role(role) for role in person.roles},
            )


def _person(person: Person, password_hash: str) -> PersonContent:
    return PersonContent(
        email=person.email,
        name=person.name,
        password_hash=password_hash,
        title=person.title,
        phone=person.phone,
    )


def _content(organisation: Organisation) -> OrganisationContent:
    contact = organisation.contact
    return OrganisationContent(
        uscc=organisation.uscc,
        name=organisation.name,
        short_name=organisation.short_name,
        kind=OrganisationKind(organisation.kind),
        subkinds=tuple(OrganisationSubkind(name) for name in organisation.subkinds),
        district=next((d for d in District if d.label == organisation.district), None),
        region_code=organisation.region_code,
        industry=organisation.industry or "",
        scale=Scale(organisation.scale) if organisation.scale else None,
        high_tech=organisation.high_tech,
        address=organisation.address,
        representative=organisation.representative or "",
        contact_name=contact.name if contact else "",
        contact_phone=contact.phone if contact else "",
        contact_email=contact.email if contact else "",
    )
