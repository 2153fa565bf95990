"""The pure middle: flows, calls, events in, actions out. No socket, clock, random, log or database."""
