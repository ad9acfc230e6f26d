"""File endings: the names that are files and never directories.

A claim is about files. By the letter of gitignore ``*.py`` and ``*.ts`` meet at ``a.py/b.ts``, a file in a
directory that is called ``a.py``. Nobody means that, so a name with one of the endings below is taken for a
file. The table holds endings of sources and configuration only; endings that directories really have (``.d``,
``.app``, ``.egg-info``, ``.env``, ``.git``) are left out on purpose.

An ending counts in lower case and in capitals (``README.MD``). Mixed case is a name, not an ending: projects
have directories such as ``System.Text.Json``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# One text block reads better than a hundred lines of strings.
EXTENSIONS = frozenset(
    """
    adoc astro bash bat c cc cfg cjs clj cljs cmd conf cpp cs css csv cts cxx dart elm erl ex exs fish
    fs gif go gql gradle graphql groovy h hh hpp hrl hs htm html hxx ico ini ipynb java jl jpeg jpg js
    json json5 jsonc jsonl jsx kt kts less lock lua m map md mdx mjs mm mod mts nim pdf php pl pm png
    properties proto ps1 pxd py pyi pyx r rb rs rst sass scala scss sh snap sql sum svelte svg swift tex
    tf tfvars toml ts tsv tsx ttf txt vb vue wasm webp woff woff2 xml xsd yaml yml zig zsh
    """.split()  # noqa: SIM905
)


@dataclass(slots=True, eq=False)
class Ending:
    """A node of the tree of endings read from the right: ``suffix`` is what was read so far.

    ``known`` says that a dot in front of ``suffix`` completes a file ending. ``decisive`` are the characters
    in front of ``suffix`` that leave it undecided, or decide that the name is a file.
    """

    suffix: str
    known: bool = False
    children: dict[str, Ending] = field(default_factory=dict)
    decisive: frozenset[str] = frozenset()


def _tree() -> Ending:
    root = Ending("")
    for extension in (*EXTENSIONS, *map(str.upper, EXTENSIONS)):
        node = root
        for letter in reversed(extension):
            node = node.children.setdefault(letter, Ending(letter + node.suffix))
        node.known = True
    todo = [root]
    while todo:
        node = todo.pop()
        node.decisive = frozenset((*node.children, ".") if node.known else node.children)
        todo.extend(node.children.values())
    return root


ENDINGS = _tree()


def file_ending(name: str) -> str:
    """The known file ending of ``name`` with its dot, spelled as in ``name``; ``""`` when it has none."""
    _, dot, extension = name.rpartition(".")
    known = extension in EXTENSIONS or (extension.isupper() and extension.lower() in EXTENSIONS)
    return dot + extension if dot and known and extension.isascii() else ""
