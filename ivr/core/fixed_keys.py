"""The keys that mean the same in every flow: yes and no, a receipt again or as a text; at every question to hear it again, and help."""

ACCEPT_KEY, REFUSE_KEY = "1", "2"
AGAIN_KEY, TEXT_KEY = "1", "2"
REPEAT_KEY, HELP_KEY = "9", "0"
