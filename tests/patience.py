"""How long a test waits, by a real clock, for what must come. Only a test that fails waits so long."""

PATIENCE_S = 300.0
