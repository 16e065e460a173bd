"""Dictionaries and dated parameters as YAML, read through marketplace.foundation.reference."""
