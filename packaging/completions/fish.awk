# fish.awk - a completion for fish

function print_option(name, n,    line)
{
    line = "complete -c " program " -n '__" program "_is " name "'"
    if (short[name, n] != "")
        line = line " -s " short[name, n]
    line = line " -l " long[name, n]
    if (kind[name, n] == "FILE")
        line = line " -r -F"
    else if (kind[name, n] != "")
        line = line " -x -a '" kind[name, n] "'"
    else if (argument[name, n] != "")
        line = line " -x"
    print line " -d '" fish_quoted(text[name, n]) "'"
}

function fish_quoted(string)
{
    gsub(/'/, "\\'", string)
    return string
}

function print_completion(    i, n)
{
    print "# fish completion for " program "\n"
    print "function __" program "_is"
    print "    set -l words (commandline -opc)"
    print "    contains -- \"$words[2]\" $argv"
    print "end\n"
    print "complete -c " program " -f"
    print "complete -c " program " -n '__fish_is_first_token' -l help -d 'Show this help'"
    print "complete -c " program " -n '__fish_is_first_token' -l version -d 'Print the version'"
    for (i = 1; i <= commands; i++) {
        print "\ncomplete -c " program " -n '__fish_is_first_token' -a " command[i] " -d '" fish_quoted(does[command[i]]) "'"
        if (files[command[i]])
            print "complete -c " program " -n '__" program "_is " command[i] "' -F"
        for (n = 1; n <= options[command[i]]; n++)
            print_option(command[i], n)
    }
}
