"""Several merchants in one installation: which there are, where each stands, and whose work is being done (docs/merchants.md).

Public are its modules, by their names: what has no leading underscore in them.
"""
