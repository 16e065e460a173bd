"""ratings of brokers; yearly reviews of agencies; training, exams and certificates

Revision ID: 0015
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('training_courses',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('level', sa.String(length=40), nullable=False),
    sa.Column('body', sa.String(), nullable=False),
    sa.Column('teacher', sa.String(), nullable=False),
    sa.Column('place', sa.String(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('hours', sa.Integer(), nullable=False),
    sa.Column('capacity', sa.Integer(), nullable=False),
    sa.Column('fee_fen', sa.BigInteger(), nullable=False),
    sa.Column('question_count', sa.Integer(), nullable=False),
    sa.Column('minutes', sa.Integer(), nullable=False),
    sa.Column('pass_percent', sa.Integer(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('announced_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('cancelled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('cancelled_reason', sa.String(), nullable=False),
    sa.CheckConstraint('attempts > 0', name=op.f('ck_training_courses_attempts_positive')),
    sa.CheckConstraint('capacity > 0', name=op.f('ck_training_courses_capacity_positive')),
    sa.CheckConstraint('ends_at > starts_at', name=op.f('ck_training_courses_times_in_order')),
    sa.CheckConstraint('fee_fen >= 0', name=op.f('ck_training_courses_fee_not_negative')),
    sa.CheckConstraint('hours > 0', name=op.f('ck_training_courses_hours_positive')),
    sa.CheckConstraint('pass_percent BETWEEN 1 AND 100', name=op.f('ck_training_courses_pass_range')),
    sa.CheckConstraint('question_count > 0', name=op.f('ck_training_courses_questions_positive')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_training_courses'))
    )
    with op.batch_alter_table('training_courses', schema=None) as batch_op:
        batch_op.create_index('ix_training_courses_starts_at', ['starts_at'], unique=False)

    op.create_table('training_questions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('level', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('options', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('right', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('written_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_training_questions'))
    )
    with op.batch_alter_table('training_questions', schema=None) as batch_op:
        batch_op.create_index('ix_training_questions_level', ['level', 'withdrawn_at'], unique=False)

    op.create_table('training_attempts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('course_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('seed', sa.String(length=64), nullable=False),
    sa.Column('paper', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answers', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('percent', sa.Integer(), nullable=True),
    sa.Column('passed', sa.Boolean(), nullable=False),
    sa.Column('late', sa.Boolean(), nullable=False),
    sa.CheckConstraint('percent BETWEEN 0 AND 100', name=op.f('ck_training_attempts_percent_range')),
    sa.ForeignKeyConstraint(['course_id'], ['training_courses.id'], name=op.f('fk_training_attempts_course_id')),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_training_attempts_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_training_attempts')),
    sa.UniqueConstraint('course_id', 'user_id', 'number', name=op.f('uq_training_attempts_course_id_user_id_number'))
    )
    with op.batch_alter_table('training_attempts', schema=None) as batch_op:
        batch_op.create_index('uq_training_attempts_running', ['course_id', 'user_id'], unique=True, sqlite_where=sa.text('submitted_at IS NULL'), postgresql_where=sa.text('submitted_at IS NULL'))

    op.create_table('training_certificates',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(), nullable=False),
    sa.Column('check_code', sa.String(length=8), nullable=False),
    sa.Column('course_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('organisation_name', sa.String(), nullable=False),
    sa.Column('course_title', sa.String(), nullable=False),
    sa.Column('level', sa.String(length=40), nullable=False),
    sa.Column('hours', sa.Integer(), nullable=False),
    sa.Column('issuer', sa.String(), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['course_id'], ['training_courses.id'], name=op.f('fk_training_certificates_course_id')),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_training_certificates_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_training_certificates')),
    sa.UniqueConstraint('course_id', 'user_id', name=op.f('uq_training_certificates_course_id_user_id')),
    sa.UniqueConstraint('number', name=op.f('uq_training_certificates_number'))
    )
    with op.batch_alter_table('training_certificates', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_training_certificates_user_id'), ['user_id'], unique=False)

    op.create_table('reviews_reviews',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('rule_name', sa.String(), nullable=False),
    sa.Column('figures', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('lines', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('score_tenths', sa.Integer(), nullable=False),
    sa.Column('proposed', sa.String(length=40), nullable=False),
    sa.Column('computed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirm_by', sa.Date(), nullable=False),
    sa.Column('statement', sa.String(), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('confirmed_by_name', sa.String(), nullable=False),
    sa.Column('grade', sa.String(length=40), nullable=True),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.Column('decided_by_name', sa.String(), nullable=False),
    sa.Column('appeal_by', sa.Date(), nullable=True),
    sa.Column('appeal_words', sa.String(), nullable=False),
    sa.Column('appealed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('first_grade', sa.String(length=40), nullable=True),
    sa.Column('appeal_reason', sa.String(), nullable=False),
    sa.Column('appeal_decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('appeal_decided_by_name', sa.String(), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('filing_ended_on', sa.Date(), nullable=True),
    sa.CheckConstraint("state <> 'appealed' OR appealed_at IS NOT NULL", name=op.f('ck_reviews_reviews_appeal_has_time')),
    sa.CheckConstraint("state IN ('open', 'confirmed') OR (grade IS NOT NULL AND decided_at IS NOT NULL)", name=op.f('ck_reviews_reviews_decided_has_grade')),
    sa.CheckConstraint('score_tenths BETWEEN 0 AND 1000', name=op.f('ck_reviews_reviews_score_range')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['accounts_users.id'], name=op.f('fk_reviews_reviews_decided_by_id')),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_reviews_reviews_organisation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reviews_reviews')),
    sa.UniqueConstraint('organisation_id', 'year', name=op.f('uq_reviews_reviews_organisation_id_year'))
    )
    with op.batch_alter_table('reviews_reviews', schema=None) as batch_op:
        batch_op.create_index('ix_reviews_reviews_state', ['state', 'year'], unique=False)

    op.create_table('training_places',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('course_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('signed_up_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['course_id'], ['training_courses.id'], name=op.f('fk_training_places_course_id')),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_training_places_organisation_id')),
    sa.ForeignKeyConstraint(['user_id'], ['accounts_users.id'], name=op.f('fk_training_places_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_training_places')),
    sa.UniqueConstraint('course_id', 'user_id', name=op.f('uq_training_places_course_id_user_id'))
    )
    with op.batch_alter_table('training_places', schema=None) as batch_op:
        batch_op.create_index('ix_training_places_state', ['course_id', 'state', 'signed_up_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_training_places_user_id'), ['user_id'], unique=False)

    op.create_table('training_attendances',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('place_id', sa.Integer(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('hours', sa.Integer(), nullable=False),
    sa.Column('checked_in_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('hours > 0', name=op.f('ck_training_attendances_hours_positive')),
    sa.ForeignKeyConstraint(['place_id'], ['training_places.id'], name=op.f('fk_training_attendances_place_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_training_attendances')),
    sa.UniqueConstraint('place_id', 'day', name=op.f('uq_training_attendances_place_id_day'))
    )
    op.create_table('brokerage_ratings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('deal_id', sa.Integer(), nullable=False),
    sa.Column('contract_no', sa.String(), nullable=False),
    sa.Column('broker_user_id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('side', sa.String(length=40), nullable=False),
    sa.Column('rated_by_id', sa.Integer(), nullable=True),
    sa.Column('rated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('response', sa.Integer(), nullable=False),
    sa.Column('skill', sa.Integer(), nullable=False),
    sa.Column('trust', sa.Integer(), nullable=False),
    sa.Column('words', sa.String(), nullable=False),
    sa.Column('words_state', sa.String(length=40), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decision', sa.String(), nullable=False),
    sa.Column('answer', sa.String(), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('struck_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('response BETWEEN 1 AND 5', name=op.f('ck_brokerage_ratings_response_range')),
    sa.CheckConstraint('skill BETWEEN 1 AND 5', name=op.f('ck_brokerage_ratings_skill_range')),
    sa.CheckConstraint('trust BETWEEN 1 AND 5', name=op.f('ck_brokerage_ratings_trust_range')),
    sa.ForeignKeyConstraint(['broker_user_id'], ['accounts_users.id'], name=op.f('fk_brokerage_ratings_broker_user_id')),
    sa.ForeignKeyConstraint(['deal_id'], ['brokerage_deals.id'], name=op.f('fk_brokerage_ratings_deal_id')),
    sa.ForeignKeyConstraint(['organisation_id'], ['accounts_organisations.id'], name=op.f('fk_brokerage_ratings_organisation_id')),
    sa.ForeignKeyConstraint(['rated_by_id'], ['accounts_users.id'], name=op.f('fk_brokerage_ratings_rated_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brokerage_ratings')),
    sa.UniqueConstraint('deal_id', 'organisation_id', name=op.f('uq_brokerage_ratings_deal_id_organisation_id'))
    )
    with op.batch_alter_table('brokerage_ratings', schema=None) as batch_op:
        batch_op.create_index('ix_brokerage_ratings_broker', ['broker_user_id', 'struck_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_brokerage_ratings_contract_no'), ['contract_no'], unique=False)
        batch_op.create_index('ix_brokerage_ratings_words', ['words_state', 'rated_at'], unique=False)

    with op.batch_alter_table('brokerage_filings', schema=None) as batch_op:
        batch_op.add_column(sa.Column('contract_nos', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False, server_default=sa.text("'[]'")))
        batch_op.add_column(sa.Column('ended_on', sa.Date(), nullable=True))
    # Only the rows of before need it.
    with op.batch_alter_table('brokerage_filings', schema=None) as batch_op:
        batch_op.alter_column('contract_nos', server_default=None)



def downgrade() -> None:
    with op.batch_alter_table('brokerage_filings', schema=None) as batch_op:
        batch_op.drop_column('ended_on')
        batch_op.drop_column('contract_nos')

    with op.batch_alter_table('brokerage_ratings', schema=None) as batch_op:
        batch_op.drop_index('ix_brokerage_ratings_words')
        batch_op.drop_index(batch_op.f('ix_brokerage_ratings_contract_no'))
        batch_op.drop_index('ix_brokerage_ratings_broker')

    op.drop_table('brokerage_ratings')
    op.drop_table('training_attendances')
    with op.batch_alter_table('training_places', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_training_places_user_id'))
        batch_op.drop_index('ix_training_places_state')

    op.drop_table('training_places')
    with op.batch_alter_table('reviews_reviews', schema=None) as batch_op:
        batch_op.drop_index('ix_reviews_reviews_state')

    op.drop_table('reviews_reviews')
    with op.batch_alter_table('training_certificates', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_training_certificates_user_id'))

    op.drop_table('training_certificates')
    with op.batch_alter_table('training_attempts', schema=None) as batch_op:
        batch_op.drop_index('uq_training_attempts_running', sqlite_where=sa.text('submitted_at IS NULL'), postgresql_where=sa.text('submitted_at IS NULL'))

    op.drop_table('training_attempts')
    with op.batch_alter_table('training_questions', schema=None) as batch_op:
        batch_op.drop_index('ix_training_questions_level')

    op.drop_table('training_questions')
    with op.batch_alter_table('training_courses', schema=None) as batch_op:
        batch_op.drop_index('ix_training_courses_starts_at')

    op.drop_table('training_courses')
