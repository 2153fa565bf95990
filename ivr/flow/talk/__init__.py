"""What any step may say and do in a turn of a call; the kinds themselves are in `flow.steps`, going on in `conversation`.

Public are its modules, by their names: what has no leading underscore in them.
"""
