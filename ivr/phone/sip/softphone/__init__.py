"""The calling side of SIP, for trying things out, for tests and for load; the trunk itself only takes calls.

Public are its modules, by their names: what has no leading underscore in them.
"""
