import Foundation
let k = 1
var v: Int {
    get {
        return 1
    }
    set {}
}
var (t1, t2) = (1, 2)
func f<T>(x: T) -> Int {
    let local = 1
    func nested() {}
    return 1
}
@objc class C<T>: B {
    let x = 1
    var y: Int
    static var s = 1
    lazy var z: Int = {
        let q = 1
        return q
    }()
    var w: Int {
        willSet {}
        didSet {}
    }
    init(a: Int) {}
    convenience init?() {}
    deinit {}
    func m() {}
    class func cm() {}
    subscript(i: Int) -> Int {
        return 1
    }
    class Inner {
        func im() {}
    }
    enum E {
        case a, b(Int)
        case c
    }
    static func == (a: C, b: C) -> Bool {
        return true
    }
    typealias TA = Int
}
struct S {
    var a, b: Int
    mutating func mm() {}
}
enum En: Int {
    case one = 1, two
    func em() {}
}
protocol P {
    associatedtype AT
    var pr: Int {
        get
    }
    func pm()
    init(z: Int)
    static func st()
}
extension C {
    func extm() {}
    var ev: Int {
        1
    }
}
extension Array where Element == Int {
    func am() {}
}
extension A.B {
    func q() {}
}
actor Act {
    func aa() {}
}
typealias Al = Int
prefix operator +++
prefix func +++ (x: Int) -> Int {
    1
}
#if DEBUG
func dbg() {}
#endif
macro mac() = #externalMacro(module: "a", type: "b")
