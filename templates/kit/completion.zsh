#compdef coord
# zsh completion of coord, written by `coord completions zsh`
_coord() {
  local curcontext="$curcontext" context state state_descr line
  local -A opt_args
  local -a commands subcommands
  commands=(
%{commands}
  )
  _arguments -C '--version[the version]' '1: :->command' '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest)
      case $words[1] in
%{cases}
      esac ;;
  esac
}
if [ "$funcstack[1]" = _coord ]; then _coord "$@"; else compdef _coord coord; fi
