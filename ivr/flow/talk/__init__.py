"""What any step may say and do in a turn of a call; the kinds themselves are in `flow.steps`, going on in `conversation`."""
