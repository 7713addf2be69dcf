# bash completion for rcptguard(1)

# Each command with its options besides those of every command; `=` stands behind one that
# takes an argument, FILE at the end if the command takes files.
declare -gA _rcptguard_commands=(
    [check]="--strict --time="
    [explain]="--sender= --recipient= --user= --client= --listener= --local --inbound --time= --bcc-visible --verbose --all FILE"
    [replay]="--against= --html= --jobs= --messages --once --recipients --user= --client= --listener= --local --time= --bcc-visible --verbose FILE"
    [print]=""
    [init]="--mta= --postfix-config= --sendmail-config= --domain= --freemail="
)

_rcptguard_files()
{
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_rcptguard()
{
    local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
    local words

    COMPREPLY=()
    # `--policy=FILE` is three words here.
    if [[ $current == "=" ]]; then
        current=
    elif [[ $option == "=" ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "${!_rcptguard_commands[*]} --help --version" -- "$current")
        return
    fi
    [[ -n $command && -n ${_rcptguard_commands[$command]+known} ]] || return
    words="-p --policy= --json -h --help ${_rcptguard_commands[$command]}"
    case $option in
    -p | --policy | --against | --html | --postfix-config | --sendmail-config | --freemail)
        _rcptguard_files "$current"
        return
        ;;
    --mta)
        mapfile -t COMPREPLY < <(compgen -W "postfix sendmail" -- "$current")
        return
        ;;
    --*)
        [[ " $words " != *" $option= "* ]] || return
        ;;
    esac
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${words% FILE}" -- "$current")
        [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
    elif [[ $words == *" FILE" ]]; then
        _rcptguard_files "$current"
    fi
}

complete -F _rcptguard rcptguard
