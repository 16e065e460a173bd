"""Assessments, filings, yearly reviews and repairs of credit in each of their states."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Connection, text

from marketplace.assessments.panel_rules import SeatState
from marketplace.assessments.rules import AssessmentState
from marketplace.brokerage import service as brokerage
from marketplace.brokerage.register_rules import FilingStatus
from marketplace.foundation.access import Role
from marketplace.integrity import repair_service
from marketplace.integrity import service as integrity
from marketplace.integrity.rules import DishonestyGround, RepairState
from marketplace.reviews import service as reviews
from marketplace.reviews.rules import ReviewState
from tests.assessing import Bench
from tests.dealing import GOOD_FIGURES, Market
from tests.pages.test_assessments_pages import VALUATION, sheet
from tests.stepping import Act, Site, Walk
from tests.subsidies import SubsidyYear

_REASON = {"reason": "双方协商后决定，材料另附"}


def assessments(site: Site) -> Walk:
    """Lead an assessment to the file, with a panel that agreed."""
    bench = Bench(site.client.database, site.world, site.now)
    made = bench.filed()
    place = f"/assessments/{made}"
    accepted = {
        "declared": "y",
        "statement": "核对了股权、任职和业务往来，没有利益关系",
        "expert": str(bench.assessor.user_id),
        "fee": "0",
        "due_on": "2024-04-12",
    }
    return Walk(
        "assessments_assessments",
        "state",
        AssessmentState,
        {
            "assessments.assign": Act(
                f"{place}/assign", bench.officer, {"assessor": bench.house.id}
            ),
            "assessments.accept": Act(f"{place}/accept", bench.assessor, accepted),
            "assessments.decline": Act(f"{place}/decline", bench.assessor, _REASON),
            "assessments.valuation": Act(f"{place}/valuation", bench.assessor, VALUATION),
            "assessments.explain": Act(
                f"{place}/explain", bench.assessor, {"note": "两位专家看重成本，取中间值"}
            ),
            "assessments.issue": Act(f"{place}/issue", bench.assessor),
            "assessments.file": Act(f"{place}/file", bench.operator),
            "assessments.reject": tuple(
                Act(f"{place}/end", actor, _REASON)
                for actor in (bench.officer, bench.assessor, bench.operator)
            ),
        },
        made,
    )


def panels(site: Site) -> Walk:
    """Lead an assessment to its assessor, before a panel is called."""
    bench = Bench(site.client.database, site.world, site.now)
    made = bench.accepted()
    called = {
        "achievement_type": "applied",
        "experts": [str(bench.expert().user_id) for _ in range(5)],
    }
    return Walk(
        "assessments_assessments",
        "state",
        AssessmentState,
        {"assessments.panel": Act(f"/assessments/{made}/panel", bench.assessor, called)},
        made,
    )


def seats(site: Site) -> Walk:
    """Let an expert of a panel declare that nothing ties him."""
    bench = Bench(site.client.database, site.world, site.now)
    made = bench.accepted()
    bench.panel(made)
    expert = bench.experts[0]
    seat_id = bench.declare(made, expert)
    place = f"/assessments/seats/{seat_id}"
    said = {"declared": "y", "statement": "与权利人、发明人没有任职、合作和股权关系"}
    return Walk(
        "assessments_seats",
        "state",
        SeatState,
        {
            "assessments.declare": Act(f"{place}/declare", expert, said),
            "assessments.leave": Act(f"{place}/leave", expert, _REASON),
            "assessments.seat": Act(place, expert, sheet()),
        },
        seat_id,
    )


def filings(site: Site) -> Walk:
    """Let an agency apply for its filing."""
    market = Market(site.client.database, site.world, site.now, site.folder)
    made = market.do(
        brokerage.apply_for_filing, market.head, figures=GOOD_FIGURES, figures_year=2023
    )
    operator = site.world.actor(Role.OPERATOR)
    term = {"valid_from": "2024-04-01", "valid_to": "2027-03-31"}
    return Walk(
        "brokerage_filings",
        "status",
        FilingStatus,
        {
            "brokerage.filing": Act(f"/desk/filings/{made}", operator, term),
            "brokerage.decline_filing": Act(f"/desk/filings/{made}/decline", operator, _REASON),
        },
        made,
    )


def agency_reviews(site: Site) -> Walk:
    """Lead the review of an agency's year to the appeal against it."""
    market = Market(site.client.database, site.world, site.now, site.folder)
    filing_id = market.do(
        brokerage.apply_for_filing, market.head, figures=GOOD_FIGURES, figures_year=2023
    )
    operator, other = (site.world.actor(Role.OPERATOR) for _ in range(2))
    market.do(
        brokerage.approve_filing,
        operator,
        filing_id=filing_id,
        valid_from=date(2023, 1, 1),
        valid_to=date(2026, 12, 31),
    )
    (made,) = market.do(reviews.open_reviews, operator, year=2023)
    site.client.sign_in_as(market.head)
    home, desk = f"/agencies/reviews/{made}", f"/desk/agency-reviews/{made}"
    site.client.send(f"{home}/confirm", statement="另有两份省外合同")
    site.client.sign_in_as(operator)
    graded = {"grade": "unfit", "reason": "指标没有达到合格线，逐项见附表"}
    assert site.client.send(f"{desk}/grade", **graded).status_code == 303
    decided = {"grade": "fair", "reason": "核对登记系统后改为合格，编号见附件"}

    def put(connection: Connection, state: ReviewState) -> None:
        # What the agency did not confirm is graded when its term is over.
        site.clock.moment = site.now + timedelta(days=60 if state is ReviewState.OPEN else 0)
        connection.execute(
            text("UPDATE reviews_reviews SET state = :state WHERE id = :id"),
            {"state": state.value, "id": made},
        )

    return Walk(
        "reviews_reviews",
        "state",
        ReviewState,
        {
            "reviews.confirm": Act(f"{home}/confirm", market.head, {"statement": "没有补充"}),
            "reviews.appeal": Act(
                f"{home}/appeal", market.head, {"words": "两份合同没有计入，编号已附"}
            ),
            "reviews.recompute": Act(f"{desk}/recompute", operator),
            "reviews.decide": Act(f"{desk}/grade", operator, graded),
            "reviews.decide_appeal": Act(f"{desk}/appeal", other, decided),
        },
        made,
        put=put,
    )


def repairs(site: Site) -> Walk:
    """Let an organisation on record apply for the repair of its credit."""
    market = Market(site.client.database, site.world, site.now, site.folder)
    bureau = SubsidyYear(site.world, site.now).bureau
    record_id = market.do(
        integrity.record,
        bureau,
        organisation_id=market.firm.id,
        ground=DishonestyGround.OTHER,
        reason="合同没有实际履行，付款凭证系伪造",
        document="济科信字〔2023〕9号",
        starts_on=date(2023, 1, 1),
        ends_on=date(2025, 1, 1),
    )
    made = market.do(
        repair_service.apply,
        market.buyer,
        record_id=record_id,
        deeds="补助已全额退回，经办人已调离，制度已修订",
    )
    return Walk(
        "integrity_repairs",
        "state",
        RepairState,
        {
            "integrity.repair": Act(
                f"/integrity/repairs/{made}",
                bureau,
                {"granted": "yes", "opinion": "退款凭证和整改材料核对无误"},
            )
        },
        made,
    )
