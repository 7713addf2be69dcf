# fish completion for rcptguardq(8)

function __rcptguardq_is
    set -l words (commandline -opc)
    contains -- "$words[2]" $argv
end

complete -c rcptguardq -f
complete -c rcptguardq -n '__fish_is_first_token' -l help -d 'Show this help'
complete -c rcptguardq -n '__fish_is_first_token' -l version -d 'Print the version'

# Each command: its name and what it does.
complete -c rcptguardq -n '__fish_is_first_token' -a list -d 'List what waits for review, the newest first'
complete -c rcptguardq -n '__fish_is_first_token' -a show -d 'Tell why a message is held, and what it is'
complete -c rcptguardq -n '__fish_is_first_token' -a release -d 'Let held messages go'
complete -c rcptguardq -n '__fish_is_first_token' -a return -d 'Return held messages to their senders'
complete -c rcptguardq -n '__fish_is_first_token' -a delete -d 'Drop held messages; nobody is told'
complete -c rcptguardq -n '__fish_is_first_token' -a log -d 'Tell what was decided, by whom, when and why'
complete -c rcptguardq -n '__fish_is_first_token' -a review -d 'Go through what waits, one by one'
complete -c rcptguardq -n '__fish_is_first_token' -a digest -d 'Mail reviewers a digest of what waits'
complete -c rcptguardq -n '__fish_is_first_token' -a notify -d 'Tell the authors of held mail of it'
complete -c rcptguardq -n '__fish_is_first_token' -a doctor -d 'Check whether mail is judged, and what review rests on'
complete -c rcptguardq -n '__fish_is_first_token' -a setup -d 'Put the daemon into the MTA\'s configuration'

# The options of every command.
set -l every 'not __fish_is_first_token'
complete -c rcptguardq -n $every -s c -l config -r -F -d 'The configuration'
complete -c rcptguardq -n $every -l json -d 'Print JSON'
complete -c rcptguardq -n $every -l utc -d 'Times in UTC, not in the local time zone'
complete -c rcptguardq -n $every -s h -l help -d 'Show help options'

set -l filtered '__rcptguardq_is list release return delete'
complete -c rcptguardq -n $filtered -l sender -x -d 'Those of an address, or of a domain: @corp.example'
complete -c rcptguardq -n $filtered -l rule -x -d 'Those that a rule held'
complete -c rcptguardq -n $filtered -l older -x -d 'Those held for longer: 90s, 15m, 2h, 3d'
complete -c rcptguardq -n $filtered -l newer -x -d 'Those not held for longer'

complete -c rcptguardq -n '__rcptguardq_is list' -l state -x -a 'pending held releasing returning deleting released returned deleted left untracked' -d 'Those in a state, such as released'
complete -c rcptguardq -n '__rcptguardq_is list' -l all -d 'Those too that wait no longer'

complete -c rcptguardq -n '__rcptguardq_is show' -l parties -d 'Every party, not the largest alone'
complete -c rcptguardq -n '__rcptguardq_is show' -l recipients -d 'The recipients\' addresses, from the queue'
complete -c rcptguardq -n '__rcptguardq_is show' -l message -d 'The message too, made harmless for a terminal'
complete -c rcptguardq -n '__rcptguardq_is show' -l raw -d 'The message alone, byte by byte'

set -l deciding '__rcptguardq_is release return delete'
complete -c rcptguardq -n $deciding -l reason -x -d 'Why; kept in the record'
complete -c rcptguardq -n $deciding -l all -d 'Every message on hold that passes the filter'
complete -c rcptguardq -n $deciding -l yes -d 'With --all: do not ask'
complete -c rcptguardq -n $deciding -l dry-run -d 'Only say what would be done'

complete -c rcptguardq -n '__rcptguardq_is log' -l newer -x -d 'What is not older: 90s, 15m, 2h, 3d'

complete -c rcptguardq -n '__rcptguardq_is digest' -l to -x -d 'To this address; may be said again (digest-to)'
complete -c rcptguardq -n '__rcptguardq_is digest' -l print -d 'Print the mail and send none'
complete -c rcptguardq -n '__rcptguardq_is digest' -l always -d 'Send it even if nothing waits'

complete -c rcptguardq -n '__rcptguardq_is notify' -l print -d 'Print the mails and send none'

complete -c rcptguardq -n '__rcptguardq_is doctor' -l verbose -d 'A line for what is sound, too'
complete -c rcptguardq -n '__rcptguardq_is doctor' -l mta -x -a 'postfix sendmail' -d 'Look at this one'
complete -c rcptguardq -n '__rcptguardq_is doctor' -l postfix-config -r -F -d 'Postfix\'s configuration'
complete -c rcptguardq -n '__rcptguardq_is doctor' -l sendmail-config -r -F -d 'Sendmail\'s configuration'

complete -c rcptguardq -n '__rcptguardq_is setup' -l dry-run -d 'Show the change, and change nothing'
complete -c rcptguardq -n '__rcptguardq_is setup' -l yes -d 'Change it without asking'
complete -c rcptguardq -n '__rcptguardq_is setup' -l undo -d 'Take the change back'
complete -c rcptguardq -n '__rcptguardq_is setup' -l reload -d 'Have the MTA read it afterwards'
complete -c rcptguardq -n '__rcptguardq_is setup' -l postfix-config -r -F -d 'Postfix\'s configuration'
complete -c rcptguardq -n '__rcptguardq_is setup' -l sendmail-mc -r -F -d 'Sendmail\'s sendmail.mc'
