"""Bodies of the worst shapes, by name: what makes readers of parts slow, deep or hungry.

`write(path, name, size)` writes a message whose body has about so many bytes.  A `#` in a shape becomes a running number.
"""

import base64
import re
import subprocess

PLAIN = b"Content-Type: text/plain; charset=utf-8\n"
HTML = b"Content-Type: text/html; charset=utf-8\n"
CALENDAR = b"Content-Type: text/calendar\n"
VCARD = b"Content-Type: text/vcard\n"
CSV = b"Content-Type: text/csv\n"
MIXED = b"Content-Type: multipart/mixed; boundary=b\n"
BASE64 = b"Content-Transfer-Encoding: base64\n"
QUOTED = b"Content-Transfer-Encoding: quoted-printable\n"


def many(piece, size):
    """A piece again and again, numbered."""
    piece = piece if isinstance(piece, bytes) else piece.encode("utf-8", "surrogateescape")
    if b"#" not in piece:
        return piece * (size // len(piece) + 1)
    out, length, number = [], 0, 0
    while length < size:
        out.append(piece.replace(b"#", b"%x" % number))
        length += len(out[-1])
        number += 1
    return b"".join(out)


def repeated(header, piece, before=b"", after=b""):
    return lambda size: header + b"\n" + before + many(piece, size) + after


def base64_of(header, piece, width=76):
    def body(size):
        text = base64.b64encode(many(piece, size * 3 // 4))
        return header + BASE64 + b"\n" + b"\n".join(text[i:i + width] for i in range(0, len(text), width)) + b"\n"
    return body


def base64_byte_a_line(size):
    return CSV + BASE64 + b"\n" + b"".join(b"%c\n" % byte for byte in base64.b64encode(many("a#@b.x,", size * 3 // 8)))


def utf16(size):
    return CSV + b"\n" + b"\xff\xfe" + many("c#@x#.example;Ann\r\n", size // 2).decode().encode("utf-16-le")


def nested_messages(size):
    """Each in the other, as far as there is room."""
    return b"Content-Type: message/rfc822\n" + many(b"\nTo: c#@x.example\nContent-Type: message/rfc822\n", size) + b"\n\nend\n"


def nested_multiparts(size):
    piece = b"\n--b%d\nContent-Type: multipart/mixed; boundary=b%d\n"
    out, length, number = [b"Content-Type: multipart/mixed; boundary=b0\n"], 0, 0
    while length < size:
        out.append(piece % (number, number + 1))
        length += len(out[-1])
        number += 1
    return b"".join(out) + b"\n\n"


def nested_base64(size):
    body = PLAIN + b"\n" + many("a#@b.x ", size // 16)
    while len(body) < size:
        body = b"Content-Type: message/rfc822\n" + BASE64 + b"\n" + base64.encodebytes(b"To: a@b.x\n" + body)
    return body


SHAPES = {
    # nothing but one sign
    "at": repeated(PLAIN, "@"), "equals": repeated(PLAIN + QUOTED, "="), "less": repeated(HTML, "<"), "and": repeated(HTML, "&"), "newline": repeated(PLAIN, "\n"), "newline calendar": repeated(CALENDAR, "\n"),
    "hyphen": repeated(MIXED, "-"), "blank": repeated(PLAIN, " "), "blank quoted": repeated(PLAIN + QUOTED, " "), "zero": repeated(PLAIN, "\0"), "high": repeated(PLAIN, "\udcff"), "letter": repeated(PLAIN, "a"),
    # many addresses: the same, and each another
    "same addresses": repeated(PLAIN, "a@b.x "), "addresses": repeated(CSV, "a#@b.x\n"), "domains": repeated(CSV, "a@b#.x;"), "both": repeated(PLAIN, "a#@b#.x "), "scripts": repeated(PLAIN, "\u00e9#@\u00fc#.x "),
    "capital scripts": repeated(PLAIN, "\u00c9#@\u00c9#.x "), "far apart": repeated(PLAIN, "\u6a23" * 150 + "a@b.x "), "full width": repeated(PLAIN, "\uff20"), "percent": repeated(PLAIN, "a%40b.x "), "signs": repeated(PLAIN, "a@"), "quotes": repeated(PLAIN, '"@'), "chain": repeated(PLAIN, "a@b.x/"),
    # lines
    "labels": repeated(PLAIN, "To: a\n"), "joined labels": repeated(PLAIN, "From: " + "a:" * 490 + "\n"), "long labels": repeated(PLAIN, "From: " + " To" * 300 + "\n"), "label addresses": repeated(PLAIN, "To: a#@b.x\n\n"), "short lines": repeated(PLAIN, "a:\n"), "quoted lines": repeated(PLAIN, "> > > \n"), "begin": repeated(PLAIN, "\nbegin "),
    # HTML
    "tags": repeated(HTML, "<b>"), "long tags": repeated(HTML, "<td a='b'>"), "entities": repeated(HTML, "&ab;"), "numbers": repeated(HTML, "&#64;"), "links": repeated(HTML, '<a href="mailto:a#@b.x">'), "one tag": repeated(HTML, "a@b "), "open tag": repeated(HTML, "a ", b"<a "), "pre": repeated(HTML, "<pre>"), "entity addresses": repeated(HTML, "a&commat;b.x "),
    # calendars and contacts
    "attendees": repeated(CALENDAR, "ATTENDEE:mailto:a#@b.x\r\n"), "folds": repeated(CALENDAR, "\n a", b"ATTENDEE:"), "folded addresses": repeated(CALENDAR, "\n a@b.x", b"ATTENDEE:"), "mailto": repeated(CALENDAR, "mailto:"), "email=": repeated(CALENDAR, 'EMAIL="a@b.x;'), "one line": repeated(CALENDAR, "m@"),
    "soft ends": repeated(VCARD, "=\n", b"N;ENCODING=QUOTED-PRINTABLE:"), "no soft ends": repeated(VCARD, "\n ="), "contacts": repeated(VCARD, "EMAIL:a#@b.x\n"), "base64 values": repeated(VCARD, "mail:: YUBiLng=\n"), "escapes": repeated(VCARD, "\\n@"),
    # encodings and character sets
    "base64": base64_of(CSV, "a#@b.x,"), "base64 byte a line": base64_byte_a_line, "base64 html": base64_of(HTML, "<p>a#@b.x&amp;"), "no base64": repeated(PLAIN + BASE64, "a@b.x "), "utf-16": utf16, "no utf-16": repeated(b"Content-Type: text/plain; charset=utf-16\n", "\udcdc"),
    "iso-2022-jp": repeated(b"Content-Type: text/plain; charset=iso-2022-jp\n", "\x1b$B8\x1b(B a@b.x"), "no iso-2022-jp": repeated(b"Content-Type: text/plain; charset=iso-2022-jp\n", "\x1b$B\udcff"), "utf-7": repeated(b"Content-Type: text/plain; charset=utf-7\n", "+AEA-"), "gb18030": repeated(b"Content-Type: text/plain; charset=gb2312\n", "\udcb0\udca1"), "big5": repeated(b"Content-Type: text/plain; charset=big5\n", "\udca4\udca4"),
    # structure
    "empty parts": repeated(MIXED, "--b\n\n"), "boundaries": repeated(MIXED, "--b\n"), "near boundaries": repeated(MIXED, "--bb\n", b"--b\n\n"), "other boundaries": repeated(MIXED, "--c\n", b"--b\n\n"), "parts": repeated(MIXED, "--b\nContent-Type: text/csv\n\na#@b.x\n"), "nested messages": nested_messages, "nested multiparts": nested_multiparts, "nested base64": nested_base64,
    "messages": repeated(MIXED, "--b\nContent-Type: message/rfc822\n\nTo: a#@b.x, c@d.x\n\n"), "fields": repeated(MIXED, "To: a#@b.x\n", b"--b\nContent-Type: message/rfc822\n\n"), "hostile fields": repeated(MIXED, "To: a b,a (,\n", b"--b\nContent-Type: message/rfc822\n\n"), "one field": repeated(MIXED, "a@b c,", b"--b\nContent-Type: message/rfc822\n\nTo: "),
    "parameters": repeated(MIXED, "--b\nContent-Type: text/plain; " + "a=b;" * 500 + "\nContent-Disposition: a; " + "".join("filename*%d=a;" % i for i in range(200)) + "\n\n"), "header": repeated(MIXED, "a:\n", b"--b\n"), "continuation": repeated(MIXED, "\n a", b"--b\nContent-Type: text/plain"), "no boundary": repeated(b"Content-Type: multipart/mixed\n", "--\n"),
    "zip": repeated(b"Content-Type: application/zip\n", "PK\1\2", b"PK\3\4"), "pdf": repeated(b"Content-Type: application/pdf\n", "/Encryp", b"%PDF-1.7\n"),
}


def write(path, name, size):
    with open(path, "wb") as out:
        out.write(b"From: care@corp.example\nTo: ann@x.example\nMIME-Version: 1.0\n" + SHAPES[name](size))


def instructions(show, path):
    """How many instructions it takes to read the parts of a message."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=body_parts_read_raw", show, "--counts", path]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1))


def shown(show, path, times=1):
    """Nanoseconds of CPU, the least of so many times, the peak memory of the process in bytes, and what was found."""
    run = subprocess.run([show, "--times", str(times), path], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    nanoseconds, peak, found = re.fullmatch(r"(\d+) ns peak=(\d+) (.*)\n", run.stdout).groups()
    return float(nanoseconds), int(peak) * 1024, found
