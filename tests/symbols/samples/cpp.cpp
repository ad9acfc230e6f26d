#include <x>
namespace n {
    namespace m {
        class K;
    }
    int v;
    void f() {
        int l;
    }
}
namespace a::b {
    class C {
        public: C();
        ~C();
        explicit C(int);
        int x, y = 1;
        static const int z = 1;
        void m() const;
        virtual void pv() = 0;
        void inl() {
            auto lam = [] {
                int q;
            };
        }
        template<class T> void t(T);
        operator bool() const;
        bool operator==(const C&) const;
        using X = int;
        typedef int Y;
        struct In {
            int q;
        };
        enum class E {
            P, Q
        };
        friend void fr();
    };
}
a::b::C::C() {}
a::b::C::~C() {}
void a::b::C::m() const {}
template<class T> class V {
    void push(T);
    T* data;
};
template<class T> void V<T>::push(T x) {}
template<class T> T* V<T>::get() {
    return 0;
}
bool Foo::operator==(const Foo& o) const {
    return true;
}
Foo::operator bool() const {
    return true;
}
int& Foo::ref() {
    return x;
}
auto tr() -> int {
    return 1;
}
using Alias = int;
typedef int TD;
enum class Color {
    Red, Green
};
constexpr int CC = 1;
static Foo obj(1);
template<typename T> concept Con = true;
extern "C" {
    int cfun(int);
}
namespace {
    int anon;
    void anonf() {}
}
int Foo::count = 0;
auto [sa, sb] = pair;
union Un {
    int i;
};
class Fin final : public B {
};
struct {
    int k;
}
anonvar;
inline namespace v1 {
    void inl2();
}
template<> struct Spec<int> {
    int s;
};
void operator delete(void* p) {}
