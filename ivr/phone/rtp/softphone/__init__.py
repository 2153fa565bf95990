"""The caller's side of one call, for trying things out and for tests.

Public are its modules, by their names: what has no leading underscore in them.
"""
