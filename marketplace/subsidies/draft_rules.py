"""Drafts of documents: who may try them, and how their text is read. Pure."""

from __future__ import annotations

import yaml

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.reference_messages import parse
from marketplace.subsidies.parameters import Policy, read_policy

TRY_POLICIES = Permission("subsidies.try_policies", frozenset({Role.BUREAU_REVIEWER}))

MAX_LETTERS = 60_000
_DEEPEST = 20
_UNNAMED = "草案"


def read_draft(text: str) -> Policy:
    """Read a draft's text like a policy file; refuse with ``RuleBroken`` on the field ``text``.

    Every problem names its line, the place, what was expected and what stands there.
    """
    if not text.strip():
        raise RuleBroken("drafts.empty", "草案还没有内容，可以从一份现有文件复制开始", "text")
    if len(text) > MAX_LETTERS:
        raise RuleBroken("drafts.long", f"草案至多 {MAX_LETTERS:,} 个字，请删去无关内容", "text")
    try:
        _check_shape(text)
        content = parse(_UNNAMED, text)
        return read_policy(_name_of(content), content, text)
    except RuleBroken as refusal:
        raise RuleBroken(refusal.code, refusal.message, "text") from refusal


def _name_of(content: object) -> str:
    """Return the name that the text's own id gives it."""
    if not isinstance(content, dict) or not isinstance(content.get("id"), str):
        return _UNNAMED
    name, known = content["id"], content.get("known_from")
    return f"{name}@{known}" if content.get("correction") and known else str(name)


def _line(event: yaml.Event) -> str:
    return f"第 {event.start_mark.line + 1} 行：" if event.start_mark else ""


def _check_shape(text: str) -> None:
    """Refuse what no policy file needs and a reader could choke on: references, deep nesting."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise RuleBroken(
                    "drafts.reference", f"{_line(event)}不能用 YAML 的引用（& 和 *），请把内容写全"
                )
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > _DEEPEST:
                    raise RuleBroken(
                        "drafts.deep",
                        f"{_line(event)}嵌套超过 {_DEEPEST} 层，请检查缩进和括号",
                    )
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.YAMLError:
        return  # ``parse`` says where and what
