"""Channels translate between a telephone network and the core's events and actions; they decide nothing.

Public are its modules, by their names: what has no leading underscore in them.
"""
