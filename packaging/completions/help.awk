# help.awk - reads what --help says, for the file of a shell that comes after this one and prints it
#
#   command[1..commands], does[NAME]    the commands, and what each does
#   files[NAME], others[NAME]           whether it takes files, or anything else, besides options
#   options[NAME]                       how many options it has; of each, by NAME, its number:
#   short[], long[]                     its names without hyphens, or ""
#   argument[]                          the name of its argument, or ""
#   kind[]                              "FILE", the words that the argument can be, or ""
#   text[]                              what it does

function kind_of(name)
{
    if (name ~ /^(POLICY|OLD-POLICY|FILE|PATH|CONF|DIR)$/)
        return "FILE"
    return name in words ? words[name] : ""
}

# In a word of a shell between single quotes.
function quoted(string)
{
    gsub(/'/, "'\\''", string)
    return string
}

function read_option(line,    n)
{
    n = ++options[name]
    if (line ~ /^-[a-z], /) {
        short[name, n] = substr(line, 2, 1)
        line = substr(line, 5)
    }
    match(line, /^--[a-z-]+/)
    long[name, n] = substr(line, 3, RLENGTH - 2)
    line = substr(line, RLENGTH + 1)
    if (match(line, /^=[A-Z0-9-]+/)) {
        argument[name, n] = substr(line, 2, RLENGTH - 1)
        kind[name, n] = kind_of(argument[name, n])
        line = substr(line, RLENGTH + 1)
    }
    sub(/^ +/, "", line)
    sub(/ \(\/.*\)$/, "", line) # where an installation has its files
    text[name, n] = line
}

BEGIN {
    count = split(choices, list, "\n")
    for (i = 1; i <= count; i++)
        if (match(list[i], /=/))
            words[substr(list[i], 1, RSTART - 1)] = substr(list[i], RSTART + 1)
}

/^= / { name = $2; next }

name == "" && /^  [a-z][a-z-]* +[A-Z]/ {
    command[++commands] = $1
    does[$1] = substr($0, match($0, /[A-Z]/))
}

name != "" && $1 == "Usage:" && $2 == program {
    files[name] = /(FILE|PATH|\[POLICY\])/
    others[name] = !files[name] && $NF ~ /[A-Z]/ && $NF !~ /OPTION/
}

name != "" && /^  -/ { read_option(substr($0, 3)) }

END { print_completion() }
