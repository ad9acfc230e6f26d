# ruff: noqa: E501
import pytest

from tests.symbols.golden import lines, read

TABLE = [
    ("func F() {}", ["function F"]),
    ("func F[T any](x T) {}", ["function F"]),
    ("func (s *S) M() {}", ["method S::M"]),
    ("func (s S) M() {}", ["method S::M"]),
    ("func (*S) M() {}", ["method S::M"]),
    ("func (S) M() {}", ["method S::M"]),
    ("func (c *G[T]) M() {}", ["method G::M"]),
    ("func (c G[K, V]) M() {}", ["method G::M"]),
    ("func (x pkg.S) M() {}", ["method M"]),
    ("type S struct {}", ["struct S"]),
    ("type S struct { x, y, z int; *E; pkg.O; F func(int) }",
     ["struct S", "field S::x", "field S::y", "field S::z", "field S::E", "field S::O", "field S::F"]),
    ("type I interface { Foo(); io.Reader; ~int | string }", ["interface I", "method I::Foo"]),
    ("type A = B", ["type A"]),
    ("type C int", ["type C"]),
    ("type P[K comparable, V any] struct { Key K }", ["struct P", "field P::Key"]),
    ("type (\n\tA struct{}\n\tB interface{}\n\tC = int\n)", ["struct A", "interface B", "type C"]),
    ("const X = 1", ["constant X"]),
    ("const (\n\tA = iota\n\tB\n\tC, D, E = 1, 2, 3\n)",
     ["constant A", "constant B", "constant C", "constant D", "constant E"]),
    ("var h = func() { var inner = 1 }", ["function h"]),
    ("var a, b, c = f()", ["variable a", "variable b", "variable c"]),
    ("var (\n\tHandler = mk()\n\tOther int\n)", ["variable Handler", "variable Other"]),
    ("var _ I = (*S)(nil)", []),
    ("func init() {}\nfunc init() {}", ["function init"]),
    ("func F() { type T struct{}; const c = 1; var v = 2; w := 3; g := func() {} }", ["function F", "struct F::T"]),
    ("func F() int // body elsewhere", ["function F"]),
    ("", []),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), TABLE)
def test_it_reads(source, expected):
    assert read("package p\n" + source, "go") == expected


def test_it_spans_a_whole_type_declaration():
    source = """
    package p

    type S struct {
        A int
    }

    type (
        T struct {
            B int
        }
    )
    """
    found = lines(source, "go")
    assert (found["S"], found["T"]) == ((3, 5), (8, 10))
