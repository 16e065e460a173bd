"""Training of brokers (培训): courses, attendance, exams, certificates."""
