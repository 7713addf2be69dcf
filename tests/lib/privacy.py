"""No log line may hold a recipient's address, but for the sender's own.

Whatever sends mail in these tests notes here whom it sent to; `leaks` then looks
for each of them in the lines of a log.  The daemon's harness calls it for every
log of every test.
"""

import pathlib
import re

_recipients = set()
_senders = set()
_WORD = re.compile(r"[^\s<>,;:\"()\[\]\\|{}&]+")
_RECIPIENT_FIELDS = {"to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc", "apparently-to"}

# Values that belong to the sender: his address, his login, the id that he gave the message.
_OWN = re.compile(r' (?:sender|user|msgid)=\S*|"(?:sender|user|msgid)":"(?:[^"\\]|\\.)*"')
_SENDER = re.compile(r' sender=(\S*)|"sender":"((?:[^"\\]|\\.)*)"')


def _string(text):
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text


def sender(address):
    _senders.add(_string(address).strip("<>").lower())


def recipient(address):
    address = _string(address).strip("<>").lower()
    if "@" in address:
        _recipients.add(address)


def header(name, value):
    if _string(name).strip().lower() in _RECIPIENT_FIELDS:
        for word in _WORD.findall(_string(value)):
            if "@" in word[1:-1]:
                _recipients.add(word.strip(".'").lower())


def message(text):
    """Notes the recipients in the header of a whole message."""
    head = re.split(r"\r?\n\r?\n", _string(text), maxsplit=1)[0]
    for field in re.split(r"\r?\n(?![ \t])", head):
        name, _, value = field.partition(":")
        header(name, value)


def noted():
    return len(_recipients)


def _escaped(address):
    return "".join(c if 0x21 <= ord(c) <= 0x7E and c not in '"<>,=\\' else "".join("\\x%02x" % b for b in c.encode("utf-8", "replace"))
                   for c in address)


def leaks(lines):
    """The lines that hold an address of a recipient, each with that address."""
    wanted = set(_recipients)
    wanted.update(_escaped(address) for address in _recipients)
    wanted.discard("")
    found = []
    for line in lines:
        small = line.lower()
        own = set(_senders)
        match = _SENDER.search(small)
        if match:
            own = {match.group(1) or match.group(2)}
            small = _OWN.sub(" ", small)
        if "@" not in small and "\\x40" not in small:
            continue
        found.extend((address, line) for address in wanted if address in small and address not in own)
    return found


def names_in(paths):
    """The last labels of the domains that were noted, as far as they stand in these files: none may, where only hashes are kept."""
    wanted = {address[address.rindex("."):].encode() for address in _recipients | _senders if "." in address}
    contents = [pathlib.Path(path).read_bytes().lower() for path in paths]
    return sorted(name for name in wanted if any(name in content for content in contents))
