package com.x;
import java.util.*;
@Ann
public class A<T> extends B {
    private int x, y = 1;
    static final String K = "a";
    A() {}
    public A(int z) {
        this();
    }
    @Override public <U> void m(int a) {
        int local = 1;
        class Loc {
            void lm() {}
        }
        Runnable r = new Runnable() {
            public void run() {}
        };
    }
    static {
        int q;
    }
    abstract void ab();
    class Inner {
        int f;
        interface Deep {
            void d();
        }
    }
    static enum E {
        ONE(1), TWO {
            void em() {}
        };
        int v;
        E(int i) {}
    }
}
interface I {
    int C = 1;
    void a();
    default void b() {}
}
record R(int p, String q) {
    R {
    }
    static int s;
    void rm() {}
}
@interface Ann {
    String value() default "";
}
enum Top {
    X, Y
}
