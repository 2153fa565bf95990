"""Tonetill's engine: takes card payments over the phone by keypad, with no human in the path."""

__version__ = "0.1.0"
