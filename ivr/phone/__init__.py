"""Telephony without payments: SIP and RTP, over sockets. Imports errors and dsp only.

Public are its modules, by their names: what has no leading underscore in them.
"""
