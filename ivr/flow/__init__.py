"""The merchant's language: the schema of a flow, its checks, and the machine it compiles to. Opens no file."""
