# bash.awk - a completion for bash: a table, and a function that reads it

# An option that takes an argument ends in `=`, and its kind.
function option_words(name,    n, line)
{
    for (n = 1; n <= options[name]; n++) {
        if (short[name, n] != "")
            line = line " -" short[name, n] (argument[name, n] != "" ? "=" joined(kind[name, n]) : "")
        line = line " --" long[name, n] (argument[name, n] != "" ? "=" joined(kind[name, n]) : "")
    }
    return substr(line, 2) (files[name] ? " FILE" : "")
}

function joined(list)
{
    gsub(/ /, "|", list)
    return list
}

function print_completion(    i, line)
{
    print "# bash completion for " program "\n"
    print "# Each command with its options: `=` and the words that an argument can be, or FILE; FILE at the end if"
    print "# the command takes files."
    print "declare -gA _" program "_commands=("
    for (i = 1; i <= commands; i++)
        print "    [" command[i] "]='" option_words(command[i]) "'"
    print ")\n"
    while ((getline line < template) > 0) {
        gsub(/@PROGRAM@/, program, line)
        print line
    }
}
