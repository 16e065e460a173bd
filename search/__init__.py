"""Chinese full-text search and matching behind one interface.

Knows nothing of the web, the database or the marketplace: documents go in, ranked and explained
documents come out. Only text that anyone may read belongs in a document.
"""
