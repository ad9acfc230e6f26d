"""Symbol claims are checked against the checkout, when there is one."""

from __future__ import annotations

import subprocess

import pytest
from django.db import connection

from claims import sources
from claims.models import Claim
from symbols import GrammarMissing, grammars
from symbols.languages import LANGUAGES, Language

PYTHON = "class Router:\n    def handle(self): ...\n    def close(self): ...\n\ndef parse(): ...\n\nX = 1\n"
REAL = {
    "abstract.ts": ("abstract class Base { abstract run(): void }\n", ["Base", "Base::run"]),
    "generator.ts": ("export function* gen() { yield 1 }\n", ["gen"]),
    "config.ts": ("export const config = { a: 1 }\n", ["config"]),
    "memo.tsx": ("export const Memo = memo(() => <b/>)\n", ["Memo"]),
    "names.ts": ("namespace N { export function f() {} }\ndeclare const d: number\n", ["N", "N::f", "d"]),
    "default.ts": ("export default class { m() {} }\n", ["default", "default::m"]),
    "handlers.go": ("package p\nvar (\n\tHandler = mk()\n)\nfunc (s *S) M() {}\n", ["Handler", "S", "S::M"]),
    "app.jsx": ("export const App = () => <p/>\nclass K { #p = 1 }\n", ["App", "K::#p"]),
    "m.pyi": ("if True:\n    def f() -> None: ...\nclass C:\n    x: int\n", ["f", "C::x"]),
    "t.py": ("try:\n    import x\nexcept ImportError:\n    x = None\n", ["x"]),
}


@pytest.fixture
def checkout(tmp_path, config):
    """A git checkout of these files, as the environment's root."""

    def make(**files):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
        subprocess.run(["git", "-C", str(tmp_path), "add", "-A"], check=True)
        config(repo_root=str(tmp_path), max_claim_ratio=1)
        return tmp_path

    sources._cache.clear()
    yield make
    sources._cache.clear()


def claim(api, pattern, *symbols, engineer="alice"):
    item = {"type": "file", "pattern": pattern, "symbols": list(symbols)}
    return api.post("/claims", {"engineer": engineer, "claims": [item]})


def test_it_accepts_what_the_file_has_and_what_encloses_it(api, checkout):
    checkout(**{"app.py": PYTHON})
    for number, symbol in enumerate(["Router::handle", "Router", "parse", "X"]):
        status, body = claim(api, "app.py", symbol, engineer=f"agent-{number // 2}")
        assert status in (200, 409), body
        assert body["warnings"] == []


def test_it_refuses_what_the_file_lacks_nearest_first(api, checkout):
    checkout(**{"app.py": PYTHON})
    status, body = claim(api, "./app.py", "Router::handel", "parse", "nope")
    assert status == 400
    assert body["claim_ids"] == []
    assert body["options"] == ["narrow_claim"]
    assert body["warnings"] == [
        "Unknown symbols in './app.py': ['Router::handel', 'nope']."
        " Known symbols (up to 20): ['Router::handle', 'Router::close', 'Router', 'X', 'parse']"
    ]
    assert body["next"] == "Claim symbols that the file has, or the whole file."
    assert Claim.objects.count() == 0


def test_it_names_every_item_that_is_wrong(api, checkout):
    checkout(**{"a.py": "x = 1\n", "b.py": "y = 1\n"})
    items = [{"type": "file", "pattern": p, "symbols": ["z"]} for p in ("a.py", "b.py")]
    status, body = api.post("/claims", {"engineer": "alice", "claims": items})
    assert status == 400
    assert body["warnings"] == [
        "Unknown symbols in 'a.py': ['z']. Known symbols (up to 20): ['x'];"
        " Unknown symbols in 'b.py': ['z']. Known symbols (up to 20): ['y']"
    ]


def test_it_shows_at_most_twenty(api, checkout):
    checkout(**{"a.py": "".join(f"name{n} = 1\n" for n in range(100))})
    (warning,) = claim(api, "a.py", "nome7")[1]["warnings"]
    assert warning.count("'name") == 20
    assert warning.split("Known symbols (up to 20): ")[1].startswith("['name7', ")


@pytest.mark.parametrize("name", REAL)
def test_it_knows_what_a_person_would_name(api, checkout, name):
    text, symbols = REAL[name]
    checkout(**{name: text})
    status, body = claim(api, name, *symbols)
    assert (status, body["warnings"]) == (200, [])


@pytest.mark.parametrize("pattern", ["new.py", "*.py", "sub/**", "notes.txt", "empty.py", "../app.py"])
def test_it_lets_pass_what_it_cannot_check(api, checkout, pattern):
    checkout(**{"app.py": PYTHON, "notes.txt": "x", "empty.py": ""})
    status, body = claim(api, pattern, "anything")
    assert status == (400 if pattern.startswith("..") else 200), body


def test_it_reads_nothing_outside_the_checkout(api, checkout, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.py"
    outside.write_text("secret = 1\n")
    root = checkout(**{"app.py": PYTHON})
    (root / "link.py").symlink_to(outside)
    status, body = claim(api, "link.py", "nope")
    assert status == 200
    assert "secret" not in str(body)


def test_a_missing_grammar_is_a_warning(api, checkout, monkeypatch):
    checkout(**{"app.py": PYTHON})
    monkeypatch.setitem(LANGUAGES, "python", Language("python", "tree-sitter-lost", "lost", (".py",)))
    status, body = claim(api, "app.py", "nope")
    assert status == 200
    assert body["warnings"] == [
        "Symbols of 'app.py' are not checked:"
        " Symbols of python files cannot be read: the package tree-sitter-lost is not available."
    ]


def test_a_grammar_that_is_installed_meanwhile_is_used(api, checkout, monkeypatch):
    checkout(**{"app.py": PYTHON})
    real = grammars.load

    def lost(row):
        raise GrammarMissing(row.name, row.package)

    monkeypatch.setattr("symbols.extractor.load", lost)
    assert claim(api, "app.py", "nope")[0] == 200
    monkeypatch.setattr("symbols.extractor.load", real)
    assert claim(api, "app.py", "nope2")[0] == 400


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("#" * 2_000_001, "has 2000001 bytes"),
        ("x = " + "(" * 5000, "brackets are nested more than 1000 deep"),
    ],
)
def test_a_file_that_is_too_much_is_a_warning(api, checkout, monkeypatch, text, why):
    checkout(**{"big.py": text})
    (warning,) = claim(api, "big.py", "f")[1]["warnings"]
    assert warning.startswith("Symbols of 'big.py' are not checked: ")
    assert why in warning
    # The second time it is not even looked at.
    monkeypatch.setattr(sources, "extract", lambda *args: pytest.fail("read again"))
    assert claim(api, "big.py", "g", engineer="bob")[0] == 200


def test_it_reads_a_file_once_per_content_and_keeps_few(api, checkout, monkeypatch):
    root = checkout(**{f"{name}.py": f"{name} = 1\n" for name in "abc"})
    read = []
    real = sources.extract
    monkeypatch.setattr(sources, "extract", lambda *args: read.append(args) or real(*args))
    monkeypatch.setattr(sources, "_MOST_CACHED", 2)
    for _ in range(2):
        claim(api, "a.py", "a")
    assert len(read) == 1
    (root / "a.py").write_text("changed = 1\n")
    assert claim(api, "a.py", "changed")[0] == 200
    assert len(read) == 2
    claim(api, "b.py", "b")
    claim(api, "c.py", "c")
    assert len(sources._cache) == 2


@pytest.mark.django_db(transaction=True)
def test_it_reads_outside_the_lock(api, checkout, monkeypatch):
    checkout(**{"app.py": PYTHON})
    real, open_then = sources.extract, []

    def extract(*args):
        open_then.append(connection.in_atomic_block)
        return real(*args)

    monkeypatch.setattr(sources, "extract", extract)
    assert claim(api, "app.py", "parse")[0] == 200
    assert open_then == [False]


def test_a_glob_hears_in_which_file_and_on_which_lines(api, checkout):
    checkout(**{"app.py": PYTHON})
    claim(api, "app.py", "Router::close")
    status, body = claim(api, "*.py", "Router::close", engineer="bob")
    assert status == 409
    assert body["conflicts"][0]["symbol_overlap"] == [
        {"file": "app.py", "symbols": ["Router::close"], "lines": {"Router::close": [3, 3]}}
    ]


def test_a_refusal_says_on_which_lines_the_symbols_are(api, checkout):
    checkout(**{"app.py": PYTHON})
    claim(api, "app.py", "Router")
    _, seen = api.get("/conflicts?symbol=app.py::Router::close&engineer=bob")
    assert seen["conflicts"][0]["symbol_overlap"] == [
        {"file": "app.py", "symbols": ["Router::close"], "lines": {"Router::close": [3, 3]}}
    ]
    _, body = claim(api, "app.py", "Router::close", "Router::handle", engineer="bob")
    assert body["conflicts"][0]["symbol_overlap"] == [
        {
            "file": "app.py",
            "symbols": ["Router::close", "Router::handle"],
            "lines": {"Router::close": [3, 3], "Router::handle": [2, 2]},
        }
    ]
