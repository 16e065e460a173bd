"""claims: notices, panels, reminders, claw-backs, single payments, repair of credit

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('integrity_repairs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('record_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('deeds', sa.String(), nullable=False),
    sa.Column('applied_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('applied_by_id', sa.Integer(), nullable=True),
    sa.Column('opinion', sa.String(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.CheckConstraint("(state = 'applied') = (decided_at IS NULL)", name=op.f('ck_integrity_repairs_decided_when')),
    sa.ForeignKeyConstraint(['applied_by_id'], ['accounts_users.id'], name=op.f('fk_integrity_repairs_applied_by_id')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['accounts_users.id'], name=op.f('fk_integrity_repairs_decided_by_id')),
    sa.ForeignKeyConstraint(['record_id'], ['integrity_records.id'], name=op.f('fk_integrity_repairs_record_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_integrity_repairs'))
    )
    with op.batch_alter_table('integrity_repairs', schema=None) as batch_op:
        batch_op.create_index('uq_integrity_repairs_open', ['record_id'], unique=True, sqlite_where=sa.text("state = 'applied'"), postgresql_where=sa.text("state = 'applied'"))

    op.create_table('subsidies_claim_grounds',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('claim_id', sa.Integer(), nullable=False),
    sa.Column('item', sa.String(length=40), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('what', sa.String(), nullable=False),
    sa.Column('proof', sa.String(), nullable=False),
    sa.Column('happened_on', sa.Date(), nullable=False),
    sa.Column('paid_fen', sa.BigInteger(), nullable=False),
    sa.Column('counted_fen', sa.BigInteger(), nullable=False),
    sa.Column('excellent', sa.Boolean(), nullable=False),
    sa.Column('counterparty_organisation_id', sa.Integer(), nullable=True),
    sa.CheckConstraint('counted_fen >= 0', name=op.f('ck_subsidies_claim_grounds_counted_not_negative')),
    sa.CheckConstraint('paid_fen >= 0', name=op.f('ck_subsidies_claim_grounds_paid_not_negative')),
    sa.ForeignKeyConstraint(['claim_id'], ['subsidies_claims.id'], name=op.f('fk_subsidies_claim_grounds_claim_id')),
    sa.ForeignKeyConstraint(['counterparty_organisation_id'], ['accounts_organisations.id'], name=op.f('fk_subsidies_claim_grounds_counterparty_organisation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subsidies_claim_grounds')),
    sa.UniqueConstraint('item', 'key', name=op.f('uq_subsidies_claim_grounds_item_key'))
    )
    with op.batch_alter_table('subsidies_claim_grounds', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_subsidies_claim_grounds_claim_id'), ['claim_id'], unique=False)

    op.create_table('subsidies_claw_backs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('claim_id', sa.Integer(), nullable=False),
    sa.Column('ground', sa.String(length=40), nullable=False),
    sa.Column('article', sa.String(), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('document', sa.String(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('integrity_record_id', sa.Integer(), nullable=True),
    sa.Column('ordered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ordered_by_id', sa.Integer(), nullable=True),
    sa.Column('reference', sa.String(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('received_by_id', sa.Integer(), nullable=True),
    sa.CheckConstraint("(received_at IS NULL) = (reference = '')", name=op.f('ck_subsidies_claw_backs_received_with_reference')),
    sa.CheckConstraint('amount_fen > 0', name=op.f('ck_subsidies_claw_backs_amount_positive')),
    sa.CheckConstraint('received_by_id <> ordered_by_id', name=op.f('ck_subsidies_claw_backs_two_persons')),
    sa.ForeignKeyConstraint(['claim_id'], ['subsidies_claims.id'], name=op.f('fk_subsidies_claw_backs_claim_id')),
    sa.ForeignKeyConstraint(['ordered_by_id'], ['accounts_users.id'], name=op.f('fk_subsidies_claw_backs_ordered_by_id')),
    sa.ForeignKeyConstraint(['received_by_id'], ['accounts_users.id'], name=op.f('fk_subsidies_claw_backs_received_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subsidies_claw_backs')),
    sa.UniqueConstraint('claim_id', name=op.f('uq_subsidies_claw_backs_claim_id'))
    )
    with op.batch_alter_table('integrity_records', schema=None) as batch_op:
        batch_op.add_column(sa.Column('repaired_on', sa.Date(), nullable=True))
        batch_op.create_check_constraint(batch_op.f('ck_integrity_records_repaired_within'), 'repaired_on > starts_on')

    with op.batch_alter_table('subsidies_claims', schema=None) as batch_op:
        batch_op.add_column(sa.Column('particulars', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False, server_default='{"recognition": null, "trainings": []}'))
        batch_op.add_column(sa.Column('remind_on', sa.Date(), nullable=True))
        batch_op.create_index('ix_subsidies_claims_remind', ['remind_on'], unique=False)

    with op.batch_alter_table('subsidies_payment_lists', schema=None) as batch_op:
        batch_op.add_column(sa.Column('due_on', sa.Date(), nullable=True))

    with op.batch_alter_table('subsidies_reviews', schema=None) as batch_op:
        batch_op.add_column(sa.Column('seat', sa.Integer(), nullable=False, server_default='1'))
        batch_op.drop_constraint(batch_op.f('uq_subsidies_reviews_claim_id_step_attempt'), type_='unique')
        batch_op.create_check_constraint(batch_op.f('ck_subsidies_reviews_seat_in_range'), 'seat BETWEEN 1 AND 9')
        batch_op.create_unique_constraint(batch_op.f('uq_subsidies_reviews_claim_id_step_attempt_reviewer_user_id'), ['claim_id', 'step', 'attempt', 'reviewer_user_id'])
        batch_op.create_unique_constraint(batch_op.f('uq_subsidies_reviews_claim_id_step_attempt_seat'), ['claim_id', 'step', 'attempt', 'seat'])

    with op.batch_alter_table('subsidies_rounds', schema=None) as batch_op:
        # A notice before this spoke of the items on contracts, and one expert judged each claim.
        batch_op.add_column(sa.Column('items', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False, server_default='["seller", "buyer", "agency", "registrar"]'))
        batch_op.add_column(sa.Column('eligible', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('documents', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('expert_count', sa.Integer(), nullable=False, server_default='1'))
        batch_op.create_check_constraint(batch_op.f('ck_subsidies_rounds_experts'), 'expert_count BETWEEN 1 AND 9')

    # The defaults were for the rows that stood there; new rows say what they are.
    for table, columns in (
        ('subsidies_claims', ('particulars',)),
        ('subsidies_reviews', ('seat',)),
        ('subsidies_rounds', ('items', 'eligible', 'documents', 'expert_count')),
    ):
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.alter_column(column, server_default=None)
    op.execute('UPDATE subsidies_claims SET remind_on = due_on')


def downgrade() -> None:
    # One seat for a step again: of a panel the first opinion stays.
    op.execute('DELETE FROM subsidies_reviews WHERE seat > 1')
    op.execute("UPDATE subsidies_claims SET status = 'clawed_back' WHERE status = 'reclaiming'")
    with op.batch_alter_table('subsidies_rounds', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_subsidies_rounds_experts'), type_='check')
        batch_op.drop_column('expert_count')
        batch_op.drop_column('documents')
        batch_op.drop_column('eligible')
        batch_op.drop_column('items')

    with op.batch_alter_table('subsidies_reviews', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_subsidies_reviews_claim_id_step_attempt_seat'), type_='unique')
        batch_op.drop_constraint(batch_op.f('uq_subsidies_reviews_claim_id_step_attempt_reviewer_user_id'), type_='unique')
        batch_op.create_unique_constraint(batch_op.f('uq_subsidies_reviews_claim_id_step_attempt'), ['claim_id', 'step', 'attempt'])
        batch_op.drop_constraint(batch_op.f('ck_subsidies_reviews_seat_in_range'), type_='check')
        batch_op.drop_column('seat')

    with op.batch_alter_table('subsidies_payment_lists', schema=None) as batch_op:
        batch_op.drop_column('due_on')

    with op.batch_alter_table('subsidies_claims', schema=None) as batch_op:
        batch_op.drop_index('ix_subsidies_claims_remind')
        batch_op.drop_column('remind_on')
        batch_op.drop_column('particulars')

    with op.batch_alter_table('integrity_records', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_integrity_records_repaired_within'), type_='check')
        batch_op.drop_column('repaired_on')

    op.drop_table('subsidies_claw_backs')
    with op.batch_alter_table('subsidies_claim_grounds', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_subsidies_claim_grounds_claim_id'))

    op.drop_table('subsidies_claim_grounds')
    with op.batch_alter_table('integrity_repairs', schema=None) as batch_op:
        batch_op.drop_index('uq_integrity_repairs_open', sqlite_where=sa.text("state = 'applied'"), postgresql_where=sa.text("state = 'applied'"))

    op.drop_table('integrity_repairs')
