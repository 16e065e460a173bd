"""The page on which a holder of a priority right takes a sale at its price, or leaves it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from marketplace.listings.priority_rules import PriorityState
from tests.trading import Hall
from tests.usecases.test_listings_priority_offer import Sale, sold


@pytest.fixture
def sale(sqlite_database: Any, page_world: Any, now: Any, clock: Any) -> Sale:
    made = sold(Hall(sqlite_database, page_world, now))
    clock.moment = made.hall.now
    return made


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def test_the_holder_sees_the_price_and_takes_it_once(client: Any, sale: Sale) -> None:
    page = f"/my/priorities/{sale.asked().id}"
    client.sign_in_as(sale.owners[0])
    assert "按成交价优先受让，还是让给受让方" in text(client.get("/workbench"))
    shown = text(client.get(page))
    assert "1,220,000" in shown
    assert "公示最后一日" in shown
    unsaid = client.send(f"{page}/taking")
    assert unsaid.status_code == 422
    assert sale.asked().state is PriorityState.OFFERED
    client.click_twice(f"{page}/taking", answer="take")
    assert "按成交价优先受让" in text(client.get(page))
    assert sale.asked().state is PriorityState.EXERCISED
    late = client.send(f"{page}/taking", answer="leave")
    assert late.status_code == 422
    assert "不需要再答复" in text(late)


def test_the_public_reads_who_may_still_take_it(client: Any, sale: Sale) -> None:
    listing = sale.hall.listing(sale.listing_id)
    client.sign_out()
    assert "公示期内可以按此价格受让" in text(client.get(f"/notices/{listing.publicity_id}"))
    assert "待按成交价答复" in text(client.get(f"/listings/{sale.listing_id}"))


def test_the_seller_sees_the_question_and_cannot_answer_it(client: Any, sale: Sale) -> None:
    page = f"/my/priorities/{sale.asked().id}"
    client.sign_in_as(sale.hall.officer)
    shown = client.get(page)
    assert shown.status_code == 200
    assert "等权利人" in text(shown)
    assert client.send(f"{page}/taking", answer="take").status_code == 404
    client.sign_in_as(sale.winner)
    assert client.get(page).status_code == 404
