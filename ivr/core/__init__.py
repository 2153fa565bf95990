"""What everybody speaks: money, card brands, entries of keys, events in, actions out, and the call. Imports nothing of ours.

Public are its modules, by their names: what has no leading underscore in them.
"""
