using System;
namespace A.B {
    public class C<T> : D {
        int x, y = 1;
        const int K = 1;
        public string P {
            get;
            set;
        }
        public int Q => 1;
        public C() {}
        ~C() {}
        public void M<U>() {
            int local;
            void Loc() {}
        }
        public event EventHandler Ev;
        event Action Ev2 {
            add {}
            remove {}
        }
        public int this[int i] {
            get {
                return 1;
            }
        }
        public static C operator +(C a, C b) {
            return a;
        }
        public static implicit operator int(C c) => 1;
        class Inner {
            void z() {}
        }
        delegate void Del(int a);
        enum En {
            A1, B1 = 2
        }
        struct St {
            int f;
        }
        interface I1 {
            void im();
            int Pr {
                get;
            }
        }
    }
}
record Rec(int A, string B);
record struct RS(int Z) {
    void rm() {}
}
delegate int TopDel();
enum Top {
    X
}
static class Ext {
    public static void E(this string s) {}
}
interface IFoo {
    void Bar();
}
