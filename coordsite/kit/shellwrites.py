"""Which files a shell command line writes, as far as its text tells. Pure; never runs or opens anything.

Known writers: redirections, ``tee``, ``sed -i``, ``perl -i``, ``mv``, ``cp``, ``rm``, ``ln``, ``touch``,
``truncate``, ``install``, ``dd``, ``rsync``, ``patch``, ``apply_patch`` and the git commands that change
the work tree; also behind ``cd``, ``env``, ``sudo``, ``xargs``, ``bash -c`` and in subshells. What the text
does not tell (a script, an unset variable) is left to the look at ``git status`` after the command.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import NamedTuple

from coordsite.kit.patches import apply_patch_paths, has_envelope
from coordsite.kit.shelltokens import Operator, Redirection, Token, Word, tokens_of
from coordsite.kit.shellwords import (
    GIT_READERS,
    KEYWORDS,
    READERS,
    SHELLS,
    VALUED,
    braces,
    find_writes,
    in_place,
    is_assignment,
    operands,
    option,
    without_prefix,
)

MAX_PATHS = 2000
_MAX_DEPTH = 5


class GitAction(NamedTuple):
    """A git command whose written files only git can tell: ``git <action> <args>`` run in ``cwd``."""

    cwd: str
    action: str
    args: tuple[str, ...]


class PatchAction(NamedTuple):
    """A patch to be applied: a file, or its text; ``strip`` leading segments are taken off its paths."""

    cwd: str
    file: str
    text: str
    strip: int


class Writes(NamedTuple):
    """What a command line writes. Paths are absolute; ``globs`` are absolute patterns, still to be expanded.

    ``read_only`` is true when every command of the line is known to change no file.
    """

    paths: tuple[str, ...]
    globs: tuple[str, ...]
    git: tuple[GitAction, ...]
    patches: tuple[PatchAction, ...]
    read_only: bool


def writes_of(
    command: str,
    cwd: str,
    environ: dict[str, str] | None = None,
    is_dir: Callable[[str], bool] = os.path.isdir,
) -> Writes:
    """What ``command`` writes when run in ``cwd``.

    ``environ`` gives the known variables (``HOME`` for ``~``). ``is_dir`` tells whether a destination is a
    directory, so that ``mv a dir`` names ``dir/a``.
    """
    reader = _Reader(cwd, dict(environ or {}), is_dir)
    reader.read(command, 0)
    return Writes(
        tuple(dict.fromkeys(reader.paths))[:MAX_PATHS],
        tuple(dict.fromkeys(reader.globs))[:MAX_PATHS],
        tuple(reader.git),
        tuple(reader.patches),
        reader.read_only,
    )


class _Reader:
    def __init__(self, cwd: str, variables: dict[str, str], is_dir: Callable[[str], bool]) -> None:
        self.cwd = cwd
        self.variables = variables
        self.is_dir = is_dir
        self.paths: list[str] = []
        self.globs: list[str] = []
        self.git: list[GitAction] = []
        self.patches: list[PatchAction] = []
        self.read_only = True

    def read(self, command: str, depth: int) -> None:
        """Take in a whole command line, its subshells and its command substitutions."""
        if depth > _MAX_DEPTH:
            self.read_only = False
            return
        self.variables.setdefault("PWD", self.cwd)
        simple: list[Token] = []
        stack: list[str] = []
        # Assignments make later words known, so the text is lexed once with one live dictionary.
        lexed = tokens_of(_with_assignments(command, self.variables), self.variables)
        for token in [*lexed.tokens, Operator("\n")]:
            if not isinstance(token, Operator):
                simple.append(token)
                continue
            self._simple(simple, depth)
            simple = []
            if token.text == "(":
                stack.append(self.cwd)
            elif token.text == ")" and stack:
                self.cwd = stack.pop()
        for nested in lexed.nested:
            here = self.cwd
            self.read(nested, depth + 1)
            self.cwd = here

    def _simple(self, tokens: list[Token], depth: int) -> None:
        words = [token for token in tokens if isinstance(token, Word)]
        redirections = [token for token in tokens if isinstance(token, Redirection)]
        while words and (words[0].text in KEYWORDS or is_assignment(words[0])):
            words = words[1:]
        for redirection in redirections:
            if redirection.operator in (">", ">>", ">|", "&>", "&>>", "<>", ">&"):
                if redirection.operator == ">&" and redirection.target.text.rstrip("-").isdigit():
                    continue
                if redirection.target.text != "-":
                    self._write(redirection.target)
        if words:
            self._command(words, redirections, depth)

    def _command(self, words: list[Word], redirections: list[Redirection], depth: int) -> None:
        words = without_prefix(words)
        if not words:
            return
        name = words[0].text.rsplit("/", 1)[-1]
        arguments = words[1:]
        target = option(arguments, "-o", "--output") if name in ("sort", "tree") else None
        if target:
            self._write(target)
        elif name in READERS or (name == "find" and not find_writes(arguments)):
            if name == "cd":
                self._change_directory(arguments)
            return
        if name == "git":
            self._git(arguments, redirections)
            return
        if name == "sed" and not in_place(arguments):
            return
        self.read_only = False
        if name in SHELLS:
            self._shell(arguments, redirections, depth)
        elif name in ("apply_patch", "applypatch"):
            self._envelope([word.text for word in arguments] + [item.body for item in redirections])
        elif name == "patch":
            self._patch(arguments, redirections)
        else:
            handler = _WRITERS.get(name)
            if handler:
                handler(self, arguments)

    def _change_directory(self, arguments: list[Word]) -> None:
        targets = [word for word in arguments if not word.text.startswith("-")]
        if targets and targets[0].known:
            self.cwd = self._absolute(targets[0])
            self.variables["PWD"] = self.cwd

    def _shell(self, arguments: list[Word], redirections: list[Redirection], depth: int) -> None:
        script = ""
        for index, word in enumerate(arguments):
            if word.text.startswith("-") and word.text.endswith("c") and index + 1 < len(arguments):
                script = arguments[index + 1].text
                break
        script = script or next((item.body for item in redirections if item.body), "")
        here = self.cwd
        self.read(script, depth + 1)
        self.cwd = here

    def _envelope(self, texts: Iterable[str]) -> None:
        for text in texts:
            if has_envelope(text):
                self.paths += [self._join(path) for path in apply_patch_paths(text)]

    def _patch(self, arguments: list[Word], redirections: list[Redirection]) -> None:
        strip, file, text = 0, "", ""
        files: list[Word] = []
        rest = iter(arguments)
        for word in rest:
            flag = word.text
            if flag in ("-p", "--strip", "-i", "--input", "-d", "--directory", "-o", "-D", "-F", "-r"):
                value = next(rest, Word(""))
                flag = f"{flag}={value.text}" if flag.startswith("--") else flag + value.text
            if flag.startswith(("-p", "--strip=")):
                digits = flag.removeprefix("--strip=").removeprefix("-p")
                strip = int(digits) if digits.isdigit() else 0
            elif flag.startswith(("-i", "--input=")):
                file = flag.removeprefix("--input=").removeprefix("-i")
            elif flag.startswith(("-d", "--directory=")) and not flag.startswith("--dry"):
                self.cwd = self._join(flag.removeprefix("--directory=").removeprefix("-d"))
            elif not flag.startswith("-"):
                files.append(word)
        if files:
            self._write(files[0])
            return
        for item in redirections:
            if item.operator == "<" and item.target.known:
                file = item.target.text
            text = text or item.body
        if file or text:
            self.patches.append(PatchAction(self.cwd, self._join(file) if file else "", text, strip))

    def _git(self, arguments: list[Word], redirections: list[Redirection]) -> None:
        here = self.cwd
        while arguments and arguments[0].text.startswith("-"):
            flag = arguments[0].text
            takes = flag in ("-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path")
            if flag == "-C" and len(arguments) > 1:
                here = os.path.normpath(os.path.join(here, os.path.expanduser(arguments[1].text)))
            arguments = arguments[2:] if takes else arguments[1:]
        if not arguments or arguments[0].text in GIT_READERS:
            return
        self.read_only = False
        action, rest = arguments[0].text, arguments[1:]
        before, self.cwd = self.cwd, here
        if action == "rm":
            self._each(operands(rest, set()))
        elif action == "mv":
            self._move(rest)
        elif action == "apply":
            self._git_apply(rest, redirections)
        elif action in ("checkout", "restore", "switch", "reset", "stash", "clean"):
            self.git.append(GitAction(here, action, tuple(word.text for word in rest if word.known)))
        self.cwd = before

    def _git_apply(self, arguments: list[Word], redirections: list[Redirection]) -> None:
        texts = [word.text for word in arguments]
        if {"--check", "--stat", "--numstat", "--summary"} & set(texts) and "--apply" not in texts:
            return
        strip = next((int(text[2:]) for text in texts if text.startswith("-p") and text[2:].isdigit()), 1)
        for word in operands(arguments, {"-C", "--directory", "--exclude", "--include", "-p"}):
            if word.known and word.text != "-":
                self.patches.append(PatchAction(self.cwd, self._absolute(word), "", strip))
        for item in redirections:
            if item.operator == "<" and item.target.known:
                self.patches.append(PatchAction(self.cwd, self._absolute(item.target), "", strip))
            elif item.body:
                self.patches.append(PatchAction(self.cwd, "", item.body, strip))

    def _write(self, word: Word) -> None:
        if not word.known or not word.text:
            self.read_only = False
            return
        path = self._absolute(word)
        if path == "/dev" or path.startswith(("/dev/", "/proc/")):
            return
        self.read_only = False
        (self.globs if word.glob else self.paths).append(path)

    def _each(self, words: Iterable[Word]) -> None:
        for word in words:
            for each in braces(word):
                self._write(each)

    def _move(self, arguments: list[Word]) -> None:
        target, named = _sources(arguments)
        self._each(named if target else named[:-1])
        self._copy(arguments)

    def _copy(self, arguments: list[Word]) -> None:
        target, sources = _sources(arguments)
        if target is None and len(sources) < 2:
            return
        destination = target or sources.pop()
        place = self._absolute(destination)
        if destination.known and (target or len(sources) > 1 or self.is_dir(place)):
            for source in sources:
                whole = source.known and not source.glob
                name = os.path.basename(source.text.rstrip("/")) if whole else ""
                self._write(Word(os.path.join(place, name) if name else place))
        else:
            self._write(destination)

    def _absolute(self, word: Word) -> str:
        text = word.text
        if text == "~" or (text.startswith("~/") and not word.quoted):
            text = self.variables.get("HOME", "~") + text[1:]
        return self._join(text)

    def _join(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.cwd, path))


def _with_assignments(command: str, variables: dict[str, str]) -> str:
    """Note the plain ``NAME=value`` assignments of a command line, for words that use them later."""
    for token in tokens_of(command, variables).tokens:
        if isinstance(token, Word) and token.known and is_assignment(token):
            name, _, value = token.text.partition("=")
            variables[name] = value
    return command


def _sources(words: list[Word]) -> tuple[Word | None, list[Word]]:
    """The target directory given by option, and the other operands."""
    target = option(words, "-t", "--target-directory")
    return target, operands(words, VALUED["cp"] | {"-t", "--target-directory"})


def _sed(reader: _Reader, words: list[Word]) -> None:
    files = operands(words, VALUED["sed"])
    scripted = any(word.text.startswith(("-e", "-f", "--expression", "--file")) for word in words)
    reader._each(files if scripted else files[1:])


def _perl(reader: _Reader, words: list[Word]) -> None:
    if not in_place(words):
        return
    rest = list(words)
    for index, word in enumerate(rest):
        if word.text.startswith("-") and word.text[-1:] in "eE" and len(word.text) > 1:
            del rest[index : index + 2]
            break
    reader._each(operands(rest, VALUED["perl"]))


def _find(reader: _Reader, words: list[Word]) -> None:
    for word in words:
        if word.text.startswith(("-", "(", "!")):
            break
        reader._write(word)


def _chmod(reader: _Reader, words: list[Word]) -> None:
    reader._each(operands(words, {"--reference"})[1:])


def _dd(reader: _Reader, words: list[Word]) -> None:
    for word in words:
        if word.text.startswith("of="):
            reader._write(word._replace(text=word.text[3:]))


def _files_of(name: str) -> Callable[[_Reader, list[Word]], None]:
    def handler(reader: _Reader, words: list[Word]) -> None:
        reader._each(operands(words, VALUED.get(name, set())))

    return handler


_WRITERS: dict[str, Callable[[_Reader, list[Word]], None]] = {
    "sed": _sed,
    "perl": _perl,
    "find": _find,
    "chmod": _chmod,
    "dd": _dd,
    "mv": _Reader._move,
    "cp": _Reader._copy,
    "ln": _Reader._copy,
    "install": _Reader._copy,
    "rsync": _Reader._copy,
    "rename": _files_of("rename"),
    "tee": _files_of("tee"),
    "rm": _files_of("rm"),
    "rmdir": _files_of("rmdir"),
    "unlink": _files_of("unlink"),
    "shred": _files_of("shred"),
    "touch": _files_of("touch"),
    "truncate": _files_of("truncate"),
}
