"""Is not run: what it depends on is not installed."""

raise AssertionError("it was imported")
