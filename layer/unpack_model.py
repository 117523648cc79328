"""Write the embedding model as it is needed in memory, for the layer: python layer/unpack_model.py FOLDER."""

import sys
from pathlib import Path

from agentic_memory.backends.embedders.usem3 import unpack

if __name__ == "__main__":
    unpack(Path(sys.argv[1]))
