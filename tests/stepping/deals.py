"""Deals and what is agreed with brokers in each of their states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from marketplace.brokerage import service as brokerage
from marketplace.brokerage.commission_rules import ExpenseStatus
from marketplace.brokerage.introduction_rules import (
    DisputeGround,
    DisputeState,
    RecognitionState,
)
from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.brokerage.pipeline_rules import following
from marketplace.brokerage.proposal_rules import ProposalState, ProposalTo
from marketplace.brokerage.rating_rules import Criterion, WordsState
from marketplace.brokerage.register_rules import Certificate, RequestStatus
from marketplace.brokerage.rules import LEFT, DealStage
from marketplace.brokerage.talk_rules import TalkState
from marketplace.brokerage.terms_rules import (
    AgreementStatus,
    CommissionPayer,
    CommissionStatus,
)
from marketplace.contracts import handlers as contract_handlers
from marketplace.foundation.access import Role
from marketplace.foundation.attachments import Upload
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import Outbox
from marketplace.needs import service as needs
from tests.achievement_contents import complete_need
from tests.dealing import PDF, Market, propose
from tests.introducing import LOST, agreed, bypass, introduced
from tests.stepping import Act, Site, Walk
from tests.usecases.test_brokerage_feedback import propose as propose_talk

_REASON = {"reason": "双方协商后决定，材料另附"}
_WORDS = "核对过合同与往来函件，事实清楚"


def _market(site: Site) -> Market:
    return Market(site.client.database, site.world, site.now, site.folder)


def _onwards(stage: DealStage) -> dict[str, Any]:
    after = None if stage in LEFT else following(pipelines().every[0], stage)
    return {"step": after.code if after else DealStage.CONTACTED.value}


def deals(site: Site) -> Walk:
    """Lead a deal to where every condition of every stage is met."""
    market = _market(site)
    made = market.deal()
    market.contact(made)
    market.agree(made)
    market.terms(made)
    other = market.deal()
    place = f"/deals/{made}"
    later = market.today + timedelta(days=7)
    terms = {
        "title": "低温脱硝 × 锐泉精密，二期",
        "amount_fen": "1800000",
        "trading_mode": "licence_ordinary",
        "signed_on": "2024-03-15",
        "version": "",
    }
    split = {"what": "part", "part": "第二件专利的许可", "title": "第二件专利 × 锐泉精密"}
    note = {"kind": "call", "visibility": "shared", "body": "企业想先看检测报告"}
    commission = {
        "payer": "buyer", "basis": "rate", "rate_percent": "3", "due_when": "registration",
    }  # fmt: skip
    talk = {
        "kind": "site", "topic": "看 2 号线安装位置", "place": "历城厂区",
        "slots-0-day": later.isoformat(), "slots-0-begins": "09:00", "slots-0-ends": "11:00",
    }  # fmt: skip

    def put(connection: Connection, stage: DealStage) -> None:
        # In the first pipeline the steps are named as the stages in which they stand.
        step = DealStage.LEAD if stage in LEFT else stage
        connection.execute(
            text("UPDATE brokerage_deals SET stage = :stage, step = :step WHERE id = :id"),
            {"stage": stage.value, "step": step.value, "id": made},
        )

    return Walk(
        "brokerage_deals",
        "stage",
        DealStage,
        {
            "brokerage.move": Act(f"{place}/step", market.broker, _onwards),
            "brokerage.change_pipeline": Act(
                f"{place}/pipeline", market.broker, {"pipeline": pipelines().every[1].code}
            ),
            "brokerage.merge": Act(f"{place}/merge/{other}", market.broker, {"price": "keep"}),
            "brokerage.split": Act(f"{place}/split", market.broker, split),
            "brokerage.lose": Act(
                f"{place}/lost",
                market.broker,
                {"reason_code": "timing", "reason": str(LOST["reason"])},
            ),
            "brokerage.terms": Act(f"{place}/terms", market.broker, terms),
            "brokerage.add_note": Act(f"{place}/notes", market.broker, note),
            "brokerage.add_task": Act(
                f"{place}/tasks",
                market.broker,
                {"what": "寄检测报告", "due_on": later.isoformat()},
            ),
            "brokerage.call": Act(f"{place}/call", market.broker, {"outcome": "reached"}),
            "brokerage.propose_talk": Act(f"{place}/talks/new", market.broker, talk),
            "brokerage.propose_commission": Act(f"{place}/commission", market.broker, commission),
        },
        made,
        put,
    )


def agreements(site: Site) -> Walk:
    """Let the owner offer a confidentiality agreement."""
    market = _market(site)
    deal_id = market.deal()
    made = market.do(brokerage.offer_agreement, market.officer, deal_id=deal_id)
    place = f"/deals/agreements/{made}"
    return Walk(
        "brokerage_agreements",
        "status",
        AgreementStatus,
        {
            "brokerage.accept_agreement": Act(f"{place}/accept", market.buyer),
            "brokerage.revoke_agreement": Act(f"{place}/revoke", market.officer, _REASON),
        },
        made,
    )


def commissions(site: Site) -> Walk:
    """Propose a commission to the party that would pay it."""
    market = _market(site)
    made = propose(market, market.deal())
    place = f"/deals/commissions/{made}"
    return Walk(
        "brokerage_commissions",
        "status",
        CommissionStatus,
        {
            "brokerage.confirm_commission": Act(f"{place}/confirm", market.buyer),
            "brokerage.decline_commission": Act(f"{place}/decline", market.buyer),
        },
        made,
    )


def recognitions(site: Site) -> Walk:
    """Let a contract be registered past an introduction."""
    market = _market(site)
    deal_id, _introduction = introduced(market)
    agreed(market, deal_id)
    bypass(market)
    return Walk(
        "brokerage_recognitions",
        "state",
        RecognitionState,
        {
            "brokerage.check_recognition": Act(
                "/desk/introductions/1",
                site.world.actor(Role.OPERATOR),
                {"decision": "yes", "words": _WORDS},
            )
        },
    )


def disputes(site: Site) -> Walk:
    """Let a party dispute an introduction."""
    market = _market(site)
    deal_id, introduction_id = introduced(market)
    agreed(market, deal_id)
    bypass(market, deal_id)
    made = market.do(
        brokerage.open_dispute,
        market.buyer,
        introduction_id=introduction_id,
        ground=DisputeGround.NOT_THIS_CONTRACT,
        words="这份合同是另一条生产线的，与介绍无关",
        uploads=[Upload("说明.pdf", PDF)],
        store=market.store,
    )
    place = f"/deals/disputes/{made}"
    return Walk(
        "brokerage_disputes",
        "state",
        DisputeState,
        {
            "brokerage.withdraw_dispute": Act(f"{place}/withdraw", market.buyer),
            "brokerage.decide_dispute": Act(
                f"{place}/decide",
                site.world.actor(Role.OPERATOR),
                {"decision": "no", "words": _WORDS},
            ),
        },
        made,
    )


def expenses(site: Site) -> Walk:
    """Let a broker ask for the expenses of a deal that came to nothing."""
    market = _market(site)
    deal_id = market.deal()
    market.do(brokerage.lose, market.broker, deal_id=deal_id, **LOST)
    made = market.do(
        brokerage.claim_expense,
        market.broker,
        deal_id=deal_id,
        payer=CommissionPayer.BUYER,
        amount_fen=Fen(500_000),
        words="样品检测费，依项目备注中的约定",
    )
    return Walk(
        "brokerage_expenses",
        "status",
        ExpenseStatus,
        {
            "brokerage.answer_expense": Act(
                f"/deals/{deal_id}/expenses/{made}",
                market.buyer,
                {"decision": "yes", "answer": "按发票付"},
            ),
            "brokerage.settle_expense": Act(f"/deals/expenses/{made}/settled", market.broker),
        },
        made,
    )


def talks(site: Site) -> Walk:
    """Let a meeting be proposed and a time be found to suit."""
    market = _market(site)
    made = propose_talk(market, market.deal(), 24, 48)
    market.do(brokerage.choose_slots, market.buyer, talk_id=made, slot_ids=[1])
    place = f"/deals/talks/{made}"

    def put(connection: Connection, state: TalkState) -> None:
        fixed = state in (TalkState.FIXED, TalkState.HELD)
        began = site.now + timedelta(hours=24) if fixed else None
        # Minutes are written when a meeting is over, all else before.
        site.clock.moment = site.now + timedelta(hours=26 if fixed else 0)
        connection.execute(
            text("UPDATE brokerage_talks SET state = :state, starts_at = :at WHERE id = :id"),
            {"state": state.value, "at": _written(began), "id": made},
        )

    return Walk(
        "brokerage_talks",
        "state",
        TalkState,
        {
            "brokerage.choose_slots": Act(f"{place}/choose", market.buyer, {"slots": ["2"]}),
            "brokerage.fix_talk": Act(f"{place}/fix", market.broker, {"slot": "1"}),
            "brokerage.cancel_talk": Act(f"{place}/cancel", market.broker, _REASON),
            "brokerage.write_minutes": Act(
                f"{place}/minutes", market.broker, {"minutes": "看了安装位置，约定先寄样品试用"}
            ),
        },
        made,
        put=put,
    )


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


def requests(site: Site) -> Walk:
    """Let an enterprise ask a broker to get in touch."""
    market = _market(site)
    _profile(market)
    made = market.do(
        brokerage.request_contact,
        market.buyer,
        broker_user_id=market.broker.user_id,
        message="想谈低温脱硝的试用",
        contact_name="高远",
        achievement_id=market.achievement(),
    )
    answer = {"decision": "yes", "answer": "本周内联系您"}
    return Walk(
        "brokerage_contact_requests",
        "status",
        RequestStatus,
        {"brokerage.request": Act(f"/deals/requests/{made}", market.broker, answer)},
        made,
    )


def _profile(market: Market) -> None:
    market.do(
        brokerage.save_profile,
        market.broker,
        certificate=Certificate(None, "", "", None),
        fields=[],
        introduction="",
    )


def proposals(site: Site) -> Walk:
    """Let a broker propose a pair to the side of the need."""
    market = _market(site)
    asked = market.do(
        needs.create_draft, market.buyer, content=complete_need(title="低温脱硝催化剂国产替代")
    )
    market.do(needs.submit, market.buyer, need_id=asked)
    market.do(needs.accept, site.world.actor(Role.OPERATOR), need_id=asked)
    made = market.do(
        brokerage.propose_pair,
        market.broker,
        need_id=asked,
        achievement_id=market.achievement(),
        to=ProposalTo.BUYER,
        words="催化剂在 180 ℃ 就能达标，建议先通个电话。",
    )
    return Walk(
        "brokerage_proposals",
        "state",
        ProposalState,
        {
            "brokerage.answer_proposal": Act(
                f"/deals/proposals/{made}", market.buyer, {"decision": "yes"}
            )
        },
        made,
    )


def ratings(site: Site) -> Walk:
    """Let a party rate the broker in words."""
    market = _market(site)
    _profile(market)
    deal_id = market.drafted_deal()
    market.move(deal_id, DealStage.SIGNED)
    market.registered(deal_id=deal_id, project_name="低温脱硝许可")
    Outbox(contract_handlers.SUBSCRIPTIONS).deliver_due(market.database, now=market.now)
    made = market.do(
        brokerage.rate_broker,
        market.buyer,
        deal_id=deal_id,
        scores=dict.fromkeys(Criterion, 5),
        words="材料备得齐，问题当天就有答复",
        consented=True,
    )
    return Walk(
        "brokerage_ratings",
        "words_state",
        WordsState,
        {
            "brokerage.rating_words": Act(
                f"/desk/ratings/{made}", site.world.actor(Role.OPERATOR), {"decision": "show"}
            ),
            "brokerage.answer_rating": Act(
                f"/brokers/ratings/{made}/answer",
                market.broker,
                {"answer": "感谢信任，后续改造随时联系"},
            ),
        },
        made,
    )
