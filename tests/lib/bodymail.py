"""Messages whose body shows people: an invitation, a forwarded message, a large attachment.

Each function gives (header fields, body): what comes beside From, To and Subject, and the text, with lines that end in CRLF.
"""

import base64

BOUNDARY = "=_a-boundary"


def _multipart(*parts):
    body = "".join("--%s\r\n%s\r\n\r\n%s\r\n" % (BOUNDARY, "\r\n".join("%s: %s" % field for field in fields), text) for fields, text in parts)
    return [("MIME-Version", "1.0"), ("Content-Type", 'multipart/mixed; boundary="%s"' % BOUNDARY)], body + "--%s--\r\n" % BOUNDARY


def calendar(attendees, organizer="care@me.example"):
    lines = ["BEGIN:VCALENDAR", "METHOD:REQUEST", "BEGIN:VEVENT", "UID:1@me.example", "ORGANIZER:mailto:%s" % organizer]
    lines += ["ATTENDEE;ROLE=REQ-PARTICIPANT;RSVP=TRUE:\r\n mailto:%s" % attendee for attendee in attendees]
    return "\r\n".join(lines + ["END:VEVENT", "END:VCALENDAR", ""])


def invitation(attendees, text="See you.\r\n"):
    return _multipart(([("Content-Type", "text/plain; charset=utf-8")], text),
                      ([("Content-Type", "text/calendar; method=REQUEST; charset=utf-8")], calendar(attendees)))


def forward(cc):
    """A message to many people, as an attachment."""
    inner = "From: <boss@me.example>\r\nTo: <care@me.example>\r\nCc: %s\r\nSubject: to all\r\n\r\nHello.\r\n" % ",\r\n ".join(cc)
    return _multipart(([("Content-Type", "text/plain; charset=utf-8")], "See below.\r\n"), ([("Content-Type", "message/rfc822")], inner))


def attachment(length, last="nobody is here"):
    """A text of about that many bytes, in base64, whose last line is `last`."""
    line = "nothing to see in this line of text\n"
    encoded = base64.encodebytes((line * (length * 3 // 4 // len(line)) + last + "\n").encode()).decode().replace("\n", "\r\n")
    return _multipart(([("Content-Type", "text/plain; charset=utf-8"), ("Content-Transfer-Encoding", "base64")], encoded))
