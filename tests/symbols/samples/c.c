#include <x.h>
#define MAX 10
#define SQ(x) ((x)*(x))
typedef int myint;
typedef struct {
    int a;
}
Anon, *AnonPtr;
typedef struct tag {
    int b;
    struct {
        int c;
    }
    in;
}
Tag;
typedef void (*cb)(int);
struct S {
    int x, *y;
    int arr[3];
    int (*fp)(int);
    unsigned bit : 3;
};
enum E {
    AA, BB = 2
};
enum {
    ANON1
};
union U {
    int i;
    float f;
};
static int g = 1, *h, arr[10];
extern int ext;
int proto(int);
int *pproto(void);
static inline int fn(int a) {
    int local = 1;
    static int sl;
    return a;
}
int **ptrfn(void) {
    return 0;
}
int (*retfp(int a))(int) {
    return 0;
}
void (*fptr)(int);
const char *const names[] = {
    "a"
};
struct S inst = {
    1
};
#ifdef X
int cond(void) {
}
#endif
struct fwd;
