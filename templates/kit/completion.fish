# fish completion of coord, written by `coord completions fish`
function __coord_below --description 'Whether the words after coord begin with these'
    set -l typed (commandline -opc)
    set -l last (math (count $argv) + 1)
    test (count $typed) -ge $last; and test "$typed[2..$last]" = "$argv"
end
function __coord_at --description 'Whether the words after coord are these, and no others'
    set -l typed (commandline -opc)
    test "$typed[2..-1]" = "$argv"
end
complete -c coord -f
complete -c coord -n __coord_at -l version -d 'the version'
%{lines}
