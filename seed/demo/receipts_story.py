"""What follows a registration: instalments are paid and confirmed, terms change, deals end."""

from __future__ import annotations

import re
from datetime import date, timedelta

from marketplace.contracts import queries, service
from marketplace.contracts.payment_rules import Instalment
from marketplace.contracts.rules import Item
from marketplace.foundation.access import Role
from marketplace.foundation.attachments import Upload
from marketplace.foundation.clock import DEMO_START, local_date
from marketplace.foundation.money import Fen, format_yuan
from seed.demo.content import Contract
from seed.demo.paper import receipt_paper, write_paper
from seed.demo.stage import Stage, Story, yuan

_PART = re.compile(r"([^，、；。]*?)(?:付|支付)?([一二三四五六七八九]成|\d0%)")
_TENTHS = "零一二三四五六七八九"
_LAST = local_date(DEMO_START) - timedelta(days=3)


def schedule(record: Contract, amount: Fen, signed_on: date) -> tuple[Instalment, ...]:
    """Read a contract's instalments out of its payment terms; two halves where they say none."""
    if record.pay != "instalments":
        return ()
    parts = [
        (label.strip() or "按约定", int(tenths[:-2]) if "%" in tenths else _TENTHS.index(tenths[0]))
        for label, tenths in _PART.findall(record.terms)
    ]
    if sum(share for _label, share in parts) != 10:
        parts = [("签约后首付", 5), ("完成后付清", 5)]
    days = record.months * 30 - 15
    found, rest = [], int(amount)
    for position, (label, share) in enumerate(parts):
        last = position == len(parts) - 1
        part = rest if last else int(amount) * share // 10
        rest -= part
        due_on = signed_on + timedelta(days=15 + days * position // max(len(parts) - 1, 1))
        found.append(Instalment(due_on, label, Fen(part)))
    return tuple(found)


def receipts(stage: Stage, record: Contract, seller: str) -> Story:
    """Let the buyer pay what falls due; the registrar confirms what came before the last weeks."""
    contract_id = stage.contracts[record.key]
    content = queries.get_contract(stage.session, stage.seller(seller), contract_id).content
    assert content.amount_fen is not None
    assert content.signed_on is not None
    due = [(each.due_on, each.amount_fen) for each in content.schedule]
    if not due:
        due = [(content.signed_on + timedelta(days=30), content.amount_fen)]
    for position, (due_on, amount) in enumerate(due, start=1):
        day = max(due_on + timedelta(days=4), stage.today + timedelta(days=1))
        if day > _LAST:
            return
        yield stage.at(day, record.key)
        number = f"HD{stage.today:%Y%m%d}{record.key[-3:]}{position}"
        receipt_id = service.declare_receipt(
            stage.session,
            actor=stage.seller(seller),
            now=stage.now,
            contract_id=contract_id,
            received_on=due_on,
            amount_fen=amount,
            reference=number,
            uploads=[
                Upload(f"回单{number}.pdf", receipt_paper(number, due_on, format_yuan(amount)))
            ],
            store=stage.store,
        )
        if day > _LAST - timedelta(days=20):
            continue
        yield stage.after(5, record.key)
        service.confirm_receipt(
            stage.session,
            actor=stage.member(record.registrar, Role.REGISTRAR),
            now=stage.now,
            contract_id=contract_id,
            receipt_id=receipt_id,
        )


def application(stage: Stage, record: Contract, seller: str) -> Story:
    """Let the seller apply for a change or a cancellation, and the registrar answer."""
    asked = record.asked
    assert asked is not None
    contract_id = stage.contracts[record.key]
    if asked.day is not None:
        yield stage.at(asked.day, record.key)
    else:
        yield stage.after(30, record.key)
    view = queries.get_contract(stage.session, stage.seller(seller), contract_id)
    paper = write_paper("补充协议（演示）", [f"登记编号 {view.contract_no}", asked.words])
    uploads = [Upload(f"补充协议 {view.contract_no}.pdf", paper)]
    if asked.kind == "cancel":
        amendment_id = service.apply_cancellation(
            stage.session,
            actor=stage.seller(seller),
            now=stage.now,
            contract_id=contract_id,
            reason=asked.words,
            uploads=uploads,
            store=stage.store,
        )
    else:
        content = view.content
        assert content.amount_fen is not None
        items = tuple(Item(label, yuan(price)) for label, price in record.items)
        amount = content.amount_fen if asked.amount is None else yuan(asked.amount)
        ends_on = content.ends_on
        assert ends_on is not None
        amendment_id = service.apply_change(
            stage.session,
            actor=stage.seller(seller),
            now=stage.now,
            contract_id=contract_id,
            amount_fen=amount,
            technology_amount_fen=Fen(amount - sum(item.amount_fen for item in items)),
            items=items,
            ends_on=ends_on + timedelta(days=30 * asked.months_more),
            reason=asked.words,
            uploads=uploads,
            store=stage.store,
        )
    if asked.answer == "waiting":
        return
    yield stage.after(4, record.key)
    registrar = stage.member(record.registrar, Role.REGISTRAR)
    if asked.answer == "declined":
        service.decline_amendment(
            stage.session,
            actor=registrar,
            now=stage.now,
            contract_id=contract_id,
            amendment_id=amendment_id,
            reason=asked.answer_words,
        )
    else:
        service.grant_amendment(
            stage.session,
            actor=registrar,
            now=stage.now,
            contract_id=contract_id,
            amendment_id=amendment_id,
        )
