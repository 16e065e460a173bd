"""Priority rights: who may take a technology on the same terms, and what is known of it.

民法典第八百四十七条: who made a service invention, when the employer transfers it; 第八百六十条:
the other owners of a jointly developed one. Licences leave the right where it is: nobody is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.trade import TradingMode
from marketplace.foundation.words import Word

ASKED_MODES = frozenset({TradingMode.TRANSFER, TradingMode.EQUITY})


class HolderKind(Word):
    """Why somebody has a priority right."""

    INVENTOR = "inventor", "职务成果完成人"
    CO_OWNER = "co_owner", "共有权利人"


BASIS: dict[HolderKind, str] = {
    HolderKind.INVENTOR: "民法典第八百四十七条",
    HolderKind.CO_OWNER: "民法典第八百六十条",
}


class PriorityState(Word):
    """What became of the question to a holder."""

    ASKED = "asked", "待答复", "warn"
    WAIVED = "waived", "放弃优先受让", "ok"
    CLAIMED = "claimed", "主张优先受让", "run"
    SILENT = "silent", "逾期未答复", "neutral"
    OFFERED = "offered", "待按成交价答复", "warn"
    EXERCISED = "exercised", "按成交价优先受让", "ok"
    LAPSED = "lapsed", "未按成交价受让", "neutral"


@dataclass(frozen=True)
class Holder:
    """Who is to be asked; the ids where they are on the platform."""

    kind: HolderKind
    name: str
    user_id: int | None = None
    organisation_id: int | None = None


def holders(
    mode: TradingMode,
    inventors: Sequence[tuple[str, int | None]],
    owners: Sequence[tuple[str, int | None]],
    seller_id: int,
    seller_name: str,
) -> list[Holder]:
    """List whom to ask: the inventors, and the owners other than the seller."""
    if mode not in ASKED_MODES:
        return []
    found = [Holder(HolderKind.INVENTOR, name, user_id) for name, user_id in inventors if name]
    found += [
        Holder(HolderKind.CO_OWNER, name, None, organisation_id)
        for name, organisation_id in owners
        if organisation_id != seller_id and name != seller_name
    ]
    return found


def check_answer(state: PriorityState, *, claims: bool, note: str, by_holder: bool) -> None:
    """Refuse a second answer, and an answer told by others without the paper it stands on."""
    if state is not PriorityState.ASKED:
        raise Conflict("listings.priority_answered", f"已经是“{state.label}”，不能再改")
    if not by_holder and len(note.strip()) < 5:
        raise RuleBroken(
            "listings.priority_paper",
            "代为登记须写明书面答复的名称和日期，至少 5 个字；原件由转让方存档",
            "note",
        )
    if claims and by_holder and len(note.strip()) < 5:
        raise RuleBroken(
            "listings.priority_reason", "请写明主张优先受让的打算，至少 5 个字", "note"
        )


def check_asked(open_names: Sequence[str], answer_by: date) -> None:
    """Refuse to announce while holders still have time to answer."""
    if open_names:
        raise RuleBroken(
            "listings.priority_open",
            f"{'、'.join(open_names)}还没有答复是否优先受让，请等到 {answer_by.isoformat()} 期满，"
            "或由转让方登记其书面答复后再公告",
        )


def check_taking(
    state: PriorityState,
    *,
    today: date,
    answer_by: date,
    taken_by: Sequence[str],
    takes: bool,
) -> None:
    """Refuse an answer where none is asked for, after its last day, or to what another has taken.

    民法典 leaves several holders to agree among themselves: the first who takes it does.
    """
    if state is not PriorityState.OFFERED:
        raise Conflict("listings.priority_answered", f"现在是“{state.label}”，不需要再答复")
    if today > answer_by:
        raise RuleBroken(
            "listings.priority_late",
            f"答复到 {answer_by.isoformat()} 为止，视为不按成交价受让；有异议的请联系交易中心",
        )
    if takes and taken_by:
        raise Conflict(
            "listings.priority_taken",
            f"{'、'.join(taken_by)}已按成交价优先受让；要共同受让的，请与其协商份额",
        )
