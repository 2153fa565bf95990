"""The process that goes to the banks: charges, texts, notices, housekeeping. `python -m ivr.forwarder`.

Public are its modules, by their names: what has no leading underscore in them.
"""
