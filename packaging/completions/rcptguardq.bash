# bash completion for rcptguardq(8)

# Each command with its options besides those of every command; `=` stands behind one that
# takes an argument.
declare -gA _rcptguardq_commands=(
    [list]="--sender= --rule= --older= --newer= --state= --all"
    [show]="--parties --recipients --message --raw"
    [release]="--reason= --all --sender= --rule= --older= --newer= --yes --dry-run"
    [return]="--reason= --all --sender= --rule= --older= --newer= --yes --dry-run"
    [delete]="--reason= --all --sender= --rule= --older= --newer= --yes --dry-run"
    [log]="--newer="
    [review]=""
    [digest]="--to= --print --always"
    [notify]="--print"
    [doctor]="--verbose --mta= --postfix-config= --sendmail-config="
    [setup]="--dry-run --yes --undo --reload --postfix-config= --sendmail-mc="
)

_rcptguardq()
{
    local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
    local words

    COMPREPLY=()
    # `--config=FILE` is three words here.
    if [[ $current == "=" ]]; then
        current=
    elif [[ $option == "=" ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "${!_rcptguardq_commands[*]} --help --version" -- "$current")
        return
    fi
    [[ -n $command && -n ${_rcptguardq_commands[$command]+known} ]] || return
    words="-c --config= --json --utc -h --help ${_rcptguardq_commands[$command]}"
    case $option in
    -c | --config | --postfix-config | --sendmail-config | --sendmail-mc)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --mta)
        mapfile -t COMPREPLY < <(compgen -W "postfix sendmail" -- "$current")
        return
        ;;
    --state)
        mapfile -t COMPREPLY < <(compgen -W "pending held releasing returning deleting released returned deleted left
            untracked" -- "$current")
        return
        ;;
    --*)
        [[ " $words " != *" $option= "* ]] || return
        ;;
    esac
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
    fi
}

complete -F _rcptguardq rcptguardq
