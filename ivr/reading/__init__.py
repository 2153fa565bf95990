"""Reads YAML with the place of everything in it, and says what is wrong in a reader's words: flows, prompts, banks, accounts.

Public are its modules, by their names: what has no leading underscore in them.
"""
