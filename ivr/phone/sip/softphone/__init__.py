"""The calling side of SIP, for trying things out, for tests and for load; the trunk itself only takes calls."""
