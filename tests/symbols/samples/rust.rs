#[derive(Debug)]
pub struct S<T> {
    pub a: u32, b: T
}
struct U(u32, pub String);
struct Unit;
pub enum E {
    A, B(u32), C {
        x: u32
    }
}
union Un {
    f: u32
}
trait T1 {
    const K: u32;
    type Out;
    fn req(&self);
    fn def(&self) {
        fn nested() {}
    }
}
impl<T> S<T> {
    pub fn new() -> Self {
        let x = 1;
    }
    const Z: u32 = 1;
}
impl<T> fmt::Display for S<T> {
    type Out = u32;
    fn fmt(&self) {}
}
impl T1 for &'a [u8] {
    fn req(&self) {}
}
impl a::b::Foo {
    fn q() {}
}
impl dyn T1 {
    fn dy() {}
}
mod m {
    pub mod inner {
        pub fn f() {}
    }
    const IN: u32 = 1;
    static ST: u32 = 2;
}
mod ext;
const C: u32 = 1;
static mut G: u32 = 2;
type Alias = u32;
macro_rules! mac {
    () => {}
}
fn main() {
    let closure = || {
    };
    struct Local {
        q: u8
    }
    const LC: u8 = 1;
}
extern "C" {
    fn ext_f(x: i32);
    static EXT: i32;
}
async unsafe fn au() {}
use foo::bar;
