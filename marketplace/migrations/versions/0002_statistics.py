"""projections of the statistics

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "statistics_contracts",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("contract_no", sa.String(), nullable=False),
        sa.Column("contract_type", sa.String(length=40), nullable=False),
        sa.Column("registered_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("technology_amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=True),
        sa.Column("seller_kind", sa.String(length=40), nullable=False),
        sa.Column("seller_district", sa.String(length=40), nullable=True),
        sa.Column("buyer_district", sa.String(length=40), nullable=True),
        sa.Column("brokered", sa.Boolean(), nullable=False),
        sa.Column("cancelled_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("pk_statistics_contracts")),
    )
    op.create_index("ix_statistics_contracts_day", "statistics_contracts", ["registered_on"])
    op.create_table(
        "statistics_facts",
        sa.Column("measure", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=True),
        sa.Column("district", sa.String(length=40), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("measure", "subject", name=op.f("pk_statistics_facts")),
    )
    op.create_index("ix_statistics_facts_day", "statistics_facts", ["measure", "happened_on"])


def downgrade() -> None:
    op.drop_index("ix_statistics_facts_day", table_name="statistics_facts")
    op.drop_table("statistics_facts")
    op.drop_index("ix_statistics_contracts_day", table_name="statistics_contracts")
    op.drop_table("statistics_contracts")
