# fish completion for rcptguard(1)

function __rcptguard_is
    set -l words (commandline -opc)
    contains -- "$words[2]" $argv
end

complete -c rcptguard -f
complete -c rcptguard -n '__fish_is_first_token' -l help -d 'Show this help'
complete -c rcptguard -n '__fish_is_first_token' -l version -d 'Print the version'

# Each command: its name, what it does, and files if it takes any.
complete -c rcptguard -n '__fish_is_first_token' -a check -d 'Check a policy, its tables and its expectations'
complete -c rcptguard -n '__fish_is_first_token' -a explain -d 'Tell what a policy says of messages, and why'
complete -c rcptguard -n '__fish_is_first_token' -a replay -d 'Tell what a policy would have done with a mailbox'
complete -c rcptguard -n '__fish_is_first_token' -a print -d 'Print the canonical policy'
complete -c rcptguard -n '__fish_is_first_token' -a init -d 'Write a first policy from what the MTA says'
complete -c rcptguard -n '__rcptguard_is explain replay' -F

# The options of every command.
set -l every 'not __fish_is_first_token'
complete -c rcptguard -n $every -s p -l policy -r -F -d 'The policy'
complete -c rcptguard -n $every -l json -d 'Print JSON'
complete -c rcptguard -n $every -s h -l help -d 'Show this help'

complete -c rcptguard -n '__rcptguard_is check' -l strict -d 'Warnings are errors'
complete -c rcptguard -n '__rcptguard_is check' -l time -x -d 'When: 2027-06-30T12:00:00Z (now)'

complete -c rcptguard -n '__rcptguard_is explain' -l sender -x -d 'Envelope sender (the author)'
complete -c rcptguard -n '__rcptguard_is explain' -l recipient -x -d 'Envelope recipient; may be said again'
complete -c rcptguard -n '__rcptguard_is explain' -l user -x -d 'SASL login name'
complete -c rcptguard -n '__rcptguard_is explain' -l client -x -d 'Address of the SMTP client'
complete -c rcptguard -n '__rcptguard_is explain' -l listener -x -d 'The MTA\'s name of its daemon'
complete -c rcptguard -n '__rcptguard_is explain' -l local -d 'Handed in by sendmail(1)'
complete -c rcptguard -n '__rcptguard_is explain' -l inbound -d 'The message is not outbound'
complete -c rcptguard -n '__rcptguard_is explain' -l time -x -d 'When: 2027-06-30T12:00:00Z (now)'
complete -c rcptguard -n '__rcptguard_is explain' -l bcc-visible -d 'Bcc headers are delivered'
complete -c rcptguard -n '__rcptguard_is explain' -l verbose -d 'Name the files that are no mail'
complete -c rcptguard -n '__rcptguard_is explain' -l all -d 'Show each visible recipient'

complete -c rcptguard -n '__rcptguard_is replay' -l against -r -F -d 'Print only what changes from this policy'
complete -c rcptguard -n '__rcptguard_is replay' -l html -r -F -d 'Write a page with the figures, too'
complete -c rcptguard -n '__rcptguard_is replay' -l jobs -x -d 'Threads (one for each processor)'
complete -c rcptguard -n '__rcptguard_is replay' -l messages -d 'Print each message, too'
complete -c rcptguard -n '__rcptguard_is replay' -l once -d 'Count a message once that lies in several folders'
complete -c rcptguard -n '__rcptguard_is replay' -l recipients -d 'Show recipients of the messages that are listed'
complete -c rcptguard -n '__rcptguard_is replay' -l user -x -d 'SASL login name'
complete -c rcptguard -n '__rcptguard_is replay' -l client -x -d 'Address of the SMTP client'
complete -c rcptguard -n '__rcptguard_is replay' -l listener -x -d 'The MTA\'s name of its daemon'
complete -c rcptguard -n '__rcptguard_is replay' -l local -d 'Handed in by sendmail(1)'
complete -c rcptguard -n '__rcptguard_is replay' -l time -x -d 'When: 2027-06-30T12:00:00Z (now)'
complete -c rcptguard -n '__rcptguard_is replay' -l bcc-visible -d 'Bcc headers are delivered'
complete -c rcptguard -n '__rcptguard_is replay' -l verbose -d 'Name the files that are no mail'

complete -c rcptguard -n '__rcptguard_is init' -l mta -x -a 'postfix sendmail' -d 'Ask this one: postfix or sendmail'
complete -c rcptguard -n '__rcptguard_is init' -l postfix-config -r -F -d 'Where Postfix\'s main.cf is'
complete -c rcptguard -n '__rcptguard_is init' -l sendmail-config -r -F -d 'Sendmail\'s sendmail.cf'
complete -c rcptguard -n '__rcptguard_is init' -l domain -x -d 'An internal domain; needs no MTA'
complete -c rcptguard -n '__rcptguard_is init' -l freemail -r -F -d 'The table of freemail domains to copy'
