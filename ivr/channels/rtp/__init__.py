"""The media of calls we answer ourselves: RTP in one worker process for many calls, keys heard, prompts played; no SIP.

`MediaClient` runs a worker and speaks with it; `KeyMerger` makes one key of what several methods report; `Phone` is the
caller's side of one call, for trying things out. docs/trunk-media.md tells how it works and what its messages are.
"""
