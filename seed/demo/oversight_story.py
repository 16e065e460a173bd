"""People report records, and the trading centre answers one of them."""

from __future__ import annotations

from datetime import date

from marketplace.foundation.access import ANONYMOUS
from marketplace.oversight import report_queries, report_service
from marketplace.oversight.report_rules import ReportReason
from marketplace.oversight.report_service import ReportContent
from seed.demo.stage import Stage, Story

_DAY = date(2024, 3, 12)
_DESK = "fanghuaying"


def answered_report(stage: Stage) -> Story:
    """Report an organisation whose introduction has been mended since."""
    yield stage.at(_DAY, "report-answered")
    code = _report(
        stage,
        "e-hengyun",
        ReportReason.FALSE,
        "简介里写的国家级平台称号，2023 年已经到期，公开名单里查不到。",
    )
    yield stage.after(1, "report-answer")
    report_service.decide(
        stage.session,
        actor=stage.actor(_DESK),
        now=stage.now,
        report_id=report_queries.get_by_code(stage.session, code).id,
        upheld=True,
        words="已核对主管部门公布的名单，情况属实；该单位已更正简介。",
    )


def waiting_report(stage: Stage) -> Story:
    """Report an organisation; the trading centre has still to look into it."""
    yield stage.at(_DAY, "report-waiting")
    _report(
        stage,
        "e-yunque",
        ReportReason.NOT_THEIRS,
        "该单位介绍的一项专利登记在我公司名下，请核对专利登记簿。",
    )


def _report(stage: Stage, organisation: str, reason: ReportReason, words: str) -> str:
    reported = report_queries.find_reported(
        stage.session, ANONYMOUS, "organisation", stage.organisations[organisation]
    )
    return report_service.report(
        stage.session,
        actor=ANONYMOUS,
        now=stage.now,
        reported=reported,
        content=ReportContent(reason, words),
        origin="platform",
    )
