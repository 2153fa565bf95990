"""Real processes, killed with SIGKILL at every point of their work, and what the bank, the books and the caller say afterwards.

A worker has imported everything and forks a child for each *life*: a caller's webhooks, a call on a line of our own, the
forwarder, the sweeper. The child counts `points` (each SQL statement before and after, each commit before and after, each piece
that goes to a bank, whole and half, each that comes, each text that is handed over, each answer to a caller) and kills
itself at the one that it was given. Another life finds what is left, and may be killed itself; then the books are compared.

    points   where a life can end          banks    a bank as a process, by protocol and kind
    world    everything around the calls   lives    what a child does
    trial    one call with its deaths      judge    what is true of it afterwards
    cells    which trials are made         planted  mistakes that must be found
"""
