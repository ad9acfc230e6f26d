package a:
  enum Color:
    case Red, Green
    case Custom(x: Int)
  val top = 1
  def topd(x: Int) = 1
  type Al = Int
  given ord: Ordering[Int] with
    def compare(x: Int, y: Int) = 0
  given Foo = new Foo {}
  extension (s: String)
    def shout = s
    def whisper: String = s
  trait T3:
    def x: Int
  object Ob:
    def f = 1
  class K3(val a: Int):
    def g = 1
@main def run() = ()
