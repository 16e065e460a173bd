"""Who is told of contracts, service orders and meetings."""

from __future__ import annotations

from marketplace.contracts import events as contracts
from marketplace.foundation.access import Role
from marketplace.notifications.announcing import (
    Announcement,
    all_of,
    attendees,
    inventors,
    members_of,
    person,
)
from marketplace.notifications.rules import MessageKind
from marketplace.techservices import events as techservices

_SELLER = members_of("seller_organisation_id")
_BUYER = members_of("buyer_organisation_id")
_CUSTOMER = members_of("customer_organisation_id")
_PROVIDER = members_of("provider_organisation_id")
_CONTRACT = {"contract_id": "contract_id"}
_ORDER = {"order_id": "order_id"}
_MEETING = {"meeting_id": "meeting_id"}

CONTRACT_ANNOUNCEMENTS: tuple[Announcement, ...] = (
    Announcement(
        contracts.ContractSubmitted,
        MessageKind.CONTRACT,
        members_of("registrar_organisation_id", Role.REGISTRAR),
        "待审核的技术合同：{project_name}",
        "{seller}提交认定登记，审核期限到 {due_on}。",
        "contracts.review",
        _CONTRACT,
    ),
    Announcement(
        contracts.ContractSubmitted,
        MessageKind.CONTRACT,
        _BUYER,
        "合同已提交登记：{project_name}",
        "{seller}已把合同提交认定登记。",
        "contracts.show",
        _CONTRACT,
        name="buyer",
    ),
    Announcement(
        contracts.ContractReturned,
        MessageKind.CONTRACT,
        _SELLER,
        "合同登记需要补正：{project_name}",
        "登记机构要求补正：{reason}。改好后再次提交。",
        "contracts.show",
        _CONTRACT,
    ),
    Announcement(
        contracts.ContractRegistered,
        MessageKind.CONTRACT,
        all_of(_SELLER, _BUYER, members_of("agency_organisation_id")),
        "合同已登记：{contract_no}",
        "“{project_name}”已于 {registered_on} 登记，成交额 {amount}，"
        "技术交易额 {technology_amount}。可以看看能申请哪些补助。",
        "contracts.show",
        _CONTRACT,
    ),
    Announcement(
        contracts.ContractRegistered,
        MessageKind.CONTRACT,
        inventors,
        "您的成果签了合同：{project_name}",
        "合同 {contract_no} 已登记，成交额 {amount}。",
        "achievements.show",
        {"achievement_id": "achievement_id"},
        when=lambda event: event.achievement_id is not None,
        name="inventors",
    ),
    Announcement(
        contracts.ContractRefused,
        MessageKind.CONTRACT,
        all_of(_SELLER, _BUYER),
        "合同不予登记：{project_name}",
        "理由：{reason}",
        "contracts.show",
        _CONTRACT,
    ),
    Announcement(
        contracts.ContractChanged,
        MessageKind.CONTRACT,
        all_of(_SELLER, _BUYER),
        "合同变更已登记：{contract_no}",
        "变更后成交额 {amount}，技术交易额 {technology_amount}。{reason}",
        "contracts.show",
        _CONTRACT,
    ),
    Announcement(
        contracts.ContractCancelled,
        MessageKind.CONTRACT,
        all_of(_SELLER, _BUYER, members_of("agency_organisation_id")),
        "合同登记已撤销：{contract_no}",
        "原因：{reason}。以这份合同申请的补助会重新核对。",
        "contracts.show",
        _CONTRACT,
    ),
)


SERVICE_ANNOUNCEMENTS: tuple[Announcement, ...] = (
    Announcement(
        techservices.OrderRequested,
        MessageKind.SERVICE,
        _PROVIDER,
        "新的服务委托：{title}",
        "{customer}提交了委托 {number}，请接受或说明不接受的理由。",
        "techservices.order",
        _ORDER,
    ),
    Announcement(
        techservices.OrderWithdrawn,
        MessageKind.SERVICE,
        _PROVIDER,
        "委托已撤回：{title}",
        "{customer}撤回了委托 {number}，不必再答复。",
        "techservices.order",
        _ORDER,
    ),
    Announcement(
        techservices.OrderAccepted,
        MessageKind.SERVICE,
        _CUSTOMER,
        "服务机构已接受：{title}",
        "{provider}接受了委托 {number}，费用 {fee}，约定 {due_on} 完成。",
        "techservices.order",
        _ORDER,
    ),
    Announcement(
        techservices.OrderDeclined,
        MessageKind.SERVICE,
        _CUSTOMER,
        "服务机构没有接受：{title}",
        "{provider}没有接受委托 {number}，理由：{reason}。可以另选一家。",
        "techservices.order",
        _ORDER,
    ),
    Announcement(
        techservices.OrderProgressed,
        MessageKind.SERVICE,
        _CUSTOMER,
        "办理进展：{title}",
        "{provider}：{note}",
        "techservices.order",
        _ORDER,
    ),
    Announcement(
        techservices.OrderDelivered,
        MessageKind.SERVICE,
        _CUSTOMER,
        "等您确认：{title}",
        "{provider}已完成委托 {number}，请查看结果并确认。",
        "techservices.order",
        _ORDER,
    ),
    Announcement(
        techservices.OrderConfirmed,
        MessageKind.SERVICE,
        _PROVIDER,
        "客户已确认：{title}",
        "{customer}确认了委托 {number}，实付 {paid}，创新券 {voucher}。",
        "techservices.order",
        _ORDER,
    ),
    Announcement(
        techservices.MeetingSignedUp,
        MessageKind.SERVICE,
        person("user_id"),
        "已报名：{title}",
        "活动时间 {starts_at}。请带好报名码到现场签到。",
        "techservices.event",
        _MEETING,
    ),
    Announcement(
        techservices.MeetingCancelled,
        MessageKind.SERVICE,
        attendees,
        "活动取消：{title}",
        "{organiser}取消了活动，原因：{reason}。",
        "techservices.event",
        _MEETING,
    ),
)

ANNOUNCEMENTS = CONTRACT_ANNOUNCEMENTS + SERVICE_ANNOUNCEMENTS
