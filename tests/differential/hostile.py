"""Headers that a hostile or careless hand would write, and that are delivered: who can be read there.

Each row is (header, who must be read, who may be read besides, how many there are at least);
the last two are left out where there is no doubt.  Where several spellings are open, or two
people are run together, the number counts: an address more is a nuisance, one less is not.
Each is read alone, and folded between two neighbours, in all visible fields by turns.
"""

import base64
import unittest

import generate
import parsers
import tap

A, B, C = "ann@x.example", "bob@y.example", "cy@z.example"
AB, ABC = {A, B}, {A, B, C}
NEIGHBOURS = {"first@w.example", "last@w.example"}


def word(text, charset="utf-8", name=None, method="b"):
    """An encoded-word of text or bytes; `name` is what it says its character set is."""
    data = text if isinstance(text, bytes) else text.encode(charset)
    payload = base64.b64encode(data).decode() if method == "b" else "".join("=%02X" % byte for byte in data)
    return "=?%s?%s?%s?=" % (name or charset, method, payload)


CHARSETS = ("utf-8", "us-ascii", "iso-8859-1", "iso-8859-5", "iso-8859-15", "windows-1251", "windows-1252", "koi8-r", "koi8-u", "cp1258", "tis-620", "cp037", "iso-2022-jp",
            "iso-2022-kr", "shift_jis", "cp932", "euc-jp", "euc-kr", "big5", "big5hkscs", "gb2312", "gbk", "gb18030", "hz", "utf-7", "utf-16", "utf-16le", "utf-16be", "utf-32")


def charsets():
    """Addresses and lists within encoded-words of every character set that mail programs know."""
    for charset in CHARSETS:
        for method in "bq":
            yield word("Ann <ann@x.example>, Bob <bob@y.example>", charset, method=method), AB
            yield word("ann@x.example", charset, method=method) + "\n <bob@y.example>", AB
    yield word("\u7530\u4e2d <ann@x.example>; \u5c71\u7530 <bob@y.example>", "iso-2022-jp"), AB
    yield word("\u7530\u4e2d <ann@x.example>\u3001\u5c71\u7530 <bob@y.example>", "iso-2022-jp"), AB
    yield word("\u7530\u4e2d\uff1cann\uff20x\uff0eexample\uff1e", "iso-2022-jp"), {A}
    yield word("\u738b <ann@x.example>\uff0c\u674e <bob@y.example>", "gb18030"), AB
    yield word("ann\uff20x.example\uff1bbob@y.example", "gbk"), AB
    yield word("\u0418\u0432\u0430\u043d <ann@x.example>, \u041f\u0451\u0442\u0440 <bob@y.example>", "koi8-r"), AB
    # Kanji that nothing ends; the next word begins in ASCII all the same.
    yield word(b"\x1b$BEDCf", name="iso-2022-jp") + " " + word("<ann@x.example>", "iso-2022-jp"), {A}


def split_words():
    """The end of one encoded-word and the beginning of the next at every place, the character set's name spelled in two ways."""
    data = "J\u00f6rg <ann@x.example>, bob@y.example".encode()
    names = (("utf-8", "utf-8"), ("utf-8", "UTF8"), ("utf-8*en", "utf-8*de"), ("UTF_8", "utf-8"), ("utf-8", "UTF-8*ja"))
    for place in range(1, len(data)):
        first, second = names[place % len(names)]
        for methods in ("bb", "qq", "bq", "qb"):
            yield "%s\n %s" % (word(data[:place], name=first, method=methods[0]), word(data[place:], name=second, method=methods[1])), AB
    data = "\u7530\u4e2d <ann@x.example>".encode("iso-2022-jp")
    for place in range(1, len(data)):
        yield "%s %s <bob@y.example>" % (word(data[:place], name="iso-2022-jp"), word(data[place:], name="iso-2022-jp")), AB, {C}
    # Words of other character sets between the parts of a list, with and without blanks.
    for name in ("us-ascii", "latin1", "iso-8859-1", "x-unknown", "koi8-r"):
        for blank in (" ", "\n ", ""):
            yield blank.join((word("J\u00f6"), word("Ann <ann@x.example>", name=name), word(", bob@y.example"), word("; Cy <cy@z.example>", name=name))), ABC


def undecodable_words():
    """Bytes that are none of the character set, before a list and within it."""
    people = b"Ann <ann@x.example>, bob@y.example; cy@z.example"
    for name in ("utf-8", "us-ascii", "iso-8859-1", "iso-2022-jp", "gb18030", "big5", "euc-kr", "ks_c_5601-1987", "shift_jis", "koi8-r", "windows-1255", "x-unknown", "unknown-8bit"):
        for junk in (b"\xff\xfe", b"\x80", b"\x1b$Z", b"\x1b", b"\xc3", b"\x81", b"\xfe\xff", b"\0", b"\xa1", b"\x8f", b"\xf0\x9f"):
            for method in "bq":
                yield word(junk + b" " + people, name=name, method=method), ABC
                yield word(people[:21] + junk + b" " + people[21:], name=name, method=method), ABC


WORDS = (
    ("=?utf-8*en?Q?Ann_=3Cann=40x.example=3E?= <bob@y.example>", AB), ("=?Utf-8?b?YW5uQHguZXhhbXBsZQ==?=", {A}), ("=?us-ascii*en-us?q?ann=40x.example?=,bob@y.example", AB),
    ("=?utf-8?q?Ann_=3cann=40x.example=3e?=", {A}), ("=?utf-8?q?ann=40x.example, bob=40y.example?=", AB), ("=?utf-8?q? ann=40x.example ?=", {A}), ("=?utf-8?q?ann=40\n x.example?=", {A}),
    ("=?utf-8?b?YW5uQHgu\n ZXhhbXBsZQ==?=", {A}), ("=?utf-8?b? YW5uQHguZXhhbXBsZQ== ?=", {A}), ("=? utf-8 ?q?ann=40x.example?= <bob@y.example>", {B}, {A}),
    ("=?utf-8?Q?ann=40x.example?==?utf-8?Q?,bob=40y.example?=", AB), ("=?utf-8?Q?ann=40x.example?=,=?utf-8?Q?bob=40y.example?=", AB), ("a=?utf-8?Q?nn=40x.example?= <bob@y.example>", AB),
    ("=?utf-8?Q?ann?=@x.example, bob@y.example", {B}, {A, "=?utf-8?q?ann?=@x.example"}, 2),
    # Words in words.
    (word(word("ann@x.example", method="q")) + " <bob@y.example>", {B}, {A}), ("=?utf-8?q?=?utf-8?q?ann=40x.example?=?= <bob@y.example>", AB),
    ("=?utf-8?q?=?utf-8?b?YW5uQHguZXhhbXBsZQ==?=?= <bob@y.example>", AB),
    # Padding, and what is not of the alphabet.
    ("=?utf-8?b?YW5uQHguZXhhbXBsZQ?=", {A}), ("=?utf-8?b?YW5uQHguZXhhbXBsZQ=?=", {A}), ("=?utf-8?b?YW5uQHguZXhhbXBsZQ===?=", {A}), ("=?utf-8?b?!YW5u-QHgu.ZXhhbXBsZQ==?=, bob@y.example", AB),
    ("=?utf-8?b?YW5uQHguZXhhbXBsZSwgYm9iQHkuZXhhbXBsZQ==@?=", AB), ("=?utf-8?b?YW5uQHguZXhhbXBsZSwgYm9iQHkuZXhhbXBsZQ==\u00e9?=", AB), ("=?utf-8?b?<ann@x.example>?= <bob@y.example>", AB),
    # Words that are none, or have no end.
    ("=?utf-8?b?YW5uQHguZXhhbXBsZQ== bob@y.example", {B}), ("=?utf-8?q?ann=40x.example bob@y.example", {B}, {A}), ("=??q?ann=40x.example?= <bob@y.example>", {B}, {A}),
    ("=?utf-8?q?ann=4x.example?= <bob@y.example>", {B}), ("=?utf-8?q?ann=40x.example=?= <bob@y.example>", AB), ("=?unknown-8bit?q?ann=40x.example?=", {A}),
    ("=?utf-8?q?ann=40x.example=C3?= <bob@y.example>", AB), ("=?utf-8?q?=FF=FEann=40x.example?= <bob@y.example>", AB), ("=?iso-8859-1?q?=FFann=40x.example?= <bob@y.example>", {B, "\u00ffann@x.example"}),
    ("=?ks_c_5601-1987?q?ann=40x.example, bob=40y.example?=", AB), ("=?x-unknown?q?ann@x.example, bob=40y.example?=", AB),
    # Where they stand.
    ("=?utf-8?q?Ann?= <=?utf-8?q?ann=40x.example?=>", {A}), ('"=?utf-8?q?ann=40x.example?=" <bob@y.example>', AB), ("(=?utf-8?q?ann=40x.example?=) bob@y.example", AB),
    ("=?utf-8?q?Team=3A_ann=40x.example=2C?= bob@y.example;", AB), (word("ann@x.example\r\nBcc: bob@y.example"), AB), ("=?utf-8?q?%s_=3Cann=40x.example=3E?=" % ("A" * 2000), {A}),
    (word("Ann " * 400 + "<ann@x.example>"), {A}),
)

UNSEEN = (
    ("ann\u00ad@x.example, ann@x\u00ad.example, ann@x.example", {A}), ("a\u200dn\u200cn@x.example, ann@x.ex\u200bample", {A}), ("ann@x.example\u200b,bob@y.example", AB),
    ("ann@x.example\u2060;\u2060bob@y.example", AB), ("\ufeffann@x.example", {A}), ("a\u034fnn@x.example, ann\ufe0f@x.example, bob@y.example", AB), ("ann@x.example\U000e0041, bob@y.example", AB),
    ("ann\U000e0101@x.example, ann@x\u180b.example", {A}), ("ann@x.example\u200bbob@y.example", set(), {"ann@x.examplebob", "x.examplebob@y.example"}, 2), ("\u202eann@x.example\u202c", {A}),
    # What looks like a blank and is a letter or a picture to Unicode.
    ("ann@x.example\u3164bob@y.example\u2800cy@z.example", ABC), ("ann@x.example\uffa0bob@y.example\u115fcy@z.example", ABC), ("Ann\u3164ann@x.example", {A}),
)

SPELLINGS = (
    ("ren\u0065\u0301@x.example, ren\u00e9@x.example, REN\u00c9@X.example", {"ren\u00e9@x.example"}), ("e\u200d\u0301@x.example, \u00e9@x.example", {"\u00e9@x.example"}),
    ("\u212b@x.example, \u00e5@x.example, A\u030a@x.example", {"\u00e5@x.example"}), ("ann\uff20x.example, bob\ufe6by.example", AB), ("\uff41nn@x.example, a\uff4en@\uff58.example, ann@x.example", {A}),
    ("\uff41\uff4e\uff4e\uff20\uff58\uff0e\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45", {A}), ("ann@x\u3002example, bob@y\uff61example", AB), ("ann@x\u2024example, ann@x\ufe52example, bob@y.example", AB),
    ("ann@b\u00fccher.example, ann@xn--bcher-kva.example, ANN@B\u00dcCHER.example", {"ann@b\u00fccher.example"}), ("ann@p\u0430ypal.example, ann@paypal.example", {"ann@p\u0430ypal.example", "ann@paypal.example"}),
    ("ann@\u05d0\u05d1.example, ann@xn--4dbc.example", {"ann@\u05d0\u05d1.example"}), ("ann@fa\u00df.example, ann@fass.example", {"ann@fa\u00df.example", "ann@fass.example"}),
    ("ann@\u2603.example, ann@xn--n3h.example, ann@i\u2764.ws", {"ann@\u2603.example", "ann@i\u2764.ws"}), ("ann@xn--.example, bob@y.example", {"ann@xn--.example", B}),
    ("ann@-x-.example, bob@y_y.example", {"ann@-x-.example", "bob@y_y.example"}), ("\u7528\u6237@\u4f8b\u5b50.example, \u0438\u0432\u0430\u043d@x.example", {"\u7528\u6237@\u4f8b\u5b50.example", "\u0438\u0432\u0430\u043d@x.example"}),
    ("\u0627\u062d\u0645\u062f@x.example\u060c \u0645@y.example", {"\u0627\u062d\u0645\u062f@x.example", "\u0645@y.example"}), ("ann@x.verm\u00f6gensberater, bob@y.exa\u0308mple", {"ann@x.verm\u00f6gensberater", "bob@y.ex\u00e4mple"}),
    ("ann@x.example ann@x.example ANN@x.example. <ann@X.EXAMPLE>", {A}), ("ann@localhost, bob@LOCALHOST, ann@LocalHost", {"ann@localhost", "bob@localhost"}),
)

OTHER_SCRIPTS = (
    ("\u7530\u4e2d\uff1aann@x.example\uff1b\u5c71\u7530\uff1abob@y.example", AB), ("\u300cann@x.example\u300d\u300ebob@y.example\u300f\u3010cy@z.example\u3011", ABC), ("\u203bann@x.example \u203b bob@y.example", AB),
    ("ann@x.example\u69d8\u3001bob@y.example\u3055\u3093", AB), ("ann@x.example\u30fbbob@y.example \u30fb cy@z.example", ABC), ("ann@x.example\ub2d8, bob@y.example", AB),
    ("\u7530\u4e2dann@x.example\u3001\u5c71\u7530bob@y.example", {"\u7530\u4e2dann@x.example", "\u5c71\u7530bob@y.example"}), ("\u27e8ann@x.example\u27e9 \u2329bob@y.example\u232a \u3008cy@z.example\u3009", ABC),
    ("\u201cann@x.example\u201d; \u2018bob@y.example\u2019", AB), ("\u201eann@x.example\u201c \u201abob@y.example\u2018", AB), ("\u2039ann@x.example\u203a \u00abbob@y.example\u00bb", AB),
    ("\u276eann@x.example\u276f \u276cbob@y.example\u276d", AB), ("\u02c2ann@x.example\u02c3 \u00b4bob@y.example\u00b4", AB), ("\u1438ann@x.example\u1433 bob@y.example", {B}, {"\u1438ann@x.example"}, 2),
    ("\u2605@x.example; \u2764\u2605@y.example", {"\u2605@x.example", "\u2764\u2605@y.example"}),
)

QUOTES = (
    ('"ann@x.example', {A}), ('ann@x.example"', {A}), ('"ann@x.example" bob@y.example', AB), ('"Ann" Lee" <ann@x.example>, "Bob <bob@y.example>', AB), ('"a\\nn"@x.example, bob@y.example', AB),
    ('"Ann \\"<x>\\" Lee" <ann@x.example>, bob@y.example', AB), ('"Ann \\\\" <ann@x.example>, "Bob\\\\\\"" <bob@y.example>', AB), ('"\\@"@x.example, bob@y.example', {'"@"@x.example', B}),
    ("ann\\,bob@y.example", {B}), ("\\ann@x.example", {A}), ("ann\\ lee@x.example, bob@y.example", {B}, {"lee@x.example"}, 2), ('"ann"lee"@x.example, bob@y.example', {B}, {"lee@x.example"}, 2),
    ('"ann lee@x.example, bob@y.example', {B}, {"lee@x.example"}, 2), ('ann lee"@x.example, bob@y.example', {B}, {"lee@x.example"}, 2), ('"ann@x.example"<bob@y.example>', AB),
    # Who can be read in a quoted local part is counted, and so is the whole; a mere `@` is nobody.
    ('"ann@x.example"@y.example', {A, '"ann@x.example"@y.example'}), ('"ann@x.example".bob@me.example', {A, '"ann@x.example.bob"@me.example'}), ('"a@b"@x.example', {'"a@b"@x.example'}),
    ('"ann@x.example, bob@y.example" <cy@z.example>', ABC), ('"a" "ann@x.example" "b" <bob@y.example>', AB), ('"<ann@x.example>" <"bob@y.example">', AB), ("\"'ann@x.example'\" <ann@x.example>", {A}),
    ("'Ann' <ann@x.example>, \"'bob@y.example'\" <bob@y.example>", AB), ('"ann(at)x.example" <bob@y.example>', {B}), ("''ann@x.example'', ``bob@y.example''", AB), ("'ann@x.example' 'bob@y.example'", AB),
    ("'ann@x.example','bob@y.example'", AB), ("'ann@x.example, bob@y.example'", {B}, {"'ann@x.example"}, 2), ("**ann@x.example** `bob@y.example` ~cy@z.example~", ABC), ("_ann@x.example_", {"_ann@x.example"}, {"_ann@x.example_"}),
    ('"%s"@x.example, bob@y.example' % ("l " * 50), {'"%s"@x.example' % ("l " * 50), B}), ('"%s, cy@z.example"@x.example, bob@y.example' % ("l " * 100), {B, C}, {'"%s, cy@z.example"@x.example' % ("l " * 100)}),
)

BRACKETS = (
    ("ann(c)@x.example, bob@(d)y.example", AB), ("ann@x(c).example, bob@y.(d)example", AB), ("ann@x.example(cy@z.example)", {A, C}), ("(a(b(c(d ann@x.example)))) bob@y.example", AB),
    ("(\\)ann@x.example) bob@y.example", AB), ("(\\() ann@x.example, (bob@y.example", AB), ("Ann (x) Lee (y) <(z)ann(w)@(v)x(u).(t)example(s)>(r), bob@y.example", AB), ("(ann@x.example, bob@y.example)", AB),
    ("(ann)@x.example, bob@y.example", {B}, {A}), ("ann@x.example(, bob@y.example)", AB), ("ann@x.example), bob@y.example(", AB), ("ann@x.ex(c)ample, bob@y.example", {B}, {"ann@x.ex"}, 2),
    ("<<ann@x.example>>, <<<bob@y.example>>>", AB), (">ann@x.example<, >bob@y.example<", AB), ("<ann@x.example><bob@y.example>", AB), ("((ann@x.example)(bob@y.example))", AB), ("<ann@x.example,bob@y.example>", AB),
    ("Ann<ann@x.example>,Bob<bob@y.example>", AB), ("Ann Lee<ann@x.example>Bob Lee<bob@y.example>", AB), ("[ann@x.example,bob@y.example]", AB), ("{ann@x.example}, {{bob@y.example}}", AB),
    ("{ann@x.example,bob@y.example}", {B}, {"{ann@x.example"}, 2), ("${ann@x.example} $(bob@y.example)", {B}, {"${ann@x.example"}, 2), ("<ann@x.example|Ann>, <bob@y.example|Bob>", AB),
    # Literals.
    ("ann@[127.0.0.1], ann@[IPv6:::1], ann@[ipv6:2001:db8::1]", {"ann@[127.0.0.1]", "ann@[ipv6:::1]", "ann@[ipv6:2001:db8::1]"}), ("<ann@[127.0.0.1]>;<bob@y.example>", {"ann@[127.0.0.1]", B}),
    ("ann@[127.0.0.1 bob@y.example", {B}, {"ann@[127.0.0.1"}, 2), ("ann@127.0.0.1, bob@y.example", {"ann@127.0.0.1", B}), ("ann@[x.example], bob@y.example", {"ann@[x.example]", B}),
    ("ann@[192.0.2.1]bob@y.example", {"ann@[192.0.2.1]", B}), ("ann@[a\\]b], bob@y.example", {B}, {"ann@[a\\]"}, 2),
)

DOTS = (
    ("ann@x.example., bob@y.example..", AB), ("ann@x..example, bob@y.example", {"ann@x..example", B}), ("a.n.n.@x.example, ..b@y.example", {"a.n.n.@x.example", "..b@y.example"}),
    (".@x.example, ...@y.example", {".@x.example", "...@y.example"}), ("ann @ x . example, bob@y.example", AB), ("ann@x. example, bob@y .example", AB), ("ann@ x.example bob @y.example", AB),
    ("ann@x.example .bob@y.example", {A, ".bob@y.example"}, {"ann@x.example.bob"}), ("ann@x.example.\n me.example", {A, "ann@x.example.me.example"}), ("ann@x.example\u2026 bob@y.example...", AB),
    ("%s@x.example, bob@y.example" % ("l" * 1000), {"l" * 1000 + "@x.example", B}), ("ann@%sexample,bob@y.example" % ("a." * 500), {"ann@" + "a." * 500 + "example", B}), ("N" * 5000 + " <ann@x.example>, bob@y.example", AB),
)

GROUPS = tuple((text, set()) for text in ("undisclosed-recipients:;", "undisclosed-recipients: ;", "Undisclosed recipients:;", "undisclosed-recipients:", "undisclosed-recipients:;@x.example", "<undisclosed-recipients:;>",
                                          "ann", "", " ", "<>", ";", "@", "@@", "a@", "@a", '"@"')) + (
    ('""@x.example', {'""@x.example'}),
    ('"undisclosed-recipients":;, ann@x.example', {A}), ("undisclosed-recipients:; ann@x.example", {A}), ("undisclosed-recipients: ann@x.example;", {A}), ("A:ann@x.example;B:bob@y.example;", AB),
    ("A:ann@x.example;bob@y.example", AB), ("A:ann@x.example,B:bob@y.example;;cy@z.example", ABC), ("A:,,,ann@x.example,;;;,bob@y.example", AB), (":ann@x.example;", {A}), ("::ann@x.example", {A}),
    ("A: <ann@x.example> : <bob@y.example>", AB), ('A B C: "D" <ann@x.example>;', {A}), ("A: (bob@y.example);", {B}), ("ann@x.example: bob@y.example;", AB), ("<ann@x.example>: bob@y.example", AB),
    ("To: ann@x.example Cc: bob@y.example", AB), ("ann@x.example\n  Cc: bob@y.example", AB),
)

HACKS = (
    ("ann%y.example@x.example", {"ann%y.example@x.example"}), ("y.example!ann@x.example", {"y.example!ann@x.example"}), ("y.example!ann", {"ann@y.example"}), ("ann%x.example, y.example!bob", AB), ("@r.example:ann@x.example", {A}),
    ("<@r.example,@s.example:ann@x.example>, bob@y.example", AB), ("<@r.example:@s.example:ann@x.example>", {A}), ("<@r.example ann@x.example>", {A}), ("@ann@x.example", {A}), ("ann@x.example@, bob@y.example", AB),
    ("ann@x.example@r.example, bob@y.example", AB | {"x.example@r.example"}), ("ann@@x.example,bob@y.example", AB), ("ann@ @x.example,bob@y.example", {B}, {A}), ("ann/lee@x.example, bob/fax=1@y.example", {"ann/lee@x.example", "bob/fax=1@y.example"}),
    ("SRS0=abcd=ef=x.example=ann@y.example", {"srs0=abcd=ef=x.example=ann@y.example"}), ("bounces+ann=x.example@y.example", {"bounces+ann=x.example@y.example"}), ("prvs=123=ann@x.example", {"prvs=123=ann@x.example"}),
    ("IMCEAEX-_o=x_ou=y_cn=ann@x.example", {"imceaex-_o=x_ou=y_cn=ann@x.example"}), ("/O=X/OU=Y/CN=ANN, ann@x.example", {A}), ("X400:c=us;a= ;p=x;o=y;s=z; ann@x.example", {A}), ("ann@#123, bob@y.example", {B}, {"ann@#123"}),
    ("$ann@x.example, +bob@y.example", {"$ann@x.example", "+bob@y.example"}), ("ann|lee@x.example, !bob@y.example", {"ann|lee@x.example", "!bob@y.example"}),
)

URLS = (
    ("mailto:ann@x.example?cc=bob@y.example", AB), ("<mailto:ann@x.example?cc=bob@y.example&bcc=cy@z.example>", ABC), ("mailto:?to=ann@x.example&cc=bob@y.example", AB), ("mailto:ann@x.example,bob@y.example?subject=x", AB),
    ("mailto:ann%40x.example, bob@y.example", {B}, {"ann@40x.example"}), ("mailto:ann@x.example%2Cbob@y.example", {A}, {"%2cbob@y.example"}, 2), ("mailto:ann@x.example;bob@y.example", AB), ("mailto: ann@x.example, Bob <mailto: bob@y.example>", AB),
    ("[Ann](mailto:ann@x.example), [Bob](mailto:bob@y.example)", AB), ("[ann@x.example](mailto:ann@x.example)", {A}), ("[ann@x.example|mailto:ann@x.example]", {A}), ("ann@x.example<mailto:ann@x.example>", {A}),
    ('<a href="mailto:ann@x.example">Ann</a>', {A}), ("<a href='mailto:ann@x.example'>Ann</a>, bob@y.example", AB), ("'SMTP:ann@x.example', [SMTP:bob@y.example]", AB), ("rfc822;ann@x.example; rfc822; bob@y.example", AB),
    ("sip:ann@x.example;transport=tcp, xmpp:bob@y.example/home", AB), ("mailto://ann@x.example", set(), {"//ann@x.example"}, 1), ("ftp://ann@x.example/", {A}), ("ann@x.example:25, bob@y.example/inbox", AB),
    ("&lt;ann@x.example&gt;&#59; &lt;bob@y.example&gt;", AB), ("&quot;Ann&quot; &lt;ann@x.example&gt;,&nbsp;bob@y.example", AB), ("ann@x.example&nbsp;bob@y.example", AB), ("ann@x.example&gt; bob@y.example!", AB),
)

DUMPS = (
    ("1. ann@x.example 2. bob@y.example 3. cy@z.example", set(), {"1.ann@x.example", "2.bob@y.example", "3.cy@z.example"}, 3), ("1) ann@x.example, 2) bob@y.example", AB), ("(1)ann@x.example (2)bob@y.example", AB),
    ("- ann@x.example\n - bob@y.example\n * cy@z.example", ABC), ("\u2022ann@x.example\n \u2022bob@y.example", AB), ("a) ann@x.example; b) bob@y.example", AB), ('{"to": ["ann@x.example", "bob@y.example"]}', AB),
    ('[{"name":"Ann","email":"ann@x.example"},{"name":"Bob","email":"bob@y.example"}]', AB), ("{'ann@x.example': 'Ann', 'bob@y.example': 'Bob'}", AB), ("['ann@x.example','bob@y.example']", AB),
    ('"Ann","ann@x.example"\n "Bob","bob@y.example"', AB), ("Ann;ann@x.example;Bob;bob@y.example", AB), ('"ann@x.example";"bob@y.example"', AB), ("Ann\tann@x.example\tBob\tbob@y.example", AB),
    ("| Ann | ann@x.example | Bob | bob@y.example |", AB), ("Array ( [0] => ann@x.example [1] => bob@y.example )", AB), ("email:ann@x.example,email:bob@y.example", AB), ('a="ann@x.example" b="bob@y.example"', AB),
    ("to=ann@x.example to=bob@y.example", set(), {"to=ann@x.example", "to=bob@y.example"}, 2), ("email=ann@x.example;email=bob@y.example", set(), {"email=ann@x.example", "email=bob@y.example"}, 2),
    ("<email>ann@x.example</email><email>bob@y.example</email>", AB), ("ann@x.example\\nbob@y.example", {A}, {"nbob@y.example"}, 2), ("b'ann@x.example', u'bob@y.example'", set(), {"b'ann@x.example", "u'bob@y.example"}, 2),
    ("Lee, Ann <ann@x.example>, Lee, Bob <bob@y.example>", AB), ("Ann.Lee <ann@x.example>, Dr. Bob <bob@y.example>", AB), ("Ann @ Work <ann@x.example>", {A}), ("@ann <ann@x.example>, @bob", {A}),
    ("Price $5 @ unit <ann@x.example>", {A}), ("Ann Lee (R&D) <ann@x.example>", {A}), ("O'Brien, Ann <ann.o'brien@x.example>, bob@y.example", {"ann.o'brien@x.example", B}), ("<ann@x.example> Ann, <bob@y.example> Bob", AB),
    ("ann@x.example - Ann; bob@y.example - Bob", AB), ("ann@x.example's list, bob@y.example", AB), (",,ann@x.example,,,,bob,", {A}),
)

BYTES = (
    ("J\udcf6rg <ann@x.example>, bob@y.example", AB), ("ann@x.example\udcff, \udca0bob@y.example\udca0", AB), ("ann@x.example\udcffbob@y.example", AB), ("\udc93ann@x.example\udc94; \udc91bob@y.example\udc92", AB),
    ("\udcc0\udc80@x.example, bob@y.example", {"\ufffd\ufffd@x.example", B}), ("ann@\udcff\udcfe.example, bob@y.example", {B, "ann@\ufffd\ufffd.example"}), ("ann@b\udcfccher.example", {"ann@b\ufffdcher.example"}),
    ("ann@x.example\0bob@y.example\0cy@z.example", ABC), ("\0ann@x.example, ann\0@x.example, ann@\0x.example", {A}), ("ann@x.exa\0mple, bob@y.example", {B}, {"ann@x.exa"}, 2), ("a\x01nn@x.example, bob@y.example", {B}, {"nn@x.example"}, 2),
    ("ann@x.example\x1b[0m, bob@y.example\x08\x08", AB), ("ann\udcc0\udcc0x.example, bob@y.example", {B}),
)

# What may stand between two addresses without a name; those that leave a doubt are in the rows above.
SEPARATORS = ["\t", "|", "\t|\t", "\u2022", "\u00b7 ", " \u00b7 ", "\u2013", "\u2014", "\u2015", " - ", " -- ", " \u2192 ", "\u2192", " => ", " + ", " * ", "; ", ";;", ",;", "\u3001", "\uff0c", "\uff1b", "\u060c", "\u061b", "\ufe10",
              "\ufe11", "\ufe12 ", "\ufe13", "\ufe14", "\uff64", "\u2e41", "\u2e32", "\ua4fe", "\ua60d", "\u07f8", "\u1363", "\u1364", "\u104a", "\u0964", "\u17d4 ", "\u055d", "\u1802", "\u1808", "\u00a6", "\u2016", "\u2223", "\uff5c",
              "\u2502", "\u2503", "/", "//", " / ", "\\", " \\ ", "\uff0f", "\u2044", "\u2215", "\u29f8", " & ", "&", " and ", " or ", " und ", " y ", " et ", " \u548c ", "\u548c ", "+ ", "\x0b", "\x0c", "\x01", "\x1f", "\x7f", "\u0085",
              "\u00a0", "\u2028", "\u2029", "\u2003", "\u3000", "\u1680", "\u205f", "\u202f", "\u200a", "\u2800", "\u3164", "\uffa0", "\u00a7", "\u00b6", "\u25cf", "\u25cb ", "\u25aa", "\u2023", "\u2043", "\u2219", "\u22c5", "\u2027 ",
              "\u2605", "\u2713", "\u2794", "\u27a4", "\u2550", " = ", "=", "==", ">", "<", "><", "> <", ">,<", "<>", "()", "[]", "][", "}{", "?", "!", " ! ", "^", "^^", "~", " ~ ", "`", " # ", " $ ", "*", '"', '""', '","', "\u201d\u201c",
              "(x)", "(", "\u00ac", "\u00b0", "\u00b1", "\u00d7", "\u2020", "\u00a9", "\u00ae", "\u00bf", "\u00a1", "\ufffd", "\U0001f600", "\u2764\ufe0f", "\n ", "\n\t", "\r\n ", "\r\r\n ", "\r", "\n \n "]


def separators():
    for separator in SEPARATORS:
        yield separator.join(("ann@x.example", "bob@y.example")), AB
        yield separator.join(("ann@x.example", "bob@y.example", "cy@z.example")), ABC
        yield separator.join(("Ann <ann@x.example>", "Bob <bob@y.example>")), AB
    for separator in ("--", "->", "#", "%20", "$", "'", "','"):
        yield separator.join(("ann@x.example", "bob@y.example", "cy@z.example")), set(), None, 3


class Hostile(unittest.TestCase):
    def check(self, rows):
        rows = list(rows)
        self.assertGreater(len(rows), 8)
        forms = [(text, between) for text, *_ in rows for between in (False, True)]
        values = ["first@w.example,\n\t%s,\r\n last@w.example" % text if between else text for text, between in forms]
        fields = [generate.VISIBLE[number % len(generate.VISIBLE)] for number in range(len(values))]
        readings = parsers.explain([parsers.message([(field, value.encode("utf-8", "surrogateescape"))]) for field, value in zip(fields, values)])
        for number, (value, reading) in enumerate(zip(values, readings)):
            row = rows[number // 2]
            must, may, least = row[1:] + ((), 0)[len(row) - 2:]
            neighbours = NEIGHBOURS if forms[number][1] else set()
            with self.subTest(value=value):
                self.assertLessEqual(must | neighbours, reading.addresses)
                self.assertGreaterEqual(len(reading.addresses), max(least, len(must)) + len(neighbours))
                self.assertNotIn("limit", reading.defects)
                if may is not None:
                    self.assertLessEqual(reading.addresses, must | neighbours | set(may))


def _add(name, rows):
    def test(self):
        self.check(rows() if callable(rows) else rows)
    test.__doc__ = rows.__doc__ if callable(rows) else None
    setattr(Hostile, "test_" + name, test)


for _name, _rows in (("charsets", charsets), ("split_words", split_words), ("undecodable_words", undecodable_words), ("words", WORDS), ("unseen", UNSEEN), ("spellings", SPELLINGS), ("other_scripts", OTHER_SCRIPTS),
                     ("quotes", QUOTES), ("brackets", BRACKETS), ("dots", DOTS), ("groups", GROUPS), ("hacks", HACKS), ("urls", URLS), ("dumps", DUMPS), ("bytes", BYTES), ("separators", separators)):
    _add(_name, _rows)


if __name__ == "__main__":
    tap.main(60)
