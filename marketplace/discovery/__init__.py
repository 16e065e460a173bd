"""The portal, search, matching and the index of what others may find."""
