"""introductions: terms, recognised contracts, disputes; the commission ledger; data rooms; answers; meetings

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import datetime

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = "0012"
branch_labels = None
depends_on = None

_PAIR = 'uq_brokerage_introductions_subject_seller_organisation_id_buyer_organisation_id'
_TERM = datetime.timedelta(days=730)


def _give_terms() -> None:
    """Let the introductions of before count as long as new ones."""
    table = sa.table(
        'brokerage_introductions',
        sa.column('id', sa.Integer()),
        sa.column('introduced_at', sa.DateTime(timezone=True)),
        sa.column('valid_to', sa.Date()),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(table.c.id, table.c.introduced_at)).all():
        connection.execute(
            table.update().where(table.c.id == row.id).values(valid_to=row.introduced_at.date() + _TERM)
        )


def upgrade() -> None:
    op.create_table('brokerage_digests',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('month', sa.Date(), nullable=False),
    sa.Column('lost_count', sa.Integer(), nullable=False),
    sa.Column('leading_reason', sa.String(length=40), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_brokerage_digests_organisation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brokerage_digests')),
    sa.UniqueConstraint('organisation_id', 'month', name=op.f('uq_brokerage_digests_organisation_id_month'))
    )
    op.create_table('brokerage_enquiries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('deal_id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answer_workdays', sa.Integer(), nullable=True),
    sa.Column('steps_taken', sa.Integer(), nullable=False),
    sa.Column('next_step_on', sa.Date(), nullable=True),
    sa.ForeignKeyConstraint(['deal_id'], ['brokerage_deals.id'], name=op.f('fk_brokerage_enquiries_deal_id')),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_brokerage_enquiries_organisation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brokerage_enquiries'))
    )
    with op.batch_alter_table('brokerage_enquiries', schema=None) as batch_op:
        batch_op.create_index('ix_brokerage_enquiries_next', ['closed_at', 'next_step_on'], unique=False)
        batch_op.create_index('ix_brokerage_enquiries_organisation', ['organisation_id', 'asked_at'], unique=False)
        batch_op.create_index('uq_brokerage_enquiries_open', ['deal_id'], unique=True, sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))

    op.create_table('brokerage_expenses',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('deal_id', sa.Integer(), nullable=False),
    sa.Column('payer', sa.String(length=40), nullable=False),
    sa.Column('payer_organisation_id', sa.Integer(), nullable=False),
    sa.Column('broker_user_id', sa.Integer(), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.Column('words', sa.String(), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answered_by_name', sa.String(), nullable=False),
    sa.Column('answer', sa.String(), nullable=False),
    sa.CheckConstraint('amount_fen > 0', name=op.f('ck_brokerage_expenses_amount_positive')),
    sa.ForeignKeyConstraint(['broker_user_id'], ['accounts_users.id'], name=op.f('fk_brokerage_expenses_broker_user_id')),
    sa.ForeignKeyConstraint(['deal_id'], ['brokerage_deals.id'], name=op.f('fk_brokerage_expenses_deal_id')),
    sa.ForeignKeyConstraint(['payer_organisation_id'], ['accounts_organisations.id'], name=op.f('fk_brokerage_expenses_payer_organisation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brokerage_expenses')),
    sa.UniqueConstraint('deal_id', 'payer', name=op.f('uq_brokerage_expenses_deal_id_payer'))
    )
    with op.batch_alter_table('brokerage_expenses', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_brokerage_expenses_payer_organisation_id'), ['payer_organisation_id'], unique=False)

    op.create_table('brokerage_rooms',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('deal_id', sa.Integer(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('opened_by_name', sa.String(), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_reason', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['deal_id'], ['brokerage_deals.id'], name=op.f('fk_brokerage_rooms_deal_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brokerage_rooms')),
    sa.UniqueConstraint('deal_id', name=op.f('uq_brokerage_rooms_deal_id'))
    )
    op.create_table('brokerage_talks',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('deal_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('topic', sa.String(), nullable=False),
    sa.Column('place', sa.String(), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('proposed_by_id', sa.Integer(), nullable=True),
    sa.Column('proposed_by_name', sa.String(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=True),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('minutes', sa.String(), nullable=False),
    sa.Column('minutes_by_name', sa.String(), nullable=False),
    sa.Column('minutes_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('cancelled_reason', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['deal_id'], ['brokerage_deals.id'], name=op.f('fk_brokerage_talks_deal_id')),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_brokerage_talks_organisation_id')),
    sa.ForeignKeyConstraint(['proposed_by_id'], ['accounts_users.id'], name=op.f('fk_brokerage_talks_proposed_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brokerage_talks'))
    )
    with op.batch_alter_table('brokerage_talks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_brokerage_talks_deal_id'), ['deal_id'], unique=False)

    op.create_table('brokerage_commission_entries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('commission_id', sa.Integer(), nullable=False),
    sa.Column('cause', sa.String(length=40), nullable=False),
    sa.Column('cause_id', sa.Integer(), nullable=False),
    sa.Column('broker_user_id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=True),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('invoice_no', sa.String(), nullable=False),
    sa.Column('invoiced_on', sa.Date(), nullable=True),
    sa.Column('received_on', sa.Date(), nullable=True),
    sa.CheckConstraint('amount_fen > 0', name=op.f('ck_brokerage_commission_entries_amount_positive')),
    sa.ForeignKeyConstraint(['broker_user_id'], ['accounts_users.id'], name=op.f('fk_brokerage_commission_entries_broker_user_id')),
    sa.ForeignKeyConstraint(['commission_id'], ['brokerage_commissions.id'], name=op.f('fk_brokerage_commission_entries_commission_id')),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_brokerage_commission_entries_organisation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brokerage_commission_entries')),
    sa.UniqueConstraint('commission_id', 'cause', 'cause_id', 'broker_user_id', name=op.f('uq_brokerage_commission_entries_commission_id_cause_cause_id_broker_user_id'))
    )
    with op.batch_alter_table('brokerage_commission_entries', schema=None) as batch_op:
        batch_op.create_index('ix_brokerage_commission_entries_broker', ['broker_user_id', 'received_on'], unique=False)
        batch_op.create_index('ix_brokerage_commission_entries_organisation', ['organisation_id', 'received_on'], unique=False)

    op.create_table('brokerage_commission_shares',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('commission_id', sa.Integer(), nullable=False),
    sa.Column('broker_user_id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=True),
    sa.Column('per_myriad', sa.Integer(), nullable=False),
    sa.CheckConstraint('per_myriad BETWEEN 1 AND 10000', name=op.f('ck_brokerage_commission_shares_share_range')),
    sa.ForeignKeyConstraint(['broker_user_id'], ['accounts_users.id'], name=op.f('fk_brokerage_commission_shares_broker_user_id')),
    sa.ForeignKeyConstraint(['commission_id'], ['brokerage_commissions.id'], name=op.f('fk_brokerage_commission_shares_commission_id')),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_brokerage_commission_shares_organisation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brokerage_commission_shares')),
    sa.UniqueConstraint('commission_id', 'broker_user_id', name=op.f('uq_brokerage_commission_shares_commission_id_broker_user_id'))
    )
    with op.batch_alter_table('brokerage_commission_shares', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_brokerage_commission_shares_broker_user_id'), ['broker_user_id'], unique=False)

    op.create_table('brokerage_disputes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('introduction_id', sa.Integer(), nullable=False),
    sa.Column('ground', sa.String(length=40), nullable=False),
    sa.Column('words', sa.String(), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('opened_by_id', sa.Integer(), nullable=True),
    sa.Column('opened_by_name', sa.String(), nullable=False),
    sa.Column('opened_by_organisation_id', sa.Integer(), nullable=True),
    sa.Column('by_broker', sa.Boolean(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by_name', sa.String(), nullable=False),
    sa.Column('decision', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['introduction_id'], ['brokerage_introductions.id'], name=op.f('fk_brokerage_disputes_introduction_id')),
    sa.ForeignKeyConstraint(['opened_by_id'], ['accounts_users.id'], name=op.f('fk_brokerage_disputes_opened_by_id')),
    sa.ForeignKeyConstraint(['opened_by_organisation_id'], ['accounts_organisations.id'], name=op.f('fk_brokerage_disputes_opened_by_organisation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brokerage_disputes'))
    )
    with op.batch_alter_table('brokerage_disputes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_brokerage_disputes_introduction_id'), ['introduction_id'], unique=False)
        batch_op.create_index('ix_brokerage_disputes_state', ['state', 'opened_at'], unique=False)
        batch_op.create_index('uq_brokerage_disputes_open', ['introduction_id'], unique=True, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))

    op.create_table('brokerage_recognitions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('introduction_id', sa.Integer(), nullable=False),
    sa.Column('contract_id', sa.Integer(), nullable=False),
    sa.Column('contract_no', sa.String(), nullable=False),
    sa.Column('project_name', sa.String(), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.Column('signed_on', sa.Date(), nullable=False),
    sa.Column('ground', sa.String(length=40), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('recognised_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by_name', sa.String(), nullable=False),
    sa.Column('decision', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['introduction_id'], ['brokerage_introductions.id'], name=op.f('fk_brokerage_recognitions_introduction_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brokerage_recognitions')),
    sa.UniqueConstraint('introduction_id', 'contract_id', name=op.f('uq_brokerage_recognitions_introduction_id_contract_id'))
    )
    with op.batch_alter_table('brokerage_recognitions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_brokerage_recognitions_state'), ['state'], unique=False)

    op.create_table('brokerage_room_files',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('room_id', sa.Integer(), nullable=False),
    sa.Column('attachment_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('reach', sa.String(length=40), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['attachment_id'], ['foundation_attachments.id'], name=op.f('fk_brokerage_room_files_attachment_id')),
    sa.ForeignKeyConstraint(['room_id'], ['brokerage_rooms.id'], name=op.f('fk_brokerage_room_files_room_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brokerage_room_files')),
    sa.UniqueConstraint('attachment_id', name=op.f('uq_brokerage_room_files_attachment_id'))
    )
    with op.batch_alter_table('brokerage_room_files', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_brokerage_room_files_room_id'), ['room_id'], unique=False)

    op.create_table('brokerage_talk_slots',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('talk_id', sa.Integer(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('ends_at > starts_at', name=op.f('ck_brokerage_talk_slots_times_in_order')),
    sa.ForeignKeyConstraint(['talk_id'], ['brokerage_talks.id'], name=op.f('fk_brokerage_talk_slots_talk_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brokerage_talk_slots')),
    sa.UniqueConstraint('talk_id', 'starts_at', name=op.f('uq_brokerage_talk_slots_talk_id_starts_at'))
    )
    op.create_table('brokerage_room_links',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('file_id', sa.Integer(), nullable=False),
    sa.Column('token', sa.String(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('single_use', sa.Boolean(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['file_id'], ['brokerage_room_files.id'], name=op.f('fk_brokerage_room_links_file_id')),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_brokerage_room_links_organisation_id')),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_brokerage_room_links_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brokerage_room_links')),
    sa.UniqueConstraint('token', name=op.f('uq_brokerage_room_links_token'))
    )
    with op.batch_alter_table('brokerage_room_links', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_brokerage_room_links_file_id'), ['file_id'], unique=False)

    op.create_table('brokerage_talk_votes',
    sa.Column('slot_id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('person', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_brokerage_talk_votes_organisation_id')),
    sa.ForeignKeyConstraint(['slot_id'], ['brokerage_talk_slots.id'], name=op.f('fk_brokerage_talk_votes_slot_id')),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_brokerage_talk_votes_user_id')),
    sa.PrimaryKeyConstraint('slot_id', 'organisation_id', name=op.f('pk_brokerage_talk_votes'))
    )
    op.create_table('brokerage_room_accesses',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('file_id', sa.Integer(), nullable=False),
    sa.Column('link_id', sa.Integer(), nullable=True),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('user_name', sa.String(), nullable=False),
    sa.Column('organisation_name', sa.String(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['file_id'], ['brokerage_room_files.id'], name=op.f('fk_brokerage_room_accesses_file_id')),
    sa.ForeignKeyConstraint(['link_id'], ['brokerage_room_links.id'], name=op.f('fk_brokerage_room_accesses_link_id')),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_brokerage_room_accesses_organisation_id')),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_brokerage_room_accesses_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brokerage_room_accesses'))
    )
    with op.batch_alter_table('brokerage_room_accesses', schema=None) as batch_op:
        batch_op.create_index('ix_brokerage_room_accesses_file', ['file_id', 'id'], unique=False)

    with op.batch_alter_table('brokerage_commissions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('minimum_fen', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('due_when', sa.String(length=40), nullable=False, server_default='registration'))
        batch_op.add_column(sa.Column('total_fen', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('contract_no', sa.String(), nullable=False, server_default=''))
    op.execute("""
        UPDATE brokerage_commissions SET total_fen = due_fen, contract_no = (
            SELECT contract_no FROM brokerage_deals WHERE brokerage_deals.id = brokerage_commissions.deal_id
        ) WHERE due_fen IS NOT NULL
    """)
    with op.batch_alter_table('brokerage_commissions', schema=None) as batch_op:
        batch_op.alter_column('due_when', existing_type=sa.String(length=40), server_default=None)
        batch_op.alter_column('contract_no', existing_type=sa.String(), server_default=None)
        batch_op.create_check_constraint(batch_op.f('ck_brokerage_commissions_minimum_positive'), 'minimum_fen > 0')
        batch_op.create_check_constraint(batch_op.f('ck_brokerage_commissions_due_within_total'), 'due_fen IS NULL OR due_fen <= total_fen')
    # Until now a commission was its proposing broker's alone, and fell due as a whole.
    op.execute("""
        INSERT INTO brokerage_commission_shares (commission_id, broker_user_id, organisation_id, per_myriad)
        SELECT id, broker_user_id, agency_organisation_id, 10000 FROM brokerage_commissions ORDER BY id
    """)
    op.execute("""
        INSERT INTO brokerage_commission_entries
            (commission_id, cause, cause_id, broker_user_id, organisation_id, amount_fen, due_on, invoice_no, received_on)
        SELECT id, 'registration', 0, broker_user_id, agency_organisation_id, due_fen, due_on, '', received_on
        FROM brokerage_commissions WHERE due_fen > 0 ORDER BY id
    """)
    with op.batch_alter_table('brokerage_introductions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('valid_to', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_constraint(batch_op.f(_PAIR), type_='unique')
    _give_terms()
    with op.batch_alter_table('brokerage_introductions', schema=None) as batch_op:
        batch_op.alter_column('valid_to', existing_type=sa.Date(), nullable=False)
        batch_op.create_index('ix_brokerage_introductions_parties', ['seller_uscc', 'buyer_uscc'], unique=False)
        batch_op.create_index('uq_brokerage_introductions_standing', ['subject', 'seller_organisation_id', 'buyer_organisation_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))


def downgrade() -> None:
    with op.batch_alter_table('brokerage_room_accesses', schema=None) as batch_op:
        batch_op.drop_index('ix_brokerage_room_accesses_file')

    op.drop_table('brokerage_room_accesses')
    op.drop_table('brokerage_talk_votes')
    with op.batch_alter_table('brokerage_room_links', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_brokerage_room_links_file_id'))

    op.drop_table('brokerage_room_links')
    op.drop_table('brokerage_talk_slots')
    with op.batch_alter_table('brokerage_room_files', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_brokerage_room_files_room_id'))

    op.drop_table('brokerage_room_files')
    with op.batch_alter_table('brokerage_recognitions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_brokerage_recognitions_state'))

    op.drop_table('brokerage_recognitions')
    with op.batch_alter_table('brokerage_disputes', schema=None) as batch_op:
        batch_op.drop_index('uq_brokerage_disputes_open', sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
        batch_op.drop_index('ix_brokerage_disputes_state')
        batch_op.drop_index(batch_op.f('ix_brokerage_disputes_introduction_id'))

    op.drop_table('brokerage_disputes')
    with op.batch_alter_table('brokerage_commission_shares', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_brokerage_commission_shares_broker_user_id'))

    op.drop_table('brokerage_commission_shares')
    with op.batch_alter_table('brokerage_commission_entries', schema=None) as batch_op:
        batch_op.drop_index('ix_brokerage_commission_entries_organisation')
        batch_op.drop_index('ix_brokerage_commission_entries_broker')

    op.drop_table('brokerage_commission_entries')
    with op.batch_alter_table('brokerage_talks', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_brokerage_talks_deal_id'))

    op.drop_table('brokerage_talks')
    op.drop_table('brokerage_rooms')
    with op.batch_alter_table('brokerage_expenses', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_brokerage_expenses_payer_organisation_id'))

    op.drop_table('brokerage_expenses')
    with op.batch_alter_table('brokerage_enquiries', schema=None) as batch_op:
        batch_op.drop_index('uq_brokerage_enquiries_open', sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
        batch_op.drop_index('ix_brokerage_enquiries_organisation')
        batch_op.drop_index('ix_brokerage_enquiries_next')

    op.drop_table('brokerage_enquiries')
    op.drop_table('brokerage_digests')

    op.execute("DELETE FROM brokerage_introductions WHERE ended_at IS NOT NULL")
    with op.batch_alter_table('brokerage_introductions', schema=None) as batch_op:
        batch_op.drop_index('uq_brokerage_introductions_standing', sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
        batch_op.drop_index('ix_brokerage_introductions_parties')
        batch_op.create_unique_constraint(batch_op.f(_PAIR), ['subject', 'seller_organisation_id', 'buyer_organisation_id'])
        batch_op.drop_column('ended_at')
        batch_op.drop_column('valid_to')

    op.execute("UPDATE brokerage_commissions SET status = 'due' WHERE status = 'invoiced'")
    with op.batch_alter_table('brokerage_commissions', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_brokerage_commissions_minimum_positive'), type_='check')
        batch_op.drop_constraint(batch_op.f('ck_brokerage_commissions_due_within_total'), type_='check')
        batch_op.drop_column('contract_no')
        batch_op.drop_column('total_fen')
        batch_op.drop_column('due_when')
        batch_op.drop_column('minimum_fen')
