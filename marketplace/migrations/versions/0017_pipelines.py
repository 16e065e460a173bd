"""pipelines: every deal stands in a step of one; those there are go on as before

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('brokerage_deals', schema=None) as batch_op:
        batch_op.add_column(sa.Column('pipeline', sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column('step', sa.String(length=40), nullable=True))
    # The first pipeline has the stages themselves for steps; a lost deal keeps how far it came.
    op.execute(
        "UPDATE brokerage_deals SET pipeline = 'transfer', "
        "step = CASE WHEN stage = 'lost' THEN COALESCE(lost_from, 'lead') ELSE stage END"
    )
    with op.batch_alter_table('brokerage_deals', schema=None) as batch_op:
        batch_op.alter_column('pipeline', existing_type=sa.String(length=40), nullable=False)
        batch_op.alter_column('step', existing_type=sa.String(length=40), nullable=False)
        batch_op.create_check_constraint(
            batch_op.f('ck_brokerage_deals_end_is_common'),
            "stage NOT IN ('signed', 'registered', 'paid') OR step = stage",
        )


def downgrade() -> None:
    with op.batch_alter_table('brokerage_deals', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_brokerage_deals_end_is_common'), type_='check')
        batch_op.drop_column('step')
        batch_op.drop_column('pipeline')
