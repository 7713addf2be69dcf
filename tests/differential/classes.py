"""Every class of syntax that hides people from a parser, or counts one twice, by hand: exact sets.

Each case is read in every visible field, alone and on one line, and folded
between two neighbours.  A `\\u00a6` stands for a blank where the line is folded.
"""

import unittest

import generate
import parsers
import tap

FOLD = "\u00a6"
NEIGHBOURS = {"first@w.example", "last@w.example"}

A, B, C = "ann@x.example", "bob@y.example", "cy@z.example"
AB, ABC = {A, B}, {A, B, C}

# class: [(header, who can be read), ...]
CLASSES = {
    "semicolons": [("ann@x.example;\u00a6bob@y.example", AB), ("Ann <ann@x.example>;\u00a6Bob <bob@y.example>;", AB), ("<ann@x.example;bob@y.example>,\u00a6cy@z.example", ABC),
                   ("Team: ann@x.example; bob@y.example;\u00a6cy@z.example", ABC)],
    "pipes": [("ann@x.example\u00a6| bob@y.example", AB), ("Ann <ann@x.example>|\u00a6<bob@y.example>", AB)],
    "slashes": [("ann@x.example\u00a6/ bob@y.example", AB), ("Ann <ann@x.example>/\u00a6<bob@y.example>", AB)],
    "wide and CJK separators": [("ann@x.example\uff0cbob@y.example\uff1b\u00a6cy@z.example", ABC), ("ann@x.example\u3001bob@y.example\uff64\u00a6cy@z.example", ABC),
                                ("ann@x.example\uff5c\u00a6bob@y.example\uff0fcy@z.example", ABC)],
    "other scripts' separators": [("ann@x.example\u060c bob@y.example\u061b\u00a6cy@z.example", ABC), ("ann@x.example\u2022bob@y.example\u2014\u00a6cy@z.example", ABC)],
    "blanks only": [("ann@x.example\u00a6bob@y.example cy@z.example", ABC), ("Ann <ann@x.example>\u00a6Bob <bob@y.example>\tcy@z.example", ABC)],
    "newlines only": [("ann@x.example\n bob@y.example\n\tcy@z.example", ABC), ("<ann@x.example>\r\n <bob@y.example>\n \n\t<cy@z.example>", ABC)],
    "and": [("ann@x.example and\u00a6bob@y.example", AB), ("Ann <ann@x.example> and\u00a6Bob <bob@y.example>", AB)],
    "ampersands": [("ann@x.example &\u00a6bob@y.example", AB), ("<ann@x.example>&<bob@y.example>\u00a6& cy@z.example", ABC)],
    "names without brackets": [("Ann Lee\u00a6ann@x.example", {A}), ("ann@x.example Ann,\u00a6Bob bob@y.example", AB), ("Lee, Ann\u00a6ann@x.example", {A})],
    "square brackets": [("[ann@x.example],\u00a6Bob [bob@y.example]", AB), ("<[ann@x.example]>\u00a6[ bob@y.example ]", AB)],
    "curly brackets": [("{ann@x.example},\u00a6Bob { bob@y.example }", AB), ("{{ann@x.example}} <bob@y.example>,\u00a6x", AB)],
    "entities": [("&lt;ann@x.example&gt;,\u00a6Bob &lt;bob@y.example&gt;", AB), ("&quot;Ann&quot;\u00a6&lt;ann@x.example&gt;", {A})],
    "unbalanced quotes": [('"Ann <ann@x.example>,\u00a6bob@y.example', AB), ('Ann" <ann@x.example>,\u00a6"Bob" <bob@y.example>', AB), ('"Ann\\" <ann@x.example>,\u00a6"Bob" <bob@y.example>', AB)],
    "unbalanced brackets": [("Ann <ann@x.example,\u00a6bob@y.example", AB), ("Ann ann@x.example>,\u00a6<<bob@y.example>>", AB)],
    "unbalanced comments": [("ann@x.example (Ann,\u00a6bob@y.example", AB), ("(Ann <ann@x.example>,\u00a6bob@y.example)) cy@z.example", ABC)],
    "unbalanced literals": [("[Ann <ann@x.example>,\u00a6bob@y.example", AB), ("Ann] <ann@x.example>,\u00a6[x <bob@y.example>", AB)],
    "odd dots": [("ann..lee@x.example,\u00a6.bob@y.example", {"ann..lee@x.example", ".bob@y.example"}), ("Cy <cy.@z.example>,\u00a6ann@.x.example", {"cy.@z.example", A})],
    "prefixes": [("mailto:ann@x.example,\u00a6<mailto:bob@y.example>", AB), ("SMTP:ann@x.example;\u00a6<SMTP:bob@y.example>, [mailto:cy@z.example]", ABC),
                 ("mailto:ann@x.example,mailto:bob@y.example,\u00a6mailto:cy@z.example", ABC)],
    "encoded names": [("=?utf-8?B?SsO2cmc=?=\u00a6<ann@x.example>, =?iso-8859-1?Q?J=F6rg?= <bob@y.example>", AB), ("=?iso-2022-jp?B?GyRCRURDZhsoQg==?=\u00a6<ann@x.example>", {A}),
                      ("=?gb18030?B?zfXQocP3?=\u00a6<ann@x.example>", {A}), ("=?koi8-r?Q?=E9=D7=C1=CE?=\u00a6<ann@x.example>", {A})],
    "encoded addresses": [("=?utf-8?Q?ann=40x.example?=,\u00a6=?utf-8?B?Ym9iQHkuZXhhbXBsZQ==?=", AB), ("<=?koi8-r?B?YW5uQHguZXhhbXBsZQ==?=>,\u00a6Bob =?iso-2022-jp?Q?bob=40y.example?=", AB)],
    "encoded lists": [("=?utf-8?Q?Ann_=3Cann=40x.example=3E=2C_Bob_=3Cbob=40y.example=3E?=,\u00a6cy@z.example", ABC),
                      ("=?gb18030?B?zfXQocP3IDxhbm5AeC5leGFtcGxlPjsgYm9iQHkuZXhhbXBsZQ==?=\u00a6<cy@z.example>", ABC)],
    "encoded words split": [("=?utf-8?Q?ann=40x?=\u00a6=?utf-8?Q?.example?= <bob@y.example>", AB), ("=?utf-8?B?YW5uQHg=?=\u00a6=?utf-8?B?LmV4YW1wbGU=?= <bob@y.example>", AB),
                            ("=?utf-8?B?SsM=?=\u00a6=?utf-8?B?tnJnIDxhbm5A?= =?utf-8?B?eC5leGFtcGxlPg==?= <bob@y.example>", AB)],
    "encoded words in pads": [("=?utf-8?B?SsO2cmc=?=\u00a6=?utf-8?B?IDxhbm5AeC5leGFtcGxlPg==?=", {A}), ("=?utf-8?B?YW5uQHguZXhhbXBsZQ?=,\u00a6bob@y.example", AB)],
    "encoded specials": [("=?utf-8?Q?Ann; Lee?= <ann@x.example>,\u00a6=?utf-8?Q?Bob (?= <bob@y.example>", AB), ('=?utf-8?Q?A"nn?= <ann@x.example>,\u00a6=?utf-8?Q?Bob <?= <bob@y.example>', AB)],
    "words that are none": [("=?Ann <ann@x.example>,\u00a6=?koi8-r?B?Ym9iQHkuZXhhbXBsZQ==?=", AB), ("=?utf-8?q?Ann <ann@x.example>,\u00a6=?utf-8?B?Ym9iQHkuZXhhbXBsZQ==?=", AB)],
    "encoded words under several names": [("=?utf-8?B?SsO2cmcgPGFubg==?=\u00a6=?utf8?B?QHguZXhhbXBsZT4=?= <bob@y.example>", AB), ("=?utf-8*en?B?Sg==?=\u00a6=?utf-8*de?B?IDxhbm5AeC5leGFtcGxlPiwgYm9iQHkuZXhhbXBsZQ==?=", AB)],
    "encoded controls": [("=?utf-8?Q?ann=40x.example=00bob=40y.example?=\u00a6<cy@z.example>", ABC), ("=?utf-8?Q?ann=40x.example=0Abob=40y.example?=\u00a6<cy@z.example>", ABC)],
    "specials in names": [("Lee [Sales] <ann@x.example>,\u00a6bob@y.example", AB), ("Re: news <ann@x.example>,\u00a6Lee (x <bob@y.example>", AB)],
    "8-bit domains": [("ann@b\udcfccher.example,\u00a6bob@y.example", {"ann@b\ufffdcher.example", B}), ("Ann ann@x.example\udcff;\u00a6bob@y.example\udcff", AB)],
    "symbols": [("ann@x.example\u2605bob@y.example\u2502\u00a6cy@z.example", ABC), ("ann@x.example\u69d8\u3001\u00a6bob@y.example\u00b7 cy@z.example", ABC)],
    "display names": [('"bob@y.example"\u00a6<ann@x.example>', AB), ('"Bob (bob@y.example), cy@z.example"\u00a6<ann@x.example>', ABC), ("bob@y.example\u00a6<ann@x.example>", AB)],
    "quoted strings": [('"ann@x.example",\u00a6"Bob bob@y.example"', AB), ('Ann "ann@x.example"\u00a6Lee <bob@y.example>', AB)],
    "comments": [("(ann@x.example)\u00a6bob@y.example", AB), ("bob@y.example (see (ann@x.example)\u00a6and cy@z.example)", ABC)],
    "groups": [("Team: ann@x.example,\u00a6bob@y.example;, cy@z.example", ABC), ('"A, team": Ann <ann@x.example>,\u00a6(cy@z.example) bob@y.example;', ABC)],
    "empty groups": [("undisclosed-recipients:;,\u00a6ann@x.example", {A}), ("Nobody:\u00a6(none);", set()), ("A:;, B:,\u00a6,;", set())],
    "nested groups": [("A: B: ann@x.example;\u00a6;, bob@y.example", AB), ("a:a:a:a: ann@x.example,\u00a6bob@y.example", AB)],
    "obsolete routes": [("<@r.example,@s.example:ann@x.example>,\u00a6bob@y.example", AB), ("Ann <@r.example:\u00a6ann@x.example>", {A})],
    "obsolete dots": [("ann . lee@x\u00a6.example, <bob@y(c).\u00a6example>", {"ann.lee@x.example", B}), ('ann."b c"@x.example,\u00a6"7,7".erik@x.example', {'"ann.b c"@x.example', '"7,7.erik"@x.example'})],
    "dots and blanks": [("ann@x.example.\u00a6corp.example", {A, "ann@x.example.corp.example"}), ("ann@x.example.\u00a6Bob", {A, "ann@x.example.bob"})],
    "NUL": [("ann@x.example\0,\u00a6bob@y.example", AB), ("ann@x.example\0bob@y.example\u00a6\0<cy@z.example>", ABC)],
    "bare CR": [("ann@x.example\rbob@y.example\u00a6<cy@z.example>", ABC), ("ann@x.example,\r\u00a6bob@y.example", AB)],
    "8-bit": [("J\udcf6rg <ann@x.example>,\u00a6\udce9 bob@y.example", AB), ('"\udcd4\udcda"\u00a6<ann@x.example>', {A})],
    "invalid UTF-8": [("\udcc0\udc80 <ann@x.example>,\u00a6\udced\udca0\udc80 <bob@y.example>", AB), ("\udcff\u00a6<ann@x.example>", {A}), ("ann@b\udcfcx.example,\u00a6bob@y.example", {"ann@b\ufffdx.example", B})],
    "letters that look like blanks": [("ann@x.example\u3164bob@y.example\u2800\u00a6cy@z.example", ABC), ("<ann@x.example>\uffa0<bob@y.example>\u115f\u00a6", AB)],
    "zero-width characters": [("a\u200bnn@x.ex\u200dample,\u00a6\ufeffbob@y\u00ad.example", AB), ("\u2060<ann@x.example>\u200b\u00a6<bob@y.example>", AB)],
    "bidirectional characters": [("\u202eann@x.example\u202c,\u00a6\u200fbob@y.example\u200e", AB), ("Ann \u2067<ann@x.example>\u2069\u00a6", {A})],
    "blanks of Unicode": [("ann@x.example\u00a0bob@y.example\u3000\u00a6cy@z.example", ABC), ("ann@x.example\u2028bob@y.example\u2003\u00a6cy@z.example", ABC)],
    "wide characters": [("ann\uff20x.example,\u00a6bob\uff20y\uff0eexample", AB), ("\uff1cann@x.example\uff1e\u00a6\uff08bob@y.example\uff09", AB)],
    "other quotes": [("\u201cann@x.example\u201d,\u00a6\u00abbob@y.example\u00bb", AB), ("'ann@x.example',\u00a6'Bob' <'bob@y.example'>", AB)],
    "escaped at signs": [("ann\\@x.example,\u00a6bob@y.example", AB), ("Ann <ann\\@x.example>\u00a6bob\\@y.example", AB)],
    "percent hacks": [("ann%y.example@x.example,\u00a6bob@y.example", {"ann%y.example@x.example", B}), ("Ann\u00a6ann%y.example@x.example;", {"ann%y.example@x.example"})],
    "bang hacks": [("y.example!ann@x.example,\u00a6bob@y.example", {"y.example!ann@x.example", B}), ("<a!b!ann@x.example>\u00a6", {"a!b!ann@x.example"})],
    "mixed line endings": [("ann@x.example,\r\n bob@y.example,\n\tcy@z.example", ABC), ("ann@x.example\r\r\n bob@y.example\n \r\n cy@z.example", ABC)],
    "lists in a quoted local part": [('"ann@x.example, bob@y.example"@z.example\u00a6', {A, B, '"ann@x.example, bob@y.example"@z.example'}),
                                     ('Cy <"ann@x.example bob@y.example"@z.example>\u00a6', {A, B, '"ann@x.example bob@y.example"@z.example'})],
    "people in a quoted local part": [('"ann@x.example"@z.example\u00a6', {A, '"ann@x.example"@z.example'}), ('Cy <"ann@x.example".bob@z.example>,\u00a6bob@y.example', {A, '"ann@x.example.bob"@z.example', B})],
    "quoted domains": [('Ann ann@"x.example",\u00a6bob@y.example', AB), ('<ann@"x.example">,\u00a6<bob@"y.example">', AB)],
    # One person is one.
    "letter case": [("ANN@X.EXAMPLE,\u00a6Ann <aNN@x.Example>", {A}), ("J\u00d6RG@x.example,\u00a6j\u00f6rg@X.example", {"j\u00f6rg@x.example"})],
    "trailing dots": [("ann@x.example.,\u00a6ann@x.example", {A}), ("<ann@x.example.>,\u00a6ann@x.example..", {A})],
    "U-labels and A-labels": [("ann@b\u00fccher.example,\u00a6ann@xn--bcher-kva.example, ann@XN--BCHER-KVA.EXAMPLE", {"ann@b\u00fccher.example"}),
                              ("ann@\u4f8b\u3048.example,\u00a6ann@xn--r8jz45g.example, ann@\u4f8b\u3048\u3002example", {"ann@\u4f8b\u3048.example"})],
    "NFC and NFD": [("re\u0301ne@x.example,\u00a6r\u00e9ne@x.example", {"r\u00e9ne@x.example"}), ("ann@bu\u0308cher.example,\u00a6ann@b\u00fccher.example", {"ann@b\u00fccher.example"})],
    "apostrophes": [("'ann@x.example',\u00a6ann@x.example", {A}), ("o'brien@x.example,\u00a6'o'brien@x.example'", {"o'brien@x.example"})],
    "needless quotes": [('"ann"@x.example,\u00a6ann@x.example', {A}), ('"\\a\\n\\n"@x.example,\u00a6"Ann"@x.example', {A})],
    "quotes that are needed": [('"ann lee"@x.example,\u00a6"a@b"@x.example', {'"ann lee"@x.example', '"a@b"@x.example'}), ('"ann\u00a6lee"@x.example', {'"ann lee"@x.example'})],
    "tags": [("ann+a@x.example,\u00a6ann+b@x.example, ann@x.example", {"ann+a@x.example", "ann+b@x.example", A}), ("ANN+a@x.example,\u00a6ann+A@x.example", {"ann+a@x.example"})],
    "folded domains": [("ann@x.\u00a6example,\u00a6<bob@y\u00a6.example>", AB), ("ann@x.\u00a6(c)\u00a6example", {A})],
    "domain literals": [("ann@[192.0.2.1],\u00a6Bob <bob@[IPv6:2001:DB8::1]>", {"ann@[192.0.2.1]", "bob@[ipv6:2001:db8::1]"}), ("ann@[\u00a6192.0.2.1\u00a6]", {"ann@[192.0.2.1]"})],
    "tabs in quotes": [('"ann\tlee"@x.example,\u00a6"ann lee"@x.example', {'"ann lee"@x.example'}), ('<"\tann"@x.example>,\u00a6" ann"@x.example', {'" ann"@x.example'})],
    "long parts": [("%s@x.example,\u00a6bob@y.example" % ("a" * 300), {"a" * 300 + "@x.example", B}), ("ann@%sexample,\u00a6bob@y.example" % ("x." * 200), {"ann@" + "x." * 200 + "example", B})],
    "two at signs": [("ann@x.example@y.example,\u00a6cy@z.example", {A, "x.example@y.example", C}), ("Ann <ann@x.example@@y.example>,\u00a6bob@y.example", AB | {"x.example@y.example"}),
                     ("ann@@x.example,\u00a6Bob <bob@@@y.example>", AB)],
    "encoded parts": [('"=?utf-8?Q?ann?=@x.example"\u00a6<bob@y.example>', AB), ("ann@=?utf-8?Q?x.example?=\u00a6<bob@y.example>", AB)],
    "at signs in other words": [("ann%40x.example,\u00a6ann (at) x.example", {"ann@40x.example"}), ("Lunch @ noon\u00a6<ann@x.example>,", {A})],
    "no addresses": [("user@,\u00a6@host.example", set()), ("bob,\u00a6<>", set()), ("<@host.example>, @,\u00a6ann@x.example", {A})],
}

def forms(value, wanted):
    """The case on one line and folded between neighbours, with who can be read."""
    yield value.replace(FOLD, " "), wanted
    yield "first@w.example,\n\t%s,\r\n last@w.example" % value.replace(FOLD, "\n "), wanted | NEIGHBOURS


class Classes(unittest.TestCase):
    def check(self, name):
        self.assertGreaterEqual(len(CLASSES[name]), 2)
        for field in generate.VISIBLE:
            cases = [form for value, wanted in CLASSES[name] for form in forms(value, wanted)]
            readings = parsers.explain([parsers.message([(field, text.encode("utf-8", "surrogateescape"))]) for text, _ in cases])
            for (text, wanted), reading in zip(cases, readings):
                with self.subTest(field=field, text=text):
                    self.assertEqual(reading.addresses, wanted)
                    self.assertEqual(reading.count, len(wanted))
                    self.assertNotIn("limit", reading.defects)
                    for address in reading.addresses:
                        address.encode("utf-8")  # no half of a surrogate pair
                        self.assertEqual(reading.fields[address], [field])


def _add(name):
    def test(self):
        self.check(name)
    test.__doc__ = name
    setattr(Classes, "test_" + "".join(c if c.isalnum() else "_" for c in name), test)


for _name in CLASSES:
    _add(_name)


class Fields(unittest.TestCase):
    def test_bcc_is_not_visible(self):
        for field in generate.HIDDEN:
            reading, = parsers.explain([parsers.message([(field, b"ann@x.example; bob@y.example"), ("To", b"cy@z.example")])])
            self.assertEqual(reading.addresses, {C})

    def test_all_fields_at_once(self):
        """One person in every field is one, who stands in all of them."""
        reading, = parsers.explain([parsers.message([(field, b"Ann <ann@x.example>,\n\t" + field.lower().encode() + b"@y.example") for field in generate.VISIBLE])])
        self.assertEqual(reading.addresses, {A} | {"%s@y.example" % field.lower() for field in generate.VISIBLE})
        self.assertEqual(set(reading.fields[A]), set(generate.VISIBLE))

    def test_names_of_fields(self):
        """In any case, several times, and with a blank before the colon."""
        reading, = parsers.explain([parsers.message([("TO", b"ann@x.example"), ("to", b"bob@y.example"), ("cC ", b"cy@z.example")])])
        self.assertEqual(reading.addresses, ABC)

    def test_bytes_of_the_answer(self):
        """Whatever the header holds, the answer is one line of JSON in UTF-8."""
        nasty = [bytes(range(1, 256)).replace(b"\n", b"").replace(b"\r", b""), b"\xff@\xfe", b"a@\xed\xa0\x80.example", "a@\U0001f600\u2028.example".encode(), b'"\x01\x02\\"\xc3"@x.example',
                 b"=?utf-8?q?=FF=40=FE?=", b"a@xn--\xc3\xbc.example, a@xn--99999999.example", b"\x00\x00@\x00\x00"]
        self.assertEqual(len(parsers.explain([parsers.message([("To", value)]) for value in nasty])), len(nasty))


if __name__ == "__main__":
    tap.main()
