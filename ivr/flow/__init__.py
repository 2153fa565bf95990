"""The merchant's language: the schema of a flow, its checks, and the machine it compiles to. Opens no file.

Public are its modules, by their names: what has no leading underscore in them.
"""
