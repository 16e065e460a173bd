"""How often one caller may call: a flood brake, counted in each process.

What must hold exactly (lock-outs, bids, single use) is held in tables, not here.
"""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from marketplace.foundation.errors import TooMany


class CallLimit:
    """A number of calls in any 60 seconds for each caller."""

    code, words = "api.too_many", "调用太频繁，请按 Retry-After 的秒数等待后再试"

    def __init__(self, per_minute: int) -> None:
        self._item = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, caller: str) -> None:
        """Count one call; refuse it with ``TooMany`` and the seconds to wait."""
        if self._limiter.hit(self._item, caller):
            return
        free_at = self._limiter.get_window_stats(self._item, caller).reset_time
        raise TooMany(
            self.code,
            self.words,
            retry_after=max(1, math.ceil(free_at - time.time())),
        )

    def check(self, caller: str) -> None:
        """Refuse a caller whose calls are used up, without counting one."""
        if not self._limiter.test(self._item, caller):
            self.count(caller)


class SendLimit(CallLimit):
    """A number of forms that one address sends in any 60 seconds without being signed in."""

    code, words = (
        "web.too_many",
        "这个网络地址一分钟内提交得太多，这次没有办理；请用返回键回到刚才的页面，过一分钟再提交",
    )
