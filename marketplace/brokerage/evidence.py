"""The evidence file of an introduction: a zip archive of plain files with their digests.

The same facts give the same bytes, so that a digest noted today can be compared later. What one
person keeps for himself, private notes and confidential contents, is not in it.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import datetime
from typing import Any

_LIST = "清单.txt"
# Zip archives date their members; the day on which somebody asks is no part of the evidence.
_NO_DAY = (1980, 1, 1, 0, 0, 0)


def pack(facts: Mapping[str, Any], papers: Mapping[str, bytes]) -> bytes:
    """Pack facts as JSON, one file each, and papers as they are, with a list of SHA-256 digests.

    ``facts`` maps a file's name without ending to what it says, ``papers`` a path to its bytes.
    """
    members = {f"{name}.json": _written(value) for name, value in facts.items()}
    members |= dict(papers)
    lines = [f"{hashlib.sha256(content).hexdigest()}  {path}" for path, content in members.items()]
    listed = "\n".join([_HOW_TO_CHECK, *lines, ""]).encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, content in {**members, _LIST: listed}.items():
            packed.writestr(zipfile.ZipInfo(path, _NO_DAY), content)
    return archive.getvalue()


def _written(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, indent=2, default=_plain)
    return text.encode()


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


_HOW_TO_CHECK = (
    "本证据包由平台按留痕记录生成。每行是一个文件的 SHA-256 摘要和文件名，"
    "可用 sha256sum -c 核对。\n"
    "介绍存证的摘要可以自行重算：把 buyer、introduced_at（UTC，微秒）、seller、subject "
    "四项按此顺序写成不带空格的 JSON，取 SHA-256。"
)
