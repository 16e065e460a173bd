"""People keep searches, and are told from then on."""

from __future__ import annotations

from marketplace.discovery import subscription_service
from marketplace.discovery.subscription_rules import Frequency
from seed.demo.stage import Stage, Story
from seed.demo.supply_records import SavedSearch


def saved_search(stage: Stage, record: SavedSearch) -> Story:
    """Let somebody keep a search under a name."""
    yield stage.at(record.saved_on, record.by + record.name)
    subscription_service.save(
        stage.session,
        actor=stage.actor(record.by),
        now=stage.now,
        name=record.name,
        arguments={"q": [record.q], "tab": [record.tab]},
        frequency=Frequency(record.frequency),
    )
