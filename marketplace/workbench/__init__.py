"""The first page after sign-in: what waits for me, and the few things my role watches.

Reads other slices' queries; owns no table and changes nothing.
"""
