"""`python -m agentic_memory`: the same as the command `agentic-memory`."""

from agentic_memory.interfaces.cli import main

if __name__ == "__main__":
    main(prog_name="agentic-memory")
