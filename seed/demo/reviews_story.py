"""The yearly review of the filed agencies for the demo's first whole year."""

from __future__ import annotations

from datetime import date

from marketplace.foundation.access import Role
from marketplace.reviews import queries, service
from marketplace.reviews.queries import ReviewView
from seed.demo.stage import Stage, Story

_YEAR = 2023
# What each agency has to add; who is missing lets the term pass.
_STATEMENTS = {
    "a-quanyuan": "全年另为企业组织对接会六场，会上达成的三份合同在外市登记，未列入平台数据",
    "a-jixia": "",
    "a-qiaolian": "数据无误。两位经理人的证书在上半年到期换发，请以新证书为准",
    "a-quanlitto": "年内两份合作开发合同由学校直接签订，本机构参与了条款谈判，附会议记录",
    "p-shangce": "四月登记的城轨测量样机合同由本机构促成，请核对是否计入",
}
# Graded and published at the end of February; the others wait.
_GRADED = ("a-quanyuan", "a-jixia", "a-qiaolian", "p-shangce")


def reviews(stage: Stage) -> Story:
    """Open the year, let the agencies confirm, grade most of them, and leave an appeal open."""
    yield stage.at(date(2024, 1, 22), "reviews")
    operator = stage.actor("youxueqin")
    service.open_reviews(stage.session, actor=operator, now=stage.now, year=_YEAR)
    for agency, statement in _STATEMENTS.items():
        yield stage.after(1, agency)
        service.confirm(
            stage.session,
            actor=stage.member(agency, Role.AGENCY_HEAD, Role.ORG_ADMIN),
            now=stage.now,
            review_id=_of(stage, agency).id,
            statement=statement,
        )
    yield stage.at(date(2024, 3, 4), "reviews")
    for agency in _GRADED:
        view = _of(stage, agency)
        service.decide(
            stage.session,
            actor=operator,
            now=stage.now,
            review_id=view.id,
            grade=view.proposed,
        )
    yield stage.after(3, "p-shangce")
    service.appeal(
        stage.session,
        actor=stage.member("p-shangce", Role.AGENCY_HEAD, Role.ORG_ADMIN),
        now=stage.now,
        review_id=_of(stage, "p-shangce").id,
        words="答复用时一项没有数据，只得一半分；我们以电话答复的记录另附，请予核对",
    )


def _of(stage: Stage, agency: str) -> ReviewView:
    found = queries.desk(stage.session, stage.actor("youxueqin"), _YEAR)
    return next(each for each in found if each.organisation_id == stage.organisations[agency])
