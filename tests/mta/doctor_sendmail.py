"""rcptguardq doctor on sendmail.cf files that m4 makes: each way to break one is found, and mended by the line that is told."""

import os
import re
import shutil
import tempfile
import unittest

import daemon
import doctorcase
import ledgerfile
import policies
import review
import sendmail
import tap

_MC = """\
divert(0)dnl
VERSIONID(`private')
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `mail.me.example')dnl
DAEMON_OPTIONS(`Name=MTA, Addr=0.0.0.0, Port=25')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
"""


class SendmailSite(doctorcase.Site):
    """A sendmail.mc, what m4 makes of it, and a submit.cf beside it."""

    def __init__(self, case):
        self.case = case
        self.folder = tempfile.mkdtemp(prefix="rcptguard-test-", dir="/run")
        case.addCleanup(shutil.rmtree, self.folder)
        self.lines = _MC.splitlines()
        self.config = doctorcase.configuration(os.path.join(self.folder, "rcptguard.conf"), case.guard)
        daemon.write(os.path.join(self.folder, "submit.cf"), "")
        self.add("INPUT_MAIL_FILTER(`rcptguard', `S=%s, F=T, T=C:30s;S:30s;R:30s;E:5m')dnl" % case.guard.socket)

    def key(self, line):
        """What a line sets: a later one of the same takes its place."""
        match = re.match(r"(INPUT_MAIL_FILTER|define)\(`([^']*)'|(DAEMON_OPTIONS)\(`Name=(\w+)", line)
        return match and match.group(1, 2, 3, 4)

    def add(self, line):
        key = self.key(line)
        for number, old in enumerate(self.lines):
            if key is not None and self.key(old) == key:
                self.lines[number] = line
                break
        else:
            self.lines.insert(next(number for number, each in enumerate(self.lines) if each.startswith("MAILER(")), line)
        with open(os.path.join(self.folder, "sendmail.cf"), "wb") as file:
            file.write(sendmail.cf("\n".join(self.lines) + "\n"))

    def arguments(self):
        return ["-c", self.config, "--sendmail-config", os.path.join(self.folder, "sendmail.cf")]

    def apply(self, place, line):
        if place == "sendmail.mc":
            self.add(line)
        elif place == "rcptguard.conf":
            doctorcase.set_key(self.config, line)
        else:
            self.case.assertEqual(place, "shell")
            doctorcase.shell(line)


@unittest.skipUnless(daemon.ROOT, "looks as another user, which root alone can")
class Doctor(doctorcase.DoctorCase):
    # Sendmail's queue is that of the machine, and not of the file that is looked at.
    ELSEWHERE = frozenset({"queue", "agreement", "oldest", "configuration"})

    @classmethod
    def setUpClass(cls):
        # Below a folder that root alone can write to, as Sendmail wants it.
        cls.folder = tempfile.mkdtemp(prefix="rcptguard-test-", dir="/run")
        os.chmod(cls.folder, 0o755)
        daemon.own(cls.folder)
        cls.guard = daemon.Daemon(policies.FIELD, socket="unix:" + os.path.join(cls.folder, "rcptguard.sock"))
        daemon.wait_until(lambda: ledgerfile.query(cls.guard.ledger_path, "SELECT 1 FROM policy"), daemon.LIMIT, "the policy in the ledger")

    @classmethod
    def tearDownClass(cls):
        try:
            cls.guard.__exit__(None, None, None)
        finally:
            shutil.rmtree(cls.folder)

    def setUp(self):
        self.site = SendmailSite(self)

    def filter(self, settings):
        self.site.add("INPUT_MAIL_FILTER(`rcptguard', `S=%s%s')dnl" % (self.guard.socket, settings))

    def test_sound(self):
        self.assertSound(self.site)
        self.assertEqual([one["text"].split(",")[0] for one in self.findings(self.site) if one["check"] == "reach"], ["sendmail"])

    def test_no_filter(self):
        self.site.lines = [line for line in self.site.lines if not line.startswith("INPUT_MAIL_FILTER")]
        self.site.add("dnl nothing")
        self.check(self.site, ("error", "input-filters"), text="no filter has the socket")

    def test_another_socket(self):
        self.site.add("INPUT_MAIL_FILTER(`rcptguard', `S=unix:/run/elsewhere.sock, F=T')dnl")
        self.check(self.site, ("error", "input-filters"))

    def test_filter_that_is_not_used(self):
        self.site.add("INPUT_MAIL_FILTER(`other', `S=inet:8891@127.0.0.1, F=T')dnl")
        self.site.add("define(`confINPUT_MAIL_FILTERS', `other')dnl")
        found = self.check(self.site, ("error", "input-filters"), text="does not name rcptguard")
        self.assertEqual(found[0]["mend"][0]["line"], "define(`confINPUT_MAIL_FILTERS', `other, rcptguard')dnl")

    def test_daemon_with_other_filters(self):
        self.site.add("DAEMON_OPTIONS(`Name=MSA, Port=587, InputMailFilters=')dnl")
        self.check(self.site, ("error", "input-filters"), text="the daemon MSA has separate filters")

    def test_daemon_on_the_loopback(self):
        self.site.add("DAEMON_OPTIONS(`Name=BACK, Port=10025, Addr=127.0.0.1, InputMailFilters=')dnl")
        self.assertSound(self.site)

    def test_a_filter_behind(self):
        self.site.add("INPUT_MAIL_FILTER(`signer', `S=inet:8891@127.0.0.1')dnl")
        self.check(self.site, ("warning", "last"), text="signer comes after")

    def test_without_flags(self):
        self.filter("")
        self.check(self.site, ("error", "filter-flags"), text="has no F=T")

    def test_flag_of_refusal(self):
        self.filter(", F=R, T=S:30s;R:30s")
        self.check(self.site, ("warning", "filter-flags"))

    def test_timeouts(self):
        self.filter(", F=T, T=C:30s;S:2s;R:2s;E:20s")
        self.check(self.site, ("warning", "timeouts"), text=r"T=S:2s \(10 s at least\) R:2s \(10 s at least\) E:20s \(30 s at least\)")

    def test_daemon_timeout(self):
        doctorcase.set_key(self.site.config, "timeout = 10m")
        self.check(self.site, ("warning", "daemon-timeout"))

    def test_macros(self):
        self.site.add("define(`confMILTER_MACROS_ENVFROM', `i, {mail_addr}')dnl")
        self.check(self.site, ("note", "macros"), text=r"Milter\.macros\.envfrom lacks \{auth_type\}, \{auth_authen\}")

    def test_no_recipient_action(self):
        for action in "add-to", "add-apparently-to":
            self.site.add("define(`confNO_RCPT_ACTION', `%s')dnl" % action)
            self.check(self.site, ("error", "no-recipient-action"))

    def test_headers_length(self):
        for length in "0", "1000000":
            self.site.add("define(`confMAX_HEADERS_LENGTH', `%s')dnl" % length)
            self.check(self.site, ("note", "headers-length"))

    def test_body_limit(self):
        """only if a rule asks; without MaxMessageSize there is no limit"""
        def found():
            one, = [one for one in self.findings(self.site) if one["check"] == "body-limit"]
            return one["severity"], one["text"], [mend["line"] for mend in one["mend"]]
        self.assertEqual(found(), ("ok", "no rule asks what a body shows", []))
        self.addCleanup(self.guard.reload)
        self.addCleanup(self.guard.set_policy, policies.FIELD)
        self.guard.set_policy(policies.policy(rules=policies.rule("invite", "visible(external) inside calendar >= 10", 'quarantine "x"')))
        self.guard.reload()
        self.assertEqual(found(), ("warning", "body is 10M, and MaxMessageSize is not set", []))
        for size, wanted in ("30000000", ("warning", "body is 10M, and MaxMessageSize is 30000000", ["body = 29M"])), ("10485760", ("ok", "a body of 10M is read, and MaxMessageSize is 10485760", [])):
            self.site.add("define(`confMAX_MESSAGE_SIZE', `%s')dnl" % size)
            self.assertEqual(found(), wanted)

    def test_answers(self):
        """the address that senders add in Bcc, as sendmail -bv sees it"""
        def configure(**keys):
            doctorcase.configuration(self.site.config, self.guard, **keys)
        def found():
            return [(one["severity"], one["text"]) for one in self.findings(self.site) if one["check"] == "answers"]
        self.addCleanup(configure)
        self.assertEqual(found(), [])
        configure(answers="root@mail.me.example", answers_delimiter="-")
        self.assertEqual(found(), [("error", "answers-delimiter is -, and Sendmail knows + alone")])
        # Where no DNS answers, Sendmail itself takes a minute.
        configure(answers="root@mail.me.example", sendmail_command="/bin/true")
        self.assertEqual(found(), [("ok", "root@mail.me.example: Sendmail takes it with what is added")])
        configure(answers="root@mail.me.example", sendmail_command="/bin/false")
        (severity, text), = found()
        self.assertEqual(severity, "warning")
        self.assertIn("[review] answers is root@mail.me.example, and -bv does not say that it is delivered: ", text)

    def test_answers_that_are_asked_for_in_vain(self):
        """a sendmail that waits for a DNS that is away is not waited for; it is asked for the whole address"""
        asked = os.path.join(self.site.folder, "asked")
        command = daemon.write(os.path.join(self.site.folder, "sendmail"), "#!/bin/sh\necho \"$@\" >%s\nexec sleep 1000\n" % asked)
        os.chmod(command, 0o755)
        doctorcase.configuration(self.site.config, self.guard, answers="root@mail.me.example", sendmail_command=command)
        self.addCleanup(doctorcase.configuration, self.site.config, self.guard)
        (severity, text), = [(one["severity"], one["text"]) for one in self.findings(self.site) if one["check"] == "answers"]
        self.assertEqual(severity, "warning")
        self.assertIn("did not end within 10 s", text)
        with open(asked, encoding="utf-8") as file:
            self.assertRegex(file.read(), r" -bv -- root\+o-[a-z2-7]{13}@mail\.me\.example\n$")

    def test_no_submit(self):
        os.unlink(os.path.join(self.site.folder, "submit.cf"))
        self.check(self.site, ("error", "submit"), mended=False)

    def test_folder_for_a_group(self):
        os.chmod(self.folder, 0o775)
        self.addCleanup(os.chmod, self.folder, 0o755)
        self.check(self.site, ("error", "socket"), ("error", "safe-path"))

    def test_another_user(self):
        self.site.add("define(`confRUN_AS_USER', `postfix')dnl")
        self.check(self.site, ("error", "reach"), text="sendmail, as the user postfix, cannot open .*: Permission denied")

    def test_no_file(self):
        answer = self.ask(self.site, "--json", "--sendmail-config", "/nowhere/sendmail.cf")
        self.assertEqual(answer.code, review.WRONG)
        found, = [one for one in answer.json() if one["check"] == "mta"]
        self.assertEqual((found["severity"], found["text"]), ("error", "Sendmail: /nowhere/sendmail.cf: No such file or directory"))


if __name__ == "__main__":
    tap.main(240)
