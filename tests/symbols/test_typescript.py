# ruff: noqa: E501, RUF005
import pytest

from tests.symbols.golden import lines, read

TABLE = [
    ("function f() {}", ["function f"]),
    ("export async function f<T>(x: T) {}", ["function f"]),
    ("export default function () {}", ["function default"]),
    ("export default () => 1", ["function default"]),
    ("export default async function () {}", ["function default"]),
    ("export default function named() {}", ["function named"]),
    ("export default class {}", ["class default"]),
    ("export default class N {}", ["class N"]),
    ("export default { data() {} }", ["constant default", "method default::data"]),
    ("export default memo(f)", ["constant default"]),
    ("export default f", []),
    ("function f(a: string): void;\nfunction f(a: number): void;\nfunction f(a: any) {}", ["function f"]),
    ("function* g() {}", ["function g"]),
    ("abstract class B { abstract m(): void; abstract f: string }", ["class B", "method B::m", "field B::f"]),
    (
        "@Dec() class C<T> { constructor() {} m() {} static s() {} async a() {} *g() {} get p() { return 1 } }",
        ["class C", "constructor C::constructor", "method C::m", "method C::s", "method C::a", "method C::g"]
        + ["accessor C::p"],
    ),
    ("class C { get v() { return 1 } set v(x) {} }", ["class C", "accessor C::v"]),
    ("class C { m(a: string): void; m(a: any) {} }", ["class C", "method C::m"]),
    (
        "class C { a = 1; readonly b: string; #c; 'd' = 1; 5 = 2; [key] = 3; declare e: number }",
        ["class C", "field C::a", "field C::b", "field C::#c", "field C::d", "field C::5", "field C::[key]"]
        + ["field C::e"],
    ),
    ("class C { f = () => 1; g = function () {} }", ["class C", "method C::f", "method C::g"]),
    (
        "export class C { constructor() {} m() {} static Inner = class X { im() {} } }",
        ["class C", "constructor C::constructor", "method C::m", "class C::Inner", "method C::Inner::im"],
    ),
    ("class C { [key: string]: any; static { const x = 1 } }", ["class C"]),
    (
        "export interface I { a: string; m(): void; new (): I; [k: string]: any }",
        ["interface I", "field I::a", "method I::m"],
    ),
    ("type T = string | { a: 1 }", ["type T"]),
    ("type T = { a: 1; m(): void }", ["type T", "field T::a", "method T::m"]),
    ("enum E { A, B = 2, 'C' = 3 }", ["enum E", "constant E::A", "constant E::B", "constant E::C"]),
    ("const enum E { A }", ["enum E", "constant E::A"]),
    ("const f = () => 1, g = function () {}", ["function f", "function g"]),
    ("const x = {}; let y = 1; var z", ["constant x", "variable y", "variable z"]),
    ("export const Memo = memo(() => { const x = 1 })", ["constant Memo"]),
    ("const x = <T>y; const w = y as T", ["constant x", "constant w"]),
    ("const api = { get() {}, post: () => 1, n: 1 }", ["constant api", "method api::get", "method api::post"]),
    ("const C = class D { m() {} }", ["class C", "method C::m"]),
    (
        "const { a, b: c, d = 1, e: { f }, ...g } = x",
        ["constant a", "constant c", "constant d", "constant f", "constant g"],
    ),
    ("let [a, [b], c = 1, ...d] = x", ["variable a", "variable b", "variable c", "variable d"]),
    ("const { a = ({ b }) => b } = x", ["constant a"]),
    ("declare function f(): void; declare const x: number", ["function f", "constant x"]),
    ("declare class C { m(): void }", ["class C", "method C::m"]),
    (
        "namespace A.B { export const x = 1; export class C { m() {} } }",
        ["module A::B", "constant A::B::x", "class A::B::C", "method A::B::C::m"],
    ),
    ("module M { function f() {} }", ["module M", "function M::f"]),
    ("declare module 'm' { export function f(): void }", ["module m", "function m::f"]),
    ("declare global { interface Window { x: 1 } }", ["module global", "interface global::Window"]
     + ["field global::Window::x"]),
    ("export { a, b } from 'c'; export * from 'd'; import e from 'f'", []),
    ("if (a) { function f() {} } else { const x = 1 }", ["function f", "constant x"]),
    ("try { class C {} } catch (e) { var x = 1 }", ["class C", "variable x"]),
    (
        "function f() { const x = 1; const g = () => 1; function h() {} class C { y = 1 } }",
        ["function f", "function f::g", "function f::h", "class f::C", "field f::C::y"],
    ),
    ("(function () { var x = 1; function f() {} })()", ["function f"]),
    ("foo(() => { const x = 1 })", []),
    ("function f({ a, b: [c] }: T, ...d: any[]) {}", ["function f"]),
    ("import x = require('y')", []),
    ("", []),
]  # fmt: skip


@pytest.mark.parametrize("language", ["typescript", "tsx"])
@pytest.mark.parametrize(("source", "expected"), TABLE)
def test_it_reads(source, expected, language):
    if language == "tsx" and "<T>y" in source:
        source = source.replace("<T>y", "y")  # TSX has no such cast
    assert read(source, language) == expected


def test_it_reads_components_with_markup():
    source = "export const App = () => <Frame render={() => { const x = 1; return <b>{x}</b> }} />"
    assert read(source, "tsx") == ["function App"]


def test_it_spans_decorators_before_export():
    source = """
    @Component({
      selector: 'x',
    })
    export class X {
      @Input()
      y: string;
    }
    """
    assert lines(source, "typescript")["X"] == (1, 7)


def test_it_reads_what_broken_syntax_leaves():
    found = read("export class C { m() {} n( } }\nconst = 5;\nexport function good() {}", "typescript")
    assert {"class C", "method C::m", "function good"} <= set(found)
