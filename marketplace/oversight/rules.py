"""Who oversees, and which kinds of object are looked for in the audit; pure."""

from __future__ import annotations

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.words import Word

WATCH = Permission("oversight.watch", frozenset({Role.OPERATOR}))
ANSWER_REPORTS = Permission("oversight.answer_reports", frozenset({Role.OPERATOR}))


class AuditedKind(Word):
    """The kinds of object that the operator looks for in the audit."""

    ACHIEVEMENT = "achievement", "科技成果"
    NEED = "need", "技术需求"
    ASSESSMENT = "assessment", "评估"
    LISTING = "listing", "挂牌项目"
    INTENT = "intent", "受让意向"
    BIDDING = "bidding", "竞价场次"
    DEAL = "deal", "撮合项目"
    CONTRACT = "contract", "技术合同"
    CLAIM = "claim", "补助申报"
    PAYMENT = "payment", "款项"
    PUBLICITY = "publicity", "公示"
    ORGANISATION = "organisation", "机构"
    USER = "user", "个人账号"
    REPORT = "report", "举报"
