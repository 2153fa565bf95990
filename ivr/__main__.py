"""`python -m ivr`: the command line."""

from ivr.cli import main

if __name__ == "__main__":
    main()
