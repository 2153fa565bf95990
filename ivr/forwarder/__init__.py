"""The process that goes to the banks: charges, texts, notices, housekeeping. `python -m ivr.forwarder`."""
