"""Tonetill's engine: takes card payments over the phone by keypad, with no human in the path.

Public are its packages and modules, by their names.
"""

__version__ = "0.1.0"
