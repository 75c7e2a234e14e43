# Completion of portcullis for bash 3.2 and later. In ~/.bashrc:
#   eval "$(portcullis completion bash)"
_portcullis() {
  local i n word value _ cut='' breaks=${COMP_WORDBREAKS//[^:=]/}
  local -a words=()
  # bash splits words at ":" and "=", portcullis does not: join them again.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    n=${#words[@]}
    if ((n > 0)) && [[ -n $breaks && (${COMP_WORDS[i]} == [:=]* || ${words[n - 1]} == *[:=]) ]]; then
      words[n - 1]+=${COMP_WORDS[i]}
    else
      words[n]=${COMP_WORDS[i]}
    fi
  done
  word=${words[${#words[@]} - 1]}
  # bash replaces only the text after the last break.
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
  # A completion that ends in ":" is the beginning of a value: no space after it.
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *: ]] && type compopt &>/dev/null; then
    compopt -o nospace
  fi
}
complete -F _portcullis portcullis
