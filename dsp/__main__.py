"""`python -m dsp`: the command line in `dsp.cli`."""

from dsp.cli import main

main(prog_name="python -m dsp")
