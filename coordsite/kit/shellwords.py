"""Facts about commands and their words: which only read, which options take a value, what hides a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coordsite.kit.shelltokens import Word

# Options that take the next word as their value, per command: it is no file.
VALUED = {
    "sed": {"-e", "-f", "-l", "--expression", "--file", "--line-length"},
    "perl": {"-e", "-E", "-M", "-I"},
    "cp": {"-S", "--suffix"},
    "mv": {"-S", "--suffix"},
    "ln": {"-S", "--suffix"},
    "install": {"-m", "-o", "-g", "-S", "--mode", "--owner", "--group", "--suffix"},
    "touch": {"-d", "-t", "-r", "--date", "--reference"},
    "truncate": {"-s", "-r", "--size", "--reference"},
    "rsync": {"-e", "--exclude", "--include", "--rsh", "--filter", "-f"},
}
PREFIXES = frozenset(
    {"sudo", "env", "command", "builtin", "exec", "nohup", "time", "nice", "stdbuf", "timeout", "xargs"}
)
PREFIX_VALUED = frozenset(
    {"-u", "-g", "-n", "-I", "-P", "-L", "-d", "-k", "-s", "-C", "-E", "--unset", "--chdir"}
)
_READERS = """
    ls cat head tail less more grep egrep fgrep rg ag wc pwd echo printf true false test [ [[ which type
    whoami date stat file du df ps printenv uname hostname basename dirname realpath readlink sort uniq cut
    tr jq diff cmp column tree id sleep cd pushd popd export set unset read local : man history alias md5sum
    sha256sum hexdump xxd od strings seq yes expr bat fd locate env
"""
_GIT_READERS = """
    status log diff show branch remote rev-parse rev-list ls-files ls-tree blame describe shortlog reflog
    grep config cat-file fetch for-each-ref merge-base name-rev var version help tag
"""
_KEYWORDS = "if then else elif fi while until do done { } ! case esac in function select"
READERS = frozenset(_READERS.split())
GIT_READERS = frozenset(_GIT_READERS.split())
KEYWORDS = frozenset(_KEYWORDS.split())
SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh"})


def plainly_reads(command: str) -> bool:
    """Whether a command line reads only, told without parsing: no redirection, expansion or quoting trick.

    ``False`` means "look closer". Commands such as ``ls``, ``git status`` or ``grep x | head`` are what
    agents run most.
    """
    if any(mark in command for mark in "><`$(){}\\\n") or not command.strip():
        return False
    for part in command.replace("||", "|").replace("&&", "|").replace(";", "|").split("|"):
        words = part.split()
        if not words or not (
            words[0] in READERS or (words[0] == "git" and words[1:2] and words[1] in GIT_READERS)
        ):
            return False
        if "&" in part or words[0] in ("env", "cd", "sort", "tree"):
            return False
    return True


def is_assignment(word: Word) -> bool:
    name, equals, _ = word.text.partition("=")
    return bool(equals) and name.isidentifier()


def without_prefix(words: list[Word]) -> list[Word]:
    """The command behind ``sudo``, ``env A=b``, ``timeout 5`` and the like."""
    while words and words[0].text.rsplit("/", 1)[-1] in PREFIXES:
        prefix = words[0].text.rsplit("/", 1)[-1]
        rest = words[1:]
        while rest and (rest[0].text.startswith("-") or is_assignment(rest[0])):
            takes = rest[0].text in PREFIX_VALUED
            rest = rest[2:] if takes else rest[1:]
        if prefix == "timeout" and rest:
            rest = rest[1:]
        if not rest:
            return words if prefix == "env" else []
        words = rest
    return words


def operands(words: list[Word], valued: set[str]) -> list[Word]:
    """The words that are neither options nor their values; everything after ``--``."""
    found: list[Word] = []
    rest = iter(words)
    for word in rest:
        if word.text == "--":
            return found + list(rest)
        if word.text in valued:
            next(rest, None)
        elif not word.text.startswith("-") or word.text == "-" or word.quoted:
            found.append(word)
    return found


def option(words: list[Word], short: str, long: str) -> Word | None:
    """The value of an option, written apart or behind ``=``."""
    for index, word in enumerate(words):
        if word.text in (short, long) and index + 1 < len(words):
            return words[index + 1]
        if word.text.startswith(f"{long}="):
            return word._replace(text=word.text.partition("=")[2])
    return None


def braces(word: Word) -> list[Word]:
    """``a.{x,y}`` as the shell expands it; one pair of braces, unquoted."""
    text = word.text
    start, end = text.find("{"), text.find("}")
    if word.quoted or start < 0 or end < start or "," not in text[start:end]:
        return [word]
    return [
        word._replace(text=text[:start] + part + text[end + 1 :]) for part in text[start + 1 : end].split(",")
    ]


def in_place(words: list[Word]) -> bool:
    """Whether ``sed`` or ``perl`` edits its files in place."""
    for word in words:
        if word.text.startswith("--in-place"):
            return True
        if word.text.startswith("-") and not word.text.startswith("--") and "i" in word.text.split("e")[0]:
            return True
    return False


def find_writes(words: list[Word]) -> bool:
    return any(
        word.text in ("-delete", "-exec", "-execdir", "-ok", "-okdir", "-fprint", "-fls") for word in words
    )
