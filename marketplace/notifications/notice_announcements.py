"""Who is told of a listing's notice: revised, priority asked, certificate issued or withdrawn."""

from __future__ import annotations

from marketplace.listings import events as listings
from marketplace.notifications.announcing import Announcement, all_of, members_of, person
from marketplace.notifications.rules import MessageKind

_SELLER = members_of("seller_organisation_id")
_LISTING = {"listing_id": "listing_id"}

NOTICE_ANNOUNCEMENTS: tuple[Announcement, ...] = (
    Announcement(
        listings.AnnouncementRevised,
        MessageKind.LISTING,
        _SELLER,
        "公告已变更：{title}",
        "第 {number} 版，原因：{reason}。公告到 {ends_on} 为止。",
        "listings.manage",
        _LISTING,
    ),
    Announcement(
        listings.PriorityAsked,
        MessageKind.LISTING,
        person("user_id"),
        "您是否优先受让：{title}",
        "单位要转让您完成的成果，同等条件下您可以优先受让。请在 {answer_by} 前答复。",
        "listings.priority",
        {"priority_id": "priority_id"},
    ),
    Announcement(
        listings.PriorityAsked,
        MessageKind.LISTING,
        members_of("organisation_id"),
        "贵单位是否优先受让：{title}",
        "共有的成果要转让，同等条件下贵单位可以优先受让。请在 {answer_by} 前答复。",
        "listings.priority",
        {"priority_id": "priority_id"},
        name="co_owner",
    ),
    Announcement(
        listings.PriorityOffered,
        MessageKind.LISTING,
        members_of("organisation_id"),
        "是否按成交价优先受让：{title}",
        "受让方已产生，价格 {price}。您主张过优先受让，请在 {answer_by} 前答复，逾期视为放弃。",
        "listings.priority",
        {"priority_id": "priority_id"},
    ),
    Announcement(
        listings.PriorityExercised,
        MessageKind.LISTING,
        all_of(_SELLER, members_of("former_buyer_organisation_id")),
        "优先权人按成交价受让：{title}",
        "{holder}按 {price} 行使优先受让权。公示结束后由其签约，原受让方的保证金无息退还。",
        "listings.show",
        _LISTING,
    ),
    Announcement(
        listings.CertificateIssued,
        MessageKind.LISTING,
        all_of(_SELLER, members_of("buyer_organisation_id")),
        "交易凭证已出具：{number}",
        "“{title}”的交易凭证已出具，可以下载，也可以让任何人核验。",
        "listings.verify_number",
        {"number": "number"},
    ),
    Announcement(
        listings.CertificateWithdrawn,
        MessageKind.LISTING,
        all_of(_SELLER, members_of("buyer_organisation_id")),
        "交易凭证已撤销：{number}",
        "原因：{reason}。核验页已写明撤销。",
        "listings.verify_number",
        {"number": "number"},
    ),
)
