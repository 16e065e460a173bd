"""What time brings about in accounts: traces of signing in end."""

from __future__ import annotations

from marketplace.accounts import personal_service
from marketplace.foundation.due import DueTask

TASKS = (DueTask("accounts.remove_expired", None, personal_service.remove_expired),)
