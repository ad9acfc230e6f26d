"""A shell command line as words, operators, redirections and here-documents. Pure; never runs anything.

Covers what agents write (POSIX shell and the common bash extensions). What only a running shell can know,
such as ``$(date)`` or an unset variable, makes a word *unknown* instead of guessing.
"""

from __future__ import annotations

from typing import NamedTuple

MAX_COMMAND = 200_000
_OPERATORS = ("&&", "||", ";;", "|&", ";", "|", "&", "(", ")", "\n")
_REDIRECTIONS = ("&>>", "<<<", "<<-", "&>", ">>", ">|", ">&", "<&", "<>", "<<", ">", "<")
_SPECIAL = frozenset("|&;()<>\n \t")


class Word(NamedTuple):
    """One word. ``known`` is false when an expansion could not be resolved; ``glob`` when it has unquoted
    wildcards; ``quoted`` when any part of it was quoted."""

    text: str
    known: bool = True
    glob: bool = False
    quoted: bool = False


class Operator(NamedTuple):
    """A control operator: ``;``, ``&&``, ``(``, a line break, …"""

    text: str


class Redirection(NamedTuple):
    """A redirection operator and its target; ``body`` is a here-document's text."""

    operator: str
    target: Word
    body: str = ""


Token = Word | Operator | Redirection


class Lexed(NamedTuple):
    """The tokens of a command line and the command substitutions found inside its words."""

    tokens: list[Token]
    nested: list[str]


class _Lexer:
    def __init__(self, text: str, variables: dict[str, str]) -> None:
        self.text = text[:MAX_COMMAND]
        self.at = 0
        self.variables = variables
        self.tokens: list[Token] = []
        self.nested: list[str] = []
        self.pending: list[tuple[int, str, bool]] = []

    def run(self) -> Lexed:
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in " \t":
                self.at += 1
            elif self.text.startswith("\\\n", self.at):
                self.at += 2
            elif char == "#":
                self._skip_comment()
            elif not (self._redirection() or self._operator()):
                self.tokens.append(self._word())
        return Lexed(self.tokens, self.nested)

    def _skip_comment(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end

    def _operator(self) -> bool:
        for operator in _OPERATORS:
            if self.text.startswith(operator, self.at):
                self.at += len(operator)
                self.tokens.append(Operator(operator))
                if operator == "\n":
                    self._here_documents()
                return True
        return False

    def _redirection(self) -> bool:
        start = self.at
        while start < len(self.text) and self.text[start].isdigit():
            start += 1
        for operator in _REDIRECTIONS:
            if not self.text.startswith(operator, start) or (operator[0] == "&" and start != self.at):
                continue
            self.at = start + len(operator)
            while self.at < len(self.text) and self.text[self.at] in " \t":
                self.at += 1
            self._redirect_to(operator)
            return True
        return False

    def _redirect_to(self, operator: str) -> None:
        if self.at < len(self.text) and self.text[self.at] in "<>" and self.text.startswith("(", self.at + 1):
            self.at += 1
        if self.at < len(self.text) and self.text[self.at] in "()\n;|":
            self.tokens.append(Redirection(operator, Word("", known=False)))
            return
        target = self._word()
        if operator in ("<<", "<<-"):
            self.pending.append((len(self.tokens), target.text, operator == "<<-"))
        self.tokens.append(Redirection(operator, target))

    def _here_documents(self) -> None:
        for index, delimiter, indented in self.pending:
            lines: list[str] = []
            while self.at < len(self.text):
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                line = self.text[self.at : end]
                self.at = min(end + 1, len(self.text))
                if (line.lstrip("\t") if indented else line) == delimiter:
                    break
                lines.append(line.lstrip("\t") if indented else line)
            found = self.tokens[index]
            if isinstance(found, Redirection):
                self.tokens[index] = found._replace(body="".join(f"{line}\n" for line in lines))
        self.pending = []

    def _word(self) -> Word:
        parts: list[str] = []
        known, glob, quoted = True, False, False
        while self.at < len(self.text) and self.text[self.at] not in _SPECIAL:
            char = self.text[self.at]
            if char == "\\":
                parts.append(
                    "" if self.text.startswith("\n", self.at + 1) else self.text[self.at + 1 : self.at + 2]
                )
                self.at += 2
                quoted = True
            elif char == "'":
                parts.append(self._until("'"))
                quoted = True
            elif char == '"':
                text, sure = self._double_quoted()
                parts.append(text)
                known, quoted = known and sure, True
            elif char in "$`":
                if self.text.startswith("$'", self.at):
                    self.at += 1
                    parts.append(self._until("'"))
                    quoted = True
                    continue
                text, sure = self._expansion()
                parts.append(text)
                known = known and sure
            else:
                glob = glob or char in "*?["
                parts.append(char)
                self.at += 1
        if not parts and self.at < len(self.text):
            self.at += 1
        return Word("".join(parts), known, glob, quoted)

    def _until(self, quote: str) -> str:
        end = self.text.find(quote, self.at + 1)
        end = len(self.text) if end < 0 else end
        text = self.text[self.at + 1 : end]
        self.at = end + 1
        return text

    def _double_quoted(self) -> tuple[str, bool]:
        self.at += 1
        parts: list[str] = []
        known = True
        while self.at < len(self.text) and self.text[self.at] != '"':
            char = self.text[self.at]
            if char == "\\" and self.text[self.at + 1 : self.at + 2] in ('"', "\\", "$", "`", "\n"):
                parts.append(self.text[self.at + 1].replace("\n", ""))
                self.at += 2
            elif char in "$`":
                text, sure = self._expansion()
                parts.append(text)
                known = known and sure
            else:
                parts.append(char)
                self.at += 1
        self.at += 1
        return "".join(parts), known

    def _expansion(self) -> tuple[str, bool]:
        text, at = self.text, self.at
        if text[at] == "`":
            self.nested.append(self._until("`"))
            return "", False
        if text.startswith("$((", at):
            self.at = self._closing(at + 1)
            return "", False
        if text.startswith("$(", at):
            self.at = self._closing(at + 1)
            self.nested.append(text[at + 2 : self.at - 1])
            return "", False
        braced = text.startswith("${", at)
        end = start = at + (2 if braced else 1)
        while end < len(text) and (text[end].isalnum() or text[end] == "_"):
            end += 1
        name = text[start:end]
        if braced:
            close = text.find("}", end)
            self.at = len(text) if close < 0 else close + 1
            return (self.variables.get(name, ""), close == end and name in self.variables)
        if not name:
            self.at = at + (2 if text[at + 1 : at + 2] and text[at + 1] in "?!#@*$-" else 1)
            return ("$", True) if self.at == at + 1 else ("", False)
        self.at = end
        return self.variables.get(name, ""), name in self.variables

    def _closing(self, opening: int) -> int:
        """The place after the bracket that closes the one at ``opening``."""
        depth, at = 0, opening
        while at < len(self.text):
            char = self.text[at]
            if char == "\\":
                at += 1
            elif char == "'":
                end = self.text.find("'", at + 1)
                at = len(self.text) if end < 0 else end
            elif char == "(":
                depth += 1
            elif char == ")":
                depth -= 1
                if not depth:
                    return at + 1
            at += 1
        return len(self.text)


def tokens_of(text: str, variables: dict[str, str] | None = None) -> Lexed:
    """Split a command line. ``variables`` are the shell variables whose values are known."""
    return _Lexer(text, {} if variables is None else variables).run()
