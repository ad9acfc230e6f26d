"""The one table of languages. Adding a language is one row here and one file in `queries/`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType

from symbols import grammars


@dataclass(frozen=True, slots=True)
class Language:
    """A row of the table.

    `package` is what to install, `module` and `function` give the grammar, `extensions` are lower case with
    their dot. `separators` are what the language writes between the parts of a compound name, next to `::`.

    `by_indent` is whether indentation makes blocks. `depth` is how many levels deep a query with `@inside`
    or `@whole` looks (see `symbols.search`), `nested` the beginnings of all that is looked for in a function.
    """

    name: str
    package: str
    module: str
    extensions: tuple[str, ...]
    function: str = "language"
    separators: tuple[str, ...] = ()
    by_indent: bool = False
    depth: int = 0
    nested: tuple[re.Pattern[bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class LanguageStatus:
    """What `languages()` says of one language: `available` was found out by loading the grammar."""

    name: str
    extensions: tuple[str, ...]
    package: str
    available: bool


def _beginnings(*patterns: bytes) -> tuple[re.Pattern[bytes], ...]:
    """Compiled one by one: what begins with letters is searched for an order of magnitude faster."""
    return tuple(map(re.compile, patterns))


_ROWS = (
    Language(
        "python",
        "tree-sitter-python",
        "tree_sitter_python",
        (".py", ".pyi", ".pyw"),
        by_indent=True,
        depth=2,
        nested=_beginnings(rb"def[\s\\#\x80-\xff]", rb"class[\s\\#\x80-\xff]", rb"type[\s\\#\x80-\xff]"),
    ),
    Language(
        "typescript",
        "tree-sitter-typescript",
        "tree_sitter_typescript",
        (".ts", ".mts", ".cts"),
        function="language_typescript",
        separators=(".",),
    ),
    Language(
        "tsx",
        "tree-sitter-typescript",
        "tree_sitter_typescript",
        (".tsx",),
        function="language_tsx",
        separators=(".",),
    ),
    Language(
        "javascript", "tree-sitter-javascript", "tree_sitter_javascript", (".js", ".jsx", ".mjs", ".cjs")
    ),
    Language(
        "go",
        "tree-sitter-go",
        "tree_sitter_go",
        (".go",),
        depth=1,
        nested=_beginnings(rb"type[\s/(\x80-\xff]", rb"var[\s/(\x80-\xff]", rb"interface(?!{})"),
    ),
    Language("rust", "tree-sitter-rust", "tree_sitter_rust", (".rs",)),
    Language("java", "tree-sitter-java", "tree_sitter_java", (".java",)),
    Language("c", "tree-sitter-c", "tree_sitter_c", (".c",)),
    # A header is read as C++, which C headers are too.
    Language(
        "cpp",
        "tree-sitter-cpp",
        "tree_sitter_cpp",
        (".cpp", ".cc", ".cxx", ".c++", ".h", ".hh", ".hpp", ".hxx", ".h++", ".ipp", ".tpp", ".inl", ".ino"),
    ),
    Language("c_sharp", "tree-sitter-c-sharp", "tree_sitter_c_sharp", (".cs", ".csx"), separators=(".",)),
    Language("ruby", "tree-sitter-ruby", "tree_sitter_ruby", (".rb", ".rake", ".gemspec", ".ru")),
    Language(
        "php",
        "tree-sitter-php",
        "tree_sitter_php",
        (".php", ".phtml", ".inc"),
        function="language_php",
        separators=("\\",),
    ),
    Language("kotlin", "tree-sitter-kotlin", "tree_sitter_kotlin", (".kt", ".kts")),
    Language("swift", "tree-sitter-swift", "tree_sitter_swift", (".swift",), separators=(".",)),
    Language("scala", "tree-sitter-scala", "tree_sitter_scala", (".scala", ".sc", ".sbt")),
)

LANGUAGES: dict[str, Language] = {row.name: row for row in _ROWS}


def language_of(path: str) -> str | None:
    """The language of a file by its last extension, in any case; `None` when the table has none."""
    name = path.replace("\\", "/").rsplit("/", 1)[-1].lower()
    stem, dot, ending = name.rpartition(".")
    if not dot or not stem:
        return None
    extension = dot + ending
    return next((row.name for row in LANGUAGES.values() if extension in row.extensions), None)


def languages() -> MappingProxyType[str, LanguageStatus]:
    """Every language of the table by name, in its order, with whether its grammar really loads here."""
    return MappingProxyType(
        {
            row.name: LanguageStatus(row.name, row.extensions, row.package, grammars.is_available(row))
            for row in LANGUAGES.values()
        }
    )
