"""Telephony without payments: SIP and RTP, over sockets. Imports errors and dsp only."""
