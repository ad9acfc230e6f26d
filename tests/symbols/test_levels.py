"""A query that looks level by level finds what it finds by looking everywhere."""

from __future__ import annotations

import random
import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest

from symbols import extract
from symbols.languages import LANGUAGES
from tests.symbols import packages

STDLIB = Path(sysconfig.get_path("stdlib"))
LEVELLED = sorted(name for name, row in LANGUAGES.items() if row.depth)


def _list(text: str) -> list[str]:
    return text.strip("\n").split("\n\n")


# Statements in which others stand, and what may stand in them, with {i} for the indentation.
PYTHON = _list("""
def f{n}(a, b=lambda: 0):

@a
{i}@b(1)
{i}async def g{n}():

def{t}h{n}(): # class

class C{n}(A):

@a
{i}class D{n}:

class{t}E{n}: # def

if x:

if x:
{i} pass
{i}elif y:

if x:
{i} pass
{i}else:

for a{n}, b{n} in c:

for a in b:
{i} pass
{i}else:

while x:

with a as (b, c):

try:
{i} t{n} = 1
{i}except A:

try:
{i} pass
{i}except* A:

try:
{i} pass
{i}finally:

match x:
{i} case 1:
{i}  pass
{i} case [a{n}, b]:
""")
PYTHON_LEAVES = _list("""
v{n} = 1

w{n}: int = lambda x: x

a{n} = b{n} = c{n}, [d{n}, *e{n}] = [x for y, z in w]

s = 'def x'

type T{n} = int

type{t}U{n}[X] = X

h{n}, (i{n}, [j{n}]) = 1

x += y += z{n} = 1

k{n} = 1; l{n} = 2
""")
GO = _list("""
func f{n}(a struct{{ b int }}, c interface{{ M{n}() }}) interface{{ N() }} {{

func (r *R{n}) m{n}() {{

var v{n} = func() {{

{{ if x {{}}
""")
GO_LEAVES = _list("""
type T{n} struct {{ a int; b struct {{ c int }} }}

type (
U{n} = int
V{n} interface {{ m() }}
)

type/**/W{n} int

const c{n}, d{n} = 1, 2

var a{n} int

var (
b{n} = func() {{}}
)

var e{n} = struct {{ f int }}{{}}

x := interface{{ Close() error }}(nil)

func() {{ type Z{n} int }}()
""")


def everywhere(source, language, monkeypatch):
    """What is found without levels."""
    with monkeypatch.context() as patch:
        patch.setitem(LANGUAGES, language, replace(LANGUAGES[language], depth=0))
        return extract(source, language)


def python(dice, depth=0):
    """Some statements at one level of indentation, and others in them."""
    lines = []
    for _ in range(dice.randint(1, 3)):
        names = {"n": dice.randint(0, 9), "i": " " * depth, "t": dice.choice(["\t", " \\\n ", "  "])}
        if depth < 6 and dice.random() < 0.6:
            head = dice.choice(PYTHON).format(**names)
            inner = 2 if "case" in head else 1
            lines += [" " * depth + head, *python(dice, depth + inner)]
        else:
            lines.append(" " * depth + dice.choice(PYTHON_LEAVES).format(**names))
    return lines


def go(dice, depth=0):
    lines = []
    for _ in range(dice.randint(1, 3)):
        names = {"n": dice.randint(0, 9)}
        if depth == 0 or (depth < 3 and dice.random() < 0.3):
            head = dice.choice(GO[depth and 2 :]).format(**names)
            lines += [head, *go(dice, depth + 1), "}" * (head.count("{") - head.count("}"))]
        if depth or dice.random() < 0.6:
            lines.append(dice.choice(GO_LEAVES).format(**names))
    return lines


@pytest.mark.parametrize("language", LEVELLED)
def test_it_finds_in_made_up_files_what_it_finds_everywhere(language, monkeypatch):
    dice = random.Random(7)
    make = {"python": python, "go": go}[language]
    for _ in range(300):
        source = "\n".join(make(dice)).encode()
        for text in (source, source[: dice.randint(0, len(source))]):
            assert extract(text, language) == everywhere(text, language, monkeypatch), text.decode()


def test_it_finds_in_a_library_what_it_finds_everywhere(monkeypatch):
    packages.fetch()
    files = [(path.name, path.read_bytes(), "python") for path in sorted(STDLIB.glob("*.py"))[::12]]
    files += [
        (name, source, "go") for name, source in packages.GO.sources("", ".go") if len(source) < 200_000
    ]
    for name, source, language in files:
        assert extract(source, language) == everywhere(source, language, monkeypatch), name


@pytest.mark.parametrize(
    "inner", [b"class C:\n  x = 1", b"def g(): pass", b"type\\\n T = int", b"if x:\n  def g(): 1"]
)
def test_it_looks_into_a_function_that_has_a_definition(inner):
    assert len(extract(b"def f():\n y = 1\n " + inner, "python")) > 1
