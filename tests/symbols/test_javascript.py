# ruff: noqa: E501, RUF005
import pytest

from tests.symbols.golden import read

TABLE = [
    ("function f() {}\nasync function g() {}\nfunction* h() {}", ["function f", "function g", "function h"]),
    ("export default function () {}", ["function default"]),
    ("export default async () => {}", ["function default"]),
    ("export default class extends B { m() {} }", ["class default", "method default::m"]),
    ("export default defineComponent({ setup() {} })", ["constant default", "method default::setup"]),
    (
        "class C { #p = 1; static s; get v() {} set v(x) {} async *g() {} constructor() {} [Symbol.iterator]() {} }",
        ["class C", "field C::#p", "field C::s", "accessor C::v", "method C::g", "constructor C::constructor"]
        + ["method C::[Symbol.iterator]"],
    ),
    ("class C { 'quoted name'() {} 'a::b'() {} }", ["class C", "method C::quoted name", "method C::a:b"]),
    ("class C { static I = class X { m() {} }; h = () => { const q = 1 } }",
     ["class C", "class C::I", "method C::I::m", "method C::h"]),
    ("@dec export class C {}", ["class C"]),
    ("const a = 1, b = () => 2; let c; var d = function () {}", ["constant a", "function b", "variable c"]
     + ["function d"]),
    ("const { a, b: c, d = 1, ...e } = x, [f, [g]] = y",
     ["constant a", "constant c", "constant d", "constant e", "constant f", "constant g"]),
    ("exports.f = function () {}; module.exports.g = () => 1", ["function f", "function g"]),
    ("module.exports = function h() {}", ["function h"]),
    ("module.exports = () => 1", ["function exports"]),
    ("module.exports = class K { m() {} }", ["class K", "method K::m"]),
    ("F.prototype.m = function () {}; F.s = function () {}", ["method F::m", "function F::s"]),
    ("function F() { this.m = function () {}; this.x = 1 }", ["function F", "function F::m"]),
    ("F.x = 1; f = g", []),
    ("(function ($) { var hidden = 1; function shown() {} })(jQuery)", ["function shown"]),
    ("$.extend({ each: function () {}, n: 1 })", ["method each"]),
    ("const B = forwardRef(function Inner() {})", ["constant B", "function B::Inner"]),
    ("const X = () => <div onClick={() => { let q = 1 }}>text</div>", ["function X"]),
    ("for (const i of x) { let y = i }", ["variable y"]),
    ("label: { const x = 1 }", ["constant x"]),
    ("#!/usr/bin/env node\n'use strict'\nconst x = 1", ["constant x"]),
    ("", []),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), TABLE)
def test_it_reads(source, expected):
    assert read(source, "javascript") == expected
