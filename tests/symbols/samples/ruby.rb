require 'x'
MAX = 1
A, B2 = 1, 2
$glob = 1
module M
  module N; end
  class C < D
    K = 1
    attr_accessor :name, :other
    attr_reader 'str'
    @@cv = 1
    include X
    def initialize(a); @a = a; local = 1; end
    def self.s; end
    def q?; end
    def w=(v); end
    def ==(o); end
    def [](i); end
    class << self
      def sing; end
    end
    alias_method :b, :a
    alias c d
    private def priv; end
    define_method(:dyn) { |x| }
    scope :recent, -> { where }
    Point = Struct.new(:x) do
      def dist; end
    end
  end
end
class A::B < C; def m; end; end
def top; def nested; end; end
top2 = 1
foo do
  def in_block; end
end
obj.instance_eval { def x2; end }
def obj.single; end
