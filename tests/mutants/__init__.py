"""Mistakes in money code, one a patch beside this file, and whether the tests that look for any mistake find them.

A patch begins with a sentence that says what is wrong with it. The line `Finder:` says what has found it before, and is asked
first; `Unit:` names ordinary tests that stand beside the code, which are asked where no finder finds it.

    patches   which there are, and how one comes into a copy of the tree
    finders   what is asked, the cheapest first, and what it answers
"""
