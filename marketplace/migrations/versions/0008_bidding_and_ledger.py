"""bidding and ledger

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sqlalchemy.dialects import postgresql

revision = '0008'
down_revision = "0007"
branch_labels = None
depends_on = None


_OLD_SESSION_CHECKS = {
    'increment_positive': 'increment_fen > 0',
    'times': 'starts_at < free_ends_at AND free_ends_at < closes_at',
}
_SESSION_CHECKS = {
    'increment_not_negative': 'increment_fen >= 0',
    'times': 'starts_at < closes_at',
}
_OLD_PAYMENT_CHECKS = {
    'held_only_when_confirmed': (
        "state NOT IN ('confirmed', 'refund_due', 'refunded') OR confirmed_at IS NOT NULL"
    ),
    'refunded_exactly_once': "(state = 'refunded') = (refunded_at IS NOT NULL)",
}
_PAYMENT_CHECKS = {
    'held_only_when_confirmed': (
        "state NOT IN ('confirmed', 'refund_due', 'refunded', 'forfeit_due', 'forfeited')"
        ' OR confirmed_at IS NOT NULL'
    ),
    'refunded_exactly_once': "(state IN ('refunded', 'forfeited')) = (refunded_at IS NOT NULL)",
}


def _sqlite() -> bool:
    return op.get_bind().dialect.name == 'sqlite'


def _change_checks(batch_op, table, *, old, new):
    for name in old:
        batch_op.drop_constraint(batch_op.f(f'ck_{table}_{name}'), type_='check')
    for name, text in new.items():
        batch_op.create_check_constraint(batch_op.f(f'ck_{table}_{name}'), text)


def _change_payments(*, old, new):
    with op.batch_alter_table('payments_payments') as batch_op:
        _change_checks(batch_op, 'payments_payments', old=old, new=new)


def _change_sessions(*, nullable, old, new, drop, create):
    with op.batch_alter_table('listings_sessions') as batch_op:
        batch_op.alter_column('free_ends_at', existing_type=sa.DateTime(timezone=True), nullable=nullable)
        batch_op.drop_constraint(batch_op.f(drop), type_='unique')
        batch_op.create_unique_constraint(batch_op.f(create[0]), create[1])
        _change_checks(batch_op, 'listings_sessions', old=old, new=new)


def _refuse_running_sessions():
    """A session that began under the old terms has no record: it must end under them."""
    running = op.get_bind().scalar(
        sa.text('SELECT count(*) FROM listings_sessions WHERE closed_at IS NULL')
    )
    if running:
        raise RuntimeError(f'{running} bidding sessions are planned or running; upgrade after they end')


def _refuse_sealed_sessions():
    sealed = op.get_bind().scalar(
        sa.text('SELECT count(*) FROM listings_sessions WHERE free_ends_at IS NULL OR attempt > 1')
    )
    if sealed:
        raise RuntimeError(f'{sealed} sessions cannot be told in the older schema')


def _fill_sessions():
    """Sessions that ended before have no published record, but their last bid is known."""
    op.execute('UPDATE listings_sessions SET decided_at = closed_at')
    op.execute(
        'UPDATE listings_sessions SET bid_count = '
        '(SELECT count(*) FROM listings_bids WHERE session_id = listings_sessions.id)'
    )
    for column, source in (('last_plate', 'plate'), ('last_fen', 'amount_fen'),
                           ('last_at', 'placed_at'), ('last_cycle', 'cycle')):
        op.execute(
            f'UPDATE listings_sessions SET {column} = (SELECT {source} FROM listings_bids '
            'WHERE session_id = listings_sessions.id AND sequence = listings_sessions.bid_count)'
        )


def _fill_ledger():
    """Money that is held or went back before is posted as it came and went."""
    postings = sa.table('payments_ledger_postings', *map(sa.column, ('kind', 'payment_id')),
                        sa.column('id', sa.Integer()), sa.column('posted_at', sa.DateTime(timezone=True)))
    entries = sa.table('payments_ledger_entries', *map(sa.column, ('posting_id', 'account')),
                       sa.column('amount_fen', sa.BigInteger()))
    payments = sa.table('payments_payments', *map(sa.column, ('id', 'state', 'amount_fen')),
                        *(sa.column(name, sa.DateTime(timezone=True))
                          for name in ('confirmed_at', 'refund_requested_at', 'refunded_at')))
    moves = (
        ('received_online', 'bank', 'held', ('confirmed', 'refund_due', 'refunded'), 'confirmed_at'),
        ('refund_requested', 'held', 'refundable', ('refund_due', 'refunded'), 'refund_requested_at'),
        ('refunded', 'refundable', 'bank', ('refunded',), 'refunded_at'),
    )
    bind = op.get_bind()
    number = 0
    for payment in bind.execute(sa.select(payments).order_by(payments.c.id)).mappings().all():
        for kind, debited, credited, states, moment in moves:
            if payment['state'] not in states:
                continue
            number += 1
            bind.execute(postings.insert().values(
                id=number, kind=kind, payment_id=payment['id'], posted_at=payment[moment]))
            for account, amount in ((debited, payment['amount_fen']), (credited, -payment['amount_fen'])):
                bind.execute(entries.insert().values(posting_id=number, account=account, amount_fen=amount))
    if number and not _sqlite():
        bind.execute(sa.text("SELECT setval('payments_ledger_postings_id_seq', :last)"), {'last': number})


def upgrade() -> None:
    _refuse_running_sessions()
    op.create_table('listings_officer_keys',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('locked_key', sa.LargeBinary(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_listings_officer_keys_organisation_id')),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_listings_officer_keys_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_listings_officer_keys')),
    sa.UniqueConstraint('user_id', name=op.f('uq_listings_officer_keys_user_id'))
    )
    op.create_table('payments_statement_lines',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('reference', sa.String(), nullable=False),
    sa.Column('booked_on', sa.Date(), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.Column('account_name', sa.String(), nullable=False),
    sa.Column('remark', sa.String(), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('payment_id', sa.Integer(), nullable=True),
    sa.Column('finding', sa.String(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_by_id', sa.Integer(), nullable=True),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('settled_by_id', sa.Integer(), nullable=True),
    sa.Column('return_reference', sa.String(), nullable=False),
    sa.CheckConstraint('amount_fen > 0', name=op.f('ck_payments_statement_lines_amount_positive')),
    sa.CheckConstraint('settled_by_id IS NULL OR settled_by_id <> recorded_by_id', name=op.f('ck_payments_statement_lines_second_person')),
    sa.ForeignKeyConstraint(['payment_id'], ['payments_payments.id'], name=op.f('fk_payments_statement_lines_payment_id')),
    sa.ForeignKeyConstraint(['recorded_by_id'], ['accounts_users.id'], name=op.f('fk_payments_statement_lines_recorded_by_id')),
    sa.ForeignKeyConstraint(['settled_by_id'], ['accounts_users.id'], name=op.f('fk_payments_statement_lines_settled_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payments_statement_lines')),
    sa.UniqueConstraint('reference', name=op.f('uq_payments_statement_lines_reference'))
    )
    with op.batch_alter_table('payments_statement_lines', schema=None) as batch_op:
        batch_op.create_index('ix_payments_statement_state', ['state', 'id'], unique=False)

    op.create_table('payments_ledger_postings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('posted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('payment_id', sa.Integer(), nullable=True),
    sa.Column('line_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['line_id'], ['payments_statement_lines.id'], name=op.f('fk_payments_ledger_postings_line_id')),
    sa.ForeignKeyConstraint(['payment_id'], ['payments_payments.id'], name=op.f('fk_payments_ledger_postings_payment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payments_ledger_postings'))
    )
    with op.batch_alter_table('payments_ledger_postings', schema=None) as batch_op:
        batch_op.create_index('ix_payments_ledger_payment', ['payment_id', 'id'], unique=False)

    op.create_table('listings_automatic_orders',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('intent_id', sa.Integer(), nullable=False),
    sa.Column('plate', sa.String(), nullable=False),
    sa.Column('limit_fen', sa.BigInteger(), nullable=False),
    sa.Column('rank', sa.Integer(), nullable=False),
    sa.Column('given_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.CheckConstraint('limit_fen > 0', name=op.f('ck_listings_automatic_orders_limit_positive')),
    sa.ForeignKeyConstraint(['intent_id'], ['listings_intents.id'], name=op.f('fk_listings_automatic_orders_intent_id')),
    sa.ForeignKeyConstraint(['session_id'], ['listings_sessions.id'], name=op.f('fk_listings_automatic_orders_session_id')),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_listings_automatic_orders_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_listings_automatic_orders')),
    sa.UniqueConstraint('session_id', 'intent_id', name=op.f('uq_listings_automatic_orders_session_id_intent_id'))
    )
    op.create_table('listings_key_shares',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('locked_key', sa.LargeBinary(), nullable=False),
    sa.Column('sealed_share', sa.LargeBinary(), nullable=False),
    sa.Column('given', sa.LargeBinary(), nullable=True),
    sa.Column('given_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('(given_at IS NULL) = (given IS NULL)', name=op.f('ck_listings_key_shares_given_with_its_time')),
    sa.ForeignKeyConstraint(['session_id'], ['listings_sessions.id'], name=op.f('fk_listings_key_shares_session_id')),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_listings_key_shares_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_listings_key_shares')),
    sa.UniqueConstraint('session_id', 'number', name=op.f('uq_listings_key_shares_session_id_number')),
    sa.UniqueConstraint('session_id', 'user_id', name=op.f('uq_listings_key_shares_session_id_user_id'))
    )
    op.create_table('listings_record_entries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('body', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('previous', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['session_id'], ['listings_sessions.id'], name=op.f('fk_listings_record_entries_session_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_listings_record_entries')),
    sa.UniqueConstraint('session_id', 'sequence', name=op.f('uq_listings_record_entries_session_id_sequence'))
    )
    op.create_table('listings_sealed_bids',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('intent_id', sa.Integer(), nullable=False),
    sa.Column('plate', sa.String(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('commitment', sa.String(length=64), nullable=False),
    sa.Column('ciphertext', sa.LargeBinary(), nullable=False),
    sa.Column('submission_key', sa.String(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['intent_id'], ['listings_intents.id'], name=op.f('fk_listings_sealed_bids_intent_id')),
    sa.ForeignKeyConstraint(['session_id'], ['listings_sessions.id'], name=op.f('fk_listings_sealed_bids_session_id')),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_listings_sealed_bids_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_listings_sealed_bids')),
    sa.UniqueConstraint('session_id', 'commitment', name=op.f('uq_listings_sealed_bids_session_id_commitment')),
    sa.UniqueConstraint('session_id', 'intent_id', name=op.f('uq_listings_sealed_bids_session_id_intent_id'))
    )
    op.create_table('payments_ledger_entries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('posting_id', sa.Integer(), nullable=False),
    sa.Column('account', sa.String(length=40), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('amount_fen <> 0', name=op.f('ck_payments_ledger_entries_amount_not_zero')),
    sa.ForeignKeyConstraint(['posting_id'], ['payments_ledger_postings.id'], name=op.f('fk_payments_ledger_entries_posting_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payments_ledger_entries'))
    )
    with op.batch_alter_table('payments_ledger_entries', schema=None) as batch_op:
        batch_op.create_index('ix_payments_ledger_account', ['account'], unique=False)
        batch_op.create_index(batch_op.f('ix_payments_ledger_entries_posting_id'), ['posting_id'], unique=False)

    with op.batch_alter_table('listings_intents', schema=None) as batch_op:
        batch_op.add_column(sa.Column('checks', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('barred_at', sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table('listings_listings', schema=None) as batch_op:
        batch_op.add_column(sa.Column('bidding_kind', sa.String(length=40), nullable=False, server_default='ascending'))
        batch_op.add_column(sa.Column('criteria', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False, server_default='[]'))

    with op.batch_alter_table('listings_sessions') as batch_op:
        batch_op.add_column(sa.Column('attempt', sa.Integer(), nullable=False, server_default='1'))
        batch_op.add_column(sa.Column('kind', sa.String(length=40), nullable=False, server_default='ascending'))
        batch_op.add_column(sa.Column('criteria', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('voided_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('void_reason', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('bid_count', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('order_count', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('last_plate', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('last_fen', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('last_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('last_cycle', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('entry_count', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('head_digest', sa.String(length=64), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('plates_nonce', sa.String(length=64), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('public_key', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('threshold', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('scores', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False, server_default='{}'))

    _change_sessions(nullable=True, old=_OLD_SESSION_CHECKS, new=_SESSION_CHECKS,
                     drop='uq_listings_sessions_listing_id',
                     create=('uq_listings_sessions_listing_id_attempt', ['listing_id', 'attempt']))
    op.create_index('uq_listings_sessions_standing', 'listings_sessions', ['listing_id'], unique=True,
                    sqlite_where=sa.text('voided_at IS NULL'), postgresql_where=sa.text('voided_at IS NULL'))
    _change_payments(old=_OLD_PAYMENT_CHECKS, new=_PAYMENT_CHECKS)
    _fill_sessions()
    _fill_ledger()


def downgrade() -> None:
    _refuse_sealed_sessions()
    op.execute("UPDATE payments_payments SET state = 'confirmed' WHERE state = 'forfeit_due'")
    op.execute("UPDATE payments_payments SET state = 'refunded' WHERE state = 'forfeited'")
    _change_payments(old=_PAYMENT_CHECKS, new=_OLD_PAYMENT_CHECKS)
    op.drop_index('uq_listings_sessions_standing', 'listings_sessions')
    _change_sessions(nullable=False, old=_SESSION_CHECKS, new=_OLD_SESSION_CHECKS,
                     drop='uq_listings_sessions_listing_id_attempt',
                     create=('uq_listings_sessions_listing_id', ['listing_id']))
    # Plain DROP COLUMN: a copy of the table would lose its checks on SQLite.
    op.drop_column('listings_sessions', 'scores')
    op.drop_column('listings_sessions', 'threshold')
    op.drop_column('listings_sessions', 'public_key')
    op.drop_column('listings_sessions', 'plates_nonce')
    op.drop_column('listings_sessions', 'head_digest')
    op.drop_column('listings_sessions', 'entry_count')
    op.drop_column('listings_sessions', 'last_cycle')
    op.drop_column('listings_sessions', 'last_at')
    op.drop_column('listings_sessions', 'last_fen')
    op.drop_column('listings_sessions', 'last_plate')
    op.drop_column('listings_sessions', 'order_count')
    op.drop_column('listings_sessions', 'bid_count')
    op.drop_column('listings_sessions', 'void_reason')
    op.drop_column('listings_sessions', 'voided_at')
    op.drop_column('listings_sessions', 'decided_at')
    op.drop_column('listings_sessions', 'criteria')
    op.drop_column('listings_sessions', 'kind')
    op.drop_column('listings_sessions', 'attempt')

    op.drop_column('listings_listings', 'criteria')
    op.drop_column('listings_listings', 'bidding_kind')

    op.drop_column('listings_intents', 'barred_at')
    op.drop_column('listings_intents', 'checks')

    with op.batch_alter_table('payments_ledger_entries', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_payments_ledger_entries_posting_id'))
        batch_op.drop_index('ix_payments_ledger_account')

    op.drop_table('payments_ledger_entries')
    op.drop_table('listings_sealed_bids')
    op.drop_table('listings_record_entries')
    op.drop_table('listings_key_shares')
    op.drop_table('listings_automatic_orders')
    with op.batch_alter_table('payments_ledger_postings', schema=None) as batch_op:
        batch_op.drop_index('ix_payments_ledger_payment')

    op.drop_table('payments_ledger_postings')
    with op.batch_alter_table('payments_statement_lines', schema=None) as batch_op:
        batch_op.drop_index('ix_payments_statement_state')

    op.drop_table('payments_statement_lines')
    op.drop_table('listings_officer_keys')
