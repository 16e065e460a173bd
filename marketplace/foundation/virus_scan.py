"""Asks a ClamAV daemon about a file before anything else reads it; without an answer, no file.

Which daemon is a setting (``CLAMD_ADDRESS``); where there is none, nothing is asked.
"""

from __future__ import annotations

import io

from clamav_client.clamd import (
    BufferTooLongError,
    ClamdError,
    ClamdNetworkSocket,
    ClamdUnixSocket,
)

from marketplace.foundation.errors import RuleBroken

_PATIENCE = 30  # seconds for each read and write
_DEFAULT_PORT = 3310
_FIELD = "attachments"


class Scanner:
    """A daemon at ``/path/of/socket`` or ``host:port``; an empty address asks nobody."""

    def __init__(self, address: str) -> None:
        self._address = address.strip().removeprefix("unix://").removeprefix("tcp://")

    @property
    def asks(self) -> bool:
        """Tell whether files are scanned at all."""
        return bool(self._address)

    def _daemon(self) -> ClamdNetworkSocket:
        if self._address.startswith("/"):
            return ClamdUnixSocket(self._address, timeout=_PATIENCE)
        host, _colon, port = self._address.rpartition(":")
        if not host:
            host, port = port, ""
        return ClamdNetworkSocket(host, int(port) if port else _DEFAULT_PORT, timeout=_PATIENCE)

    def check(self, name: str, content: bytes) -> None:
        """Refuse a file in which something was found, and any file that could not be scanned.

        Codes: ``attachments.infected`` (its problem names the finding), ``attachments.unscanned``.
        """
        if not self.asks or not content:
            return
        try:
            status, found = next(iter(self._daemon().instream(io.BytesIO(content)).values()))
        except BufferTooLongError as refused:
            raise RuleBroken(
                "attachments.unscanned",
                f"文件“{name}”太大，查毒服务不能检查，没有保存；请压缩或拆成几个文件",
                _FIELD,
            ) from refused
        except (ClamdError, OSError, ValueError, StopIteration) as away:
            raise _unscanned(name) from away
        if status == "FOUND":
            raise RuleBroken(
                "attachments.infected",
                f"文件“{name}”查出恶意程序（{found}），没有保存；请用杀毒软件处理后重新导出再上传",
                _FIELD,
            )
        if status != "OK":
            raise _unscanned(name)

    def problem(self) -> str:
        """Say what keeps the daemon from answering; empty when all is well or nobody is asked."""
        if not self.asks:
            return ""
        try:
            answer = self._daemon().ping()
        except (ClamdError, OSError, ValueError) as away:
            return str(away)
        return "" if answer == "PONG" else f"unexpected answer {answer[:40]!r}"


def _unscanned(name: str) -> RuleBroken:
    return RuleBroken(
        "attachments.unscanned",
        f"查毒服务暂时没有应答，文件“{name}”没有保存；请过几分钟再上传，急办请联系交易中心",
        _FIELD,
    )
