"""The offline verifier: ``python -m marketplace.oversight.verify PACKAGE.zip [SEQUENCE:DIGEST]``.

Checks a deal's evidence package without database or network: every file against its digest,
every audit row against its own, and the rows' place in the chain up to a published head. Exit
code 0, 1 when something does not hold, 2 when the package cannot be read.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import sys
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from marketplace.foundation import audit_chain
from marketplace.foundation.audit_chain import Link

FORMAT = "jinan-market-evidence-1"
_MOST_BYTES = 500 * 1024 * 1024
_MOST_FILES = 10_000
# What a damaged or invented archive makes the standard library say; an encrypted one is a
# RuntimeError, a number without end an OverflowError.
_NO_PACKAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    KeyError,
    TypeError,
    RuntimeError,
    OverflowError,
)


class PackageBroken(Exception):
    """Something in the package does not hold; the text says what."""


@dataclass(frozen=True)
class Finding:
    """What a package that holds comes to."""

    deal: int
    file_count: int
    row_count: int
    head: tuple[int, str]
    linked: bool


def check(archive_file: Path | BinaryIO, *, head: tuple[int, str] | None = None) -> Finding:
    """Check a package; raise ``PackageBroken`` with the first thing that does not hold.

    ``head`` is place and digest as published, to hold the package's own against. Raise
    ``ValueError`` for a file that is no package.
    """
    try:
        files = _read(archive_file)
        manifest = json.loads(files.pop("manifest.json"))
        if manifest["format"] != FORMAT:
            raise ValueError(f"格式是 {manifest['format']!r}，应为 {FORMAT!r}")
        stated: dict[str, Any] = dict(manifest["files"])
        start = (int(manifest["start"]["sequence"]), str(manifest["start"]["digest"]))
        end = (int(manifest["head"]["sequence"]), str(manifest["head"]["digest"]))
        linked, deal = bool(manifest["linked"]), int(manifest["deal"])
        digests = {name: str(fact["sha256"]) for name, fact in stated.items()}
    except _NO_PACKAGE as broken:
        raise ValueError(f"不是证据包：{broken}") from broken
    _check_files(files, digests)
    own = _rows(files.get("audit.jsonl", b""))
    for link in own:
        if link.entry is None or audit_chain.digest_of(link.entry, link.previous) != link.digest:
            raise PackageBroken(f"第 {link.sequence} 号审计行与它的摘要不符")
    if linked:
        _check_chain(_rows(files.get("chain.jsonl", b"")), own, start, end)
    if head is not None and end != head:
        raise PackageBroken(f"包内的链摘要是 {end[0]}:{end[1]}，与公布的 {head[0]}:{head[1]} 不符")
    return Finding(deal, len(files), len(own), end, linked)


def _read(archive_file: Path | BinaryIO) -> dict[str, bytes]:
    with zipfile.ZipFile(archive_file) as archive:
        members = archive.infolist()
        if len(members) > _MOST_FILES or sum(m.file_size for m in members) > _MOST_BYTES:
            raise ValueError("文件过多或解开后过大")
        found: dict[str, bytes] = {}
        left = _MOST_BYTES
        for member in members:
            if member.filename in found:
                raise ValueError(f"{member.filename} 出现两次")
            with archive.open(member) as opened:
                # What a member states of its size may be a lie; what is read is bounded.
                found[member.filename] = opened.read(left + 1)
            left -= len(found[member.filename])
            if left < 0:
                raise ValueError("解开后过大")
        return found


def _check_files(files: dict[str, bytes], digests: dict[str, str]) -> None:
    for name in sorted(set(files) | set(digests)):
        if name not in digests:
            raise PackageBroken(f"多出一个清单里没有的文件 {name}")
        if name not in files:
            raise PackageBroken(f"缺少清单里的文件 {name}")
        if hashlib.sha256(files[name]).hexdigest() != digests[name]:
            raise PackageBroken(f"文件 {name} 与清单里的摘要不符")


def _rows(content: bytes) -> list[Link]:
    try:
        return [audit_chain.read_link(line) for line in content.decode().splitlines()]
    except ValueError as broken:
        raise PackageBroken(f"审计行读不出：{broken}") from broken


def _check_chain(
    chain: list[Link], own: list[Link], start: tuple[int, str], end: tuple[int, str]
) -> None:
    _held, broken = audit_chain.walk(chain, start=start, head=end)
    if broken is not None:
        words = {"missing": "缺失", "inserted": "是插入的", "moved": "被移动", "changed": "被改动"}
        raise PackageBroken(f"审计链在第 {broken.sequence} 号处{words[broken.what]}")
    placed = {link.sequence: link for link in chain}
    for link in own:
        if placed.get(link.sequence) != link:
            raise PackageBroken(f"第 {link.sequence} 号审计行不在链上的位置")


def main(arguments: Sequence[str]) -> int:
    """Verify one package and return the exit code."""
    if len(arguments) not in (1, 2):
        sys.stderr.write(
            "usage: python -m marketplace.oversight.verify PACKAGE.zip [SEQUENCE:DIGEST]\n"
        )
        return 2
    try:
        head = read_head(arguments[1]) if len(arguments) == 2 else None
        found = check(Path(arguments[0]), head=head)
    except PackageBroken as broken:
        sys.stdout.write(f"不成立。{broken}\n")
        return 1
    except (OSError, ValueError) as unreadable:
        sys.stderr.write(f"读不出这个文件：{unreadable}\n")
        return 2
    sys.stdout.write(
        f"成立。撮合项目 {found.deal}：{found.file_count} 个文件、{found.row_count} 条审计行与摘要"
        f"一致{'，并连到' if found.linked else '；没有连到（间隔过长）'}链摘要"
        f" {found.head[0]}:{found.head[1]}，请与公布的核对\n"
    )
    return 0


def read_head(text: str) -> tuple[int, str]:
    """Read ``SEQUENCE:DIGEST`` as the mail and the page write it; raise ``ValueError``."""
    place, _, digest = text.partition(":")
    if not place.isdecimal() or len(digest) != 64:
        raise ValueError(f"{text!r} 不是“行数:摘要”")
    return int(place), digest


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
