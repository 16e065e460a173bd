"""veraPDF, gathered from Maven Central once and kept: what it finds in files, in one start."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.beside import gather

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".verapdf"

_MAIN = "org.verapdf.apps.GreenfieldCliWrapper"
_SECONDS = 300
# Its own words: every file conforms, or at least one does not.
_JUDGED = (0, 1)


def program() -> Path:
    """Return the folder of the program, gathered at the first time."""
    return gather(HERE / "pom.xml", CACHE)


def findings(program: Path, files: Sequence[Path]) -> dict[Path, list[str]]:
    """Check the files against PDF/UA-1 (ISO 14289-1) and return what is wrong with each.

    A finding names clause and test, how often it was found, what it asks and where it failed first.
    """
    # It writes its settings beside its user's: that is an empty folder here.
    with tempfile.TemporaryDirectory() as home:
        command = [
            "java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:-UsePerfData", f"-Duser.home={home}",
            "-cp", f"{program}/*", _MAIN, "--flavour", "ua1", "--format", "json", "--loglevel", "0",
            *map(str, files),
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise AssertionError(f"veraPDF did not end within {_SECONDS} seconds") from None
    if done.returncode not in _JUDGED:
        raise AssertionError(f"veraPDF ended with {done.returncode}: {done.stderr or done.stdout}")
    jobs = json.loads(done.stdout)["report"]["jobs"]
    return {Path(job["itemDetails"]["name"]): list(_read(job)) for job in jobs}


def _read(job: dict[str, Any]) -> Iterator[str]:
    for result in job["validationResult"]:
        for rule in result["details"]["ruleSummaries"]:
            where = rule["checks"][0]
            yield (
                f"{rule['clause']}-{rule['testNumber']}, {rule['failedChecks']} times: "
                f"{rule['description']} {where['errorMessage']}: {where['context']}"
            )
