"""localstripe with its books in memory alone. By itself it writes them, at every change, to one file in /tmp that all runs share."""

from localstripe import server
from localstripe.resources import Store


def keep_in_memory(_books: Store) -> None:
    """In place of the file."""


if __name__ == "__main__":
    Store.dump_to_disk = keep_in_memory
    server.start()
