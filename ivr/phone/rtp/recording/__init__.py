"""Recording of calls, masked, in a process of its own.

Public are its modules, by their names: what has no leading underscore in them.
"""
