"""A ClamAV daemon made for tests: INSTREAM on a socket, and whatever answer a test wants."""

from __future__ import annotations

import socketserver
import struct
import threading
from pathlib import Path

# Put together here, so that no scanner takes this file away.
EICAR = b"X5O!P%@AP[4" + b"\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class FakeClamd:
    """Finds the EICAR string, or answers ``says`` to every file; counts what it scanned."""

    def __init__(self, path: Path | None = None, says: str = "") -> None:
        self.scanned: list[bytes] = []
        self.says = says
        daemon = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                command = self.rfile.readline().strip()
                if command == b"nPING":
                    self.wfile.write(b"PONG\n")
                if command != b"nINSTREAM":
                    return
                content = b""
                while size := struct.unpack("!L", self.rfile.read(4))[0]:
                    content += self.rfile.read(size)
                daemon.scanned.append(content)
                found = "Win.Test.EICAR_HDB-1 FOUND" if EICAR in content else "OK"
                self.wfile.write((daemon.says or f"stream: {found}").encode() + b"\n")

        if path is None:
            self._server: socketserver.BaseServer = socketserver.ThreadingTCPServer(
                ("127.0.0.1", 0), Handler
            )
            self.address = f"127.0.0.1:{self._server.server_address[1]}"
        else:
            self._server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
            self.address = str(path)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Let the sockets go."""
        self._server.shutdown()
        self._server.server_close()
