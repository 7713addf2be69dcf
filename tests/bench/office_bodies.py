"""The bodies of ordinary mail, for tests/bench/mailbox: what offices write, quote, sign, attach and invite to.

How many of each there are is a guess at an office's mail, not a count of one.  Who is quoted is mostly who is in the header, as in
real threads; an invitation goes to its guests; and what is attached is mostly no list of anybody.
"""

import base64
import quopri

LABELS = (("From", "Sent", "To", "Cc", "Subject"), ("Von", "Gesendet", "An", "Cc", "Betreff"), ("De", "Envoy\u00e9", "\u00c0", "Cc", "Objet"))
FILES = (("application/pdf", "invoice-%d.pdf", b"%PDF-1.7\n"), ("application/pdf", "offer-%d.pdf", b"%PDF-1.4\n"),
         ("image/jpeg", "photo-%d.jpg", b"\xff\xd8\xff\xe0"), ("image/png", "plan-%d.png", b"\x89PNG\r\n\x1a\n"),
         ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "draft-%d.docx", b"PK\x03\x04\x14\0\0\0\x08\0"),
         ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "budget-%d.xlsx", b"PK\x03\x04\x14\0\0\0\x08\0"),
         ("application/zip", "files-%d.zip", b"PK\x03\x04\x14\0\0\0\x08\0"), ("application/msword", "old-%d.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
         ("text/csv", "times-%d.csv", None), ("text/plain", "log-%d.txt", None))
FILE_WEIGHTS = (30, 12, 14, 8, 12, 10, 4, 2, 3, 5)


class Office:
    """Bodies for the messages of a Maker: `people` are (address, as it is written) of the header of each."""

    def __init__(self, maker):
        self.maker, self.rng = maker, maker.rng

    # ---- texts

    def signature(self, who):
        """Under most texts: the author's own address, the office's, or both."""
        address, _written = who
        domain = address.partition("@")[2]
        lines = ["--", "%s" % address.partition("@")[0].replace(".", " ").title(), "Tel. +49 30 %07d" % self.rng.randrange(10 ** 7), address]
        if self.rng.random() < 0.4:
            lines.append("info@%s | www.%s" % (domain, domain))
        return "\n".join(lines) + "\n"

    def around(self, people):
        """Who is quoted: mostly those of the header, and now and then others."""
        some = list(people[:12])
        more = self.rng.choice((0, 0, 0, 1, 1, 2, 4)) if self.rng.random() < 0.98 else self.rng.randrange(5, 31)  # a project whose people change
        for _ in range(more):
            some.append(self.rng.choice(self.maker.others if self.rng.random() < 0.5 else self.maker.colleagues))
        self.rng.shuffle(some)
        return some

    def quote(self, people):
        """One message of the thread, as Outlook, Gmail or Thunderbird quotes it."""
        rng = self.rng
        some = self.around(people)
        who, others = some[0], some[1:] or some
        style = rng.random()
        text = self.maker.text(rng.randrange(100, 900)).decode()
        if style < 0.55:
            sender, sent, to, cc, subject = rng.choice(LABELS)
            cut = rng.randrange(1, len(others) + 1)
            lines = ["%s: %s" % (sender, who[1]), "%s: Monday, March %d, 2025 10:00" % (sent, rng.randint(1, 28)), "%s: %s" % (to, "; ".join(one[1] for one in others[:cut]))]
            if others[cut:]:
                lines.append("%s: %s" % (cc, "; ".join(one[1] for one in others[cut:])))
            return "\n".join(["", "-----Original Message-----"] + lines + ["%s: RE: budget" % subject, "", text])
        lead = "\nOn Mon, Mar %d, 2025 at 10:00 AM %s wrote:\n\n" % (rng.randint(1, 28), who[1])
        return lead + "".join("> " + line + "\n" for line in text.splitlines())

    def text(self, length, people):
        rng = self.rng
        out = self.maker.text(length).decode()
        if rng.random() < 0.7:
            out += "\n" + self.signature(people[0])
        for _ in range(rng.choice((0, 0, 1, 1, 1, 2, 3, 6))):
            out += self.quote(people)
        return out

    def html(self, text):
        rows = []
        for line in text.splitlines():
            line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            words = ['<a href="mailto:%s">%s</a>' % (word, word) if "@" in word and word.isascii() and ";" not in word else word for word in line.split(" ")]
            rows.append("<p class=3D\"MsoNormal\">%s<o:p></o:p></p>" % " ".join(words))
        return "<html><body>%s</body></html>" % "\n".join(rows)

    def newsletter(self):
        domain = self.maker.domain()
        links = "".join('<p><a href="https://www.%s/%d">Read more</a></p>' % (domain, number) for number in range(self.rng.randint(5, 40)))
        return '<html><body>%s%s<p><a href="mailto:unsubscribe-%d@lists.%s?subject=no">Unsubscribe</a> <a href="mailto:press@%s">Contact</a></p></body></html>' % (
            links, self.maker.text(2000).decode(), self.rng.randrange(10 ** 9), domain, domain)

    # ---- parts

    def part(self, kind, data, encoding="quoted-printable", more=""):
        data = data if isinstance(data, bytes) else data.encode()
        data = base64.encodebytes(data) if encoding == "base64" else quopri.encodestring(data) if encoding == "quoted-printable" else data
        return ("Content-Type: %s\nContent-Transfer-Encoding: %s\n%s\n" % (kind, encoding, more)).encode() + data

    def multi(self, kind, parts):
        boundary = "------------%s" % self.maker.sign(24).replace("/", "x").replace("+", "y")
        return ('Content-Type: multipart/%s; boundary="%s"\n\n' % (kind, boundary)).encode() + b"".join(b"--%s\n%s\n" % (boundary.encode(), part) for part in parts) + (
            "--%s--\n" % boundary).encode()

    def written(self, length, people):
        """A text, and most often the same as HTML, with a picture of the signature in some."""
        text = self.text(length, people)
        plain = self.part("text/plain; charset=utf-8", text)
        if self.rng.random() < 0.25:
            return plain
        both = self.multi("alternative", [plain, self.part("text/html; charset=utf-8", self.html(text))])
        if self.rng.random() < 0.3:
            both = self.multi("related", [both, self.part('image/png; name="image001.png"', b"\x89PNG\r\n\x1a\n" + self.rng.randbytes(3000), "base64", "Content-ID: <image001>\n")])
        return both

    def file(self, length):
        kind, name, start = self.rng.choices(FILES, FILE_WEIGHTS)[0]
        name %= self.rng.randrange(10000)
        if start is None:
            text = "".join("%d;%s;%d\n" % (row, self.rng.choice(("open", "done")), self.rng.randrange(9999)) for row in range(min(length // 16, 2000)))
            return self.part('%s; name="%s"' % (kind, name), text, "base64", 'Content-Disposition: attachment; filename="%s"\n' % name)
        head = ('Content-Type: %s; name="%s"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename="%s"\n\n' % (kind, name, name)).encode()
        return head + base64.encodebytes(start + self.rng.randbytes(48)) + self.maker.attachment(length)

    def invitation(self, people):
        guests = people[1:1 + self.rng.choice((1, 2, 2, 3, 3, 3, 4, 5, 6, 8))] or people
        lines = ["BEGIN:VCALENDAR", "METHOD:%s" % self.rng.choice(("REQUEST", "REQUEST", "REPLY", "CANCEL")), "PRODID:Microsoft Exchange Server 2010", "VERSION:2.0", "BEGIN:VEVENT",
                 "ORGANIZER;CN=%s:mailto:%s" % (people[0][0], people[0][0])]
        lines += ["ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:%s" % one[0] for one in guests]
        lines += ["DTSTART:20250302T100000Z", "DTEND:20250302T110000Z", "UID:%s" % self.maker.sign(40), "SUMMARY:Review", "END:VEVENT", "END:VCALENDAR", ""]
        return self.part("text/calendar; charset=utf-8; method=REQUEST", "\r\n".join(lines), "base64")

    def card(self, who):
        return self.part('text/x-vcard; charset=utf-8; name="card.vcf"', "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:%s\r\nEMAIL;TYPE=WORK:%s\r\nEND:VCARD\r\n" % (who[0], who[0]), "7bit")

    def forwarded(self, people):
        some = self.around(people)
        head = "From: %s\nTo: %s\nSubject: offer\nMIME-Version: 1.0\n" % (some[0][1], ",\n ".join(one[1] for one in some[1:6] or some))
        return b"Content-Type: message/rfc822\n\n" + head.encode() + self.written(800, some)

    # ---- whole bodies

    def body(self, length, attachment, people):
        """The rest of a message, from its Content-Type on."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.12:
            return self.part("text/html; charset=utf-8", self.newsletter())
        if kind < 0.18:
            return self.multi("mixed", [self.multi("alternative", [self.part("text/plain; charset=utf-8", "See you.\n"), self.invitation(people)])])
        if kind < 0.19:
            return self.part('application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"', rng.randbytes(4000), "base64")
        parts = [self.written(length, people)]
        if attachment:
            parts += [self.file(max(attachment // rng.choice((1, 1, 2)), 100)) for _ in range(rng.choice((1, 1, 1, 2)))]
        if rng.random() < 0.02:
            parts.append(self.card(people[0]))
        if rng.random() < 0.03:
            parts.append(self.forwarded(people))
        whole = parts[0] if len(parts) == 1 else self.multi("mixed", parts)
        if rng.random() < 0.06:
            return self.multi('signed; protocol="application/pkcs7-signature"; micalg=sha-256', [whole, self.part('application/pkcs7-signature; name="smime.p7s"', rng.randbytes(3000), "base64")])
        return whole
