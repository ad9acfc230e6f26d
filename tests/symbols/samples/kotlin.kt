package a.b
import x.y
const val K = 1
val top = 1
var v: Int = 2
get() = field
set(x) {
    field = x
}
val (d1, d2) = pair
fun f(x: Int): Int {
    val local = 1
    fun nested() {}
    class Loc {
        val inLoc = 1
    }
    return 1
}
fun String.ext() = 1
val String.extProp: Int get() = 1
@Ann class A<T>(val p: Int, private var q: String, plain: Int) : B() {
    val x = 1
    lateinit var y: String
    init {
        val z = 1
    }
    constructor(a: Int) : this(a, "")
    fun m() {}
    companion object {
        const val CC = 1
        fun create() {}
    }
    inner class In {
        fun z() {}
    }
    object O {
        fun om() {}
    }
    operator fun plus(o: A): A = this
}
class NamedCompanion {
    companion object Named {
        val n = 1
    }
}
data class D(val a: Int)
sealed interface S {
    fun sm()
    val sp: Int
}
interface I
enum class E(val n: Int) {
    ONE(1) {
        override fun em() {}
    },
    TWO(2);
    abstract fun em()
}
object Single {
    val s = 1
    fun t() {}
}
typealias T = Int
annotation class Ann
val lam = {
    x: Int -> val l = 1
    x
}
val obj = object : I {
    fun om() {}
}
fun <T> gen(x: T) where T : Any {}
fun `with space`() {}
val lz by lazy {
    1
}
