# Completion of portcullis for bash 3.2 and later. In ~/.bashrc:
#   eval "$(portcullis completion bash)"
_portcullis() {
  local i n word value _ cut='' breaks=${COMP_WORDBREAKS//[^:=]/}
  local -a words=()
  # Where ":" and "=" break words for bash, they do not for portcullis: put together again.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    n=${#words[@]}
    if ((n > 0)) && [[ -n $breaks && (${COMP_WORDS[i]} == [:=]* || ${words[n - 1]} == *[:=]) ]]; then
      words[n - 1]+=${COMP_WORDS[i]}
    else
      words[n]=${COMP_WORDS[i]}
    fi
  done
  word=${words[${#words[@]} - 1]}
  # Only what comes after the last break is replaced.
  [[ -z $breaks ]] || cut=${word%"${word##*[$breaks]}"}
  COMPREPLY=()
  while IFS=$'\t' read -r value _; do
    if [[ $value == :files ]]; then
      type compopt &>/dev/null && compopt -o filenames
      while IFS= read -r value; do
        COMPREPLY+=("$value")
      done < <(compgen -f -- "${word#"$cut"}")
    else
      COMPREPLY+=("${value#"$cut"}")
    fi
  done < <(portcullis complete -- "${words[@]}" 2>/dev/null)
  # What ends in ":" is only the beginning of a value.
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *: ]] && type compopt &>/dev/null; then
    compopt -o nospace
  fi
}
complete -F _portcullis portcullis
