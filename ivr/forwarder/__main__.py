"""`python -m ivr.forwarder`: one process of the Procfile."""

import sys

from ivr.errors import IvrError
from ivr.loading import load

if __name__ == "__main__":
    try:
        load("ivr.forwarder.process").main()
    except IvrError as error:
        sys.exit(f"forwarder: {error}")
