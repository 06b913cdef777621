"""What the fuzzer runs: one document a time, with the compiler's branches counted."""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

with atheris.instrument_imports(include=["codegen", "tests.codegen.holding"]):
    from tests.codegen.holding import holds_of_bytes


if __name__ == "__main__":
    atheris.Setup(sys.argv, holds_of_bytes)
    atheris.Fuzz()
