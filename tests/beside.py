"""Programs beside the tests: gathered from Maven Central once, or left out with the reason said."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

_GATHER_SECONDS = 500

# What could not be tried, and why.
untried: dict[str, str] = {}


class Missing(Exception):
    """A program cannot be had here; the message says why and what would help."""


def gather(pom: Path, cache: Path, finish: Callable[[Path], None] = lambda home: None) -> Path:
    """Return the folder that Maven fills as the pom says, and ``finish`` completes: made once.

    The pom's property ``home`` is the folder. It is kept in the cache, and made anew when the pom
    changes.
    """
    _need("java", "default-jdk-headless")
    made = cache / hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    if not made.exists():
        _need("mvn", "maven")
        cache.mkdir(exist_ok=True)
        # Gathered aside and moved into place whole: half a program must never be taken for one.
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            home = Path(folder) / "home"
            _fetch(pom, home)
            finish(home)
            home.rename(made)
    return made


def _need(program: str, package: str) -> None:
    if shutil.which(program) is None:
        raise Missing(f"{program} is not installed (Debian's package {package})")


def _fetch(pom: Path, home: Path) -> None:
    command = ["mvn", "-B", "-q", "-f", str(pom), f"-Dhome={home}", "package"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_GATHER_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"Maven did not end within {_GATHER_SECONDS} seconds") from None
    if done.returncode != 0:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        raise Missing(f"Maven could not gather it: {lines[0] if lines else 'no reason given'}")


def leave_out(name: str, reason: str) -> NoReturn:
    """Skip the test and remember why; fail where this program is demanded."""
    if name in os.environ.get("REQUIRE_ENGINES", "").split(","):
        pytest.fail(f"REQUIRE_ENGINES demands {name}: {reason}")
    untried[name] = reason
    pytest.skip(f"{name} is not tried: {reason}")
