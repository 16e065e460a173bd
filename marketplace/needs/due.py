"""What time alone does to needs: past their deadline they end."""

from __future__ import annotations

from marketplace.foundation.due import DueTask
from marketplace.needs import market_service

TASKS = [DueTask("needs.expire", market_service.next_due, market_service.expire)]
