#compdef portcullis
# Completion of portcullis for zsh. In ~/.zshrc, after compinit:
#   eval "$(portcullis completion zsh)"
_portcullis() {
  local line value
  local -a described unfinished
  while IFS= read -r line; do
    value=${line%%$'\t'*}
    if [[ $value == :files ]]; then
      compset -P '*='
      _files
    elif [[ $value == *: ]]; then
      # The beginning of a value: no space after it.
      unfinished+=("$value")
    else
      described+=("${value//:/\\:}:${line#*$'\t'}")
    fi
  done < <(portcullis complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)
  ((!${#unfinished})) || compadd -S '' -- "${unfinished[@]}"
  ((!${#described})) || _describe -t values portcullis described
}
# As a file in $fpath this completes; when evaluated it registers the function.
if [[ ${funcstack[1]} == _portcullis ]]; then
  _portcullis "$@"
else
  compdef _portcullis portcullis
fi
