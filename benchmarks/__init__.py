"""Benchmarks: each prints a table against a named peer, measured in the same run."""
