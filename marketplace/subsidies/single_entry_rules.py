"""What an applicant enters for a single payment where the platform does not know it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from pydantic import TypeAdapter

from marketplace.foundation.errors import Conflict, Problem, raise_if_any
from marketplace.foundation.money import Fen
from marketplace.subsidies.rules import WITH_APPLICANT, ClaimStatus
from marketplace.subsidies.word_rules import ClaimItem


@dataclass(frozen=True)
class Recognition:
    """A recognition as the applicant enters it."""

    document: str
    recognised_on: date
    excellent: bool = False


@dataclass(frozen=True)
class Training:
    """What one broker's training cost."""

    person: str
    certificate_no: str
    ended_on: date
    fee_fen: Fen


@dataclass(frozen=True)
class Entries:
    """All that an applicant enters for a claim, kept with it."""

    recognition: Recognition | None = None
    trainings: tuple[Training, ...] = ()


ENTRIES = TypeAdapter(Entries)
NOTHING = Entries()
# What cannot be computed before something is entered.
ENTERED = (
    ClaimItem.NATIONAL_INSTITUTION,
    ClaimItem.PROVINCIAL_INSTITUTION,
    ClaimItem.TRAINING_FEE,
)


def check_entries(
    entries: Entries,
    *,
    item: ClaimItem,
    status: ClaimStatus,
    year: int,
    today: date,
    names: Mapping[str, str],
) -> None:
    """Refuse entries of a claim that was sent, outside its year, or that prove nothing.

    ``names`` are those of the register's brokers, by certificate number.
    """
    if status not in WITH_APPLICANT:
        raise Conflict("claims.applied", f"这份申报现在是“{status.label}”，依据不能再改")
    problems: list[Problem] = []
    if item.once:
        problems.extend(_recognition_problems(entries.recognition, year, today))
    elif item is ClaimItem.TRAINING_FEE:
        problems.extend(_training_problems(entries.trainings, year, today, names))
    else:
        raise Conflict("claims.computed", f"{item.label}由平台按记录计算，没有要填写的依据")
    raise_if_any(problems)


def _recognition_problems(
    recognition: Recognition | None, year: int, today: date
) -> Iterator[Problem]:
    if recognition is None or len(recognition.document.strip()) < 4:
        yield Problem("single.document", "请填写认定文件的文号，与附件一致", "recognition_document")
    if recognition is not None:
        yield from _day_problems(
            recognition.recognised_on, year, today, "recognised_on", "认定日期"
        )


def _training_problems(
    trainings: tuple[Training, ...], year: int, today: date, names: Mapping[str, str]
) -> Iterator[Problem]:
    if not trainings:
        yield Problem("single.no_training", "请至少填写一位技术经理人的培训费", "trainings")
    numbers = [training.certificate_no for training in trainings]
    for number in dict.fromkeys(numbers):
        if numbers.count(number) > 1:
            yield Problem("single.twice", f"证书 {number} 填了不止一行，请合并", "trainings")
    for training in trainings:
        listed = names.get(training.certificate_no)
        if listed is not None and listed != training.person:
            yield Problem(
                "single.other_person",
                f"证书 {training.certificate_no} 在平台名录中不是{training.person}的，请核对",
                "trainings",
            )
    for training in trainings:
        yield from _day_problems(training.ended_on, year, today, "trainings", "培训结束日")
        if training.fee_fen <= 0:
            yield Problem("single.fee", "培训费要大于 0", "trainings")


def _day_problems(day: date, year: int, today: date, field: str, what: str) -> Iterator[Problem]:
    if day > today:
        yield Problem("single.ahead", f"{what}还没有到，请核对", field)
    elif day.year != year:
        yield Problem("single.year", f"本批只受理 {year} 年度，{what}应在这一年", field)
