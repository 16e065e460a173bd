"""The bureau's drafts: what should follow document 27, which ends in April, tried in two ways."""

from __future__ import annotations

from datetime import datetime

from marketplace.foundation import reference
from marketplace.foundation.clock import LOCAL
from marketplace.subsidies import service
from seed.demo.stage import Stage, Story

_BUREAU = "luoshengnan"
_ENDING = "policies/jkf-2021-27"
# What every draft changes in the document it follows.
_SUCCESSOR = (
    ("id: jkf-2021-27", "id: jkf-2024-1"),
    ("济科发〔2021〕27号", "27号文续期（草案）"),
    ("short: 27号文", "short: 续期草案"),
    ("status: in_force", "status: draft"),
    ("{from: 2021-04-27, to: 2024-04-26}", "{from: 2024-04-27, to: 2027-04-26}"),
)


def drafts(stage: Stage) -> Story:
    """Save a generous and a frugal successor of the document that ends."""
    yield datetime(2024, 3, 4, 10, 20, tzinfo=LOCAL)
    generous = service.begin_draft(
        stage.session,
        actor=stage.actor(_BUREAU),
        now=stage.now,
        name="27号文续期：服务机构门槛降到 200 万元",
        text=_text(("threshold_yuan: 3000000", "threshold_yuan: 2000000")),
        note="照 27 号文，只降门槛",
    )
    yield datetime(2024, 3, 6, 15, 5, tzinfo=LOCAL)
    service.change_draft(
        stage.session,
        actor=stage.actor(_BUREAU),
        now=stage.now,
        draft_id=generous,
        edition=1,
        name="27号文续期：卖方提到 2‰，服务机构门槛降到 200 万元",
        text=_text(
            ("threshold_yuan: 3000000", "threshold_yuan: 2000000"), ("rate: 3/2000", "rate: 1/500")
        ),
        note="卖方第一组由 1.5‰ 提到 2‰",
    )
    yield datetime(2024, 3, 12, 9, 40, tzinfo=LOCAL)
    service.begin_draft(
        stage.session,
        actor=stage.actor(_BUREAU),
        now=stage.now,
        name="27号文续期：卖方提到 2‰，买方降到 2%",
        text=_text(("rate: 3/2000", "rate: 1/500"), ("rate: 3/100\n", "rate: 1/50\n")),
        note="按 300 万元预算测算",
    )


def _text(*changes: tuple[str, str]) -> str:
    text = reference.text(_ENDING)
    for before, after in (*_SUCCESSOR, *changes):
        assert before in text, before
        text = text.replace(before, after)
    return text
