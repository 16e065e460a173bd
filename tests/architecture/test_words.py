"""Words of the trade stand in the glossary, or they are no names."""

from __future__ import annotations

import ast

import yaml

from marketplace import wiring
from marketplace.foundation.audit_actions import action_words, code_label
from marketplace.foundation.words import Word
from tests.architecture.source import ROOT, modules


def _all_words() -> list[type[Word]]:
    assert wiring.BLUEPRINTS  # importing it imports every slice
    found: list[type[Word]] = []
    waiting = [Word]
    while waiting:
        for subclass in waiting.pop().__subclasses__():
            if subclass.__module__.startswith("marketplace"):
                found.append(subclass)
                waiting.append(subclass)
    return found


def test_every_word_stands_in_the_glossary() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    missing = [
        f"{word.__module__}.{word.__name__}.{member.name}: `{member.value}` {member.label}"
        for word in _all_words()
        for member in word
        if f"`{member.value}` {member.label}" not in glossary
    ]
    assert not missing, "not in docs/glossary.md:\n" + "\n".join(missing)


def test_labels_are_chinese_and_tones_known() -> None:
    for word in _all_words():
        for member in word:
            assert member.label, member
            assert member.tone in ("", "ok", "run", "warn", "danger", "neutral"), member


def test_every_action_of_the_audit_has_words() -> None:
    """Those that are written out where they are recorded; the demo's test looks at the rest."""
    written = {
        node.value.value
        for module in modules("marketplace")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.keyword)
        and node.arg == "action"
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }
    missing = sorted(code for code in written if code and code not in action_words())
    assert len(written) > 80
    assert not missing, missing


def test_codes_in_the_audit_are_said_in_the_words_of_their_own_slice() -> None:
    assert _all_words()  # every slice's words are known
    assert code_label("brokerage.move", "stage", "price_talk") == "价格洽谈"
    assert code_label("accounts.verify", "state", "verified") == "已核验"
    assert code_label("accounts.verify", "state", "price_talk") == "price_talk"
    assert code_label("brokerage.move", "stage", "寄样品") == "寄样品"
    assert code_label("brokerage.add_note", "kind", "visit") == "拜访"
    assert code_label("brokerage.open_dispute", "ground", "amount") == "佣金数额有误"


def test_a_code_with_several_meanings_is_said_in_the_words_of_its_field() -> None:
    assert code_label("brokerage.move_expense", "status", "declined") == "不同意"
    assert code_label("brokerage.answer_request", "status", "declined") == "已婉拒"
    assert code_label("listings.withdraw", "state", "withdrawn") == "已撤牌"
    assert code_label("listings.intent.withdraw", "state", "withdrawn") == "已撤回"
    assert code_label("certificates.withdraw", "state", "withdrawn") == "已撤销"
    assert code_label("accounts.set_roles", "roles", "enterprise") == "企业经办人"
    # Where no field is named for it, the bare code is more honest than either word.
    assert code_label("brokerage.open_deal", "note", "declined") == "declined"


def test_the_words_of_a_field_are_named_once() -> None:
    names = [word.__name__ for word in _all_words()]
    told = yaml.safe_load((ROOT / "seed/reference/audit_actions.yaml").read_text())
    for fields in told["codes"].values():
        assert [name for name in fields.values() if names.count(name) != 1] == []
