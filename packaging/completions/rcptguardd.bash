# bash completion for rcptguardd(8)

_rcptguardd()
{
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}

    COMPREPLY=()
    # `unix:/path` is three words here.
    if [[ $current == ":" ]]; then
        before=${before}:
        current=
    elif [[ $before == ":" ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}:
    fi
    case $before in
    -c | unix:)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        ;;
    *:) ;;
    -p)
        compopt -o nospace 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -W "unix: inet: inet6: fd:" -- "$current")
        ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W "-c -f -n -p --help --version" -- "$current")
        ;;
    esac
}

complete -F _rcptguardd rcptguardd
