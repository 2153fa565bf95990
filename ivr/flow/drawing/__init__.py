"""A flow as a picture, and what calls have covered of it.

Public are its modules, by their names: what has no leading underscore in them.
"""
