# bash completion of coord, written by `coord completions bash`
_coord() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
  local path="${COMP_WORDS[1]}" options="" words="" files=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W %{commands} -- "$current"))
    return
  fi
  # "--option=value" comes as three words.
  if [ "$current" = "=" ]; then
    current=""
  elif [ "$previous" = "=" ]; then
    previous="${COMP_WORDS[COMP_CWORD-2]}"
  fi
  if [ "$COMP_CWORD" -gt 2 ]; then
    case "$path ${COMP_WORDS[2]}" in
      %{subcommands}) path="$path ${COMP_WORDS[2]}" ;;
    esac
  fi
  case "$path $previous" in
%{values}
    *) case "$path" in
%{following}
    esac ;;
  esac
  if [ "${current:0:1}" = "-" ] || [ -z "$words$files" ]; then
    words="$options"
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ -n "$files" ] && [ "${current:0:1}" != "-" ]; then
    local IFS=$'\n'
    COMPREPLY=($(compgen -f -- "$current"))
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _coord coord
