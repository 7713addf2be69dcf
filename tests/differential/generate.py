"""Recipient headers of which it is known who can be read in them.

    for case in generate.cases(1000, seed=1):
        case.fields     [("To", b"Ann <ann@x1.example>"), ...]: names and raw values, folded or not
        case.truth      the addresses that a person reads there, normalised as policy/address/address.h says, U-labels
        case.least      how many recipients there are at least (some broken forms leave the spelling open, not the number)
        case.valid      whether the syntax is that of RFC 5322, 6532, 2047 and 6854, obsolete forms included
        case.kind       the class of syntax, one of VALID or BROKEN

Case number n of a seed is the same whatever the count is.  Nothing of this is
shared with the program: normalise() is a second opinion on what one person is.
"""

import base64
import random
import re
import unicodedata

VISIBLE = ("To", "Cc", "Resent-To", "Resent-Cc", "Apparently-To")
HIDDEN = ("Bcc", "Resent-Bcc")

VALID = {}
BROKEN = {}

ATEXT = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~"

# In the text of a header that is being made: a blank where a line may be folded, and a place where comments may stand.
BLANK = "\ue000"
CFWS = "\ue001"


# ---- one person is one

def unquote(local):
    plain, quoted, i = "", False, 0
    while i < len(local):
        c = local[i]
        if c == '"':
            quoted = not quoted
        elif c == "\\" and i + 1 < len(local):
            i += 1
            plain += local[i]
        elif c in "\r\n":
            pass
        elif quoted or c not in " \t":
            plain += " " if c == "\t" else c
        i += 1
    return plain


def fold(text):
    return "".join(c for c in unicodedata.normalize("NFC", text).lower() if unicodedata.category(c) != "Cf")


def normalise(local, domain):
    """The one spelling of an address, its domain in U-labels; None if half of it is missing."""
    local = unquote(local) if '"' in local or "\\" in local else local
    local = fold(local)
    domain = fold(re.sub(r"\s", "", domain)).replace("\u3002", ".").replace("\uff61", ".").replace("\uff0e", ".").rstrip(".")
    labels = []
    for label in domain.split("."):
        if label.startswith("xn--"):
            try:
                label = label[4:].encode("ascii").decode("punycode")
            except UnicodeError:
                pass
        labels.append(label)
    domain = ".".join(labels)
    if not local or not domain:
        return None
    if any(ord(c) < 0x80 and c not in ATEXT + "." for c in local):
        local = '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'
    return local + "@" + domain


def normalise_text(address):
    local, at, domain = address.rpartition("@")
    return normalise(local, domain) if at else None


# ---- the parts of a header

LATIN = ["ann", "bob", "care", "dana", "erik", "fay", "gus", "hal", "ida", "joe", "kim", "lee", "mia", "ned", "oda", "pat"]
UNICODE_LOCALS = ["j\u00f6rg", "ren\u00e9e", "\u7530\u4e2d", "\u0438\u0432\u0430\u043d", "\u03b1\u03bd\u03bd\u03b1", "\u00e5sa", "\uae40\ucca0\uc218"]
UNICODE_LABELS = ["b\u00fccher", "m\u00fcnchen", "\u4f8b\u3048", "\u043f\u0440\u0438\u043c\u0435\u0440", "\u03c0\u03b1\u03c1\u03ac\u03b4\u03b5\u03b9\u03b3\u03bc\u03b1",
                  "caf\u00e9", "stra\u00dfe", "\ud55c\uad6d"]
NAMES = ["Ann", "Bob", "Lee", "Dr", "van", "Support", "Team", "Muller", "Q", "Sales-EU", "O'Brien", "N1"]
WORDS = ["the", "office", "on", "leave", "home", "p", "urgent", "list", "only", "7", "x-ray"]

# What a reader of these character sets would see; every one is a code that mail programs do send.
CHARSETS = {
    "utf-8": ["J\u00f6rg Mei\u00dfner", "\u7530\u4e2d \u592a\u90ce", "\u0418\u0432\u0430\u043d \u041f\u0435\u0442\u0440\u043e\u0432", "Zo\u00eb \U0001f600"],
    "iso-8859-1": ["J\u00f6rg M\u00fcller", "Ren\u00e9e L\u00e9vy", "\u00c5sa \u00d8st"],
    "iso-8859-15": ["J\u00f6rg \u20ac", "\u0160\u00e1rka"],
    "windows-1252": ["\u201eJ\u00f6rg\u201c", "Ren\u00e9e \u2013 Paris"],
    "koi8-r": ["\u0418\u0432\u0430\u043d \u041f\u0435\u0442\u0440\u043e\u0432", "\u041e\u0442\u0434\u0435\u043b"],
    "iso-2022-jp": ["\u7530\u4e2d \u592a\u90ce", "\u55b6\u696d\u90e8", "\u3044\u308d\u306f"],
    "gb18030": ["\u738b\u5c0f\u660e", "\u9500\u552e\u90e8"],
    "big5": ["\u738b\u5c0f\u660e", "\u7e3d\u52d9\u8655"],
    "euc-kr": ["\uae40\ucca0\uc218", "\uc601\uc5c5\ubd80"],
    "shift_jis": ["\u7530\u4e2d", "\u55b6\u696d\u90e8"],
}


class Case:
    def __init__(self, number, kind, valid):
        self.number = number
        self.kind = kind
        self.valid = valid
        self.fields = []
        self.truth = set()
        self.least = 0
        self.folded = False

    def __repr__(self):
        return "case %d, %s %s: %r, truth %r" % (self.number, "valid" if self.valid else "broken", self.kind, self.fields, sorted(self.truth))


class Maker:
    """Makes the headers of one case; `truth` collects who can be read."""

    def __init__(self, rng):
        self.rng = rng
        self.truth = set()
        self.extra = 0
        self.folded = rng.random() < 0.5
        self.newline = "\r\n" if rng.random() < 0.2 else "\n"
        self.comments = 0.0   # how often a comment stands where one may
        self.blanks = 0.0     # how often a blank does
        self.serial = rng.randrange(1000)

    def chance(self, part):
        return self.rng.random() < part

    def pick(self, items):
        return self.rng.choice(items)

    # -- people

    def local(self):
        self.serial += 1
        return "%s%d" % (self.pick(LATIN), self.serial)

    def domain(self):
        name = self.pick(["x%d.example", "mail.y%d.example", "z-%d.co.uk", "n%d.test", "a.b.c%d.example", "w%d.org"])
        return name % self.rng.randrange(1, 40)

    def person(self):
        """An ordinary address, as text."""
        return "%s@%s" % (self.local(), self.domain())

    def see(self, address):
        """Notes that this ordinary address can be read; gives it back."""
        known = normalise_text(address)
        assert known is not None, address
        self.truth.add(known)
        return address

    def seen(self):
        """A new person, seen."""
        return self.see(self.person())

    def maybe(self, form):
        """The form with a new person in it, or nothing."""
        return form % self.seen() if self.chance(0.5) else ""

    def see_parts(self, local, domain):
        known = normalise(local, domain)
        assert known is not None, (local, domain)
        self.truth.add(known)

    # -- words

    def words(self, count=None):
        return BLANK.join(self.pick(WORDS) for _ in range(count or self.rng.randrange(1, 4)))

    def phrase(self):
        return BLANK.join(self.pick(NAMES) for _ in range(self.rng.randrange(1, 4)))

    def quoted(self, text):
        return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'

    def comment(self, depth=0):
        """A comment, nested and escaped, with a person in it now and then."""
        parts = []
        for _ in range(self.rng.randrange(1, 4)):
            kind = self.rng.randrange(8)
            if kind == 0 and depth < 3:
                parts.append(self.comment(depth + 1))
            elif kind == 1:
                parts.append(self.seen())
            elif kind == 2:
                parts.append(self.pick(["\\)", "\\(", "\\\\", '"', ",", ";", "<", ">", ":", "a.b", "[x]"]))
            elif kind == 3:
                parts.append("<%s>" % self.seen())
            else:
                parts.append(self.words())
        return "(" + BLANK.join(parts) + ")"

    # -- lists

    def mailbox(self, address=None):
        """A plain valid mailbox."""
        address = self.see(address) if address else self.seen()
        kind = self.rng.randrange(4)
        if kind == 0:
            return address
        if kind == 1:
            return "<%s>" % address
        if kind == 2:
            return self.phrase() + BLANK + "<%s>" % address
        return self.quoted("%s, %s" % (self.pick(NAMES), self.pick(NAMES))) + BLANK + "<%s>" % address

    def around(self, text, before=2, after=2):
        """The text among ordinary neighbours, so that what it swallows is noticed."""
        items = [self.mailbox() for _ in range(self.rng.randrange(before + 1))] + [text]
        items += [self.mailbox() for _ in range(self.rng.randrange(after + 1))]
        return ("," + BLANK).join(items)

    # -- from the text to the bytes

    def fws(self):
        if not self.folded:
            return " " if self.chance(0.9) else self.pick(["  ", "\t"])
        return self.pick([" ", self.newline + " ", self.newline + "\t", " " + self.newline + " ", self.newline + "   "])

    def render(self, text):
        def cfws(_):
            result = ""
            if self.chance(self.blanks):
                result += BLANK
            if self.chance(self.comments):
                result += self.comment()
                if self.chance(0.5):
                    result += BLANK
            return result
        text = re.sub(CFWS, cfws, text)
        text = re.sub(BLANK, lambda _: self.fws(), text)
        return text.encode("utf-8", "surrogateescape")

    # -- RFC 2047

    def encoded_word(self, text, charset, in_phrase=True, method=None, escape=True):
        data = text.encode(charset)
        name = charset.upper() if self.chance(0.5) else charset
        method = method or self.pick("bBqQ")
        if method in "bB":
            return "=?%s?%s?%s?=" % (name, method, base64.b64encode(data).decode())
        safe = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/" if in_phrase else \
            bytes(c for c in range(0x21, 0x7f) if chr(c) not in '()"\\=?_')
        if not escape:
            safe = bytes(c for c in range(0x20, 0x7f) if chr(c) not in "=?_")
        out = "".join("_" if c == 0x20 and escape else chr(c) if c in safe else "=%02X" % c for c in data)
        return "=?%s?%s?%s?=" % (name, method, out)

    def encoded(self, text, charset, in_phrase=True, **how):
        """One or several encoded-words of at most 75 bytes, parted by blanks, which do not show."""
        pieces, rest = [], text
        while rest:
            size = self.rng.randrange(1, 16)
            while len(self.encoded_word(rest[:size], charset, in_phrase, method="q")) > 75:
                size -= 1
            pieces.append(self.encoded_word(rest[:size], charset, in_phrase, **how))
            rest = rest[size:]
        return BLANK.join(pieces)

    def foreign(self, with_person):
        """(text, charset), with a person in it or not."""
        charset = self.pick(list(CHARSETS))
        text = self.pick(CHARSETS[charset])
        if with_person:
            text = self.pick(["%s %s", "%s <%s>", "%s (%s)", "%s, %s"]) % (text, self.seen())
        return text, charset


def valid(function):
    VALID[function.__name__.replace("_", "-")] = function
    return function


def broken(function):
    BROKEN[function.__name__.replace("_", "-")] = function
    return function


# ---- valid

@valid
def plain(m):
    return ("," + BLANK).join(m.mailbox() for _ in range(m.rng.randrange(1, 7)))


@valid
def atext(m):
    local = ".".join("".join(m.pick(ATEXT) for _ in range(m.rng.randrange(1, 9))) for _ in range(m.rng.randrange(1, 4)))
    if "=?" in local or local[0] in "'":  # an encoded-word or a wrapping apostrophe to a person
        local = "x" + local.replace("=?", "=!")
    domain = m.domain()
    m.see_parts(local, domain)
    return m.around(m.pick(["%s@%s", "<%s@%s>", "Ann <%s@%s>", '"Ann, Lee" <%s@%s>']) % (local, domain))


@valid
def plus_tags(m):
    local, domain = m.local(), m.domain()
    return ("," + BLANK).join(m.mailbox("%s%s@%s" % (local, tag, domain)) for tag in ["", "+a", "+b", "+A"][:m.rng.randrange(2, 5)])


@valid
def quoted_local(m):
    text = m.pick(["%s %s", "%s,%s", "%s;%s", "%s@%s", "%s:%s", "%s(%s)", "<%s>%s", "%s\\%s", '%s"%s', "%s[%s]", " %s%s", "%s%s.", "%s..%s", "%s%s"]) % (m.local(), m.pick(WORDS))
    domain = m.domain()
    quoted = m.quoted(text)
    if m.chance(0.2):
        quoted = '"' + "".join("\\" + c for c in text) + '"'
    m.see_parts(quoted, domain)
    return m.around(m.pick(["%s@%s", "<%s@%s>", "Ann <%s@%s>", '"Lee, A" <%s@%s>']) % (quoted, domain))


@valid
def in_quoted_local(m):
    """One address to the grammar, with somebody in it who can be read."""
    quoted, domain = m.quoted(m.pick(["%s", "%s Ann", "<%s>", "mailto:%s"]) % m.seen()), m.domain()
    m.see_parts(quoted, domain)
    return m.around(m.pick(["%s@%s", "<%s@%s>", "Ann <%s@%s>"]) % (quoted, domain))


@valid
def quoted_local_folded(m):
    """The line's end is not part of it, the blank is."""
    local, domain, newline = '"%s%s%s"', m.domain(), m.newline if m.folded else ""
    local %= (m.local(), newline + " ", m.pick(WORDS))
    m.see_parts(local, domain)
    return m.around(m.pick(["%s@%s", "<%s@%s>"]) % (local, domain))


@valid
def needless_quotes(m):
    local, domain = m.local(), m.domain()
    m.see_parts(local, domain)
    return ("," + BLANK).join(["%s@%s" % (local, domain), '"%s"@%s' % (local, domain), 'Ann <"%s"@%s>' % (local.upper(), domain)][:m.rng.randrange(2, 4)])


@valid
def domain_literal(m):
    literal = m.pick(["192.0.2.%d", "198.51.100.%d", "IPv6:2001:db8::%d", "x-tag:a.b%d"]) % m.rng.randrange(1, 250)
    local = m.local()
    m.see_parts(local, "[%s]" % literal)
    blank = BLANK if m.chance(0.3) else ""
    return m.around(m.pick(["%s@[%s]", "<%s@[%s]>", "Ann <%s@[%s]>"]) % (local, blank + literal + blank))


@valid
def comments(m):
    """Wherever CFWS may stand, around an ordinary address."""
    m.comments, m.blanks = 0.5, 0.3
    items = []
    for _ in range(m.rng.randrange(1, 4)):
        local, domain = m.local(), m.domain()
        m.see_parts(local, domain)
        form = m.pick(["{c}{l}{c}@{c}{d}{c}", "{c}<{c}{l}{c}@{c}{d}{c}>{c}", "{c}Ann{c}{b}{c}Lee{c}<{c}{l}{c}@{c}{d}{c}>{c}", '{c}"A, B"{c}<{c}{l}{c}@{c}{d}{c}>{c}'])
        items.append(form.format(c=CFWS, b=BLANK, l=local, d=domain))
    return ",".join(items)


@valid
def folds(m):
    """Wherever FWS may stand, folded."""
    m.folded, m.blanks = True, 0.6
    return comments_without(m)


def comments_without(m):
    items = []
    for _ in range(m.rng.randrange(1, 4)):
        local, domain = m.local(), m.domain()
        m.see_parts(local, domain)
        form = m.pick(["{c}{l}{c}@{c}{d}{c}", "{c}<{c}{l}{c}@{c}{d}{c}>{c}", "{c}Ann{b}Lee{c}<{c}{l}{c}@{c}{d}{c}>{c}"])
        items.append(form.format(c=CFWS, b=BLANK, l=local, d=domain))
    return ",".join(items)


@valid
def obsolete_dots(m):
    """RFC 5322 section 4.4: CFWS around the dots of local part and domain."""
    m.blanks = 0.5
    if m.chance(0.4):
        m.comments = 0.3
    # What has a dot before the blank is two readings to a person: see dots_and_blanks.
    return ("," + BLANK).join(dotted(m, "x%d.example" % m.rng.randrange(1, 40)) for _ in range(m.rng.randrange(1, 4)))


def dotted(m, domain):
    dot = CFWS + "." + CFWS
    local = [m.local() for _ in range(m.rng.randrange(1, 4))]
    m.see_parts(".".join(local), domain)
    form = m.pick(["{l}{c}@{c}{d}", "<{l}{c}@{c}{d}>", "Ann{b}<{l}@{d}>"])
    return form.format(c=CFWS, b=BLANK, l=dot.join(local), d=domain.replace(".", dot))


@valid
def obsolete_words(m):
    """Words and quoted strings in one local part."""
    first, second, domain = m.local(), m.local(), m.domain()
    middle = m.pick(["%s %s", "%s@%s", "%s%s", "%s,%s"]) % (m.pick(WORDS), m.pick(WORDS))
    local = m.pick(['%s."%s"', '%s."%s".%s', '"%s".%s'])
    local %= (first, middle, second) if local.count("%s") == 3 else (middle, second) if local.startswith('"') else (first, middle)
    m.see_parts(local, domain)
    return m.around(m.pick(["%s@%s", "<%s@%s>", "Ann <%s@%s>"]) % (local, domain))


@valid
def obsolete_route(m):
    route = m.pick([",", "," + BLANK, ",,", ",%s,%s" % (CFWS, CFWS)]).join("@" + m.domain() for _ in range(m.rng.randrange(1, 4)))
    m.comments = 0.2
    return m.around("%s<%s:%s%s>" % (m.pick(["", "Ann ", '"Lee, A" ']), route, CFWS, m.seen()))


@valid
def obsolete_phrase(m):
    name = m.pick(["Ann Q. Lee", "A.B. Lee", "Dr. Lee", "Ann . Lee", "Lee Jr.", 'Ann "the boss" Q. Lee']).replace(" ", BLANK)
    return m.around("%s%s<%s>" % (name, BLANK, m.seen()))


@valid
def obsolete_lists(m):
    """Empty members of a list, and lines that hold nothing but blanks."""
    m.comments = 0.2
    commas = [",", ",,", "," + BLANK + ",", "," + CFWS + ","] + (["," + m.newline + " " + m.newline + " "] if m.folded else [])
    items = [m.mailbox() for _ in range(m.rng.randrange(1, 5))]
    text = items[0]
    for item in items[1:]:
        text += m.pick(commas) + item
    return m.pick(["", ",", "," + BLANK]) + text + m.pick(["", ",", BLANK + ","])


@valid
def groups(m):
    m.comments = 0.15

    def group():
        members = ("," + BLANK).join(m.mailbox() for _ in range(m.rng.randrange(0, 4)))
        return "%s%s:%s%s%s;%s" % (m.pick(["Team", "A" + BLANK + "team", '"The, team"', '"%s: list"' % m.phrase().replace(BLANK, " ")]), CFWS, CFWS, members, CFWS, CFWS)
    return ("," + BLANK).join(group() if m.chance(0.5) else m.mailbox() for _ in range(m.rng.randrange(1, 5)))


@valid
def empty_groups(m):
    m.comments = 0.2
    empty = m.pick(["undisclosed-recipients:%s;", "Nobody%s:%s;", "A team:%s;", '"x, y":%s;', "G:%s,,%s;"]).replace("%s", CFWS)
    return empty if m.chance(0.4) else m.around(empty)


@valid
def in_comment(m):
    """People in comments only."""
    return m.around("%s (%s %s%s)" % (m.seen(), m.pick(WORDS), m.pick(["%s", "<%s>", "[%s]", "%s, ", "mailto:%s"]) % m.seen(), m.pick(["", " x"]) + m.maybe(" (%s)")))


@valid
def in_display_name(m):
    form = m.pick(['"%s"', '"Ann (%s)"', '"Ann [%s]"', '"Ann <%s>"', '"Ann: %s;"', '"%s, Ann"', "\"'%s'\"", '"\\"%s\\""', '"Ann %s"', 'Ann "%s" Lee'])
    return m.around("%s%s<%s>" % (form % m.seen(), BLANK, m.seen()))


@valid
def in_group_name(m):
    return m.around('%s:%s;' % ('"Ann %s"' % m.seen(), m.mailbox() if m.chance(0.6) else ""))


@valid
def utf8_local(m):
    local, domain = m.pick(UNICODE_LOCALS), m.domain()
    m.see_parts(local, domain)
    items = []
    for _ in range(m.rng.randrange(1, 4)):
        spelled = unicodedata.normalize(m.pick(["NFC", "NFD"]), local.upper() if m.chance(0.3) else local)
        items.append(m.pick(["%s@%s", "<%s@%s>", "%s <%%s@%%s>" % m.pick(UNICODE_LOCALS)]) % (spelled, domain))
    return m.around(("," + BLANK).join(items))


def labels(m, label):
    ascii_label = "xn--" + label.encode("punycode").decode()
    return m.pick([label, unicodedata.normalize("NFD", label), label.upper() if "\u00df" not in label else label, ascii_label, ascii_label.upper(), "Xn--" + ascii_label[4:]])


@valid
def international_domain(m):
    local, label, rest = m.local(), m.pick(UNICODE_LABELS), m.pick(["example", "x.example", "co.uk"])
    m.see_parts(local, "%s.%s" % (label, rest))
    items = [m.pick(["%s@%s.%s", "<%s@%s.%s>", "Ann <%s@%s.%s>"]) % (local, labels(m, label), rest) for _ in range(m.rng.randrange(1, 5))]
    return m.around(("," + BLANK).join(items))


@valid
def utf8_names(m):
    name = unicodedata.normalize(m.pick(["NFC", "NFD"]), m.pick(UNICODE_LOCALS)) + BLANK + m.pick(UNICODE_LABELS)
    embedded = m.quoted("%s %s" % (m.pick(UNICODE_LOCALS), m.seen())) + BLANK if m.chance(0.4) else ""
    return m.around("%s%s%s<%s>" % (name, BLANK, embedded, m.seen()))


@valid
def letter_case(m):
    person = m.person()
    forms = [person, person.upper(), person.title(), person.swapcase()]
    return ("," + BLANK).join(m.mailbox(m.pick(forms)) for _ in range(m.rng.randrange(2, 5)))


@valid
def encoded_name(m):
    text, charset = m.foreign(False)
    words = m.encoded(text, charset)
    return m.around("%s%s<%s>" % (m.pick(["%s", "Ann" + BLANK + "%s", "%s" + BLANK + "Lee"]) % words, BLANK, m.seen()))


@valid
def encoded_name_with_address(m):
    text, charset = m.foreign(True)
    return m.around("%s%s<%s>" % (m.encoded(text, charset), BLANK, m.seen()))


@valid
def encoded_comment(m):
    """In a comment Q may hold `@` as it is."""
    text, charset = m.foreign(True)
    return m.around("%s (%s)" % (m.seen(), m.encoded(text, charset, False)))


@valid
def encoded_group_name(m):
    text, charset = m.foreign(m.chance(0.5))
    return m.around("%s: %s;" % (m.encoded(text, charset), m.mailbox()))


@valid
def several_fields(m):
    """The same people in several fields, spelled in several ways."""
    people = [m.person() for _ in range(m.rng.randrange(1, 4))]
    result = []
    for name in m.rng.sample(VISIBLE, m.rng.randrange(2, 5)) + ["To"]:
        result.append((name, ("," + BLANK).join(m.mailbox(m.pick([p, p.upper()])) for p in m.rng.sample(people, len(people)))))
    return result


# ---- broken, and yet delivered and read

def list_with(m, separator):
    """People parted by something else than a comma, with and without names."""
    count = m.rng.randrange(2, 5)
    style = m.rng.randrange(3) if separator else 1 + m.rng.randrange(2)
    if style == 0:
        items = [m.seen() for _ in range(count)]
    elif style == 1:
        items = ["<%s>" % m.seen() for _ in range(count)]
    else:
        items = ["%s <%s>" % (m.pick(NAMES), m.seen()) for _ in range(count)]
    return separator.join(items)


def bare_with(m, separator):
    return separator.join(m.seen() for _ in range(m.rng.randrange(2, 5)))


def separator(name, *choices):
    def make(m):
        return m.around(list_with(m, m.pick(choices)))
    make.__name__ = "separator_" + name
    broken(make)


separator("semicolon", ";", "; ", " ; ", ";" + BLANK, ";;", ";,")
separator("pipe", "|", " | ", "||")
separator("slash", "/", " / ", "//")
separator("wide_comma", "\uff0c", "\uff0c ", "\u3001", "\uff64", "\ufe50", "\ufe51")
separator("wide_semicolon", "\uff1b", "\uff1b ", "\ufe54", "\u061b", "\u037e")
separator("other_comma", "\u060c", "\u060c ", "\u055d", "\u1802", "\u2022", " \u00b7 ", " \u2013 ", "\u2014 ")
separator("newline", "\n ", "\n\t", "\n \n ", "\r\n ")
separator("blank", " ", "  ", "\t", BLANK)
separator("and", " and ", " und ", " et ", " or ", BLANK + "and" + BLANK)
separator("ampersand", "&", " & ", "&amp; ")
separator("nbsp", "\u00a0", "\u3000", "\u2003", "\u2028", "\u202f", "\u1680")
separator("nothing", "")
separator("control", "\x01", "\x0b", "\x0c", "\x7f", "\x1b", "\u0085")
separator("colon", ":", " : ")


@broken
def separator_in_brackets(m):
    return m.around("<%s>" % bare_with(m, m.pick([";", ",", " ", "; ", ", ", "|", "/"])))


@broken
def name_without_brackets(m):
    return m.around(m.pick(["Ann Lee %s", "%s Ann Lee", "Ann Q. Lee - %s", '"Ann" %s', "Ann: %s", "Ann, Lee %s", "Ann\tLee\t%s"]) % m.seen())


@broken
def square_brackets(m):
    return m.around(m.pick(["[%s]", "Ann [%s]", "[ %s ]", "Ann Lee [%s]", "<[%s]>", "[EXT] Ann <%s>", "Ann [x] <%s>", "[[%s]]"]) % m.seen())


@broken
def curly_brackets(m):
    return m.around(m.pick(["{%s}", "Ann {%s}", "{ %s }", "<{%s}>", "{{%s}}"]) % m.seen())


@broken
def entities(m):
    return m.around(m.pick(["&lt;%s&gt;", "Ann &lt;%s&gt;", "&quot;Ann&quot; &lt;%s&gt;", "&lt;%s", "&#60;%s&#62;"]) % m.seen())


@broken
def other_quotes(m):
    return m.around(m.pick(["'%s'", "<'%s'>", "Ann <'%s'>", "`%s`", "`%s'", "\u00ab%s\u00bb", "\u201c%s\u201d", "\u2018%s\u2019", "\u300c%s\u300d", "\u2039%s\u203a", "\uff1c%s\uff1e",
                           "\u3008%s\u3009", "'Ann' '%s'"]) % m.seen())


@broken
def only_quoted(m):
    return m.around(m.pick(['"%s"', '"Ann %s"', '"%s" Ann', '"%s" <>', '"%s" <ann>', '"<%s>"']) % m.seen())


@broken
def only_comment(m):
    return m.around(m.pick(["(%s)", "Ann (%s)", "((%s))", "<> (%s)", "(Ann <%s>)"]) % m.seen())


@broken
def unbalanced_quotes(m):
    return m.around(m.pick(['"Ann <%s>', 'Ann" <%s>', 'An"n <%s>', '"Ann" Lee" <%s>', '%s"', '"%s', '"Ann\\" <%s>', '"Ann\\\\" <%s>', '<"%s>', 'Ann <%s">', '""Ann" <%s>']) % m.seen())


@broken
def unbalanced_brackets(m):
    return m.around(m.pick(["Ann <%s", "Ann %s>", "<<%s>>", "Ann <<%s>", "Ann <%s>>", "Ann <Lee <%s>", "Ann < %s", "<%s> Ann", "Ann > <%s", "<Ann <%s>>", "< Ann > <%s>"]) % m.seen())


@broken
def unbalanced_comments(m):
    return m.around(m.pick(["(Ann <%s>", "Ann) <%s>", "Ann ((x) <%s>", "%s (x", "(%s", "%s)", "Ann <%s(>", "(Ann\\) <%s>", ")(%s"]) % m.seen())


@broken
def unbalanced_literals(m):
    if m.chance(0.5):
        local = m.local()
        m.extra += 1  # one more, whatever of the literal is taken for its domain
        return m.around(m.pick(["%s@[192.0.2.7", "<%s@[192.0.2.7>", "Ann <%s@[192.0.2.7>"]) % local, 2, 3)
    return m.around(m.pick(["[%s", "%s]", "Ann [ <%s>", "Ann ] <%s>", "[Ann <%s>"]) % m.seen())


@broken
def odd_dots(m):
    first, second, domain = m.local(), m.local(), m.domain()
    local = m.pick([".%s%s", "%s..%s", "%s%s.", "..%s%s", "%s...%s", "%s%s.."]) % (first, second)
    m.see_parts(local, domain)
    return m.around(m.pick(["%s@%s", "<%s@%s>", "Ann <%s@%s>", "Ann Lee %s@%s"]) % (local, domain))


@broken
def domain_dots(m):
    local, domain = m.local(), m.domain()
    m.see_parts(local, domain)
    return m.around(m.pick(["%s@%s.", "%s@.%s", "<%s@%s.>", "<%s@.%s>", "Ann <%s@%s..>", "%s@%s. Ann"]) % (local, domain))


@broken
def trailing_dot_twice(m):
    local, domain = m.local(), m.domain()
    m.see_parts(local, domain)
    return "%s@%s, <%s@%s.>" % (local, domain, local, domain.upper())


@broken
def prefixes(m):
    prefix = m.pick(["mailto:", "SMTP:", "smtp:", "MAILTO:", "email:", "to:", "e-mail: ", "Mail: "])
    return m.around(m.pick(["%s%s", "<%s%s>", "Ann <%s%s>", "[%s%s]", "Ann [%s%s]", '"%s%s"', "Ann (%s%s)", "%s%s?subject=x"]) % (prefix, m.seen()))


@broken
def prefixed_list(m):
    prefix = m.pick(["mailto:", "SMTP:"])
    return m.pick([",", ", ", ";", "; ", "," + BLANK]).join(prefix + m.seen() for _ in range(m.rng.randrange(2, 5)))


@broken
def encoded_address(m):
    """An encoded-word where an address stands."""
    charset = m.pick(["utf-8", "iso-8859-1", "iso-2022-jp", "gb18030", "koi8-r"])
    person = m.seen()
    return m.around(m.pick(["%s", "<%s>", "Ann <%s>", "%s Ann", "[%s]"]) % m.encoded_word(person, charset, m.chance(0.5)))


@broken
def encoded_name_and_address(m):
    text, charset = m.foreign(True)
    return m.around(m.encoded(text, charset))


@broken
def encoded_list(m):
    """A whole list within encoded-words."""
    charset = m.pick(["utf-8", "iso-2022-jp", "gb18030", "koi8-r", "iso-8859-1"])
    text = m.pick([", ", "; ", " "]).join(m.pick(["%s", "Ann <%s>", '"Lee, A" <%s>', m.pick(CHARSETS[charset]) + " <%s>"]) % m.seen() for _ in range(m.rng.randrange(2, 5)))
    return m.around(m.encoded(text, charset))


@broken
def encoded_local_part(m):
    local, domain = m.local(), m.domain()
    m.see_parts(local, domain)
    word = m.encoded_word(local, m.pick(["utf-8", "iso-8859-1", "koi8-r"]))
    return m.around(m.pick(["%s@%s", "<%s@%s>", "Ann <%s@%s>"]) % (word, domain))


@broken
def encoded_domain(m):
    local, domain = m.local(), m.domain()
    m.see_parts(local, domain)
    word = m.encoded_word(domain, m.pick(["utf-8", "iso-8859-1", "koi8-r"]))
    return m.around(m.pick(["%s@%s", "<%s@%s>", "Ann <%s@%s>"]) % (local, word))


@broken
def encoded_split(m):
    """The end of one encoded-word and the start of the next in the middle of an address, and of a character."""
    text = "%s <%s>" % (m.pick(CHARSETS["utf-8"]), m.seen())
    data = text.encode()
    pieces = []
    while data:
        size = m.rng.randrange(1, 12)
        pieces.append("=?utf-8?b?%s?=" % base64.b64encode(data[:size]).decode())
        data = data[size:]
    return m.around(BLANK.join(pieces) + m.maybe(" <%s>"))


@broken
def encoded_names_of_charsets(m):
    """One character set under several names, and others between: programs join what they can."""
    text = "%s <%s>, %s" % (m.pick(CHARSETS["utf-8"]), m.seen(), m.seen())
    data = text.encode()
    pieces = []
    while data:
        size = m.rng.randrange(1, 20)
        piece = data[:size]
        name = m.pick(["utf-8", "UTF8", "utf-8*en", "Utf-8*de-CH", "us-ascii", "latin1"] if max(piece) < 0x80 else ["utf-8", "UTF8", "utf-8*en"])
        pieces.append("=?%s?b?%s?=" % (name, base64.b64encode(piece).decode()) if m.chance(0.6) else "=?%s?q?%s?=" % (name, "".join("=%02X" % byte for byte in piece)))
        data = data[size:]
    return m.around(m.pick([BLANK, BLANK, ""]).join(pieces))


@broken
def encoded_glued(m):
    """No blank between encoded-words, or between one and its neighbours."""
    text, charset = m.foreign(False)
    word = m.encoded_word(text, charset)
    return m.around(m.pick(["%s<%s>", "Ann%s<%s>", '"Ann"%s<%s>', "%s(x)<%s>"]) % (word, m.seen()))


@broken
def encoded_specials(m):
    """`;`, `(`, `<`, quotes and blanks as they are within Q."""
    text = m.pick(["Ann; Lee", "Ann (Lee", "Ann < Lee", 'Ann "Lee', "Lee, Ann", "Ann [Lee", "Ann: Lee", "Ann Lee", "Ann <%s", "Ann %s, x"])
    text = text.replace("%s", m.seen()) if "%s" in text else text
    return m.around("%s%s<%s>" % (m.encoded_word(text, "utf-8", method="q", escape=False), BLANK, m.seen()))


@broken
def encoded_behind_none(m):
    """What looks like the beginning of an encoded-word must not hide those behind it."""
    text, charset = m.foreign(True)
    stray = m.pick(["=?Ann <%s>", "=? <%s>", "=?utf-8?q?Ann <%s>", "=?utf-8?x?Ann?= <%s>", "=??q?Ann?= <%s>", "<%s> =?"]) % m.seen()
    return m.around("%s, %s" % (stray, m.encoded(text, charset)))


@broken
def encoded_in_quotes(m):
    text, charset = m.foreign(True)
    return m.around('"%s" <%s>' % (m.encoded(text, charset).replace(BLANK, " "), m.seen()))


@broken
def encoded_badly(m):
    """No padding, no end, an unknown or a strange character set, a language tag."""
    person = m.seen()
    data = base64.b64encode(person.encode()).decode()
    q = person.replace("@", "=40")
    word = m.pick(["=?utf-8?b?%s?=" % data.rstrip("="), "=?utf-8*en?q?%s?=" % q, "=?x-unknown?q?%s?=" % q, "=?x-unknown?b?%s?=" % data, "=?utf-8?q?%s?=" % q.replace("=40", "@"),
                   "=?us-ascii?q?%s?=" % q, "=?utf8?b?%s?=" % data, "=?UTF-8?Q?%s_=FF=FE?=" % q, "=?utf-16be?b?%s?=" % base64.b64encode(person.encode("utf-16be")).decode(),
                   "=?utf-7?q?%s?=" % person.replace("@", "+AEA-"), "=?iso-2022-jp?q?%s?=" % q, "=?cp037?b?%s?=" % base64.b64encode(person.encode("cp037")).decode()])
    return m.around(m.pick([word, "<%s>" % word, '"%s"' % word, "(%s)" % word, "%s <>" % word]) + m.maybe(" <%s>"))


@broken
def encoded_controls(m):
    """Line ends, NUL and other controls that come to light only by decoding."""
    control = m.pick(["=0A", "=0D", "=00", "=0D=0A", "=09", "=01", "=7F", "=2C", "=3B", "=C2=A0", "=E3=80=81"])
    text = control.join(m.seen().replace("@", "=40") for _ in range(m.rng.randrange(2, 4)))
    return m.around("=?utf-8?q?%s?=%s" % (text, m.maybe(" <%s>")))


@broken
def address_as_name(m):
    return m.around(m.pick(["%s <%s>", "%s (Bob) <%s>", "<%s> <%s>", "'%s' <%s>", "%s<%s>", "Ann %s <%s>", "<%s> %s"]) % (m.seen(), m.seen()))


@broken
def address_in_encoded_name_raw(m):
    return m.around("=?utf-8?q?%s?= <%s>" % (m.seen(), m.seen()))


@broken
def nul(m):
    return m.around(m.pick(["%s\0, %s", "%s\0%s", "Ann\0 <%s>, %s", "\0%s, %s", "%s,\0%s", '"\0" <%s>, %s']) % (m.seen(), m.seen()))


@broken
def bare_cr(m):
    return m.around(m.pick(["%s\r%s", "%s,\r%s", "%s\r\r\n %s", "Ann\r<%s>\r, %s", "\r%s, %s", "<%s>\r<%s>"]) % (m.seen(), m.seen()))


@broken
def eight_bit_name(m):
    name = m.pick(["J\udcf6rg", "\udcd4\udcda", "\udce9\udce8", "\udc93Ann\udc94"])
    return m.around(m.pick(["%s <%s>", '"%s" <%s>', "%s %s", "(%s) %s", "%s; <%s>"]) % (name, m.seen()))


@broken
def eight_bit_address(m):
    m.extra += 1
    return m.around(m.pick(["%s@%s", "<%s@%s>", "Ann <%s@%s>"]) % (m.pick(["j\udcf6rg", m.local()]), m.pick(["b\udcfccher.example", "\udcfc\udce4.x.example"])))


@broken
def invalid_utf8(m):
    junk = m.pick(["\udcff", "\udcc0\udc80", "\udced\udca0\udc80", "\udce2\udc82", "\udcf8\udc88\udc80\udc80\udc80", "\udc80", "\udcc0\udcaf"])
    return m.around(m.pick(["%s %s", "%s%s", "%s<%s>", '"%s" <%s>', "(%s) %s", "%s, %s", "Ann %s <%s>"]) % (junk + " ", m.seen()))


@broken
def zero_width(m):
    """Characters that nobody sees, within an address and around it."""
    invisible = m.pick(["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u180e", "\u2061"])
    person = m.seen()
    place = m.rng.randrange(len(person) + 1)
    return m.around(m.pick(["%s", "<%s>", "Ann <%s>", '"%s"', "Ann %s"]) % (person[:place] + invisible + person[place:]))


@broken
def bidirectional(m):
    mark = m.pick(["\u200e", "\u200f", "\u202a", "\u202b", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068"])
    end = m.pick(["", "\u202c", "\u2069"])
    return m.around(m.pick(["%s%s%s", "<%s%s%s>", "Ann <%s%s%s>", "Ann %s<%s>%s"]) % (mark, m.seen(), end))


@broken
def wide_characters(m):
    person = m.seen()
    forms = [person.replace("@", "\uff20"), person.replace("@", "\ufe6b"), person.replace(".", "\uff0e"), person.replace(".", "\u3002"), person.replace(".", "\uff61"),
             "".join(chr(ord(c) + 0xfee0) if 0x21 <= ord(c) <= 0x7e else c for c in person)]
    return m.around(m.pick(["%s", "<%s>", "Ann <%s>", "Ann\u3000%s", "\uff1c%s\uff1e", "\uff08%s\uff09"]) % m.pick(forms))


@broken
def blank_within(m):
    person = m.seen()
    return m.around(m.pick(["%s", "<%s>", "Ann <%s>", "Ann (%s)"]) % person.replace("@", m.pick([" @", "@ ", " @ ", "\t@"])))


@broken
def folded_domain(m):
    """A fold beside a dot of a domain, where the grammar alone would not look."""
    local, domain = m.local(), m.domain()
    m.see_parts(local, domain)
    fold_at = m.pick([".\n ", "\n .", ".\n\t", ".\r\n "])
    return m.around(m.pick(["Ann %s@%s", "(%s@%s)", "Ann %s@%s;", "[%s@%s]"]) % (local, domain.replace(".", fold_at, 1)))


@broken
def dots_and_blanks(m):
    """The grammar reads `ann@a.b. c` as one domain, a person may stop at the blank: both are right, none may be missing."""
    if m.chance(0.5):
        m.blanks = 0.5
        return m.around(dotted(m, m.domain()))
    person, tail = m.seen(), m.pick(["Ann", "corp.example", "Bob Lee", "me.example"])
    return m.around(m.pick(["%s. %s", "%s.\n %s", "%s.\n\t%s", "%s .%s", "%s\n .%s", "%s.(x)%s"]) % (person, tail))


@broken
def list_in_quoted_local_part(m):
    """One address to the grammar, several people to a reader."""
    m.extra += 1
    return m.around(m.pick(['"%s"@%s', '<"%s"@%s>', 'Ann <"%s"@%s>']) % (bare_with(m, m.pick([", ", " ", ",", "; "])), m.domain()))


@broken
def quoted_domain(m):
    local, domain = m.local(), m.domain()
    m.see_parts(local, domain)
    return m.around(m.pick(['%s@"%s"', '<%s@"%s">', 'Ann %s@"%s"', "%s@'%s'"]) % (local, domain))


@broken
def percent_hack(m):
    local = "%s%%%s" % (m.local(), m.domain())
    domain = m.domain()
    m.see_parts(local, domain)
    return m.around(m.pick(["%s@%s", "<%s@%s>", "Ann %s@%s", "%s@%s;"]) % (local, domain))


@broken
def bang_hack(m):
    local = "%s!%s" % (m.domain(), m.local())
    domain = m.domain()
    m.see_parts(local, domain)
    return m.around(m.pick(["%s@%s", "<%s@%s>", "Ann %s@%s", "%s@%s;"]) % (local, domain))


@broken
def at_twice(m):
    first, domain = m.person(), m.domain()
    m.extra += 1
    return m.around(m.pick(["%s@%s", "<%s@%s>", "Ann <%s@%s>", "%s@@%s"]) % (first, domain))


@broken
def at_doubled(m):
    person = m.seen()
    return m.around(m.pick(["%s", "<%s>", "Ann <%s>", "Ann %s", '"%s"']) % person.replace("@", m.pick(["@@", "\\@", "@@@"])))


@broken
def nested_groups(m):
    return m.pick(["A: B: %s;;, %s", "A: B: %s; C: %s;", "a:a:a: %s, %s", "A: %s, B: %s;;", "A: (B: %s;) %s;", "A:B:;; %s, %s", "A: <%s>; <%s>"]) % (m.mailbox(), m.mailbox())


@broken
def open_group(m):
    return m.pick(["Team: %s, %s", "Team: %s; %s", "Team: %s; ; %s", "%s; Team: %s", "Team:: %s, %s", "Team %s, x: %s", ": %s, %s", "; %s, %s"]) % (m.mailbox(), m.mailbox())


@broken
def half_addresses(m):
    """`user@`, `@host` and bare names are nobody's address."""
    half = m.pick(["%s@" % m.local(), "@%s" % m.domain(), m.local(), "<%s>" % m.local(), "<>", "<@>", "@", "Lunch @ noon", "<@%s>" % m.domain()])
    return m.around(half)


@broken
def unquoted_names(m):
    return m.around(m.pick(["Lee, Ann <%s>", "Lee; Ann <%s>", "Ann: Lee <%s>", "Ann. <%s>", ". Ann <%s>", "Ann / Lee <%s>", "Ann \\ Lee <%s>", "Ann @ Lee <%s>", "Ann@ <%s>", "=?Ann <%s>",
                           "Ann [x <%s>", "Ann, (Lee <%s>", "Ann@Lee <%s>"]) % m.seen())


@broken
def mixed_line_endings(m):
    items = [m.mailbox() for _ in range(m.rng.randrange(2, 5))]
    text = items[0]
    for item in items[1:]:
        text += m.pick([",", ";", ""]) + m.pick(["\n ", "\r\n ", "\r\n\t", "\n\t", "\n \r\n ", "\r\r\n "]) + item
    return text


@broken
def wide_blanks(m):
    """Characters that look like a blank and are letters or pictures to Unicode."""
    return m.around(m.pick(["%s%s%s", "<%s>%s<%s>", "Ann <%s>%s%s"]) % (m.seen(), m.pick("\u3164\u2800\u115f\u1160\uffa0"), m.seen()))


# What may stand before, between and behind people: the beginnings and ends of everything, and nothing that ends in `.`, which would join.
JUNK = [" ", ",", ";", ", ", "; ", "\n ", "\r\n\t", "\t", "|", "/", "\\", '"', "'", "`", "(", ")", "<", ">", "[", "]", "{", "}", ":", "::", "&", "&lt;", "&gt;", "=", "?", "==", "=?", "?=", "=?utf-8?q?",
        "=?utf-8?b?", "?utf-8?", "*", "%", "!", "#", "$", "^", "~", "+", "-", "_", "\0", "\x01", "\x7f", "\r", "\u00a0", "\u200b", "\u202e", "\u3000", "\uff0c", "\u3001", "\uff1b", "\u2022", "\u00b7", "\u30fb",
        "\uff1c", "\uff1e", "\u201c", "\u00ab", "\u2502", "\u2605", "\ufe0f", "\udcff", "\udcc3", "\udca0", "\ufffd", "\u00e9", "\u7530", "e\u0301", "\U0001f600", "mailto:", "SMTP:", "To: ", "Ann", "Lee ", '"Ann" ',
        "(x)", "(c", "c)", "[x]", "<>", "<<", "undisclosed-recipients:;", "Team:", "@", " @ ", "@r.example:", "<@r.example,@s.example:", '\\"', "\\(", "\\)", "=?utf-8?B?SsO2cmc=?=", "=?utf-8?q?J=C3=B6rg?=",
        "=?utf-8?b?KA==?=", "=?utf-8?b?Ig==?=", "=?iso-2022-jp?b?PA==?=", "=?utf-8?q?=2C?=", "=?utf-8?q?Ann Lee?=", '=?utf-8?q?"?=', "=?utf-8?q?(?=", "=?utf-8?q?<?=", "=?koi8-r?b?", "=?utf8?b?Sg==?=", "=?utf-8?b?Sg?=",
        "=?utf-8*en?b?Sg==?="]


@broken
def junk(m):
    """Anything at all between people: how they are spelled is open, their number is not."""
    forms = ["%s"] * 4 + ['"%s"', "(%s)", "<%s>", "=?utf-8?q?%s?=", " =?utf-8?b?%s?= ", " =?koi8-r?b?%s?= "]
    text = ""
    for _ in range(m.rng.randrange(1, 6)):
        form, person = m.pick(forms), m.person()
        text += "".join(m.pick(JUNK) for _ in range(m.rng.randrange(4))) or m.pick([",", ";", " "])
        text += form % (base64.b64encode(person.encode()).decode() if "?b?" in form else person)
        m.extra += 1
    return text + "".join(m.pick(JUNK) for _ in range(m.rng.randrange(4)))


@broken
def everything(m):
    """Two of the others, one after the other."""
    names = [name for name in BROKEN if name != "everything"]
    return ", ".join(BROKEN[m.pick(names)](m) for _ in range(2))


KINDS = [(name, True) for name in VALID] + [(name, False) for name in BROKEN]


def case(number, seed=1):
    kind, is_valid = KINDS[number % len(KINDS)]
    rng = random.Random("%s:%d" % (seed, number))
    maker = Maker(rng)
    result = Case(number, kind, is_valid)
    made = (VALID if is_valid else BROKEN)[kind](maker)
    if isinstance(made, str):
        made = [(rng.choice(VISIBLE), made)]
    result.fields = [(name, maker.render(text)) for name, text in made]
    # In Bcc the same people are not visible.
    if rng.random() < 0.03:
        result.fields = [(rng.choice(HIDDEN), value) for _, value in result.fields]
        result.kind = "bcc"
        maker.truth, maker.extra = set(), 0
    result.truth = frozenset(maker.truth)
    result.least = len(maker.truth) + maker.extra
    result.folded = any(b"\n" in value for _, value in result.fields)
    return result


def cases(count, seed=1, first=0):
    for number in range(first, first + count):
        yield case(number, seed)


if __name__ == "__main__":
    import sys
    for one in cases(int(sys.argv[1]) if sys.argv[1:] else len(KINDS), int(sys.argv[2]) if sys.argv[2:] else 1):
        print(one)
