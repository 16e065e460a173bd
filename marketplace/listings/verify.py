"""The offline verifier: ``python -m marketplace.listings.verify RECORD.json``.

Replays a published record without database or network and says what it comes to: the same winner,
or the first thing that does not hold. Exit code 0, 1 when the record is broken, 2 when it cannot
be read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from marketplace.foundation.money import format_yuan
from marketplace.listings.replay_rules import RecordBroken, Verdict, read_document, replay


def sentence(verdict: Verdict) -> str:
    """Say in words what a record comes to."""
    where = f"{verdict.listing} 第 {verdict.attempt} 场（{verdict.kind.label}）"
    if verdict.voided:
        found = "本场作废"
    elif not verdict.over:
        found = "记录成立，竞价还没有结果"
    elif verdict.plate is None or verdict.amount_fen is None:
        found = "没有人报价"
    else:
        found = f"受让方是 {verdict.plate} 号，{format_yuan(verdict.amount_fen)} 元"
    return f"{where}：{found}；{verdict.bid_count} 次报价，记录摘要 {verdict.head}"


def main(arguments: Sequence[str]) -> int:
    """Verify one file and return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m marketplace.listings.verify RECORD.json\n")
        return 2
    try:
        found = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as unreadable:
        sys.stderr.write(f"读不出这个文件：{unreadable}\n")
        return 2
    try:
        verdict = replay(read_document(found))
    except RecordBroken as broken:
        sys.stdout.write(f"不成立。{broken}\n")
        return 1
    sys.stdout.write(f"成立。{sentence(verdict)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
