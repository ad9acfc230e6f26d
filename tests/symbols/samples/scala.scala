package a.b
import x._
package object po {
    val inpo = 1
}
class A[T](val p: Int, var q: String, plain: Int) extends B {
    val x = 1
    var y: Int = 2
    def m(a: Int): Int = {
        val local = 1
        def nested() = 1
        1
    }
    lazy val lz = 1
    type T1 = Int
    val (d1, d2) = (1, 2)
    def this(a: Int) = this(a, "", 1)
    class In {
        def im = 1
    }
    object IO
}
case class CC(a: Int, b: String)
object O {
    def om() = {}
    val ov = 1
    implicit val iv: Int = 1
    implicit class Ext(s: String) {
        def em = 1
    }
}
trait T {
    def abs: Int
    val av: Int
    def conc = 1
    type AT
}
sealed abstract class S
case object CO extends S
abstract class AC {
    def unimpl(x: Int): Int
}
