# bash completion of coord, written by `coord completions bash`
_coord() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
  local path="${COMP_WORDS[1]}" words="" values="-"
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W %{commands} -- "$current"))
    return
  fi
  if [ "$COMP_CWORD" -gt 2 ]; then
    case "$path ${COMP_WORDS[2]}" in
      %{subcommands}) path="$path ${COMP_WORDS[2]}" ;;
    esac
  fi
  case "$path $previous" in
%{values}
  esac
  if [ -z "$values" ]; then
    local IFS=$'\n'
    COMPREPLY=($(compgen -f -- "$current"))
    return
  elif [ "$values" != "-" ]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
    return
  fi
  case "$path" in
%{words}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o filenames -F _coord coord
