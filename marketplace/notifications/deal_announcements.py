"""What is told about what follows from deals: contracts recognised, disputes, rooms, meetings."""

from __future__ import annotations

from marketplace.brokerage import events as brokerage
from marketplace.brokerage import introduction_events as introductions
from marketplace.brokerage import proposal_events as proposals
from marketplace.brokerage.introduction_rules import (
    DisputeGround,
    DisputeState,
    RecognitionGround,
    RecognitionState,
)
from marketplace.brokerage.proposal_rules import SideAnswer
from marketplace.brokerage.rules import LostReason, Side
from marketplace.foundation.access import Role
from marketplace.notifications.announcing import (
    Announcement,
    all_of,
    everybody,
    members_of,
    person,
)
from marketplace.notifications.rules import MessageKind

_SELLER = members_of("seller_organisation_id")
_BUYER = members_of("buyer_organisation_id")
_BROKER = person("broker_user_id")
_OPERATOR = everybody(Role.OPERATOR)
_DEAL = {"deal_id": "deal_id"}
_TALK = {"talk_id": "talk_id"}
_PROPOSAL = {"proposal_id": "proposal_id"}
_DISPUTE = {"dispute_id": "dispute_id"}

ANNOUNCEMENTS: tuple[Announcement, ...] = (
    Announcement(
        introductions.ContractRecognised,
        MessageKind.DEAL,
        all_of(_BROKER, _SELLER, _BUYER),
        "介绍的双方登记了合同：{subject_title}",
        "合同 {contract_no}，{ground}，{state}。应付的佣金列在佣金账里；有异议可在项目里提出。",
        "brokerage.show",
        _DEAL,
        when=lambda event: event.deal_id is not None and event.ground != "same_deal",
        words={"ground": RecognitionGround, "state": RecognitionState},
    ),
    Announcement(
        introductions.ContractRecognised,
        MessageKind.DEAL,
        _OPERATOR,
        "请核对合同 {contract_no} 与介绍存证",
        "{seller}与{buyer}登记了合同，{ground}，需要人工核对是不是{broker}介绍的结果。",
        "brokerage.introduction_desk",
        when=lambda event: event.state == "to_check",
        name="operator",
        words={"ground": RecognitionGround},
    ),
    Announcement(
        introductions.DisputeOpened,
        MessageKind.DEAL,
        all_of(_BROKER, _SELLER, _BUYER, _OPERATOR),
        "介绍有争议：{subject_title}",
        "事由：{ground}。交易中心将按双方说明和留痕记录认定。",
        "brokerage.dispute",
        _DISPUTE,
        words={"ground": DisputeGround},
    ),
    Announcement(
        introductions.DisputeDecided,
        MessageKind.DEAL,
        all_of(_BROKER, _SELLER, _BUYER),
        "争议已有结果：{subject_title}",
        "{state}。{reason}",
        "brokerage.dispute",
        _DISPUTE,
        words={"state": DisputeState},
    ),
    Announcement(
        introductions.ExpenseClaimed,
        MessageKind.DEAL,
        members_of("payer_organisation_id"),
        "请答复必要费用：{amount}",
        "{title}没有促成合同，不用付佣金；{broker}请求必要费用 {amount}，请对照约定答复。",
        "brokerage.show",
        _DEAL,
    ),
    Announcement(
        introductions.RoomFilled,
        MessageKind.DEAL,
        _BUYER,
        "资料室有新资料：{title}",
        "{seller}放入 {file_count} 份资料，保密协议生效期间可以打开。",
        "brokerage.room",
        _DEAL,
    ),
    Announcement(
        introductions.RoomClosed,
        MessageKind.DEAL,
        _BUYER,
        "资料室已关闭：{title}",
        "{seller}关闭了资料室，理由：{reason}。已知悉内容的保密义务不变。",
        "brokerage.show",
        _DEAL,
    ),
    Announcement(
        introductions.RoomLinkIssued,
        MessageKind.DEAL,
        person("reader_user_id"),
        "发给您的资料链接：{file_name}",
        "{seller}单独开放的资料，链接在资料室里，只有您本人能打开，有效期至 {valid_to}。",
        "brokerage.room",
        _DEAL,
    ),
    Announcement(
        brokerage.AnswerOverdue,
        MessageKind.DEAL,
        all_of(members_of("organisation_id"), _BROKER),
        "企业留言等了 {workdays} 个工作日：{title}",
        "企业 {asked_on} 的留言还没有答复；写一条双方可见的备注或推进阶段就算答复。",
        "brokerage.show",
        _DEAL,
    ),
    Announcement(
        brokerage.AnswerOverdue,
        MessageKind.DEAL,
        _OPERATOR,
        "{organisation}一直没有答复企业：{title}",
        "企业 {asked_on} 留言，两次提醒后 {workdays} 个工作日仍没有答复，请联系双方。",
        "brokerage.show",
        _DEAL,
        when=lambda event: event.to_operator,
        name="operator",
    ),
    Announcement(
        brokerage.FeedbackDigested,
        MessageKind.DEAL,
        members_of("organisation_id"),
        "{month} 有 {lost_count} 个项目没有谈成",
        "最多的原因：{leading_reason}。可以做的：{advice}",
        "brokerage.lessons_of_month",
        {"month": "month"},
        words={"leading_reason": LostReason},
    ),
    Announcement(
        brokerage.TalkProposed,
        MessageKind.DEAL,
        all_of(_SELLER, _BUYER, _BROKER),
        "请选时间：{topic}",
        "{title}要约会议或考察，请勾选可以的时间。",
        "brokerage.talk",
        _TALK,
    ),
    Announcement(
        brokerage.TalkFixed,
        MessageKind.DEAL,
        all_of(_SELLER, _BUYER, _BROKER),
        "时间已定：{topic}",
        "{starts_at} {place}。可以放进日历。",
        "brokerage.talk",
        _TALK,
    ),
    Announcement(
        brokerage.TalkCancelled,
        MessageKind.DEAL,
        all_of(_SELLER, _BUYER, _BROKER),
        "会议取消：{topic}",
        "原因：{reason}",
        "brokerage.talk",
        _TALK,
    ),
    Announcement(
        proposals.ProposalMade,
        MessageKind.DEAL,
        all_of(_SELLER, _BUYER),
        "技术经理人建议对接：{need_title}",
        "{broker}建议把这项需求与成果“{title}”对接，请答复是否愿意。",
        "brokerage.proposal",
        _PROPOSAL,
    ),
    Announcement(
        proposals.ProposalReminded,
        MessageKind.DEAL,
        all_of(_SELLER, _BUYER),
        "对接建议快到期：{need_title}",
        "{broker}建议与成果“{title}”对接，{valid_to} 前没有答复就失效。",
        "brokerage.proposal",
        _PROPOSAL,
    ),
    Announcement(
        proposals.ProposalLapsed,
        MessageKind.DEAL,
        _BROKER,
        "对接建议过期没有答复：{title}",
        "需求“{need_title}”与这项成果的对接 {valid_to} 到期。可以电话问一问原因，再重新提出。",
        "brokerage.proposal",
        _PROPOSAL,
    ),
    Announcement(
        proposals.ProposalLapsed,
        MessageKind.DEAL,
        all_of(_SELLER, _BUYER),
        "对接建议已失效：{need_title}",
        "您没有在 {valid_to} 前答复{broker}的对接建议。仍想对接，可请这位经理人联系。",
        "brokerage.proposal",
        _PROPOSAL,
        name="asked",
    ),
    Announcement(
        proposals.ProposalAnswered,
        MessageKind.DEAL,
        _BROKER,
        "{side}{answer}：{title}",
        "{words}",
        "brokerage.proposal",
        _PROPOSAL,
        words={"answer": SideAnswer, "side": Side},
    ),
)
