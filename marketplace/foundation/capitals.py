"""Amounts in Chinese capital numerals; apart from ``money``, which a verifier loads alone."""

from __future__ import annotations

from decimal import Decimal

import cn2an

from marketplace.foundation.money import FEN_PER_YUAN, Fen


def capital_yuan(fen: Fen) -> str:
    """Write an amount in Chinese capital numerals, as bids and contracts state it."""
    yuan = Decimal(fen) / FEN_PER_YUAN
    return str(cn2an.an2cn(f"{yuan:f}", "rmb"))
