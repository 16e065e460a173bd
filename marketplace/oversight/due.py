"""What time brings about in oversight: heads are published, contacts let go."""

from __future__ import annotations

from marketplace.foundation.due import DueTask
from marketplace.oversight import head_service, report_service

TASKS = (
    DueTask("oversight.publish_head", None, head_service.publish_head),
    DueTask("oversight.remove_expired", None, report_service.remove_expired),
)
