"""The demo's own clock: moved forward by anyone, never back; it exists in the demo only."""
