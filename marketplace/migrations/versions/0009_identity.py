"""identity: second factors, known devices, mailed links, provider accounts, hand-overs

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sqlalchemy.dialects import postgresql

revision = '0009'
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Sessions and counted failures are of the hour: everybody signs in again.
    op.execute('DELETE FROM accounts_sessions')
    op.execute('DELETE FROM accounts_sign_in_failures')
    op.create_table('accounts_external_identities',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('issuer', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('linked_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_accounts_external_identities_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts_external_identities')),
    sa.UniqueConstraint('issuer', 'subject', name=op.f('uq_accounts_external_identities_issuer_subject'))
    )
    with op.batch_alter_table('accounts_external_identities', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_accounts_external_identities_user_id'), ['user_id'], unique=False)

    op.create_table('accounts_factor_resets',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('asked_by_id', sa.Integer(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.Column('granted', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['asked_by_id'], ['accounts_users.id'], name=op.f('fk_accounts_factor_resets_asked_by_id')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['accounts_users.id'], name=op.f('fk_accounts_factor_resets_decided_by_id')),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_accounts_factor_resets_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts_factor_resets'))
    )
    with op.batch_alter_table('accounts_factor_resets', schema=None) as batch_op:
        batch_op.create_index('ix_accounts_factor_resets_open', ['decided_at'], unique=False)

    op.create_table('accounts_known_devices',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_accounts_known_devices_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts_known_devices')),
    sa.UniqueConstraint('user_id', 'token_hash', name=op.f('uq_accounts_known_devices_user_id_token_hash'))
    )
    op.create_table('accounts_mailed_links',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('email', sa.String(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('nonce', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_accounts_mailed_links_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts_mailed_links'))
    )
    with op.batch_alter_table('accounts_mailed_links', schema=None) as batch_op:
        batch_op.create_index('ix_accounts_mailed_links_unsent', ['sent_at'], unique=False)

    op.create_table('accounts_pending_sign_ins',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('begun_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_accounts_pending_sign_ins_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts_pending_sign_ins')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_accounts_pending_sign_ins_token_hash'))
    )
    op.create_table('accounts_recovery_codes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('code_hash', sa.String(), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_accounts_recovery_codes_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts_recovery_codes')),
    sa.UniqueConstraint('user_id', 'position', name=op.f('uq_accounts_recovery_codes_user_id_position'))
    )
    op.create_table('accounts_second_factors',
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('sealed_secret', sa.String(), nullable=False),
    sa.Column('waiting_secret', sa.String(), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_step', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_accounts_second_factors_user_id')),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_accounts_second_factors'))
    )
    op.create_table('accounts_handovers',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('giver_id', sa.Integer(), nullable=False),
    sa.Column('taker_id', sa.Integer(), nullable=False),
    sa.Column('handed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('handed_by_id', sa.Integer(), nullable=False),
    sa.Column('counts', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.CheckConstraint('giver_id <> taker_id', name=op.f('ck_accounts_handovers_two_people')),
    sa.ForeignKeyConstraint(['giver_id'], ['accounts_users.id'], name=op.f('fk_accounts_handovers_giver_id')),
    sa.ForeignKeyConstraint(['handed_by_id'], ['accounts_users.id'], name=op.f('fk_accounts_handovers_handed_by_id')),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_accounts_handovers_organisation_id')),
    sa.ForeignKeyConstraint(['taker_id'], ['accounts_users.id'], name=op.f('fk_accounts_handovers_taker_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts_handovers'))
    )
    with op.batch_alter_table('accounts_handovers', schema=None) as batch_op:
        batch_op.create_index('ix_accounts_handovers_organisation', ['organisation_id', 'handed_at'], unique=False)

    with op.batch_alter_table('accounts_organisations', schema=None) as batch_op:
        batch_op.add_column(sa.Column('authorised_user_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_accounts_organisations_authorised_user_id'), 'accounts_users', ['authorised_user_id'], ['id'])

    with op.batch_alter_table('accounts_sessions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('proved_at', sa.DateTime(timezone=True), nullable=False))
        batch_op.add_column(sa.Column('second_factor', sa.Boolean(), nullable=False))

    with op.batch_alter_table('accounts_sign_in_failures', schema=None) as batch_op:
        batch_op.add_column(sa.Column('device_hash', sa.String(length=64), nullable=False))
        batch_op.add_column(sa.Column('step', sa.String(length=40), nullable=False))

    with op.batch_alter_table('accounts_users', schema=None) as batch_op:
        batch_op.add_column(sa.Column('password_changed_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('disabled_reason', sa.String(), nullable=False, server_default=''))
    op.execute('UPDATE accounts_users SET password_changed_at = created_at')
    with op.batch_alter_table('accounts_users', schema=None) as batch_op:
        batch_op.alter_column('password_changed_at', existing_type=sa.DateTime(timezone=True), nullable=False)
        batch_op.alter_column('disabled_reason', existing_type=sa.String(), server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('accounts_users', schema=None) as batch_op:
        batch_op.drop_column('disabled_reason')
        batch_op.drop_column('password_changed_at')

    with op.batch_alter_table('accounts_sign_in_failures', schema=None) as batch_op:
        batch_op.drop_column('step')
        batch_op.drop_column('device_hash')

    with op.batch_alter_table('accounts_sessions', schema=None) as batch_op:
        batch_op.drop_column('second_factor')
        batch_op.drop_column('proved_at')

    with op.batch_alter_table('accounts_organisations', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_accounts_organisations_authorised_user_id'), type_='foreignkey')
        batch_op.drop_column('authorised_user_id')

    with op.batch_alter_table('accounts_handovers', schema=None) as batch_op:
        batch_op.drop_index('ix_accounts_handovers_organisation')

    op.drop_table('accounts_handovers')
    op.drop_table('accounts_second_factors')
    op.drop_table('accounts_recovery_codes')
    op.drop_table('accounts_pending_sign_ins')
    with op.batch_alter_table('accounts_mailed_links', schema=None) as batch_op:
        batch_op.drop_index('ix_accounts_mailed_links_unsent')

    op.drop_table('accounts_mailed_links')
    op.drop_table('accounts_known_devices')
    with op.batch_alter_table('accounts_factor_resets', schema=None) as batch_op:
        batch_op.drop_index('ix_accounts_factor_resets_open')

    op.drop_table('accounts_factor_resets')
    with op.batch_alter_table('accounts_external_identities', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_accounts_external_identities_user_id'))

    op.drop_table('accounts_external_identities')
