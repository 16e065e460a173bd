"""Organisations, their members and roles, sign-in, and the operator's verification."""
