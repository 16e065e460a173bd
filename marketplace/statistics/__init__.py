"""The public board and the operator's board, from projections fed by events."""
