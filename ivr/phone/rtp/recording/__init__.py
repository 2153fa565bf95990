"""Recording of calls, masked, in a process of its own."""
