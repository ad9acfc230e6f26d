"""What a request asks for: items with parsed patterns and symbols, and the whole request a ticket keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claims.models import Claim
from claims.parties import Party
from patterns import Pattern, PatternError, overlaps, parse
from symbols import parse_symbol_path, paths_overlap

NEVER_NARROWED = (Claim.Type.MODULE, Claim.Type.SHARED_FILE)


ScopeKey = tuple[str, str, tuple[str, ...] | None]


@dataclass(frozen=True, slots=True)
class Item:
    """One scope that is asked for. ``sent`` is the pattern as the caller wrote it."""

    sent: str
    pattern: Pattern
    claim_type: str = Claim.Type.FILE
    symbols: tuple[str, ...] | None = None
    sent_symbols: tuple[str, ...] | None = None
    narrowable_asked: bool | None = None

    @property
    def scope_type(self) -> str:
        """``symbol`` when symbols are named, else ``file``."""
        return Claim.Scope.SYMBOL if self.symbols else Claim.Scope.FILE

    @property
    def key(self) -> ScopeKey:
        """Equal for items that ask for the same scope in the same way."""
        return (self.pattern.text, self.claim_type, self.symbols)

    @property
    def narrowable(self) -> bool:
        """Whether a symbol claim of somebody else may be carved out: as asked, else files only."""
        if self.narrowable_asked is not None:
            return self.narrowable_asked
        return not self.symbols and self.claim_type == Claim.Type.FILE

    @property
    def can_be_narrowed(self) -> bool:
        """Whether, as a holder, this scope gives way to a symbol claim."""
        return not self.symbols and self.narrowable and self.claim_type not in NEVER_NARROWED

    def clashes(self, held: Item) -> bool:
        """Whether this item may not be granted while ``held`` (another party's) is."""
        return overlaps(self.pattern, held.pattern) and self._collides(held)

    def excludes(self, other: Item) -> bool:
        """Whether the two clash, whichever of them is held."""
        return overlaps(self.pattern, other.pattern) and (self._collides(other) or other._collides(self))

    def _collides(self, held: Item) -> bool:
        """Whether the scopes exclude each other where the patterns overlap."""
        if self.symbols is None:
            return True
        if held.symbols is None:
            return not held.can_be_narrowed
        return any(paths_overlap(mine, theirs) for mine in self.symbols for theirs in held.symbols)


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """A whole ``POST /claims``: granted in full or not at all, now or from the line."""

    repo: str
    party: Party
    items: tuple[Item, ...]
    branch: str | None = None
    description: str | None = None
    ttl_hours: float | None = None
    urgency: str = "normal"

    def clashes(self, other: ClaimRequest) -> bool:
        """Whether any item of this request clashes with any item of the other's, either way round."""
        for mine in self.items:  # loops, because a long line is asked this thousands of times
            for theirs in other.items:
                if mine.excludes(theirs):
                    return True
        return False

    def to_json(self) -> dict[str, Any]:
        """The request as a ticket keeps it."""
        return {
            "branch": self.branch,
            "description": self.description,
            "ttl_hours": self.ttl_hours,
            "items": [
                {
                    "type": item.claim_type,
                    "pattern": item.sent,
                    "symbols": list(item.sent_symbols) if item.sent_symbols else None,
                    "narrowable": item.narrowable_asked,
                }
                for item in self.items
            ],
        }


class ItemError(ValueError):
    """An item cannot be read; ``warning`` says which and why, ``hint`` what to write instead."""

    def __init__(self, warning: str, hint: str | None = None) -> None:
        super().__init__(warning)
        self.warning = warning
        self.hint = hint


def read_items(raw: Sequence[Mapping[str, Any]], *, case_insensitive: bool) -> tuple[Item, ...]:
    """Parse the items of a request. Raises :class:`ItemError` for the first that cannot be read."""
    return tuple(_read_item(item, case_insensitive) for item in raw)


def read_pattern(text: str, *, case_insensitive: bool) -> Pattern:
    """Parse one pattern; :class:`ItemError` quotes it and says what to write instead."""
    try:
        return parse(text, case_insensitive=case_insensitive)
    except PatternError as error:
        raise ItemError(str(error), error.hint) from error


def _read_item(raw: Mapping[str, Any], case_insensitive: bool) -> Item:
    pattern = read_pattern(raw["pattern"], case_insensitive=case_insensitive)
    sent_symbols = tuple(raw.get("symbols") or ()) or None
    symbols = None
    if sent_symbols:
        try:
            symbols = tuple(dict.fromkeys(parse_symbol_path(path) for path in sent_symbols))
        except ValueError as error:
            raise ItemError(f"Symbols of '{raw['pattern']}': {error}") from error
    return Item(
        sent=raw["pattern"],
        pattern=pattern,
        claim_type=raw.get("type") or Claim.Type.FILE,
        symbols=symbols,
        sent_symbols=sent_symbols,
        narrowable_asked=raw.get("narrowable"),
    )
