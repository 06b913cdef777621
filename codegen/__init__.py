"""limits.md to server/rules/: the compiler.

Bytes become a document, Markdown becomes rows of cells with their places, cells become
phrases, each read whole by one form; what they state becomes a spec, and the spec
becomes Python. Every stage is a function of what it is given, so the output depends on
the table alone. Nothing here imports the server; handlers are read as text.
"""

from pathlib import PurePosixPath

from codegen import document, emit, interpret


def compile_table(text: str, name: str = "limits.md") -> dict[PurePosixPath, str]:
    """Compile the text of a table to the files of server/rules/.

    Raises:
        BadTable: with every problem found, not only the first.
    """
    return emit.package(interpret.read(document.of_text(text, name))[0])
