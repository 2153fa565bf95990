"""The caller's side of one call, for trying things out and for tests."""
