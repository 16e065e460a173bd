"""What people report, why, and how it is answered; pure."""

from __future__ import annotations

from marketplace.foundation.errors import Problem, raise_if_any
from marketplace.foundation.words import Word


class ReportedKind(Word):
    """The kinds of record that anybody may report."""

    ACHIEVEMENT = "achievement", "科技成果"
    NEED = "need", "技术需求"
    LISTING = "listing", "挂牌项目"
    ORGANISATION = "organisation", "机构"
    RATING = "rating", "对技术经理人的评语"


class ReportReason(Word):
    """Why a record is reported."""

    FALSE = "false", "内容虚假或夸大"
    NOT_THEIRS = "not_theirs", "权属有争议或侵权"
    SHAM = "sham", "虚假交易或串通报价"
    CONFIDENTIAL = "confidential", "泄露秘密或个人信息"
    UNLAWFUL = "unlawful", "违法或不良信息"
    OTHER = "other", "其他"


class ReportState(Word):
    """Where a report stands."""

    OPEN = "open", "待处理", "run"
    UPHELD = "upheld", "属实，已处理", "ok"
    DISMISSED = "dismissed", "不属实", "neutral"


SHORTEST_WORDS = 10
# So many reports of one address within a day; a person with more to say writes them into one.
MOST_PER_DAY = 5


def check(reason: ReportReason | None, words: str) -> None:
    """Refuse a report that nobody can look into: without a reason, or in fewer than 10 characters.

    Raise ``RuleBroken`` with all problems.
    """
    problems = []
    if reason is None:
        problems.append(Problem("oversight.no_reason", "请选择举报的原因", "reason"))
    if len(words.strip()) < SHORTEST_WORDS:
        problems.append(
            Problem(
                "oversight.few_words",
                f"请写明哪里有问题、依据是什么，至少 {SHORTEST_WORDS} 个字，交易中心据此核查",
                "words",
            )
        )
    raise_if_any(problems)
