"""the match desk and proposals; kept views of the deals; chances of their leaders

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0014'
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('discovery_pairing_due',
    sa.Column('document_id', sa.String(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('document_id', name=op.f('pk_discovery_pairing_due'))
    )
    with op.batch_alter_table('discovery_pairing_due', schema=None) as batch_op:
        batch_op.create_index('ix_discovery_pairing_asked', ['asked_at'], unique=False)

    op.create_table('brokerage_saved_views',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('arguments', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('starts', sa.Boolean(), nullable=False),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_brokerage_saved_views_organisation_id')),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_brokerage_saved_views_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brokerage_saved_views')),
    sa.UniqueConstraint('user_id', 'organisation_id', 'name', name=op.f('uq_brokerage_saved_views_user_id_organisation_id_name'))
    )
    with op.batch_alter_table('brokerage_saved_views', schema=None) as batch_op:
        batch_op.create_index('uq_brokerage_saved_views_start', ['user_id', 'organisation_id'], unique=True, sqlite_where=sa.text('starts'), postgresql_where=sa.text('starts'))

    op.create_table('discovery_pairs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('need_id', sa.Integer(), nullable=False),
    sa.Column('achievement_id', sa.Integer(), nullable=False),
    sa.Column('buyer_organisation_id', sa.Integer(), nullable=False),
    sa.Column('seller_organisation_id', sa.Integer(), nullable=False),
    sa.Column('need_field', sa.String(length=40), nullable=True),
    sa.Column('achievement_field', sa.String(length=40), nullable=True),
    sa.Column('fit', sa.Integer(), nullable=False),
    sa.Column('weight', sa.Double(), nullable=False),
    sa.Column('points', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('terms', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('sentence', sa.String(), nullable=False),
    sa.Column('opinion', sa.String(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('current', sa.Boolean(), nullable=False),
    sa.CheckConstraint('fit BETWEEN 0 AND 100', name=op.f('ck_discovery_pairs_fit_percent')),
    sa.ForeignKeyConstraint(['achievement_id'], ['achievements_achievements.id'], name=op.f('fk_discovery_pairs_achievement_id')),
    sa.ForeignKeyConstraint(['buyer_organisation_id'], ['accounts_organisations.id'], name=op.f('fk_discovery_pairs_buyer_organisation_id')),
    sa.ForeignKeyConstraint(['need_id'], ['needs_needs.id'], name=op.f('fk_discovery_pairs_need_id')),
    sa.ForeignKeyConstraint(['seller_organisation_id'], ['accounts_organisations.id'], name=op.f('fk_discovery_pairs_seller_organisation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_discovery_pairs')),
    sa.UniqueConstraint('need_id', 'achievement_id', name=op.f('uq_discovery_pairs_need_id_achievement_id'))
    )
    with op.batch_alter_table('discovery_pairs', schema=None) as batch_op:
        batch_op.create_index('ix_discovery_pairs_achievement', ['achievement_id'], unique=False)
        batch_op.create_index('ix_discovery_pairs_desk', ['current', 'weight'], unique=False)

    op.create_table('discovery_desk_answers',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('pair_id', sa.Integer(), nullable=False),
    sa.Column('broker_user_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('reason', sa.String(length=40), nullable=True),
    sa.Column('words', sa.String(), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("(state = 'dismissed') = (reason IS NOT NULL)", name=op.f('ck_discovery_desk_answers_dismissed_reason')),
    sa.CheckConstraint("(state = 'snoozed') = (until IS NOT NULL)", name=op.f('ck_discovery_desk_answers_snoozed_until')),
    sa.ForeignKeyConstraint(['broker_user_id'], ['accounts_users.id'], name=op.f('fk_discovery_desk_answers_broker_user_id')),
    sa.ForeignKeyConstraint(['pair_id'], ['discovery_pairs.id'], name=op.f('fk_discovery_desk_answers_pair_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_discovery_desk_answers')),
    sa.UniqueConstraint('broker_user_id', 'pair_id', name=op.f('uq_discovery_desk_answers_broker_user_id_pair_id'))
    )
    with op.batch_alter_table('discovery_desk_answers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_discovery_desk_answers_pair_id'), ['pair_id'], unique=False)

    op.create_table('brokerage_chance_overrides',
    sa.Column('deal_id', sa.Integer(), nullable=False),
    sa.Column('percent', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('measured_percent', sa.Integer(), nullable=True),
    sa.Column('stage', sa.String(length=40), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('set_by_name', sa.String(), nullable=False),
    sa.CheckConstraint('percent BETWEEN 1 AND 99', name=op.f('ck_brokerage_chance_overrides_percent')),
    sa.ForeignKeyConstraint(['deal_id'], ['brokerage_deals.id'], name=op.f('fk_brokerage_chance_overrides_deal_id')),
    sa.PrimaryKeyConstraint('deal_id', name=op.f('pk_brokerage_chance_overrides'))
    )
    op.create_table('brokerage_proposals',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('need_id', sa.Integer(), nullable=False),
    sa.Column('achievement_id', sa.Integer(), nullable=False),
    sa.Column('seller_organisation_id', sa.Integer(), nullable=False),
    sa.Column('buyer_organisation_id', sa.Integer(), nullable=False),
    sa.Column('anonymous', sa.Boolean(), nullable=False),
    sa.Column('broker_user_id', sa.Integer(), nullable=False),
    sa.Column('agency_organisation_id', sa.Integer(), nullable=True),
    sa.Column('words', sa.String(), nullable=False),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('buyer_answer', sa.String(length=40), nullable=False),
    sa.Column('seller_answer', sa.String(length=40), nullable=False),
    sa.Column('buyer_words', sa.String(), nullable=False),
    sa.Column('seller_words', sa.String(), nullable=False),
    sa.Column('deal_id', sa.Integer(), nullable=True),
    sa.CheckConstraint('seller_organisation_id <> buyer_organisation_id', name=op.f('ck_brokerage_proposals_two_parties')),
    sa.ForeignKeyConstraint(['achievement_id'], ['achievements_achievements.id'], name=op.f('fk_brokerage_proposals_achievement_id')),
    sa.ForeignKeyConstraint(['agency_organisation_id'], ['accounts_organisations.id'], name=op.f('fk_brokerage_proposals_agency_organisation_id')),
    sa.ForeignKeyConstraint(['broker_user_id'], ['accounts_users.id'], name=op.f('fk_brokerage_proposals_broker_user_id')),
    sa.ForeignKeyConstraint(['buyer_organisation_id'], ['accounts_organisations.id'], name=op.f('fk_brokerage_proposals_buyer_organisation_id')),
    sa.ForeignKeyConstraint(['deal_id'], ['brokerage_deals.id'], name=op.f('fk_brokerage_proposals_deal_id')),
    sa.ForeignKeyConstraint(['need_id'], ['needs_needs.id'], name=op.f('fk_brokerage_proposals_need_id')),
    sa.ForeignKeyConstraint(['seller_organisation_id'], ['accounts_organisations.id'], name=op.f('fk_brokerage_proposals_seller_organisation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brokerage_proposals'))
    )
    with op.batch_alter_table('brokerage_proposals', schema=None) as batch_op:
        batch_op.create_index('ix_brokerage_proposals_broker', ['broker_user_id', 'id'], unique=False)
        batch_op.create_index('ix_brokerage_proposals_buyer', ['buyer_organisation_id', 'buyer_answer'], unique=False)
        batch_op.create_index('ix_brokerage_proposals_seller', ['seller_organisation_id', 'seller_answer'], unique=False)
        batch_op.create_index('uq_brokerage_proposals_open', ['need_id', 'achievement_id'], unique=True, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
    # The worker finds the pairs of every need once; one that is closed makes none.
    op.execute(
        "INSERT INTO discovery_pairing_due (document_id, asked_at) "
        "SELECT 'need:' || id, updated_at FROM needs_needs"
    )


def downgrade() -> None:
    with op.batch_alter_table('brokerage_proposals', schema=None) as batch_op:
        batch_op.drop_index('uq_brokerage_proposals_open', sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
        batch_op.drop_index('ix_brokerage_proposals_seller')
        batch_op.drop_index('ix_brokerage_proposals_buyer')
        batch_op.drop_index('ix_brokerage_proposals_broker')

    op.drop_table('brokerage_proposals')
    op.drop_table('brokerage_chance_overrides')
    with op.batch_alter_table('discovery_desk_answers', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_discovery_desk_answers_pair_id'))

    op.drop_table('discovery_desk_answers')
    with op.batch_alter_table('discovery_pairs', schema=None) as batch_op:
        batch_op.drop_index('ix_discovery_pairs_desk')
        batch_op.drop_index('ix_discovery_pairs_achievement')

    op.drop_table('discovery_pairs')
    with op.batch_alter_table('brokerage_saved_views', schema=None) as batch_op:
        batch_op.drop_index('uq_brokerage_saved_views_start', sqlite_where=sa.text('starts'), postgresql_where=sa.text('starts'))

    op.drop_table('brokerage_saved_views')
    with op.batch_alter_table('discovery_pairing_due', schema=None) as batch_op:
        batch_op.drop_index('ix_discovery_pairing_asked')

    op.drop_table('discovery_pairing_due')
