# Completion of portcullis for fish:
#   portcullis completion fish >~/.config/fish/completions/portcullis.fish
function __portcullis_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (portcullis complete -- $words[2..] 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path (string replace -r '^--[^=]*=' '' -- (commandline -ct))
        else
            echo $line
        end
    end
end
complete -c portcullis -f -a '(__portcullis_complete)'
