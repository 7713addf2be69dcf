"""The policy that most tests use, and the people in it.

Internal is me.example.  Hold from 10 parties or 40 addresses, reject from 50
parties; clinic@ and hr@ hold from 2.  No name under .example is in the Public
Suffix List, so cust1.example and cust2.example are two organisations.
"""

REJECT_TEXT = "%d people outside could read each other's addresses. Nothing was sent. Put them in Bcc, or ask postmaster@me.example."

RULES = """\
rule developer {
    when user = "developer"
    accept
}
rule sensitive {
    when (sender in "clinic@me.example", "hr@me.example" or from in "clinic@me.example", "hr@me.example") and parties(external) >= 2
    quarantine "{parties} outside parties would see each other"
}
rule mass-disclosure { # allow: milder-first
    when parties(external) >= 50
    reject "{visible} people outside could read each other's addresses. Nothing was sent. Put them in Bcc, or ask {contact}."
}
rule wide-cc {
    when parties(external) >= 10 or visible(external) >= 40
    quarantine "wide Cc: {visible} addresses, {parties} parties"
}
rule trial {
    monitor
    when parties(external) >= 5
    quarantine "would hold at five"
}
rule unreadable {
    when (malformed or truncated) and (visible(external) >= 1 or recipients(external) >= 1)
    quarantine "recipient headers could not be read whole"
}
"""

CLASSES = """\
class internal { domain "me.example", ".me.example" }
class partner { domain "partner.example" }
class freemail { domain "free1.test", "free2.test", "free3.test", "free4.test", "free5.test" individuals }
"""

HEAD = """\
version 1
contact "postmaster@me.example"

"""

EXPECTATIONS = """\
expect "mail.me.example" is internal
expect "me.example.evil.test" is other
"""


def policy(rules=RULES, outbound="", classes=CLASSES, expectations=EXPECTATIONS, default="accept"):
    """A whole policy; each part may be another."""
    return HEAD + classes + (outbound + "\n" if outbound else "") + expectations + rules + "default %s\n" % default


FIELD = policy()


def rule(name, when, action, until="", monitor=False):
    """One rule's text."""
    return "rule %s%s {\n%s    when %s\n    %s\n}\n" % (name, " until " + until if until else "", "    monitor\n" if monitor else "", when, action)


def people(count, prefix="c", domain="cust{n}.example"):
    """c1@cust1.example, c2@cust2.example, ...: each a party of its own."""
    return ["%s%d@%s" % (prefix, n, domain.replace("{n}", str(n))) for n in range(1, count + 1)]


def colleagues(count, prefix="staff"):
    return people(count, prefix, "me.example")


def private(count, prefix="patient"):
    """Private mailboxes at five freemail providers: five domains, `count` parties."""
    return ["%s%d@free%d.test" % (prefix, n, n % 5 + 1) for n in range(1, count + 1)]


def folded(addresses):
    """The value of a recipient header as a mail program folds it and an MTA hands it to a milter."""
    return ",\n\t".join(addresses)
