"""What happens in a call: (flow, call, event) to (call, actions). Pure: time arrives in events, deadlines leave in actions.

Public are its modules, by their names: what has no leading underscore in them.
"""
