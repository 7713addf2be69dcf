# syntax.awk - puts the words that syntax-words prints into the template of an editor's syntax file
#
#   @GROUP@       the words of a group, with blanks between them
#   @GROUP|@      with | between them
#   @GROUP each@  a line like this one for each of them

function joined(group, separator,    list)
{
    list = words[group]
    gsub(/ /, separator, list)
    return list
}

NR == FNR { group = $1; sub(/^[^ ]+ /, ""); words[group] = $0; next }

match($0, /@[a-z]+ each@/) {
    before = substr($0, 1, RSTART - 1)
    after = substr($0, RSTART + RLENGTH)
    count = split(words[substr($0, RSTART + 1, RLENGTH - 7)], list, " ")
    for (i = 1; i <= count; i++)
        print before list[i] after
    next
}

match($0, /@[a-z]+[|]?@/) {
    mark = substr($0, RSTART + 1, RLENGTH - 2)
    group = mark
    sub(/[|]$/, "", group)
    $0 = substr($0, 1, RSTART - 1) joined(group, mark == group ? " " : "|") substr($0, RSTART + RLENGTH)
}

{ print }
