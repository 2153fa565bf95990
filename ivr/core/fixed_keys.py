"""The keys that mean the same in every flow: yes and no, hear again, send as a text."""

ACCEPT_KEY, REFUSE_KEY = "1", "2"
AGAIN_KEY, TEXT_KEY = "1", "2"
