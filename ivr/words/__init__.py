"""From a prompt's name and values to the words of a language: templates, numbers, money, and what a prompt must say.

Public are its modules, by their names: what has no leading underscore in them.
"""
