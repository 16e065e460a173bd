"""Letters that carry a secret or a warning straight to a mailbox, past the inbox; pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from marketplace.foundation.words import Word


class LetterKind(Word):
    """What a letter is about."""

    PASSWORD_RESET = "password_reset", "重设密码"
    NEW_ADDRESS = "new_address", "确认新邮箱"
    ADDRESS_CHANGED = "address_changed", "登录邮箱已更换"


LINK_LIFE = {
    LetterKind.PASSWORD_RESET: timedelta(minutes=30),  # ASVS 6.4.1
    LetterKind.NEW_ADDRESS: timedelta(hours=24),
    LetterKind.ADDRESS_CHANGED: timedelta(hours=24),
}
ASKING_WINDOW = timedelta(hours=1)
# Longer than the window in which asking is counted.
KEPT = timedelta(days=1)
LETTERS_PER_MAILBOX = 3
LETTERS_PER_ADDRESS = 20

_TEXTS = {
    LetterKind.PASSWORD_RESET: (
        "重设密码",
        "有人为这个邮箱的账号申请了重设密码。若是您本人，请在 30 分钟内打开下面的链接，"
        "链接只能用一次：\n\n{link}\n\n若不是您，不用理会：密码没有变化。",
    ),
    LetterKind.NEW_ADDRESS: (
        "确认新的登录邮箱",
        "有人要把这个邮箱设为平台账号的登录邮箱。若是您本人，请在 24 小时内打开下面的链接确认，"
        "链接只能用一次：\n\n{link}\n\n若不是您，不用理会：账号没有变化。",
    ),
    LetterKind.ADDRESS_CHANGED: (
        "登录邮箱已更换",
        "您的账号已改用另一个邮箱登录，这个邮箱不再使用。若不是您本人更换，请马上联系交易中心。",
    ),
}


def subject_of(kind: LetterKind) -> str:
    """Return a letter's subject line."""
    return f"【济南科技成果转化平台】{_TEXTS[kind][0]}"


def text_of(kind: LetterKind, link: str) -> str:
    """Return a letter's text with its link."""
    body = _TEXTS[kind][1].format(link=link)
    return f"{body}\n\n这封邮件由济南科技成果转化平台自动发出，请勿回复。\n"


def expires_at(kind: LetterKind, *, now: datetime) -> datetime:
    """Return when a link of that kind ends."""
    return now + LINK_LIFE[kind]
