"""deals merged into another or split from one; reminders of proposals;
certificates and days of attendance that count no longer

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = "0017"
branch_labels = None
depends_on = None

_PAIR = ['achievement_id', 'buyer_organisation_id']
_NEED = ['need_id', 'seller_organisation_id']
_PAIR_BEFORE = "achievement_id IS NOT NULL AND stage NOT IN ('lost', 'paid')"
_NEED_BEFORE = "achievement_id IS NULL AND need_id IS NOT NULL AND stage NOT IN ('lost','paid')"
_PAIR_SINCE = "achievement_id IS NOT NULL AND stage NOT IN ('lost', 'merged', 'paid')"
_NEED_SINCE = "achievement_id IS NULL AND need_id IS NOT NULL AND stage NOT IN ('lost', 'merged', 'paid')"


def _live(batch_op, name, columns, condition) -> None:
    batch_op.create_index(name, columns, unique=True, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))


def upgrade() -> None:
    with op.batch_alter_table('brokerage_deals', schema=None) as batch_op:
        batch_op.drop_index('uq_brokerage_deals_live_pair')
        batch_op.drop_index('uq_brokerage_deals_live_need')
        batch_op.add_column(sa.Column('part', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('split_from_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('merged_into_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('merged_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(op.f('fk_brokerage_deals_split_from_id'), 'brokerage_deals', ['split_from_id'], ['id'])
        batch_op.create_foreign_key(op.f('fk_brokerage_deals_merged_into_id'), 'brokerage_deals', ['merged_into_id'], ['id'])
        batch_op.create_check_constraint(op.f('ck_brokerage_deals_merged_into_another'), "(stage = 'merged') = (merged_into_id IS NOT NULL)")
        batch_op.create_check_constraint(op.f('ck_brokerage_deals_not_into_itself'), "merged_into_id <> id")
    with op.batch_alter_table('brokerage_deals', schema=None) as batch_op:
        batch_op.alter_column('part', server_default=None)
        batch_op.create_index(op.f('ix_brokerage_deals_split_from_id'), ['split_from_id'], unique=False)
        batch_op.create_index(op.f('ix_brokerage_deals_merged_into_id'), ['merged_into_id'], unique=False)
        _live(batch_op, 'uq_brokerage_deals_live_pair', [*_PAIR, 'part'], _PAIR_SINCE)
        _live(batch_op, 'uq_brokerage_deals_live_need', [*_NEED, 'part'], _NEED_SINCE)

    with op.batch_alter_table('brokerage_proposals', schema=None) as batch_op:
        batch_op.add_column(sa.Column('reminded_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index('ix_brokerage_proposals_end', ['state', 'valid_to'], unique=False)

    with op.batch_alter_table('training_attendances', schema=None) as batch_op:
        batch_op.add_column(sa.Column('struck_at', sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table('training_certificates', schema=None) as batch_op:
        batch_op.add_column(sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('revoked_reason', sa.String(), nullable=False, server_default=''))
    with op.batch_alter_table('training_certificates', schema=None) as batch_op:
        batch_op.alter_column('revoked_reason', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('training_certificates', schema=None) as batch_op:
        batch_op.drop_column('revoked_reason')
        batch_op.drop_column('revoked_at')

    with op.batch_alter_table('training_attendances', schema=None) as batch_op:
        batch_op.drop_column('struck_at')

    with op.batch_alter_table('brokerage_proposals', schema=None) as batch_op:
        batch_op.drop_index('ix_brokerage_proposals_end')
        batch_op.drop_column('reminded_at')

    # The schema before knows no deal that was merged: what is left of one is its end.
    op.execute(
        "UPDATE brokerage_deals SET stage = 'lost', lost_reason = 'other', lost_at = merged_at,"
        " lost_words = '已并入项目 ' || merged_into_id, merged_into_id = NULL"
        " WHERE merged_into_id IS NOT NULL"
    )
    with op.batch_alter_table('brokerage_deals', schema=None) as batch_op:
        batch_op.drop_index('uq_brokerage_deals_live_pair')
        batch_op.drop_index('uq_brokerage_deals_live_need')
        batch_op.drop_index(op.f('ix_brokerage_deals_merged_into_id'))
        batch_op.drop_index(op.f('ix_brokerage_deals_split_from_id'))
        batch_op.drop_constraint(op.f('ck_brokerage_deals_not_into_itself'), type_='check')
        batch_op.drop_constraint(op.f('ck_brokerage_deals_merged_into_another'), type_='check')
        batch_op.drop_constraint(op.f('fk_brokerage_deals_merged_into_id'), type_='foreignkey')
        batch_op.drop_constraint(op.f('fk_brokerage_deals_split_from_id'), type_='foreignkey')
        batch_op.drop_column('merged_at')
        batch_op.drop_column('merged_into_id')
        batch_op.drop_column('split_from_id')
        batch_op.drop_column('part')
    with op.batch_alter_table('brokerage_deals', schema=None) as batch_op:
        _live(batch_op, 'uq_brokerage_deals_live_pair', _PAIR, _PAIR_BEFORE)
        _live(batch_op, 'uq_brokerage_deals_live_need', _NEED, _NEED_BEFORE)
