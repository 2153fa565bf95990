"""The forwarder's own process, but what a holder of a job leaves undone is taken up again after seconds, not after a minute."""

from functools import partial

from ivr.forwarder import process

LEASE_S = 5.0

if __name__ == "__main__":
    process.Forwarder = partial(process.Forwarder, lease_s=LEASE_S)  # type: ignore[misc,assignment]
    process.main()
