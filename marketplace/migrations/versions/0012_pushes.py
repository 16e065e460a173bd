"""messages pushed to members' systems: addresses, pushes, attempts

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sqlalchemy.dialects import postgresql

revision = '0012'
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('notifications_webhooks',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('url', sa.String(), nullable=False),
    sa.Column('kinds', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.Column('state', sa.Enum('living', 'failing', 'ended', name='webhookstate', native_enum=False, length=40), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_notifications_webhooks_organisation_id')),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_notifications_webhooks_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notifications_webhooks'))
    )
    with op.batch_alter_table('notifications_webhooks', schema=None) as batch_op:
        batch_op.create_index('ix_notifications_webhook_owner', ['user_id', 'state'], unique=False)

    op.create_table('notifications_deliveries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('webhook_id', sa.Integer(), nullable=False),
    sa.Column('message_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.Enum('queued', 'delivered', 'failed', name='deliverystate', native_enum=False, length=40), nullable=False),
    sa.Column('queued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('next_try_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['message_id'], ['notifications_messages.id'], name=op.f('fk_notifications_deliveries_message_id')),
    sa.ForeignKeyConstraint(['webhook_id'], ['notifications_webhooks.id'], name=op.f('fk_notifications_deliveries_webhook_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notifications_deliveries'))
    )
    with op.batch_alter_table('notifications_deliveries', schema=None) as batch_op:
        batch_op.create_index('ix_notifications_delivery_due', ['state', 'next_try_at'], unique=False)
        batch_op.create_index('ix_notifications_delivery_webhook', ['webhook_id', 'id'], unique=False)

    op.create_table('notifications_attempts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('delivery_id', sa.Integer(), nullable=False),
    sa.Column('tried_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('answer', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['delivery_id'], ['notifications_deliveries.id'], name=op.f('fk_notifications_attempts_delivery_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notifications_attempts'))
    )
    with op.batch_alter_table('notifications_attempts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_notifications_attempts_delivery_id'), ['delivery_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('notifications_attempts', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_notifications_attempts_delivery_id'))

    op.drop_table('notifications_attempts')
    with op.batch_alter_table('notifications_deliveries', schema=None) as batch_op:
        batch_op.drop_index('ix_notifications_delivery_webhook')
        batch_op.drop_index('ix_notifications_delivery_due')

    op.drop_table('notifications_deliveries')
    with op.batch_alter_table('notifications_webhooks', schema=None) as batch_op:
        batch_op.drop_index('ix_notifications_webhook_owner')

    op.drop_table('notifications_webhooks')
