"""a priority right that was claimed is asked again at the price found

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

from alembic import op

revision = '0019'
down_revision = "0018"
branch_labels = None
depends_on = None

_NAME = 'ck_listings_priorities_answered'


def _answered(condition: str) -> None:
    with op.batch_alter_table('listings_priorities', schema=None) as batch_op:
        batch_op.drop_constraint(op.f(_NAME), type_='check')
        batch_op.create_check_constraint(op.f(_NAME), condition)


def upgrade() -> None:
    _answered("(state IN ('asked', 'silent')) = (answered_at IS NULL)")


def downgrade() -> None:
    # What was asked at the price goes back to what it was before.
    op.execute("UPDATE listings_priorities SET state = 'claimed' WHERE state IN ('offered', 'exercised', 'lapsed')")
    _answered("(state IN ('waived', 'claimed')) = (answered_at IS NOT NULL)")
