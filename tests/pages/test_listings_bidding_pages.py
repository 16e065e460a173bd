"""The room's pages: every bad bid is refused with its reason and noted; sealed, limits, replay."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.foundation.access import Role
from marketplace.foundation.audit import AuditRow
from marketplace.listings import service
from marketplace.listings.bidding_models import Bid, BiddingSession, SealedBid
from marketplace.listings.bidding_rules import BiddingKind
from marketplace.listings.models import Intent
from marketplace.listings.replay_rules import read_document, replay
from marketplace.listings.rules import ListingState
from tests.trading import Hall, local
from tests.usecases.test_listings_sealed_bidding import PHRASES, SealedHall

OPENS = local(2024, 4, 2, 9, 0)
MS = timedelta(milliseconds=1)


@pytest.fixture
def hall(sqlite_database: Any, page_world: Any, now: Any) -> Hall:
    return Hall(sqlite_database, page_world, now)


@pytest.fixture
def sealed_hall(sqlite_database: Any, page_world: Any, now: Any) -> SealedHall:
    return SealedHall(sqlite_database, page_world, now)


def text(answer: Any) -> str:
    page: str = answer.get_data(as_text=True)
    return page


def refusals(hall: Hall) -> list[dict[str, Any]]:
    return list(
        hall.read(
            lambda s: s.scalars(
                select(AuditRow.after)
                .where(AuditRow.action == "listings.bid_refused")
                .order_by(AuditRow.id)
            ).all()
        )
    )


def stand(hall: Hall, clock: Any, moment: Any) -> None:
    clock.moment = moment
    hall.at(moment)


def test_each_bad_bid_is_refused_with_its_reason_and_an_audit_row(
    client: Any, hall: Hall, clock: Any
) -> None:
    listing_id, (one, two, tied) = hall.bidding(3)
    intents = hall.read(lambda s: {i.organisation_id: i.id for i in s.scalars(select(Intent))})
    hall.do(
        service.bar_intent,
        hall.operator,
        intent_id=intents[tied.organisation_id],
        reason="未申报的关联方",
    )
    other_room = Hall(hall.database, hall.world, local(2024, 3, 15, 9))
    other_id, (stranger, _) = other_room.bidding()
    seller = hall.world.actor(Role.OFFICER, hall.university, Role.ENTERPRISE)
    stand(hall, clock, OPENS)
    path = f"/listings/{listing_id}/room/bids"

    def send(actor: Any, amount: str, key: str, **more: Any) -> Any:
        client.sign_in_as(actor)
        form = {"amount_fen": amount, "submission_key": key, "confirmed": "y", **more}
        return client.send(path, **form)

    assert send(one, "1200000", "first").status_code == 303
    assert send(one, "1200000", "first").status_code == 303  # twice with one key: counts once
    expected = [
        (send(two, "1219999.99", "a"), 422, "bidding.below_minimum", "不能低于 1,220,000.00"),
        (send(two, "1220000.01", "b"), 422, "bidding.not_whole", "整数倍"),
        (send(two, "1" + "0" * 18, "c"), 422, "bidding.form", "超过 1000 亿元"),
        (send(two, "1220000", "d", plate="99"), 403, "bidding.forged_plate", "号牌不符"),
        (send(tied, "1220000", "e"), 403, "bidding.barred", "未申报的关联方"),
        (send(seller, "1220000", "f"), 403, "bidding.seller", "转让方的成员"),
        (send(stranger, "1220000", "g"), 403, "bidding.unqualified", "没有这场竞价的号牌"),
        (send(hall.operator, "1220000", "h"), 403, "access.role", "企业经办人"),
        (send(one, "1300000", "first"), 422, "bidding.key_reused", "已经出过另一个价"),
    ]
    ends = hall.read(lambda s: s.scalars(select(BiddingSession.closes_at)).first())
    clock.moment = ends + MS
    expected.append((send(two, "1220000", "i"), 422, "bidding.over", "已于"))
    for answer, status, _code, words in expected:
        assert answer.status_code == status, words
        assert words in text(answer)
    noted = refusals(hall)
    assert [row["code"] for row in noted] == [code for _, _, code, _ in expected]
    assert all(words.split("元")[0] in row["reason"] for row, (_, _, _, words) in
               zip(noted, expected, strict=True))  # fmt: skip
    bids = hall.read(lambda s: s.scalars(select(Bid)).all())
    assert [(bid.sequence, bid.amount_fen) for bid in bids] == [(1, 120_000_000)]
    assert other_id != listing_id


def test_a_program_that_asks_for_json_gets_mark_or_reason(
    client: Any, hall: Hall, clock: Any
) -> None:
    listing_id, (one, two) = hall.bidding()
    stand(hall, clock, OPENS)
    path = f"/listings/{listing_id}/room/bids"

    def send(actor: Any, amount: str) -> Any:
        client.sign_in_as(actor)
        form = {"amount_fen": amount, "submission_key": amount, "confirmed": "y"}
        return client.post(path, data=form, headers={"Accept": "application/json"})

    made = send(one, "1200000")
    assert (made.status_code, made.json["number"], made.json["fen"]) == (201, 1, 120_000_000)
    low = send(two, "1200000")
    assert low.status_code == 422
    assert "不能低于" in low.json["problems"][0]
    assert send(hall.operator, "1300000").status_code == 403


def test_a_sealed_bid_is_confirmed_sealed_opened_and_shown(
    client: Any, sealed_hall: SealedHall, clock: Any
) -> None:
    hall = sealed_hall
    listing_id, buyers = hall.sealed(count=2)
    stand(hall, clock, OPENS)
    room = f"/listings/{listing_id}/room"
    client.sign_in_as(buyers[0])
    assert "密封报价" in text(client.get(room))
    low = client.send(f"{room}/seal", amount_fen="1199999.99", confirmed="y", submission_key="x")
    assert low.status_code == 422
    assert "amount" not in refusals(hall)[-1]  # of a sealed bid nobody learns what was tried
    ask = client.send(f"{room}/seal", amount_fen="1313377.17", submission_key="k")
    assert "壹佰叁拾壹万叁仟叁佰柒拾柒元壹角柒分" in text(ask)
    done = client.send(f"{room}/seal", amount_fen="1313377.17", submission_key="k", confirmed="y")
    assert done.status_code == 303
    commitment = hall.read(lambda s: s.scalars(select(SealedBid.commitment)).one())
    mine = text(client.get(room))
    assert commitment in mine
    assert "1,313,377" not in mine
    client.sign_in_as(buyers[1])
    assert commitment not in text(client.get(room))
    client.send(f"{room}/seal", amount_fen="1250000", submission_key="k", confirmed="y")
    stand(hall, clock, OPENS + timedelta(hours=2))
    client.sign_out()
    assert commitment in text(client.get(room))
    opening = f"/listings/{listing_id}/opening"
    for officer, phrase in list(zip(hall.officers, PHRASES, strict=True))[:2]:
        client.sign_in_as(officer)
        assert "提交开标口令" in text(client.get(opening))
        wrong = client.send(f"{opening}/share", passphrase="not the right words")
        assert "开标口令不对" in text(wrong)
        assert client.send(f"{opening}/share", passphrase=phrase).status_code == 303
    client.sign_out()
    assert "1,313,377.17" in text(client.get(room))
    record = client.get(f"{room}/record.json")
    assert "attachment" in record.headers["Content-Disposition"]
    assert replay(read_document(json.loads(record.data))).amount_fen == 131_337_717
    assert hall.listing(listing_id).state is ListingState.RESULT_PUBLICITY


def test_weights_are_chosen_before_and_shown_with_the_announcement(
    client: Any, sealed_hall: SealedHall
) -> None:
    hall = sealed_hall
    listing_id = hall.applied()
    client.sign_in_as(hall.officer)
    page = f"/my/listings/{listing_id}/bidding"
    assert "权重报价" in text(client.get(page))
    heavy = client.send(page, **{"kind": "weighted", "criteria-0-name": "实施方案",
                                 "criteria-0-weight": "80"})  # fmt: skip
    assert heavy.status_code == 422
    assert "价格权重不能低于 30%" in text(heavy)
    sent = client.send(page, **{"kind": "weighted", "criteria-0-name": "实施方案",
                                "criteria-0-weight": "40"})  # fmt: skip
    assert sent.status_code == 303
    assert hall.listing(listing_id).bidding_kind is BiddingKind.WEIGHTED
    hall.do(service.accept, hall.operator, listing_id=listing_id)
    hall.do(service.announce, hall.operator, listing_id=listing_id)
    client.sign_out()
    public = text(client.get(f"/listings/{listing_id}"))
    assert "价格 60%，实施方案 40%" in public


def test_a_private_limit_is_shown_to_its_owner_alone(client: Any, hall: Hall, clock: Any) -> None:
    listing_id, (one, two) = hall.bidding()
    stand(hall, clock, OPENS)
    room = f"/listings/{listing_id}/room"
    client.sign_in_as(one)
    assert client.send(f"{room}/limit", limit_fen="1").status_code == 422
    assert client.send(f"{room}/limit", limit_fen="1417777").status_code == 303
    assert "1,417,777.00" in text(client.get(room))
    for reader in (two, hall.operator, hall.officer):
        client.sign_in_as(reader)
        for part in ("", "/news", "/record.json", "/live?part=box"):
            assert "417,777" not in text(client.get(f"{room}{part}"))
            assert "141777700" not in text(client.get(f"{room}{part}"))
    client.sign_in_as(one)
    assert client.send(f"{room}/limit/drop").status_code == 303
    assert "1,417,777.00" not in text(client.get(room))


def test_a_finished_session_is_replayed_in_the_room(client: Any, hall: Hall, clock: Any) -> None:
    listing_id, (one, two) = hall.bidding()
    stand(hall, clock, OPENS)
    room = f"/listings/{listing_id}/room"
    for number, (actor, amount) in enumerate(((one, "1200000"), (two, "1240000"))):
        client.sign_in_as(actor)
        client.send(f"{room}/bids", amount_fen=amount, submission_key=str(number), confirmed="y")
    assert "step=0" not in text(client.get(f"{room}?step=1"))  # not while it runs
    client.sign_out()
    # Over by the clock, and replayed from then on: the decision is written down a moment later.
    clock.moment = OPENS + timedelta(minutes=35)
    undecided = text(client.get(f"{room}?step=1"))
    # Ended too late it would be void, so nobody is called the winner yet; the page keeps looking.
    ended = text(client.get(room))
    assert "正在写入结果" in ended
    assert f'data-news="{room}/news"' in ended
    hall.at(clock.moment)
    settled = text(client.get(room))
    assert "受让方号牌" in settled
    assert "data-news" not in settled
    first = text(client.get(f"{room}?step=1"))
    assert "回放：第 1 次报价之后" in undecided
    assert "回放：第 1 次报价之后" in first
    assert "1,200,000" in first
    assert "1,240,000" not in first
    assert "1,240,000" in text(client.get(f"{room}?step=2"))
    assert "还没有报价" in text(client.get(f"{room}?step=0"))
    assert client.get(f"{room}?step=999999&attempt=7").status_code == 404


def test_news_come_from_where_the_reader_was(client: Any, hall: Hall, clock: Any) -> None:
    listing_id, (one, two) = hall.bidding()
    stand(hall, clock, OPENS)
    room = f"/listings/{listing_id}/room"
    for number, (actor, amount) in enumerate(((one, "1200000"), (two, "1240000"))):
        client.sign_in_as(actor)
        client.send(f"{room}/bids", amount_fen=amount, submission_key=str(number), confirmed="y")
    everything = client.get(f"{room}/news").json
    assert [bid["yuan"] for bid in everything["bids"]] == ["1,200,000", "1,240,000"]
    assert everything["bids"][1]["raise"] == "+40,000"
    assert everything["minimum"] == "1,260,000.00"
    later = client.get(f"{room}/news?after=1-{everything['bids'][0]['entry']}").json
    assert [bid["yuan"] for bid in later["bids"]] == ["1,240,000"]
    assert client.get(f"{room}/news?after=7-999").json["bids"] == everything["bids"]
    for junk in ("x", "1-", "1-99999999999999999999", "-1-1"):
        assert client.get(f"{room}/news?after={junk}").status_code == 200
