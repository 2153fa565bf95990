"""Tests of whole calls for everybody's flows: the product's own parts in one process, a scripted bank and billing at the
boundary, and a clock that is moved by hand.

`plugin` is what pytest loads; a project's calls/*.txt are then tests, and `line` is a fixture. Imported as modules, because
pytest imports the package in every run: `bench`, `bank`, `billing`, `line`, `project`, `rehearsal`, `workbench`.

Public are its modules, by their names: what has no leading underscore in them.
"""
