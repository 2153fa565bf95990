"""Faults that happen: a line to the bank that breaks, a certificate that ends, a full disk, a database that takes no writes.

All with real parts: a bank behind TLS and a relay, databases on a small file system of their own, servers that are killed.
Afterwards the bank's books, ours, the bill and what the caller heard must agree (`tests.kill.judge`).

    relay    a line to the bank that can be cut anywhere      sites    what the calls run on
    trouble  a call while something is wrong, and after it    disk     a file system that can be filled
    product  web and forwarder as processes               quick_forwarder  with a lease of seconds
"""
