"""Mail as programs keep it: what is read, what is not, and that nothing is accepted that is no message."""

import gzip
import json
import os
import tarfile
import unittest

import tap
import tool

POLICY = """\
version 1
class internal { domain "corp.example" }
rule mass { when parties(external) >= 50 reject "x" }
rule wide { when parties(external) >= 10 quarantine "x" }
default accept
"""


def mail(number, end="\n"):
    """A message to so many outside."""
    lines = ["From: Care <care@corp.example>", "To: care@corp.example", "Cc: " + ", ".join("p%d@c%d.example" % (n, n) for n in range(number)),
             "Subject: x", "Date: Mon, 23 Nov 2026 18:34:00 +0100", "Message-ID: <%d@corp.example>" % number, "", "Hello.", ""]
    return end.join(lines)


FROM = "From care@corp.example Mon Nov 23 18:34:00 2026\n"
BROKEN = mail(60).replace("To: care@", "no field\nTo: care@", 1)


class WrappedCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tool.Folder({"policy": POLICY})
        self.addCleanup(self.folder.__exit__)

    def write(self, name, content):
        if isinstance(content, str):
            content = content.encode()
        path = os.path.join(self.folder.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)

    def replay(self, *arguments):
        """(exit code, the verdicts, the figures, what is said)"""
        code, output, errors = self.folder.run("replay", "-p", "policy", "--json", "--messages", *arguments)
        *messages, figures = map(json.loads, output.splitlines())
        return code, [message["verdict"] for message in messages], figures, errors

    def explain(self, *arguments):
        code, output, errors = self.folder.run("explain", "-p", "policy", "--json", *arguments)
        return code, [json.loads(line)["verdict"] for line in output.splitlines()], errors

    def check(self, content, verdicts, said=None):
        """Both commands agree: these verdicts, and what is said of it, with exit code 1, if anything is."""
        self.write("m", content)
        code, replayed, _figures, errors = self.replay("m")
        status, explained, said_too = self.explain("m")
        self.assertEqual((replayed, explained), (verdicts, verdicts))
        if said is None:
            self.assertEqual((code, errors, status, said_too), (0, "", 0, ""))
        else:
            self.assertEqual((code, status), (1, 1))
            self.assertIn("m:" + said.replace("%", "warning"), errors)
            self.assertIn("m:" + said.replace("%", "error"), said_too)


class Separators(WrappedCase):
    def test_separators(self):
        """a bare one, one without a time, a blank line first, none between; each way, and all in one file"""
        for end in ("\n", "\r\n"):
            for separator in ("From ", "From", "From -", "From MAILER-DAEMON", "From ann@corp.example 2026-11-23", FROM.rstrip()):
                for between in ("", end):
                    for first in ("", end, "\ufeff"):
                        with self.subTest(end=end, separator=separator, between=between, first=first):
                            self.check(first + between.join(separator + end + mail(number, end) for number in (1, 60, 12)), ["accept", "reject", "quarantine"])
        self.check("From \n" + mail(1) + FROM + mail(60) + "\nFrom -\n" + mail(12), ["accept", "reject", "quarantine"])

    def test_sentences(self):
        self.check(FROM + mail(1) + "\nFrom 9:30 to 11:00 the office is closed.\n\nBye\n\n" + FROM + mail(12), ["accept", "quarantine"])

    def test_not_counted(self):
        self.check(FROM + mail(1) + "\n" + FROM + "no field\n" + mail(12), ["accept"], "11: %: looks like the beginning of a message and is not counted")
        self.check(FROM + "\n" + mail(12), [], "2: %: is where a header was to begin")


class Headers(WrappedCase):
    def test_read(self):
        for before in ("\ufeff", "\n", "\r\n \n", "1764\n", "Microsoft Mail Internet Headers Version 2.0\r\n", FROM, ">" + FROM, "\1\1\1\1\n"):
            with self.subTest(before=before):
                self.check(before + mail(60), ["reject"])
        self.check("1764\n" + mail(60) + '<?xml version="1.0"?>\n<plist version="1.0"></plist>\n', ["reject"])

    def test_not_read(self):
        for content, said in (
                ("Forwarded message follows.\n\n" + mail(60), "1: %: is no header field, and text before a header hides it; expected what begins in line 3, alone"),
                ("\nno mail\n", "2: %: is no header field; expected a message or a mailbox"),
                (mail(60, "\r"), "1: %: has lines that end with a carriage return alone"),
                (mail(60).encode("utf-16"), " %: is UTF-16"),
                (mail(60).encode("utf-16-be"), " %: is UTF-16"),
                ("220 mx.example ESMTP\r\nEHLO me\r\n" + mail(60), "1: %: is an SMTP dialogue"),
                ("EHLO me\nMAIL FROM:<a@corp.example>\nDATA\n" + mail(60), "1: %: is an SMTP dialogue"),
                ("https://corp.example/\n", "1: %: has header fields, and none that mail has"),
                (" \n\n", " %: holds nothing but blanks"),
                (b"\0\1\2", "1: %: is no header field")):
            with self.subTest(said=said):
                self.check(content, [], said)

    def test_cut_header(self):
        """as the daemon, to which the MTA shows no more"""
        self.check(BROKEN, ["accept"], "2: %: is no header field and no empty line; an MTA ends the header here")

    def test_expectation(self):
        """of a file that is no message, or another than it seems, none holds in silence"""
        for content in (BROKEN, "Hello.\n" + mail(60), "", mail(60, "\r")):
            with self.subTest(content=content[:20]):
                self.write("m", content)
                self.write("tested", POLICY.replace("default", 'expect file "m" gives accept\ndefault'))
                self.assertEqual(self.folder.run("check", "-p", "tested")[0], 1)
        self.write("m", "\ufeff\n" + mail(60))
        self.write("tested", POLICY.replace("default", 'expect file "m" gives reject by mass\ndefault'))
        self.assertEqual(self.folder.run("check", "-p", "tested")[0], 0)


class Queue(WrappedCase):
    TEXT = ("*** ENVELOPE RECORDS hold/4jcV ***\nmessage_size: 1 2\nsender: other@corp.example\n%s*** MESSAGE CONTENTS hold/4jcV ***\n%s"
            "*** HEADER EXTRACTED hold/4jcV ***\n%s*** MESSAGE FILE END hold/4jcV ***\n")

    def test_envelope(self):
        """the queue's own, from before the message and after it"""
        self.write("m", self.TEXT % ("recipient: p0@c0.example\nnamed_attribute: sasl_username=ann\n", mail(12), "recipient: z@z.example\n"))
        code, output, errors = self.folder.run("explain", "-p", "policy", "--json", "m")
        message = json.loads(output)
        self.assertEqual((code, errors, message["verdict"], message["sender"]), (0, "", "quarantine", "other@corp.example"))
        self.assertEqual((message["counts"]["recipients"]["all"], message["counts"]["hidden"]["all"]), (2, 1))
        output = self.folder.run("explain", "-p", "policy", "--json", "--sender", "b@corp.example", "--recipient", "x@x.example", "m")[1]
        message = json.loads(output)
        self.assertEqual((message["sender"], message["counts"]["recipients"]["all"]), ("b@corp.example", 1))

    def test_several(self):
        self.check(self.TEXT % ("", mail(12), "") + self.TEXT % ("", mail(60), ""), ["quarantine", "reject"])

    def test_cut(self):
        self.check((self.TEXT % ("", mail(12), ""))[:-60], ["quarantine"], " %: ends early")
        self.check((self.TEXT % ("", mail(12), ""))[:80], [], " %: holds an envelope and no message")


class Folders(WrappedCase):
    def passed(self, *paths):
        """(verdicts in order, the files that are passed over), if nothing is wrong."""
        code, verdicts, figures, errors = self.replay("--verbose", *paths)
        lines = errors.splitlines()
        self.assertTrue(all(line.endswith(": is no mail and is passed over") for line in lines), errors)
        self.assertEqual((code, figures["passed_over"], figures["warnings"]), (0, len(lines), 0))
        self.assertEqual(self.replay(*paths)[3], "")
        self.assertEqual(self.replay("--jobs", "1", "--verbose", *paths)[3], errors)
        status, explained, said = self.explain("--verbose", *paths)
        *named, summed = said.splitlines() or [""]
        self.assertEqual((status, explained, named), (0, verdicts, lines))
        self.assertEqual(summed.split(" ")[0], str(len(lines) or ""))
        return verdicts, [line.rsplit(": ", 1)[0] for line in lines]

    def test_thunderbird(self):
        for name, content in (("Sent", "From - Mon Nov 23 18:34:00 2026\r\nX-Mozilla-Status: 0001\r\n" + mail(1, "\r\n") + "From \r\n" + mail(12, "\r\n")),
                              ("Sent.msf", '// <!-- <mdb:mork:z v="1.4"/> -->\n'), ("Trash", ""), ("Trash.msf", ""), ("Archives.sbd/2026", "From \n" + mail(60)),
                              ("Archives.sbd/2026.msf", "< <(a=c)> // (f=iso-8859-1)\n"), ("popstate.dat", "# POP3 State File\n"),
                              ("msgFilterRules.dat", 'version="9"\nlogging="no"\n'), ("filterlog.html", "<html></html>\n")):
            self.write("d/" + name, content)
        self.assertEqual(self.passed("d"), (["reject", "accept", "quarantine"],
                                            ["d/Archives.sbd/2026.msf", "d/Sent.msf", "d/filterlog.html", "d/msgFilterRules.dat", "d/popstate.dat"]))

    def test_vmail(self):
        for name, content in (("cur/1.M1.host:2,S", mail(1)), (".Sent/cur/2.M1.host:2,S", mail(12)), (".Sent/new/3.M1.host", mail(60)), ("tmp/4", mail(60)),
                              ("dovecot-uidlist", "3 V1 N3\n"), (".Sent/dovecot.index.cache", b"\0" * 99), ("maildirsize", "0S\n"), ("subscriptions", "V\t2\n"),
                              (".dovecot.svbin", b"\0" * 9), (".Sent/maildirfolder", ""), ("xapian-indexes/db/postlist.glass", b"\0" * 99), ("xapian-indexes/db/flintlock", ""),
                              ("sieve/tmp/x", ""), ("sieve/roundcube.sieve", 'require ["fileinto"];\nif header "subject" "x" { stop; }\n')):
            self.write("d/" + name, content)
        self.assertEqual(self.passed("d"), (["quarantine", "reject", "accept"], ["d/sieve/roundcube.sieve", "d/xapian-indexes/db/postlist.glass"]))

    def test_cyrus_and_mh(self):
        for name, content in (("cyrus/1.", mail(1)), ("cyrus/cyrus.header", b"\241\2\213\15Cyrus mailbox header\n\"The best thing\"\n"), ("cyrus/cyrus.index", b"\0\0\0\1" * 9),
                              ("cyrus/cyrus.cache", b"\0\0\0\5From: x\0\n"), ("mh/1", mail(12)), ("mh/2", mail(60)), ("mh/,3", mail(60)), ("mh/.mh_sequences", "cur: 1\n"),
                              ("mh/.xmhcache", b"\0")):
            self.write("d/" + name, content)
        self.assertEqual(self.passed("d"), (["accept", "quarantine", "reject"], ["d/cyrus/cyrus.cache", "d/cyrus/cyrus.header", "d/cyrus/cyrus.index", "d/mh/,3"]))

    def test_exported(self):
        for name, content in (("a.eml", mail(12)), ("b.emlx", "900\n" + mail(60)), ("offer.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"),
                              ("Thumbs.db", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600), ("photo.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF"), ("card.vcf", "BEGIN:VCARD\nFN:Ann\n"),
                              ("desktop.ini", "[x]\r\n".encode("utf-16"))):
            self.write("d/" + name, content)
        self.assertEqual(self.passed("d"), (["quarantine", "reject"], ["d/Thumbs.db", "d/card.vcf", "d/desktop.ini", "d/offer.pdf", "d/photo.jpg"]))

    def test_said_to_people(self):
        self.write("d/a.eml", mail(12))
        self.write("d/b.pdf", "%PDF\n")
        self.write("d/c.pdf", "%PDF\n")
        code, output, errors = self.folder.run("replay", "-p", "policy", "--html", "page.html", "d")
        self.assertEqual((code, errors), (0, ""))
        self.assertTrue(output.startswith("2 files that are no mail were passed over.\n"), output)
        with open(os.path.join(self.folder.path, "page.html"), encoding="utf-8") as file:
            self.assertIn("2 files that are no mail were passed over.", file.read())
        os.unlink(os.path.join(self.folder.path, "d/c.pdf"))
        self.assertIn("1 file that is no mail was passed over.\n", self.folder.run("replay", "-p", "policy", "d")[1])
        self.assertEqual(self.folder.run("explain", "-p", "policy", "d")[2], "1 file is no mail and passed over\n")

    def test_broken_mail_is_not_passed_over(self):
        """in a Maildir every file is mail, and elsewhere what has a header somewhere"""
        self.write("d/cur/1", "no mail\n")
        self.write("d/a.eml", "Dear all,\n" + mail(60))
        code, verdicts, figures, errors = self.replay("d")
        self.assertEqual((code, verdicts, figures["passed_over"], figures["warnings"]), (1, [], 0, 2))
        self.assertIn("d/cur/1:1: warning: is no header field", errors)
        self.assertIn("d/a.eml:1: warning: is no header field, and text before a header hides it", errors)


class Once(WrappedCase):
    def check_once(self, verdicts, repeated, *paths):
        for jobs in ("1", "4"):
            code, got, figures, errors = self.replay("--once", "--jobs", jobs, *paths)
            self.assertEqual((code, errors, got, figures["repeated"], figures["messages"]), (0, "", verdicts, repeated, len(verdicts)))

    def test_folders(self):
        """the first one counts, in each kind of folder; the last message of a file too"""
        for end in ("\n", "\r\n"):
            inbox = [FROM.replace("\n", end) + mail(number, end) + end for number in (1, 60, 12)]
            self.write("a", "".join(inbox))
            self.write("b", inbox[2] + inbox[1])
            self.write("c", inbox[1][:-len(end)])
            self.check_once(["accept", "reject", "quarantine"], 3, "a", "b", "c")
            self.check_once(["quarantine", "reject", "accept"], 3, "b", "c", "a")
            self.assertEqual(self.replay("a", "b", "c")[2]["messages"], 6)
        for name in ("d/cur/1:2,S", "d/.Sent/cur/2:2,S", "d/.Sent/cur/3:2,"):
            self.write(name, mail(60))
        self.check_once(["reject"], 2, "d")

    def test_others(self):
        """another size, another Message-ID, none"""
        self.write("a", mail(12))
        self.write("b", mail(12) + "more\n")
        self.write("c", mail(12).replace("<12@", "<21@"))
        self.write("d", mail(12).replace("Message-ID", "X-Message-"))
        self.write("e", mail(12).replace("Message-ID", "X-Message-"))
        self.check_once(["quarantine"] * 5, 0, "a", "b", "c", "d", "e")

    def test_packed_and_piped(self):
        """the size is that of what was packed"""
        self.write("a", mail(12))
        with gzip.open(os.path.join(self.folder.path, "b.gz"), "wb") as file:
            file.write(mail(12).encode())
        self.check_once(["quarantine"], 1, "a", "b.gz")

    def test_said(self):
        self.write("a", mail(12))
        output = self.folder.run("replay", "-p", "policy", "--html", "page.html", "--once", "a", "a")[1]
        self.assertTrue(output.startswith("1 message was there before and is not counted again.\n1 message, "), output)
        with open(os.path.join(self.folder.path, "page.html"), encoding="utf-8") as file:
            self.assertIn("1 message was there before and is not counted again.", file.read())
        output = self.folder.run("replay", "-p", "policy", "--once", "a", "a", "a")[1]
        self.assertTrue(output.startswith("2 messages were there before and are not counted again.\n1 message, "), output)


class Archives(WrappedCase):
    def test_refused(self):
        self.write("a.eml", mail(12))
        for kind, name in (("w", "m.tar"), ("w:gz", "m.tgz"), ("w:xz", "m.txz")):
            with tarfile.open(os.path.join(self.folder.path, name), kind) as archive:
                archive.add(os.path.join(self.folder.path, "a.eml"), "a.eml")
            code, verdicts, _figures, errors = self.replay(name)
            self.assertEqual((code, verdicts), (1, []))
            self.assertEqual(errors, name + ": warning: is a tar archive, which is not read; expected the messages themselves, or a mailbox\n")
        for content, name in ((b"PK\3\4" + b"\0" * 30, "zip"), (b"Rar!\x1a\7\0" + b"\0" * 30, "rar"), (b"BZh91AY", "bzip2"), (b"\x1f\x9d\x90abc", "compress")):
            self.check(content, [], " %: is packed by " + name)


if __name__ == "__main__":
    tap.main()
