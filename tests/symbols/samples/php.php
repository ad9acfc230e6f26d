<?php
namespace App\Models;
use Foo\Bar;
const TOP = 1, TOP2 = 2;
define('DEF', 1);
$gl = 1;
function f($x) {
    $local = 1;
    function nested() {}
}
#[Attr]
abstract class A extends B implements I {
    use T;
    const K = 1, L = 2;
    public int $p = 1, $q;
    private static $s;
    public function __construct(private int $prom) {}
    abstract function ab();
    static function st() {}
    final public function m() {
        $c = function() {};
    }
}
interface I {
    const IC = 1;
    public function im();
}
trait T {
    public $tp;
    function tm() {}
}
enum E: string {
    case X = 'x';
    case Y = 'y';
    const Z = 1;
    function em() {}
}
$anon = new class {
    function am() {}
};
$clo = function () {};
$arr = fn($x) => $x;
if (!function_exists('g')) {
    function g() {}
}
