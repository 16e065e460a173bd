"""programming interface: access tokens, idempotency keys

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sqlalchemy.dialects import postgresql

revision = '0010'
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('accounts_access_tokens',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('ending', sa.String(length=8), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('scopes', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_by_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_accounts_access_tokens_organisation_id')),
    sa.ForeignKeyConstraint(['revoked_by_id'], ['accounts_users.id'], name=op.f('fk_accounts_access_tokens_revoked_by_id')),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_accounts_access_tokens_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts_access_tokens')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_accounts_access_tokens_token_hash'))
    )
    with op.batch_alter_table('accounts_access_tokens', schema=None) as batch_op:
        batch_op.create_index('ix_accounts_access_tokens_owner', ['organisation_id', 'user_id', 'id'], unique=False)

    op.create_table('foundation_idempotency_keys',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('request_hash', sa.String(length=64), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('carried_out_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_foundation_idempotency_keys'))
    )
    with op.batch_alter_table('foundation_idempotency_keys', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_foundation_idempotency_keys_carried_out_at'), ['carried_out_at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('foundation_idempotency_keys', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_foundation_idempotency_keys_carried_out_at'))

    op.drop_table('foundation_idempotency_keys')
    with op.batch_alter_table('accounts_access_tokens', schema=None) as batch_op:
        batch_op.drop_index('ix_accounts_access_tokens_owner')

    op.drop_table('accounts_access_tokens')
