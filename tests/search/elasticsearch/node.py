"""A real Elasticsearch node for the tests, gathered from Maven Central once and kept."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
import zipfile
from pathlib import Path

from tests.beside import Missing, gather

HERE = Path(__file__).parent
CACHE = HERE.parents[2] / ".elasticsearch"

_DESCRIPTOR = "META-INF/es-plugins/transport-netty4/plugin-descriptor.properties"
_START_SECONDS = 120.0
_STOP_SECONDS = 30.0
_MEMORY = "512m"


def home() -> Path:
    """Return the folder of the node's program, gathered at the first time."""
    return gather(HERE / "pom.xml", CACHE, _complete)


def _complete(home: Path) -> None:
    module = home / "modules" / "transport-netty4"
    with zipfile.ZipFile(next(module.glob("transport-netty4-*.jar"))) as jar:
        described = jar.read(_DESCRIPTOR).decode()
    # The server lies on the class path here, so a named module would not find its own.
    kept = [line for line in described.splitlines() if not line.startswith("modulename")]
    (module / "plugin-descriptor.properties").write_text("\n".join(kept))
    (home / "config").mkdir()


class Node:
    """A running node; listens on loopback, keeps its data in a folder that goes with it."""

    def __init__(self) -> None:
        program = home()
        self._data = Path(tempfile.mkdtemp(prefix="market-es-"))
        self._log = (self._data / "log").open("w+b")
        self._process = subprocess.Popen(
            [
                "java", f"-Xms{_MEMORY}", f"-Xmx{_MEMORY}", "-XX:+UseSerialGC", "-XX:-UsePerfData",
                "-cp", f"{program}/lib/*", str(HERE / "TestNode.java"), str(program),
                str(self._data),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )  # fmt: skip
        # A node that hangs is ended, which ends the reading below.
        guard = threading.Timer(_START_SECONDS, self._process.kill)
        guard.start()
        port = self._port()
        guard.cancel()
        if port is None:
            said = self._last_words()
            self.stop()
            raise Missing(f"the node does not start: {said}")
        self.url = f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        """End the node and remove its data."""
        self._process.communicate(timeout=_STOP_SECONDS)
        self._log.close()
        shutil.rmtree(self._data, ignore_errors=True)

    def _port(self) -> str | None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("PORT "):
                return line.split()[1]
        return None

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return next((line for line in lines if "xception" in line or "rror" in line), "no output")
