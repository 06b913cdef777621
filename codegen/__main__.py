"""python -m codegen: compile limits.md to server/rules/."""

import sys

from codegen.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
