"""years and drafts of subsidies

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op



revision = '0006'
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('subsidies_policy_drafts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('edition', sa.Integer(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('edition >= 1', name=op.f('ck_subsidies_policy_drafts_edition_positive')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subsidies_policy_drafts')),
    sa.UniqueConstraint('name', name=op.f('uq_subsidies_policy_drafts_name'))
    )
    with op.batch_alter_table('subsidies_policy_drafts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_subsidies_policy_drafts_changed_at'), ['changed_at'], unique=False)

    op.create_table('subsidies_policy_draft_editions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('draft_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('saved_by_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['draft_id'], ['subsidies_policy_drafts.id'], name=op.f('fk_subsidies_policy_draft_editions_draft_id_subsidies_policy_drafts')),
    sa.ForeignKeyConstraint(['saved_by_id'], ['accounts_users.id'], name=op.f('fk_subsidies_policy_draft_editions_saved_by_id_accounts_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subsidies_policy_draft_editions')),
    sa.UniqueConstraint('draft_id', 'number', name=op.f('uq_subsidies_policy_draft_editions_draft_id_number'))
    )
    op.create_table('subsidies_year_runs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('known_on', sa.Date(), nullable=False),
    sa.Column('computed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('contract_count', sa.Integer(), nullable=False),
    sa.Column('result_count', sa.Integer(), nullable=False),
    sa.Column('changed_count', sa.Integer(), nullable=False),
    sa.Column('total_fen', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subsidies_year_runs'))
    )
    with op.batch_alter_table('subsidies_year_runs', schema=None) as batch_op:
        batch_op.create_index('ix_subsidies_year_runs_year', ['year', 'id'], unique=False)

    op.create_table('subsidies_year_results',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('superseded_by_id', sa.Integer(), nullable=True),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('item', sa.String(length=40), nullable=False),
    sa.Column('policy_id', sa.String(), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.Column('before_fen', sa.BigInteger(), nullable=True),
    sa.Column('contract_count', sa.Integer(), nullable=False),
    sa.Column('counted_count', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('explanation', sa.Text(), nullable=False),
    sa.CheckConstraint('amount_fen >= 0', name=op.f('ck_subsidies_year_results_amount_not_negative')),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_subsidies_year_results_organisation_id_accounts_organisations')),
    sa.ForeignKeyConstraint(['run_id'], ['subsidies_year_runs.id'], name=op.f('fk_subsidies_year_results_run_id_subsidies_year_runs')),
    sa.ForeignKeyConstraint(['superseded_by_id'], ['subsidies_year_runs.id'], name=op.f('fk_subsidies_year_results_superseded_by_id_subsidies_year_runs')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subsidies_year_results')),
    sa.UniqueConstraint('run_id', 'organisation_id', 'item', name=op.f('uq_subsidies_year_results_run_id_organisation_id_item'))
    )
    with op.batch_alter_table('subsidies_year_results', schema=None) as batch_op:
        batch_op.create_index('ix_subsidies_year_results_amount', ['year', 'amount_fen'], unique=False)
        batch_op.create_index(batch_op.f('ix_subsidies_year_results_superseded_by_id'), ['superseded_by_id'], unique=False)
        batch_op.create_index('uq_subsidies_year_results_current', ['year', 'organisation_id', 'item'], unique=True, sqlite_where=sa.text('superseded_by_id IS NULL'), postgresql_where=sa.text('superseded_by_id IS NULL'))


def downgrade() -> None:
    with op.batch_alter_table('subsidies_year_results', schema=None) as batch_op:
        batch_op.drop_index('uq_subsidies_year_results_current', sqlite_where=sa.text('superseded_by_id IS NULL'), postgresql_where=sa.text('superseded_by_id IS NULL'))
        batch_op.drop_index(batch_op.f('ix_subsidies_year_results_superseded_by_id'))
        batch_op.drop_index('ix_subsidies_year_results_amount')

    op.drop_table('subsidies_year_results')
    with op.batch_alter_table('subsidies_year_runs', schema=None) as batch_op:
        batch_op.drop_index('ix_subsidies_year_runs_year')

    op.drop_table('subsidies_year_runs')
    op.drop_table('subsidies_policy_draft_editions')
    with op.batch_alter_table('subsidies_policy_drafts', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_subsidies_policy_drafts_changed_at'))

    op.drop_table('subsidies_policy_drafts')
