"""Mistakes in money code, one a patch beside this file, and whether the tests that look for any mistake find them.

A patch begins with a sentence that says what is wrong with it. The line `Unit:` names ordinary tests that stand beside the
code: they are asked only where none of the finders has found it.

    patches   which there are, and how one comes into a copy of the tree
    finders   what is asked, the cheapest first, and what it answers
"""
