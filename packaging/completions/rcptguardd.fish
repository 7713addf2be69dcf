# fish completion for rcptguardd(8)

complete -c rcptguardd -f
complete -c rcptguardd -s c -r -F -d 'The configuration'
complete -c rcptguardd -s f -d 'Stay in the foreground'
complete -c rcptguardd -s n -d 'Check the configuration and the policy'
complete -c rcptguardd -s p -x -a 'unix: inet: inet6: fd:' -d 'Listen there'
complete -c rcptguardd -l help -d 'Show this help'
complete -c rcptguardd -l version -d 'Print the version'
