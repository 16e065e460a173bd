"""A real Elasticsearch node for the tests, gathered from Maven Central once and kept."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
import threading
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[2] / ".elasticsearch"

_DESCRIPTOR = "META-INF/es-plugins/transport-netty4/plugin-descriptor.properties"
_BUILD_SECONDS = 500
_START_SECONDS = 120.0
_STOP_SECONDS = 30.0
_MEMORY = "512m"


class NodeMissing(Exception):
    """No node can be had here; the message says why and what would help."""


def home() -> Path:
    """Return the folder of the node's program, gathered at the first time."""
    _need("java", "default-jdk-headless")
    made = CACHE / hashlib.sha256((HERE / "pom.xml").read_bytes()).hexdigest()[:12]
    if not made.exists():
        _need("mvn", "maven")
        CACHE.mkdir(exist_ok=True)
        # Gathered aside and moved into place whole: half a node must never be taken for one.
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            _gather(Path(folder) / "home")
            (Path(folder) / "home").rename(made)
    return made


def _need(program: str, package: str) -> None:
    if shutil.which(program) is None:
        raise NodeMissing(f"{program} is not installed (Debian's package {package})")


def _gather(into: Path) -> None:
    command = ["mvn", "-B", "-q", "-f", str(HERE / "pom.xml"), f"-Dhome={into}", "package"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NodeMissing(f"Maven did not end within {_BUILD_SECONDS} seconds") from None
    if done.returncode != 0:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        raise NodeMissing(f"Maven could not gather it: {lines[0] if lines else 'no reason given'}")
    module = into / "modules" / "transport-netty4"
    with zipfile.ZipFile(next(module.glob("transport-netty4-*.jar"))) as jar:
        described = jar.read(_DESCRIPTOR).decode()
    # The server lies on the class path here, so a named module would not find its own.
    kept = [line for line in described.splitlines() if not line.startswith("modulename")]
    (module / "plugin-descriptor.properties").write_text("\n".join(kept))
    (into / "config").mkdir()


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
            raise NodeMissing(f"the node does not start: {said}")
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
