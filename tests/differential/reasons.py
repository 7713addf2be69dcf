"""Why a parser's reading of a header differs from the truth, and so from another's.

    reasons.of(case, found)     the reasons, a set of REASONS; empty where they are equal

Two parsers that differ cannot both be right: each disagreement between them has
the reasons of the one that is wrong, or of both.
"""

import re

import generate

# Of who is missed, where he stands; of who is found besides, what he is.
REASONS = {
    "encoded": "misses who stands in an encoded-word",
    "comment": "misses who stands in a comment",
    "quoted": "misses who stands in a quoted string",
    "name": "misses who stands in a display name without quotes",
    "valid": "misses who stands in valid, mostly obsolete, syntax",
    "broken": "misses who stands in broken syntax",
    "spelling": "finds a person under another spelling",
    "open": "finds people whose spelling the truth leaves open",
    "nobody": "finds somebody whom nobody wrote",
}


def _place(text, at):
    """Whether what stands `at` a place of an unfolded header is in a "comment", "quoted", before `<` ("name"), or none of these."""
    depth, quoted, i = 0, False, 0
    while i < at:
        c = text[i]
        if c == "\\":
            i += 1
        elif c == '"' and not depth:
            quoted = not quoted
        elif c in "()" and not quoted:
            depth = max(0, depth + (1 if c == "(" else -1))
        i += 1
    if depth or quoted:
        return "comment" if depth else "quoted"
    behind = re.match(r"[^<>,;:]*(.?)", text[at:], re.S)
    return "name" if behind.group(1) == "<" else None


def _local(address):
    """What is alike in all spellings of the generator's people."""
    return re.sub(r"[^\w]", "", generate.unquote(address.rpartition("@")[0]))


def _missed(case, address, text, besides):
    local = generate.unquote(address.rpartition("@")[0])
    at = text.find(local)
    if any(_local(address) in _local(other) or address.rpartition("@")[2] in other for other in besides):
        return "spelling"
    if at < 0:
        return "encoded" if "=?" in text else "spelling" if besides else "valid" if case.valid else "broken"
    return _place(text, at) or ("valid" if case.valid else "broken")


def of(case, found):
    text = "\n".join(re.sub(r"[\r\n]", "", value.decode("utf-8", "surrogateescape")).lower() for _name, value in case.fields)
    missed, besides = case.truth - found, found - case.truth
    reasons = {_missed(case, address, text, besides) for address in missed}
    for address in besides:
        if any(_local(truth) in _local(address) or truth.rpartition("@")[2] in address for truth in case.truth):
            reasons.add("spelling")
        else:
            reasons.add("open" if case.least > len(case.truth) else "nobody")
    return reasons
