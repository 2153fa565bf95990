"""`python -m ivr.forwarder`: one process of the Procfile."""

import sys

from ivr.errors import IvrError
from ivr.forwarder.process import main

if __name__ == "__main__":
    try:
        main()
    except IvrError as error:
        sys.exit(f"forwarder: {error}")
