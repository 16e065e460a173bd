"""The pipelines of the trade, read from seed/reference/pipelines.yaml.

Adding one, or a step to one, changes that file only. A file that no deal could follow is refused
with the line and the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from marketplace.brokerage.pipeline_rules import (
    END,
    LOST,
    Condition,
    Occasion,
    Pipeline,
    Pipelines,
    Step,
)
from marketplace.brokerage.rules import TALKING, DealStage
from marketplace.foundation.reference import load

_CODE = re.compile(r"[a-z][a-z_]{1,39}")
_ENDS = frozenset(step.code for step in (*END, LOST))
_LONGEST = 365


def _checked_code(code: str) -> str:
    if not _CODE.fullmatch(code):
        raise ValueError("代码只用小写英文字母和下划线，2 到 40 个")
    return code


class _StepEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    label: str
    stage: DealStage
    does: str
    needs: tuple[Condition, ...] = ()
    stale_days: int | None = None

    @field_validator("code")
    @classmethod
    def _code(cls, code: str) -> str:
        if code in _ENDS:
            raise ValueError(f"“{code}”是各流程共同的结尾，不用写，请换一个代码")
        return _checked_code(code)

    @field_validator("stage")
    @classmethod
    def _talking(cls, stage: DealStage) -> DealStage:
        if stage not in TALKING:
            raise ValueError(f"签约以后各流程都一样，不用写；应为以下之一：{'、'.join(TALKING)}")
        return stage

    @field_validator("stale_days")
    @classmethod
    def _days(cls, days: int | None) -> int | None:
        if days is not None and not 1 <= days <= _LONGEST:
            raise ValueError(f"应为 1 到 {_LONGEST} 天；按平台参数计就不写")
        return days


class _PipelineEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    name: str
    purpose: str
    fits: tuple[Occasion, ...] = ()
    retired: bool = False
    steps: tuple[_StepEntry, ...]

    _code = field_validator("code")(_checked_code)

    @field_validator("steps")
    @classmethod
    def _road(cls, steps: tuple[_StepEntry, ...]) -> tuple[_StepEntry, ...]:
        _refuse_twice((step.code for step in steps), "步骤代码")
        _refuse_twice((step.label for step in steps), "步骤名称")
        if not steps or steps[0].stage is not DealStage.LEAD or steps[0].needs:
            raise ValueError("第一步的 stage 应为 lead，不写 needs：每个项目都从线索开始")
        if steps[-1].stage is not DealStage.CONTRACT_DRAFT:
            raise ValueError("最后一步的 stage 应为 contract_draft：挂牌成交的项目从那里继续")
        for before, after in pairwise(steps):
            if TALKING.index(after.stage) < TALKING.index(before.stage):
                raise ValueError(f"“{after.label}”的 stage 退到了“{before.label}”前面，只能向前")
        return steps


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    pipelines: tuple[_PipelineEntry, ...]

    @model_validator(mode="after")
    def _apart(self) -> _File:
        _refuse_twice((each.code for each in self.pipelines), "流程代码")
        _refuse_twice((each.name for each in self.pipelines), "流程名称")
        _refuse_twice((each for entry in self.pipelines for each in entry.fits), "fits")
        if not self.pipelines or self.pipelines[0].retired:
            raise ValueError("第一个流程接住没有别的流程认领的项目，不能没有，也不能停用")
        return self


def _refuse_twice(values: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{what} {value} 写了两次")
        seen.add(value)


@cache
def pipelines() -> Pipelines:
    """Return all pipelines, in the order of the file."""
    return Pipelines(tuple(_built(entry) for entry in load("pipelines", _File).pipelines))


def _built(entry: _PipelineEntry) -> Pipeline:
    return Pipeline(
        code=entry.code,
        name=entry.name,
        purpose=entry.purpose,
        fits=frozenset(entry.fits),
        retired=entry.retired,
        talking=tuple(
            Step(
                code=step.code,
                label=step.label,
                stage=step.stage,
                does=step.does,
                needs=step.needs,
                stale_days=step.stale_days,
            )
            for step in entry.steps
        ),
    )
