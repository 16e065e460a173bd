"""The engines behind ``search.engine.Engine``; chosen by address in ``search.address``."""
