"""Channels translate between a telephone network and the core's events and actions; they decide nothing."""
