"""The invented Jinan of the demo and its loader; nothing here is real but places and classes."""
