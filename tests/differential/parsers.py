"""Other people's parsers of recipient headers, and rcptguard itself, with one manner of asking.

Each takes cases of generate.py and gives a list of the sets of addresses that
it finds, normalised.  What an independent parser is not made for (it gives the
addr-specs, and not what stands in names and comments) is no fault of it.
"""

import email.policy
import email.utils
import json
import os
import subprocess
import tempfile

import daemon
import generate

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(daemon.BUILD, "rcptguard")
POLICY = 'version 1\nclass internal { domain "me.example" }\ndefault accept\n'
BATCH = 2500


class Reading:
    """What rcptguard said of one message, in one line of JSON; an error if that is none, or is not UTF-8."""

    def __init__(self, line):
        report = json.loads(line)
        # An escape may stand for half of a surrogate pair, which is no character.
        json.dumps(report, ensure_ascii=False).encode("utf-8")
        self.addresses = frozenset(recipient["address"] for recipient in report["recipients"])
        self.fields = {recipient["address"]: recipient["fields"] for recipient in report["recipients"]}
        self.defects = set(report["defects"])
        self.count = report["counts"]["visible"]["all"]
        self.report = report


def message(fields):
    return b"From: <care@me.example>\n" + b"".join(name.encode() + b": " + value + b"\n" for name, value in fields) + b"\nHello.\n"


def explain(messages):
    """A Reading of each message.  One that is no JSON, or no UTF-8, is an error here."""
    readings = []
    with tempfile.NamedTemporaryFile("w") as policy:
        policy.write(POLICY)
        policy.flush()
        for start in range(0, len(messages), BATCH):
            batch = messages[start:start + BATCH]
            mbox = b"".join(b"From care@me.example Mon Nov 23 18:34:00 2026\n" + one + b"\n" for one in batch)
            done = subprocess.run([PROGRAM, "explain", "--json", "-p", policy.name, "-"], input=mbox, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  check=False, env=daemon.environment())
            assert done.returncode == 0, "rcptguard ended with %d: %s" % (done.returncode, done.stderr.decode("utf-8", "replace"))
            lines = done.stdout.decode("utf-8").split("\n")
            assert lines.pop() == "" and len(lines) == len(batch), "%d answers to %d messages" % (len(lines), len(batch))
            readings.extend(map(Reading, lines))
    return readings


def rcptguard(cases):
    return explain([message(case.fields) for case in cases])


def visible_values(case):
    return [value for name, value in case.fields if name in generate.VISIBLE]


def normalise_plain(user, host):
    """Of a local part that has lost its quotes already."""
    if any(c not in generate.ATEXT + "." and ord(c) < 0x80 for c in user):
        user = '"%s"' % user.replace("\\", "\\\\").replace('"', '\\"')
    return generate.normalise(user, host)


def _normal(addresses):
    return frozenset(normal for normal in map(generate.normalise_text, addresses) if normal is not None)


def python_utils(cases):
    """email.utils.getaddresses."""
    return [_normal(address for _name, address in email.utils.getaddresses([value.decode("utf-8", "surrogateescape") for value in visible_values(case)]))
            for case in cases]


def python_policy(cases):
    """email.headerregistry, what a message parsed with email.policy.default gives.  It raises an exception on some broken headers: nobody found."""
    readings = []
    for case in cases:
        found = set()
        for value in visible_values(case):
            try:
                header = email.policy.default.header_factory("To", value.replace(b"\r", b"").replace(b"\n", b"").decode("utf-8", "surrogateescape"))
                found.update(normalise_plain(address.username, address.domain) for address in header.addresses if address.username and address.domain)
            except Exception:  # any of many: the parser's own failure
                pass
        readings.append(frozenset(found - {None}))
    return readings


def perl(cases):
    """Email::Address::XS."""
    values = [value for case in cases for value in visible_values(case)]
    done = subprocess.run(["perl", os.path.join(HERE, "addresses.pl")], input=b"".join(value.hex().encode() + b"\n" for value in values),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0, "Email::Address::XS (Debian: libemail-address-xs-perl) is needed: %s" % done.stderr.decode("utf-8", "replace")
    lines = iter(done.stdout.decode("ascii").splitlines()[1:])
    readings = []
    for case in cases:
        found = set()
        for _value in visible_values(case):
            for pair in next(lines).split():
                user, host = (bytes.fromhex(half).decode("utf-8", "surrogateescape") for half in pair.split(":"))
                found.add(normalise_plain(user, host))
        readings.append(frozenset(found - {None}))
    return readings


def envelopes(mta, headers):
    """Whom a Postfix that holds all mail would deliver to, by `sendmail -t` and cleanup(8): for each header the addresses, or what it says where it refuses."""
    import postfix as postfix_library
    answers = []
    for number, text in enumerate(headers):
        done = subprocess.run(["sendmail", "-t", "-i", "-f", "n%d@seq.example" % number], input=text.replace(b"\r\n", b"\n") + b"\nHello.\n",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, env=mta.environment())
        answers.append(done.stdout if done.returncode else None)
    wanted = {"n%d@seq.example" % number: number for number, answer in enumerate(answers) if answer is None}
    entries = {}

    def complete():
        # An address holds what the header held: control characters, line separators, bytes that are no UTF-8.
        done = subprocess.run(["postqueue", "-j"], stdout=subprocess.PIPE, check=True, env=mta.environment())
        for line in done.stdout.decode("utf-8", "surrogateescape").split("\n"):
            entry = json.loads(line, strict=False) if line else {"queue_name": ""}
            if entry["queue_name"] == "hold":
                entries[entry["sender"]] = entry
        return set(wanted) <= set(entries)

    mta.kick_pickup()
    daemon.wait_until(complete, postfix_library.LIMIT, lambda: "%d held messages" % len(wanted))
    for sender, number in wanted.items():
        answers[number] = [recipient["address"] for recipient in entries[sender]["recipients"]]
    return answers


def postfix(cases, mta):
    """The envelope recipients that Postfix takes from the header.

    All is sent as To: Postfix takes nobody from Apparently-To, and Resent-To hides To.
    A bare name gets the MTA's own domain, which is in none of the cases.
    """
    import postfix as postfix_library
    readings = []
    for answer in envelopes(mta, [b"".join(b"To: " + value + b"\n" for value in visible_values(case)) for case in cases]):
        if isinstance(answer, bytes):
            assert b"No recipient addresses found" in answer, answer
            answer = []
        found = set()
        for address in answer:
            user, _, host = address.rpartition("@")
            found.add(generate.normalise(user, host) if user.startswith('"') else normalise_plain(user, host))
        readings.append(frozenset(one for one in found - {None} if not one.endswith("@" + postfix_library.DOMAIN)))
    return readings
