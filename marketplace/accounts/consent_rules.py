"""What people consent to, in which words; pure.

Each purpose has its own text and its own consent (PIPL art. 14, 23): one is never part of another,
and a new version of a text asks again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from marketplace.foundation.words import Word


class ConsentPurpose(Word):
    """What a person agrees that personal data are used for."""

    PLATFORM = "platform", "使用平台"
    PHONE_TO_BROKER = "phone_to_broker", "把电话交给技术经理人"


@dataclass(frozen=True)
class ConsentText:
    """One version of what is agreed to."""

    version: str
    words: str

    @property
    def digest(self) -> str:
        """Return the hash by which the agreed words are known later."""
        return hashlib.sha256(self.words.encode()).hexdigest()


TEXTS: dict[ConsentPurpose, ConsentText] = {
    ConsentPurpose.PLATFORM: ConsentText(
        "2024-01",
        "平台处理我的姓名、登录邮箱、手机、职务和所属机构，用于核验身份、办理交易和依法留存记录，"
        "详见隐私政策。",
    ),
    ConsentPurpose.PHONE_TO_BROKER: ConsentText(
        "2024-01",
        "平台把我的姓名和电话交给我选定的这一位技术经理人，只用于联系本次请求；"
        "我可以随时撤回，撤回不影响此前已经发生的联系。",
    ),
}


def text_of(purpose: ConsentPurpose) -> ConsentText:
    """Return the version that is asked for today."""
    return TEXTS[purpose]
