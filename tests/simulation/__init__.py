"""The product under one seeded scheduler with virtual time: everything that can go wrong, in an order that a number says.

Modelled on FoundationDB's and TigerBeetle's simulators. One `random.Random(seed)` and one heap of events decide everything;
each actor (a caller's call at Twilio, a web node's request, a forwarder's worker) is a greenlet that runs the product's own
code until it would wait, and then the scheduler picks what happens next. Nothing sleeps, listens or opens a file.

    real        signed webhooks over WSGI, session, runner, flows, vault, store, forwarder with its queues and housekeeping,
                the Tonetill client's reading of answers, the simulator's authorizer, decryption, modifier and books
    simulated   time and clocks, the network (callers to nodes, forwarders to bank and to the texts' provider), death and
                restart of processes, the database's faults

The database is SQLite in memory, one for all nodes: a transaction is one moment, and nothing is on a disk. What a crash of
the database server costs is simulated by copies: it comes back with the last transaction of money, and without what calls
have written since (`synchronous=NORMAL` on SQLite, `synchronous_commit=off` on PostgreSQL). What PostgreSQL alone can do,
two transactions that overlap, is not simulated: `tests/store` and `tests/forwarder` run against a real one.

Each seed switches some kinds of fault on and others off (`faults.Faults.drawn`), so that rare ones meet in some seeds. When
the callers have gone, everything heals, time passes, and `judge` looks at what is left: bank's books, ours, bills, each
caller's last words, texts, sealed fields, outbox and audit trail.

    python -m tests.simulation --seed 7           one seed, its story line by line
    python -m tests.simulation --seeds 1000       a thousand; the first that fails is named with its own line
"""
