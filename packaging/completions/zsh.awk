# zsh.awk - a completion for zsh, as _arguments(zshcompsys) reads it

function print_option(name, n,    names, after)
{
    after = "[" text[name, n] "]"
    if (argument[name, n] != "") {
        after = after ":" tolower(argument[name, n]) ":"
        if (kind[name, n] == "FILE")
            after = after "_files"
        else if (kind[name, n] != "")
            after = after "(" kind[name, n] ")"
    }
    names = "--" long[name, n] (argument[name, n] != "" ? "=" : "")
    if (short[name, n] != "") {
        print "        '(-" short[name, n] " --" long[name, n] ")'{-" short[name, n] (argument[name, n] != "" ? "+" : "") "," names "}'" quoted(after) "'"
        return
    }
    print "        '" (text[name, n] ~ /may be repeated/ ? "*" : "") names quoted(after) "'"
}

function print_completion(    i, n)
{
    print "#compdef " program
    print "# zsh completion for " program "\n"
    print "local curcontext=$curcontext state line"
    print "local -a commands options\n"
    print "commands=("
    for (i = 1; i <= commands; i++)
        print "    '" quoted(command[i] ":" does[command[i]]) "'"
    print ")\n"
    print "case $words[2] in"
    for (i = 1; i <= commands; i++) {
        print command[i] ")"
        print "    options=("
        for (n = 1; n <= options[command[i]]; n++)
            print_option(command[i], n)
        if (files[command[i]])
            print "        '*:file:_files'"
        if (others[command[i]])
            print "        '*: :'"
        print "    ) ;;"
    }
    print "esac\n"
    print "_arguments -C '(- *)--help[Show this help]' '(- *)--version[Print the version]' '1:command:->command' '*::argument:->argument' && return\n"
    print "case $state in"
    print "command) _describe -t commands command commands ;;"
    print "argument) ((${#options} == 0)) || _arguments -S $options ;;"
    print "esac"
}
