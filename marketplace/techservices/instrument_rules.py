"""大型仪器共享: tests and trials on another institution's instruments; 共享券 pays a part."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.foundation.errors import Problem


@dataclass(frozen=True)
class InstrumentDetails:
    """Which instrument, for which samples, to find out what."""

    instrument: str
    samples: str
    sample_count: int = 1


def check(details: InstrumentDetails) -> list[Problem]:
    """List what is missing."""
    problems = []
    if not details.instrument.strip():
        problems.append(Problem("instrument.name", "请写明仪器或检测项目", "instrument"))
    if len(details.samples.strip()) < 4:
        problems.append(Problem("instrument.samples", "请写明样品和要测的指标", "samples"))
    if not 1 <= details.sample_count <= 10_000:
        problems.append(Problem("instrument.count", "样品数应在 1 到 10000 之间", "sample_count"))
    return problems


def facts(details: InstrumentDetails) -> list[tuple[str, str]]:
    """List the details for the page."""
    return [
        ("仪器或检测项目", details.instrument),
        ("样品与指标", details.samples),
        ("样品数", str(details.sample_count)),
    ]
