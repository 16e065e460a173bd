"""Alembic's entry: run against the connection that the caller hands over."""

from __future__ import annotations

from alembic import context

from marketplace import wiring
from marketplace.foundation.db import Base

# Importing the composition root imports every slice, and with it every table.
assert wiring.BLUEPRINTS

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
