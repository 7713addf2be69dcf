"""The words of the policy language, read by a small lexer of the tests' own."""

import re

TOKEN = re.compile(r"""(?P<blank>\s+)|(?P<comment>\#[^\n]*)|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<regex>/(?:[^/\\\n]|\\.)*/)"""
                   r"""|(?P<date>\d{4}-\d\d-\d\d)(?![a-z0-9-])|(?P<duration>\d+[smhd])(?![a-z0-9-])|(?P<number>\d+)(?![a-z0-9-])|(?P<word>[a-z][a-z0-9-]*)"""
                   r"""|(?P<comparison>>=|<=|=~|[<>=])|(?P<sign>[{}(),])""")


def tokens(text):
    """(kind, text, offset) of everything but blanks."""
    at = 1 if text.startswith("\ufeff") else 0
    while at < len(text):
        match = TOKEN.match(text, at)
        assert match, "no word of the language: %r" % text[at:at + 40]
        if match.lastgroup != "blank":
            yield match.lastgroup, match.group(), at
        at = match.end()


def value(kind, text):
    """What a token stands for: strings and regexes without their escapes, numbers as such."""
    if kind == "string":
        return "string", re.sub(r"\\(.)", r"\1", text[1:-1])
    if kind == "regex":
        return "regex", re.sub(r"\\(.)", lambda pair: "/" if pair.group(1) == "/" else pair.group(), text[1:-1])
    return int(text) if kind == "number" else text


def is_policy(path):
    """Whether a file begins like a policy."""
    lines = [line.split("#")[0].strip() for line in path.read_text(errors="replace").splitlines()]
    return next((line for line in lines if line), "").lstrip("\ufeff").startswith("version")
