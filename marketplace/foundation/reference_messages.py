"""What is wrong with a file of reference data, in words that who keeps it understands.

Every problem names the line, the place in the file, what was expected and what stands there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import yaml

from marketplace.foundation.errors import RuleBroken

# By kind of problem as pydantic names it; {expected} is what it says was allowed.
_EXPECTED = {
    "missing": "缺少这一项，必须填写",
    "enum": "应为以下之一：{expected}",
    "literal_error": "应为以下之一：{expected}",
    "bool_parsing": "应为 true 或 false，不带引号",
    "bool_type": "应为 true 或 false，不带引号",
    "string_type": "应为文字；数字要加引号",
    "int_type": "应为整数，不带引号",
    "int_parsing": "应为整数，不带引号",
    "tuple_type": "应为清单，每项一行，以“- ”开头",
    "frozen_set_type": "应为清单，写作 [甲, 乙]",
    "model_type": "应为几项“名称: 值”",
    "model_attributes_type": "应为几项“名称: 值”",
    "too_short": "不能是空的清单",
    "string_pattern_mismatch": "应为小写字母、四位年份和编号，例如 jkf-2021-27",
}
_DATE = "应为存在的日期，写作 2024-04-26，不带引号"
_SHOWN = 40


def explain(
    name: str, text: str, problems: Iterable[Mapping[str, Any]], known: Mapping[str, Sequence[str]]
) -> str:
    """Write all problems of a file; ``known`` holds the keys allowed, by the place's last key."""
    root = _compose(text)
    told = []
    for problem in problems:
        place = tuple(problem["loc"])
        line = _line_of(root, place)
        where = f"第 {line} 行，" if line else ""
        told.append(f"{where}{place_text(place)}：{_problem(problem, known)}")
    return f"{name}.yaml 不能使用：" + "；".join(told)


def place_text(place: Sequence[str | int]) -> str:
    """Write a place as ``items 第 1 项 → groups 第 2 项 → rate``; lists are counted from one."""
    written = ""
    for step in place:
        if isinstance(step, int):
            written += f" 第 {step + 1} 项"
        else:
            written += f"{' → ' if written else ''}{step}"
    return written or "整份文件"


class _Loader(yaml.SafeLoader):
    """Leaves dates as they are written, to be judged with the rest, and refuses a key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key.value, str):
                continue  # no name: the loader refuses it itself
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value} 写了两次", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _as_written(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _as_written)


def parse(name: str, text: str) -> object:
    """Read a file's text; refuse what is no YAML with the line."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, see above
    except yaml.MarkedYAMLError as broken:
        mark = broken.problem_mark
        where = f"第 {mark.line + 1} 行第 {mark.column + 1} 列：" if mark else ""
        why = broken.problem or ""
        if "写了两次" not in why:
            why = "写法不对，请检查缩进（用空格、不用制表符）、冒号后的空格和成对的引号、括号"
        raise RuleBroken("reference.syntax", f"{name}.yaml 不能使用：{where}{why}") from broken
    except (yaml.YAMLError, ValueError) as broken:
        # Characters that no text holds, or a number of thousands of digits.
        raise RuleBroken(
            "reference.syntax", f"{name}.yaml 不能使用：含有不能显示的字符或过长的数字"
        ) from broken


def _problem(problem: Mapping[str, Any], known: Mapping[str, Sequence[str]]) -> str:
    kind = problem["type"]
    if kind == "extra_forbidden":
        return _unknown(problem["loc"], known)
    if kind == "value_error":
        return str(problem["msg"]).removeprefix("Value error, ")
    if kind.startswith("date"):
        return f"{_DATE}{_read(problem)}"
    expected = str(problem.get("ctx", {}).get("expected", "")).replace(" or ", ", ")
    wanted = _EXPECTED.get(kind, str(problem["msg"])).format(expected=expected.replace("'", ""))
    return wanted if kind == "missing" else f"{wanted}{_read(problem)}"


def _read(problem: Mapping[str, Any]) -> str:
    return f"，现在是“{str(problem.get('input'))[:_SHOWN]}”"


def _unknown(place: Sequence[str | int], known: Mapping[str, Sequence[str]]) -> str:
    names = [step for step in place if isinstance(step, str)]
    allowed = known.get(names[-2] if len(names) > 1 else "", ())
    near = get_close_matches(names[-1], allowed, n=1)
    if near:
        return f"不认识的项，是不是 {near[0]}？"
    return f"不认识的项，这里可以写：{'、'.join(allowed)}" if allowed else "不认识的项，请检查拼写"


def _compose(text: str) -> yaml.Node | None:
    node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader) if text else None
    return node


def _line_of(root: yaml.Node | None, place: Sequence[str | int]) -> int | None:
    """Find the line of a place, or of the nearest that exists above it."""
    node, line = root, None
    for step in place:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == step), None)
            if pair is None:
                break
            node, line = pair[1], pair[0].start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            if step >= len(node.value):
                break
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line
