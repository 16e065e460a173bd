"""trust: origin and algorithm of audit rows, published heads, reports, consents

Rows of the audit from before keep the first algorithm and no origin. After a downgrade the older
program cannot verify rows that were written since: export them first.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('oversight_daily_heads',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('mailed_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('sequence >= 0', name=op.f('ck_oversight_daily_heads_sequence_not_negative')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_oversight_daily_heads')),
    sa.UniqueConstraint('day', name=op.f('uq_oversight_daily_heads_day'))
    )
    with op.batch_alter_table('oversight_daily_heads', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_oversight_daily_heads_mailed_at'), ['mailed_at'], unique=False)

    op.create_table('accounts_consents',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('purpose', sa.String(length=40), nullable=False),
    sa.Column('recipient', sa.String(), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('text_digest', sa.String(length=64), nullable=False),
    sa.Column('given_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('withdrawn_at IS NULL OR withdrawn_at >= given_at', name=op.f('ck_accounts_consents_in_order')),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_accounts_consents_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts_consents'))
    )
    with op.batch_alter_table('accounts_consents', schema=None) as batch_op:
        batch_op.create_index('ix_accounts_consents_user', ['user_id', 'purpose', 'recipient'], unique=False)

    op.create_table('oversight_reports',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('subject_title', sa.String(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('words', sa.String(), nullable=False),
    sa.Column('contact', sa.String(), nullable=False),
    sa.Column('reporter_user_id', sa.Integer(), nullable=True),
    sa.Column('reported_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.Column('decision_words', sa.String(), nullable=False),
    sa.CheckConstraint("state = 'open' OR (decided_at IS NOT NULL AND decision_words <> '')", name=op.f('ck_oversight_reports_decision_has_words')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['accounts_users.id'], name=op.f('fk_oversight_reports_decided_by_id')),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_oversight_reports_organisation_id')),
    sa.ForeignKeyConstraint(['reporter_user_id'], ['accounts_users.id'], name=op.f('fk_oversight_reports_reporter_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_oversight_reports')),
    sa.UniqueConstraint('code', name=op.f('uq_oversight_reports_code'))
    )
    with op.batch_alter_table('oversight_reports', schema=None) as batch_op:
        batch_op.create_index('ix_oversight_reports_queue', ['state', 'reported_at', 'id'], unique=False)
        batch_op.create_index('ix_oversight_reports_subject', ['subject', 'state'], unique=False)

    with op.batch_alter_table('accounts_users', schema=None) as batch_op:
        batch_op.add_column(sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table('foundation_audit_rows', schema=None) as batch_op:
        batch_op.add_column(sa.Column('origin', sa.String(length=100), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('algorithm', sa.String(length=20), nullable=False, server_default='sha256-1'))
        batch_op.drop_index(batch_op.f('ix_audit_subject'))
        batch_op.create_index('ix_audit_subject', ['subject', 'happened_at', 'sequence'], unique=False)
        batch_op.create_index('ix_audit_action', ['action', 'happened_at', 'sequence'], unique=False)
        batch_op.create_index('ix_audit_moment', ['happened_at', 'sequence'], unique=False)
        batch_op.create_index('ix_audit_organisation', ['organisation_id', 'happened_at', 'sequence'], unique=False)
        batch_op.create_index('ix_audit_user', ['user_id', 'happened_at', 'sequence'], unique=False)
    with op.batch_alter_table('foundation_audit_rows', schema=None) as batch_op:
        batch_op.alter_column('origin', existing_type=sa.String(length=100), server_default=None)
        batch_op.alter_column('algorithm', existing_type=sa.String(length=20), server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('foundation_audit_rows', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_user')
        batch_op.drop_index('ix_audit_organisation')
        batch_op.drop_index('ix_audit_moment')
        batch_op.drop_index('ix_audit_action')
        batch_op.drop_index('ix_audit_subject')
        batch_op.create_index(batch_op.f('ix_audit_subject'), ['subject', 'id'], unique=False)
        batch_op.drop_column('algorithm')
        batch_op.drop_column('origin')

    with op.batch_alter_table('accounts_users', schema=None) as batch_op:
        batch_op.drop_column('erased_at')

    with op.batch_alter_table('oversight_reports', schema=None) as batch_op:
        batch_op.drop_index('ix_oversight_reports_subject')
        batch_op.drop_index('ix_oversight_reports_queue')

    op.drop_table('oversight_reports')
    with op.batch_alter_table('accounts_consents', schema=None) as batch_op:
        batch_op.drop_index('ix_accounts_consents_user')

    op.drop_table('accounts_consents')
    with op.batch_alter_table('oversight_daily_heads', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_oversight_daily_heads_mailed_at'))

    op.drop_table('oversight_daily_heads')
