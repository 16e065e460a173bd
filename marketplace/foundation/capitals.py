"""Amounts in Chinese capital numerals; apart from ``money``, which a verifier loads alone."""

from __future__ import annotations

from decimal import Decimal
from importlib import import_module

from marketplace.foundation.money import FEN_PER_YUAN, Fen


def capital_yuan(fen: Fen) -> str:
    """Write an amount in Chinese capital numerals, as bids and contracts state it."""
    yuan = Decimal(fen) / FEN_PER_YUAN
    # Loaded when the first amount is written out: its tables are a thirtieth of every start.
    return str(import_module("cn2an").an2cn(f"{yuan:f}", "rmb"))
