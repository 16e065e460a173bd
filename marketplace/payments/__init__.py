"""Deposits, prices and fees: what is expected, what arrived, what goes back, and by whose hand."""
