"""Listings and what hangs on them in each of their states: intents, sessions, trials, payments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from marketplace.foundation.access import SYSTEM, Actor
from marketplace.foundation.money import Fen
from marketplace.listings import service
from marketplace.listings.bidding_models import BiddingSession
from marketplace.listings.bidding_rules import BiddingKind, Phase
from marketplace.listings.certificate_queries import of_listing
from marketplace.listings.certificate_rules import CertificateState
from marketplace.listings.priority_rules import PriorityState
from marketplace.listings.room_queries import find_session
from marketplace.listings.rules import IntentState, ListingState, PricingMode
from marketplace.listings.sealed_rules import Criterion
from marketplace.listings.trial_rules import TrialState
from tests.counting import Counter
from tests.stepping import Act, Site, Walk
from tests.trading import BASE, STEP, Hall, local, offer
from tests.usecases.test_listings_notice import tried
from tests.usecases.test_listings_priority_offer import sold
from tests.usecases.test_listings_sealed_bidding import CLOSES, OPENS, PHRASES, SealedHall

_REASON = {"reason": "双方协商后决定，材料另附"}


def _hall(site: Site) -> Hall:
    return Hall(site.client.database, site.world, site.now)


def _at(site: Site, hall: Hall, moment: datetime) -> None:
    hall.at(moment)
    site.clock.moment = moment


def _form(pricing: PricingMode, **changes: str) -> dict[str, str]:
    return {
        "title": "等温淬火球铁曲轴工艺及三项专利，含技术资料",
        "pricing_mode": pricing.value,
        "trading_mode": "transfer",
        "base_price_fen": "1200000",
        "increment_fen": "20000",
        "deposit_fen": "180000",
        "payment_mode": "instalments",
        "payment_terms": "签约付 60%，验收合格付 40%",
        "conditions": "受让方须在济南市内实施",
        **changes,
    }


def listings(site: Site) -> Walk:
    """Lead a listing with one buyer, who pays the asked price, to the signing."""
    hall = _hall(site)
    number = hall.announced()
    _organisation, buyer = hall.enterprise()
    hall.qualified(number, buyer)
    _at(site, hall, local(2024, 3, 30))
    hall.do(service.close_qualification, hall.operator, listing_id=number)
    hall.settle()
    _at(site, hall, local(2024, 4, 9))
    assert hall.listing(number).state is ListingState.AWARDED
    mine, desk = f"/my/listings/{number}", f"/listings/{number}"
    return Walk(
        "listings_listings",
        "state",
        ListingState,
        {
            "listings.accept": Act(f"{desk}/accept", hall.operator),
            "listings.announce": Act(f"{desk}/announce", hall.operator),
            "listings.return_application": Act(f"{desk}/return", hall.operator, _REASON),
            "listings.close_qualification": Act(f"{desk}/close-qualification", hall.operator),
            "listings.revise": Act(
                f"{desk}/revise", hall.operator, _form(PricingMode.BIDDING, **_REASON)
            ),
            "listings.terminate": Act(f"{desk}/terminate", hall.operator, _REASON),
            "listings.edit": Act(
                f"{mine}/edit", hall.officer, _form(PricingMode.BIDDING, version="")
            ),
            "listings.choose_bidding": Act(f"{mine}/bidding", hall.officer, {"kind": "sealed"}),
            "listings.withdraw": Act(f"{desk}/withdraw", hall.officer, _REASON),
        },
        number,
    )


def negotiated_listings(site: Site) -> Walk:
    """Lead a listing at a negotiated price to its talks."""
    hall = _hall(site)
    number = hall.announced(offer(PricingMode.NEGOTIATED, deposit_fen=Fen(0)))
    hall.qualified(number, hall.enterprise()[1])
    wish = {"offer_fen": "1200000", "plan": "在章丘工厂建一条年产三万件的生产线", "promised": "y"}
    return Walk(
        "listings_listings",
        "state",
        ListingState,
        {"listings.intend": Act(f"/listings/{number}/intent", hall.enterprise()[1], wish)},
        number,
    )


def outside_listings(site: Site) -> Walk:
    """Lead a listing to an auction held outside of the platform."""
    hall = _hall(site)
    number, _intents = _auctioned(site, hall)
    return Walk(
        "listings_listings",
        "state",
        ListingState,
        {"listings.fail_outside": Act(f"/listings/{number}/outside/fail", hall.operator, _REASON)},
        number,
    )


def _auctioned(site: Site, hall: Hall) -> tuple[int, list[int]]:
    content = offer(
        PricingMode.AUCTION, agent_name="齐鲁拍卖有限公司", agent_licence="鲁拍字 2019-018"
    )
    number = hall.announced(content)
    intents = [hall.qualified(number, hall.enterprise()[1]) for _ in range(2)]
    _at(site, hall, local(2024, 3, 30))
    hall.do(service.close_qualification, hall.operator, listing_id=number)
    hall.settle()
    assert hall.listing(number).state is ListingState.OUTSIDE
    return number, intents


def intents(site: Site) -> Walk:
    """Lead a buyer's intent to its qualification while the listing is announced."""
    hall = _hall(site)
    number = hall.announced()
    _organisation, buyer = hall.enterprise()
    made = hall.qualified(number, buyer)
    place = f"/listings/intents/{made}"
    ticked = {"ticked": ["conditions", "capacity", "funds"], "note": "已电话核实，没有关联关系"}
    return Walk(
        "listings_intents",
        "state",
        IntentState,
        {
            "listings.admit_intent": Act(f"{place}/admit", hall.operator, ticked),
            "listings.reject_intent": Act(f"{place}/reject", hall.operator, _REASON),
            "listings.bar_intent": Act(f"{place}/bar", hall.operator, _REASON),
            "listings.withdraw_intent": Act(f"{place}/withdraw", buyer),
        },
        made,
    )


def negotiated_intents(site: Site) -> Walk:
    """Lead a buyer to the talks about a price."""
    hall = _hall(site)
    number = hall.announced(offer(PricingMode.NEGOTIATED, deposit_fen=Fen(0)))
    made = hall.qualified(number, hall.enterprise()[1])
    return Walk(
        "listings_intents",
        "state",
        IntentState,
        {
            "listings.agree_price": Act(
                f"/listings/intents/{made}/agree", hall.officer, {"price_fen": "1250000"}
            )
        },
        made,
    )


def outside_intents(site: Site) -> Walk:
    """Lead a buyer to an auction held outside of the platform."""
    hall = _hall(site)
    _number, (made, _other) = _auctioned(site, hall)
    result = {"price_fen": "1250000", "document": "齐拍成字 2024-031"}
    return Walk(
        "listings_intents",
        "state",
        IntentState,
        {
            "listings.record_outside": Act(
                f"/listings/intents/{made}/outside", hall.operator, result
            )
        },
        made,
    )


# How SQLite writes a moment.
_BEGAN, _WRITTEN = "2024-04-02 01:00:00.000000", "2024-04-02 04:00:00.000000"


def _voided(connection: Connection, number: int, *, voided: bool) -> None:
    connection.execute(
        text("UPDATE listings_sessions SET voided_at = :at WHERE listing_id = :id"),
        {"at": _WRITTEN if voided else None, "id": number},
    )


def sessions(site: Site) -> Walk:
    """Bring a session of ascending bids to its end by the clock."""
    hall = _hall(site)
    number, (buyer, other) = hall.bidding()
    hall.do(service.set_limit, other, listing_id=number, limit_fen=Fen(BASE + 5 * STEP))
    moments = {
        Phase.PLANNED: OPENS - timedelta(hours=1),
        Phase.FREE: OPENS + timedelta(minutes=1),
        Phase.LIMITED: _session(hall, number).free_ends_at + timedelta(seconds=5),
        Phase.OVER: _session(hall, number).closes_at + timedelta(hours=2),
    }

    def put(connection: Connection, phase: Phase) -> None:
        site.clock.moment = moments.get(phase, moments[Phase.FREE])
        _voided(connection, number, voided=phase not in moments)
        connection.execute(
            text("UPDATE listings_sessions SET opened_at = :at WHERE listing_id = :id"),
            {"at": None if phase is Phase.PLANNED else _BEGAN, "id": number},
        )

    place = f"/listings/{number}/room"
    amount = {"amount_fen": "1420000", "confirmed": "y", "submission_key": "one-bid"}
    return Walk(
        "listings_sessions",
        "",
        Phase,
        {
            "listings.bid": Act(f"{place}/bids", buyer, amount),
            "listings.set_limit": Act(f"{place}/limit", buyer, {"limit_fen": "1500000"}),
            "listings.drop_limit": Act(f"{place}/limit/drop", other),
        },
        put=put,
        measure=Counter.rows,
    )


def _session(hall: Hall, number: int) -> BiddingSession:
    found: BiddingSession = hall.read(lambda session: find_session(session, number))
    return found


def sealed_sessions(site: Site) -> Walk:
    """Bring a session of sealed bids, weighted by scores, to its opening."""
    hall = SealedHall(site.client.database, site.world, site.now)
    number, (buyer, other) = hall.sealed(BiddingKind.WEIGHTED, Criterion("实施方案", 40), count=2)
    hall.at(OPENS)
    receipt = hall.seal(other, number, BASE + STEP)
    place = f"/listings/{number}"
    amount = {"amount_fen": "1300000", "confirmed": "y", "submission_key": "one-bid"}
    scores = {f"score_{receipt.plate}_0": "80"}
    return _sealed(
        site,
        number,
        {
            "listings.seal": Act(f"{place}/room/seal", buyer, amount),
            "listings.score_bids": Act(f"{place}/opening/scores", hall.operator, scores),
            "listings.void_unopened": Act(f"{place}/opening/void", hall.operator, _REASON),
        },
        # A sealed bid that is refused leaves a row in the audit.
        measure=Counter.rows,
    )


def openings(site: Site) -> Walk:
    """Bring a session of sealed bids to the first officer's passphrase."""
    hall = SealedHall(site.client.database, site.world, site.now)
    number, (buyer, _other) = hall.sealed(count=2)
    hall.at(OPENS)
    hall.seal(buyer, number, BASE + STEP)
    share = Act(f"/listings/{number}/opening/share", hall.operator, {"passphrase": PHRASES[0]})
    return _sealed(site, number, {"listings.give_share": share})


def _sealed(
    site: Site,
    number: int,
    acts: dict[str, Act | tuple[Act, ...]],
    measure: Callable[[Counter], Any] = Counter.changes,
) -> Walk:
    moments = {
        Phase.PLANNED: OPENS - timedelta(hours=1),
        Phase.SEALING: OPENS + timedelta(minutes=1),
        Phase.UNSEALING: CLOSES + timedelta(minutes=1),
        Phase.OVER: CLOSES + timedelta(hours=1),
    }

    def put(connection: Connection, phase: Phase) -> None:
        site.clock.moment = moments.get(phase, moments[Phase.SEALING])
        _voided(connection, number, voided=phase not in moments)
        closed = _WRITTEN if phase in (Phase.UNSEALING, Phase.OVER) else None
        decided = _WRITTEN if phase is Phase.OVER else None
        connection.execute(
            text(
                "UPDATE listings_sessions SET closed_at = :closed, decided_at = :decided"
                " WHERE listing_id = :id"
            ),
            {"closed": closed, "decided": decided, "id": number},
        )

    return Walk("listings_sessions", "", Phase, acts, put=put, measure=measure)


def trials(site: Site) -> Walk:
    """Bring a trial to its run."""
    hall = _hall(site)
    number, buyer = tried(hall)
    hall.do(service.begin_trial, hall.officer, listing_id=number)
    site.clock.moment = hall.now
    assert isinstance(buyer, Actor)
    ended = {"decision": "adopt", "units": "50000", "result": "三十天合格率 99 %"}
    return Walk(
        "listings_trials",
        "state",
        TrialState,
        {
            "listings.begin_trial": Act(f"/listings/{number}/trial/begin", hall.officer),
            "listings.end_trial": Act(f"/listings/{number}/trial/end", buyer, ended),
        },
    )


def priorities(site: Site) -> Walk:
    """Ask a co-owner whether a priority right is used, and again at the price of a bidding."""
    hall = _hall(site)
    sale = sold(hall)
    _at(site, hall, hall.now)
    asked, holder = sale.asked(), sale.owners[0]
    answer = {"answer": "waive", "note": "书面放弃声明 2024-03-15"}
    return Walk(
        "listings_priorities",
        "state",
        PriorityState,
        {
            "listings.priority": Act(f"/my/priorities/{asked.id}", hall.officer, answer),
            "listings.answer_offer": Act(
                f"/my/priorities/{asked.id}/taking", holder, {"answer": "take"}
            ),
        },
        asked.id,
    )


def certificates(site: Site) -> Walk:
    """Lead a listing to its signing, which issues the certificate."""
    hall = _hall(site)
    number = hall.announced()
    hall.qualified(number, hall.enterprise()[1])
    hall.at(local(2024, 3, 30))
    hall.do(service.close_qualification, hall.operator, listing_id=number)
    hall.settle()
    _at(site, hall, local(2024, 4, 9))
    hall.do(service.mark_signed, SYSTEM, listing_id=number, contract_no="2024370100000001")
    (made,) = hall.read(lambda session: [of_listing(session, number)])
    assert made is not None
    return Walk(
        "listings_certificates",
        "state",
        CertificateState,
        {
            "listings.withdraw_certificate": Act(
                f"/verify/{made.number}/withdraw", hall.operator, _REASON
            ),
            "listings.reissue": Act(f"/listings/{number}/certificate", hall.operator),
        },
        made.id,
    )
