"""Exams: questions, a paper drawn from a seed, grading, attempts and their time.

Pure. The same bank and the same seed give the same paper, on every machine: the order is that of
SHA-256 digests, not that of a random generator.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.foundation.errors import Conflict, Problem, RuleBroken, raise_if_any
from marketplace.foundation.words import Word

FEWEST_OPTIONS, MOST_OPTIONS = 2, 8
# A form that was sent in time may still be on its way.
GRACE = timedelta(seconds=20)


class QuestionKind(Word):
    """How many options of a question are right."""

    SINGLE = "single", "单选题"
    MULTIPLE = "multiple", "多选题"


@dataclass(frozen=True)
class Question:
    """A question of the bank; ``right`` are positions in ``options``, from zero."""

    id: int
    kind: QuestionKind
    text: str
    options: tuple[str, ...]
    right: frozenset[int]


def check_question(
    kind: QuestionKind, *, text: str, options: Sequence[str], right: Collection[int]
) -> None:
    """Refuse a question that nobody can answer rightly."""
    problems: list[Problem] = []
    if not text.strip():
        problems.append(Problem("training.question", "请填写题目", "text"))
    if not FEWEST_OPTIONS <= len(options) <= MOST_OPTIONS:
        problems.append(
            Problem(
                "training.options", f"选项要有 {FEWEST_OPTIONS} 到 {MOST_OPTIONS} 个", "options"
            )
        )
    elif len(set(options)) < len(options):
        problems.append(Problem("training.same", "有两个选项完全相同，请改掉一个", "options"))
    if not right or not all(0 <= place < len(options) for place in right):
        problems.append(Problem("training.right", "正确答案要写选项的字母，如 A 或 AC", "right"))
    elif kind is QuestionKind.SINGLE and len(set(right)) != 1:
        problems.append(Problem("training.one_right", "单选题只能有一个正确答案", "right"))
    elif kind is QuestionKind.MULTIPLE and len(set(right)) < 2:
        problems.append(Problem("training.many_right", "多选题至少有两个正确答案", "right"))
    raise_if_any(problems)


def _order(seed: str, *parts: object) -> str:
    return hashlib.sha256("|".join((seed, *map(str, parts))).encode()).hexdigest()


def draw(bank: Sequence[Question], count: int, seed: str) -> list[Question]:
    """Draw a paper: so many different questions of the bank, options in an order of their own.

    Refuse a bank that is too small. The order of the bank does not matter.
    """
    if len(bank) < count:
        raise RuleBroken(
            "training.small_bank",
            f"题库里只有 {len(bank)} 道题，不够抽 {count} 道，请联系交易中心补充题库",
        )
    chosen = sorted(bank, key=lambda each: _order(seed, each.id))[:count]
    return [_shuffled(question, seed) for question in chosen]


def _shuffled(question: Question, seed: str) -> Question:
    places = sorted(
        range(len(question.options)), key=lambda place: _order(seed, question.id, place)
    )
    return Question(
        question.id,
        question.kind,
        question.text,
        tuple(question.options[place] for place in places),
        frozenset(places.index(place) for place in question.right),
    )


@dataclass(frozen=True)
class Result:
    """What a paper came to; a question counts only when exactly the right options are chosen."""

    right_count: int
    count: int
    passed: bool

    @property
    def percent(self) -> int:
        """Return the score out of a hundred, rounded down."""
        return self.right_count * 100 // self.count


def grade(
    paper: Sequence[Question], answers: Mapping[int, Collection[int]], pass_percent: int
) -> Result:
    """Grade a paper by the chosen places of its options, by question id."""
    right = sum(set(answers.get(each.id, ())) == each.right for each in paper)
    return Result(right, len(paper), right * 100 >= pass_percent * len(paper))


def in_time(now: datetime, ends_at: datetime) -> bool:
    """Tell whether an answer that arrives at a moment by the server's clock still counts."""
    return now <= ends_at + GRACE


def check_start(
    *, passed: bool, used: int, allowed: int, enough_hours: bool, last_at: datetime, now: datetime
) -> None:
    """Refuse an attempt without the hours, after the term, after passing, or beyond the number."""
    if passed:
        raise Conflict("training.passed", "您已经通过考试，不必再考")
    if not enough_hours:
        raise RuleBroken("training.few_hours", "到课学时不够，不能参加考试")
    if now > last_at:
        raise RuleBroken("training.exam_over", "考试期限已过，请报名下一期课程")
    if used >= allowed:
        raise RuleBroken("training.attempts", f"{allowed} 次考试机会已用完，请报名下一期课程")
