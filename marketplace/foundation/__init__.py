"""What at least three slices need and no slice owns.

The list of modules is closed: a new one enters only when a third slice needs it.
"""
