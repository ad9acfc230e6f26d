"""Pure parsing: bytes and a language in, symbols out. No Django.

Importing this package loads no grammar; a grammar is loaded when the first file of its language is read.
"""

from symbols.errors import GrammarMissing, SourceTooDeep, SourceTooLarge, SymbolsError
from symbols.extractor import Symbol, accepted_paths, extract
from symbols.languages import LanguageStatus, language_of, languages
from symbols.paths import (
    MAX_DEPTH,
    MAX_LENGTH,
    SEPARATOR,
    ancestors,
    nearest,
    parse_symbol_path,
    paths_overlap,
)

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "SEPARATOR",
    "GrammarMissing",
    "LanguageStatus",
    "SourceTooDeep",
    "SourceTooLarge",
    "Symbol",
    "SymbolsError",
    "accepted_paths",
    "ancestors",
    "extract",
    "language_of",
    "languages",
    "nearest",
    "parse_symbol_path",
    "paths_overlap",
]
