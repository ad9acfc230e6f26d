# ruff: noqa: E501, RUF005
import pytest

from symbols import extract
from tests.symbols.golden import lines, read

TABLE = [
    ("def f(): ...", ["function f"]),
    ("async def f(): ...", ["function f"]),
    ("@cache\n@other(lambda x: x)\ndef f(): ...", ["function f"]),
    ("class C: ...", ["class C"]),
    ("@dataclass\nclass C[T](Base[T]):\n    x: int\n    y = 1", ["class C", "variable C::x", "variable C::y"]),
    ("class C:\n    def m(self): ...", ["class C", "method C::m"]),
    (
        "class C:\n    @property\n    def p(self): ...\n    @p.setter\n    def p(self, v): ...",
        ["class C", "method C::p"],
    ),
    (
        "class C:\n    class D:\n        def m(self):\n            def inner(): ...",
        ["class C", "class C::D", "method C::D::m", "function C::D::m::inner"],
    ),
    ("class C:\n    if TYPE_CHECKING:\n        def m(self): ...", ["class C", "method C::m"]),
    ("X = 1", ["variable X"]),
    ("X: int", ["variable X"]),
    ("X: int = 1", ["variable X"]),
    ("f = lambda: 0", ["variable f"]),
    ("f: T = lambda: 0", ["variable f"]),
    ("a = b = c = 1", ["variable a", "variable b", "variable c"]),
    ("a, (b, [c, *d]), *e = x", ["variable a", "variable b", "variable c", "variable d", "variable e"]),
    ("[a, b] = x", ["variable a", "variable b"]),
    ("a = b, c = x", ["variable a", "variable b", "variable c"]),
    ("(a) = 1", ["variable a"]),
    ("x = [i for (i, j) in y]", ["variable x"]),
    ("a, b = [c for (c, d) in e], 1", ["variable a", "variable b"]),
    ("a.b = 1\na[0] = 1\na.b, c[d] = 1, 2", []),
    ("x += 1", []),
    ("for i, j in x:\n    y = i", ["variable y"]),
    ("type X = int", ["type X"]),
    ("type X[T] = list[T]", ["type X"]),
    ("if x:\n    def f(): ...\nelse:\n    def g(): ...", ["function f", "function g"]),
    ("try:\n    import x\nexcept E:\n    x = None\nfinally:\n    class C: ...", ["variable x", "class C"]),
    ("with a as b:\n    while c:\n        d = 1", ["variable d"]),
    ("match x:\n    case 1:\n        y = 2", ["variable y"]),
    ("def f():\n    x = 1\n    y, z = 2, 3\n    w: int = 4", ["function f"]),
    ("def f():\n    class C:\n        x = 1\n        y, z = 2, 3", ["function f", "class f::C"]
     + ["variable f::C::x", "variable f::C::y", "variable f::C::z"]),
    ("if x:\n    def f(a): ...\nelse:\n    def f(b): ...", ["function f"]),
    ("ﬁ = 1\nÅ = 2", ["variable ﬁ", "variable Å"]),
    ("import os\nfrom a import b\n'text'\nf()", []),
    ("", []),
    ("\n\n", []),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), TABLE)
def test_it_reads(source, expected):
    assert read(source, "python") == expected


def test_it_spans_decorators_and_bodies():
    source = """
    @first
    @second(
        1,
    )
    def f():
        pass


    @property
    def g():
        return (
            1
        )

    X = [
        1,
    ]
    """
    assert lines(source, "python") == {"f": (1, 6), "g": (9, 13), "X": (15, 17)}


def test_it_joins_adjacent_parts_of_one_path_and_prefers_the_longest():
    source = """
    @overload
    def f(a: int): ...
    @overload
    def f(a: str): ...
    def f(a):
        return a

    def g(): ...
    def h(): ...
    def g():
        return 1
    x = 1
    y = 2
    x = 3
    """
    assert lines(source, "python") == {"f": (1, 6), "g": (10, 11), "h": (9, 9), "x": (12, 12), "y": (13, 13)}


def test_it_reads_what_broken_syntax_leaves():
    source = "def good(): ...\nclass C:\n    def m(self): ...\n    def (broken:\n\ndef also_good(): ...\n"
    assert {"good", "C", "C::m", "also_good"} <= {
        symbol.path for symbol in extract(source.encode(), "python")
    }


def test_it_reads_bytes_that_are_not_utf_8():
    assert [s.path for s in extract(b"# \xe9\xff\nx = '\xe9'\ndef f(): ...\n\x00", "python")] == ["x", "f"]


def test_it_counts_lines_of_any_ending():
    assert [(s.start_line, s.end_line) for s in extract(b"x = 1\r\ndef f():\r\n    pass\r\n", "python")] == [
        (1, 1),
        (2, 3),
    ]
