"""passkeys: a person's keys, and the challenges that were answered

Revision ID: 0016
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('accounts_passkeys',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('credential_id', sa.String(length=1400), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('sign_count', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_accounts_passkeys_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts_passkeys')),
    sa.UniqueConstraint('credential_id', name=op.f('uq_accounts_passkeys_credential_id'))
    )
    op.create_index(op.f('ix_accounts_passkeys_user_id'), 'accounts_passkeys', ['user_id'], unique=False)
    op.create_table('accounts_used_challenges',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('challenge_hash', sa.String(length=64), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts_used_challenges')),
    sa.UniqueConstraint('challenge_hash', name=op.f('uq_accounts_used_challenges_challenge_hash'))
    )


def downgrade() -> None:
    op.drop_table('accounts_used_challenges')
    op.drop_index(op.f('ix_accounts_passkeys_user_id'), table_name='accounts_passkeys')
    op.drop_table('accounts_passkeys')
