"""What time alone does in discovery: the table of learned terms is made anew."""

from __future__ import annotations

from marketplace.discovery.learning_service import learn_when_due
from marketplace.foundation.due import DueTask

TASKS = [DueTask("discovery.learn", None, learn_when_due)]
