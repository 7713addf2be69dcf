"""rcptguardq doctor on a private Postfix: each way to break it is found, and mended by the line that is told."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import threading
import unittest

import daemon
import doctorcase
import guardcase
import ledgerfile
import milterclient
import mta
import policies
import postfix
import review
import tap

SOUND = "message_reject_characters = \\0"


class PostfixSite(doctorcase.Site):
    """A copy of the private Postfix's configuration, which need not run."""

    def __init__(self, case):
        self.case = case
        self.mta = case.mta
        self.directory = self.mta.copy_configuration()
        self.config = doctorcase.configuration(self.directory + ".rcptguard.conf", case.guard, **{**self.mta.review_keys(), "postfix_config": self.directory})
        # The listener that takes mail back: as an admin sets it up.
        self.override("reinject", "smtpd_milters=")

    def service(self, way):
        return "127.0.0.1:%d/inet" % self.mta.ports[way]

    def postconf(self, *arguments):
        subprocess.run(["postconf", "-c", self.directory, *arguments], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.settle()

    def settle(self):
        daemon.settle(*(os.path.join(self.directory, name) for name in ("main.cf", "master.cf")))

    def set(self, *lines):
        self.postconf("-e", *lines)

    def override(self, way, setting):
        self.postconf("-P", "%s/%s" % (self.service(way), setting))

    def add_service(self, text):
        with open(os.path.join(self.directory, "master.cf"), "a", encoding="utf-8") as file:
            file.write(text)
        self.settle()

    def arguments(self):
        return ["-c", self.config]

    def apply(self, place, line):
        if place == "main.cf":
            self.set(line)
        elif place == "rcptguard.conf":
            doctorcase.set_key(self.config, line)
        else:
            self.case.assertEqual(place, "shell")
            doctorcase.shell(line, restart=self.case.restart, reload=self.case.reload)


@unittest.skipUnless(daemon.ROOT, "an MTA starts as root only")
class Doctor(doctorcase.DoctorCase):
    # The site's rcptguard.conf is not the daemon's own, but for test_configuration.
    ELSEWHERE = frozenset({"configuration"})

    @classmethod
    def setUpClass(cls):
        cls.mta = postfix.Postfix(milter="unix", extra=SOUND)
        cls.start()

    @classmethod
    def start(cls):
        cls.guard = cls.mta.guard(policies.FIELD)
        daemon.wait_until(lambda: ledgerfile.query(cls.guard.ledger_path, "SELECT 1 FROM policy"), daemon.LIMIT, "the policy in the ledger")

    @classmethod
    def tearDownClass(cls):
        try:
            cls.guard.__exit__(None, None, None)
        finally:
            cls.mta.close()

    def setUp(self):
        self.site = PostfixSite(self)
        self.name = "unix:%s/rcptguard.sock" % postfix.SOCKET_DIRECTORY
        self.directory = self.mta.socket_directory
        self.socket = os.path.join(self.directory, "rcptguard.sock")

    def restart(self):
        cls = type(self)
        cls.guard._clean()
        cls.start()
        values = doctorcase.configuration(self.site.config, cls.guard, mta="postfix", postfix_config=self.site.directory)
        self.assertEqual(values, self.site.config)

    def reload(self):
        self.assertIn("reload done", self.guard.reload())
        # It is in the ledger when the daemon's next tick has come.
        daemon.wait_until(lambda: not [one for one in self.wrong(self.site) if one["check"] == "reload"], daemon.LIMIT, "the policy in the ledger")

    # ---- nothing is wrong

    def test_sound(self):
        self.assertSound(self.site)
        checks = [one["check"] for one in self.findings(self.site)]
        self.assertIn("reach", checks)
        views = [one["text"] for one in self.findings(self.site) if one["check"] == "reach"]
        self.assertEqual([text.split(",")[0] for text in views], ["smtpd", "smtpd (chrooted)", "cleanup"])

    def test_words(self):
        """what people see: what is wrong first, why, the line; what is sound in one line; the sum"""
        answer = self.ask(self.site)
        self.assertRegex(answer.out, r"^ok +mta, ledger, ")
        self.assertTrue(answer.out.endswith("\n0 errors, 0 warnings, 0 notes\n"), answer.out)
        self.site.set("milter_default_action = accept", "enable_long_queue_ids = no", "non_smtpd_milters =")
        answer = self.ask(self.site)
        self.assertEqual(answer.code, review.WRONG)
        self.assertRegex(answer.out, r"(?s)^error +non-smtpd-milters +non_smtpd_milters .*\n +main\.cf: non_smtpd_milters = \{ %s, default_action=tempfail \}\nerror +default-action .*"
                                     r"\n +main\.cf: smtpd_milters = \{ %s, default_action=tempfail \}\nnote +long-queue-ids .*\nok +mta, " % (re.escape(self.name), re.escape(self.name)))
        self.assertTrue(answer.out.endswith("\n2 errors, 0 warnings, 1 note\n"), answer.out)
        self.assertRegex(self.ask(self.site, "--verbose").out, r"\nok +protocol +version 6\n")

    def test_usage(self):
        for arguments, wanted in ((["--mta", "exim"], "takes postfix or sendmail"), (["--mta", "sendmail", "--postfix-config", "/"], "one MTA is looked at")):
            answer = self.ask(self.site, *arguments)
            self.assertEqual(answer.code, review.USAGE)
            self.assertIn(wanted, answer.err)

    # ---- the lists of milters

    def test_no_smtpd_milters(self):
        self.site.set("smtpd_milters =")
        self.check(self.site, ("error", "smtpd-milters"))

    def test_no_non_smtpd_milters(self):
        self.site.set("non_smtpd_milters = inet:127.0.0.1:8891")
        found = self.check(self.site, ("error", "non-smtpd-milters"))
        self.assertEqual(found[0]["mend"], [{"place": "main.cf", "line": "non_smtpd_milters = inet:127.0.0.1:8891, " + self.name}])

    def test_submission_without(self):
        self.site.override("auth", "smtpd_milters=inet:127.0.0.1:8891")
        self.check(self.site, ("error", "smtpd-milters"), text=re.escape("smtpd_milters of " + self.site.service("auth")))

    def test_inbound_without(self):
        """mail of other people is not ours to judge: a warning"""
        self.site.add_service("2525 inet n - n - - smtpd\n  -o smtpd_milters=\n")
        self.check(self.site, ("warning", "smtpd-milters"))

    def test_cleanup_without(self):
        self.site.postconf("-P", "cleanup/unix/non_smtpd_milters=")
        self.check(self.site, ("error", "non-smtpd-milters"), text="of cleanup/unix")

    def test_a_milter_behind(self):
        self.site.set("smtpd_milters = %s, inet:127.0.0.1:8891" % self.name)
        found = self.check(self.site, ("warning", "last"), text="inet:127.0.0.1:8891 after")
        self.assertEqual(found[0]["mend"][0]["line"], "smtpd_milters = inet:127.0.0.1:8891, " + self.name)

    # ---- when the daemon is away

    def test_default_action(self):
        for action, severity in (("accept", "error"), ("reject", "warning"), ("quarantine", "note")):
            with self.subTest(action):
                self.site.set("milter_default_action = " + action, "smtpd_milters = " + self.name, "non_smtpd_milters = " + self.name)
                self.check(self.site, *[(severity, "default-action")] * 2)

    def test_default_action_of_others(self):
        """it is ours that is mended: what the admin chose for another milter stays; and no line takes another one back"""
        self.site.set("milter_default_action = accept", "smtpd_milters = %s, inet:127.0.0.1:8891" % self.name)
        found = self.check(self.site, ("error", "default-action"), ("error", "default-action"), ("warning", "last"))
        wanted = "smtpd_milters = inet:127.0.0.1:8891, { %s, default_action=tempfail }" % self.name
        self.assertEqual([one["line"] for each in found for one in each["mend"] if one["line"].startswith("smtpd")], [wanted] * 2)
        said = subprocess.run(["postconf", "-c", self.site.directory, "-h", "milter_default_action"], check=True, stdout=subprocess.PIPE).stdout
        self.assertEqual(said, b"accept\n")

    def test_a_socket_that_was_ours(self):
        """it is found, and is in no list that is told; another program's stays, whether it runs or not"""
        old, other = "unix:/run/rcptguard/rcptguard.sock", "unix:opendkim/opendkim.sock"
        self.site.set("smtpd_milters = %s, %s, %s" % (old, other, self.name))
        found = self.check(self.site, ("error", "left-over"), text="smtpd_milters has %s, to which no rcptguardd listens" % old)
        self.assertEqual(found[0]["mend"][0]["line"], "smtpd_milters = %s, %s" % (other, self.name))
        self.site.set("smtpd_milters = %s, %s" % (old, other))
        found = self.check(self.site, ("error", "left-over"), ("error", "smtpd-milters"))
        self.assertIn("smtpd_milters = %s, %s" % (other, self.name), [one["line"] for each in found for one in each["mend"]])

    def test_default_action_in_braces(self):
        self.site.set("smtpd_milters = inet:127.0.0.1:8891, { %s, default_action = accept, connect_timeout=20s }" % self.name)
        found = self.check(self.site, ("error", "default-action"))
        self.assertEqual(found[0]["mend"][0]["line"], "smtpd_milters = inet:127.0.0.1:8891, { %s, default_action=tempfail, connect_timeout=20s }" % self.name)

    def test_timeouts(self):
        self.site.set("milter_command_timeout = 2s", "milter_content_timeout = 20s")
        self.check(self.site, *[("warning", "timeouts")] * 4)

    def test_daemon_timeout(self):
        doctorcase.set_key(self.site.config, "timeout = 60s")
        self.check(self.site, ("warning", "daemon-timeout"))

    def test_protocol(self):
        self.site.set("milter_protocol = 2")
        self.check(self.site, *[("warning", "protocol")] * 2)

    # ---- macros

    def test_macros(self):
        """the daemon asks for its own, so what an admin left out is no harm"""
        self.site.set("milter_mail_macros = {mail_addr}", "milter_connect_macros = j")
        self.check(self.site, *[("note", "macros")] * 2, text=r"milter_mail_macros lacks i \{auth_type\} \{auth_authen\}")

    def test_macros_not_asked_for(self):
        self.site.set("milter_mail_macros = i", "milter_protocol = 4")
        self.check(self.site, ("warning", "macros"), *[("warning", "protocol")] * 2)

    def test_another_version_macro(self):
        self.site.set("mail_name = Mailer")
        self.check(self.site, ("error", "macros"), text="does not begin with Postfix")

    # ---- mail that passes by

    def test_no_milters(self):
        self.site.set("receive_override_options = no_address_mappings, no_milters")
        self.check(self.site, ("error", "override-options"))

    def test_no_milters_of_a_service(self):
        self.site.add_service("2525 inet n - n - - smtpd\n  -o receive_override_options=no_milters,no_address_mappings\n")
        found = self.check(self.site, ("error", "override-options"))
        self.assertRegex(found[0]["mend"][0]["line"], "receive_override_options=no_address_mappings'$")

    def test_reinjection(self):
        """what is told leaves the other milters of that listener"""
        signer = "{ inet:127.0.0.1:8891, default_action=accept }"
        self.site.set("smtpd_milters = %s, %s" % (signer, self.name))
        self.site.postconf("-PX", self.site.service("reinject") + "/smtpd_milters")
        found = self.check(self.site, ("error", "reinjection"), text="again")
        self.assertRegex(found[0]["mend"][0]["line"], r"smtpd_milters=\{inet:127\.0\.0\.1:8891,default_action=accept\}'$")

    def test_no_reinjection(self):
        """a listener where people log in; one after a proxy, which alone shows that mail to milters"""
        self.site.postconf("-PX", self.site.service("reinject") + "/smtpd_milters")
        self.site.override("reinject", "smtpd_sasl_auth_enable=yes")
        self.assertSound(self.site)
        self.site.postconf("-PX", self.site.service("reinject") + "/smtpd_sasl_auth_enable")
        self.site.add_service("127.0.0.1:2525 inet n - n - - smtpd\n  -o smtpd_proxy_filter=127.0.0.1:10024\n")
        self.assertEqual([one["check"] for one in self.wrong(self.site)], ["proxy-filter"])

    def test_reinjection_that_the_policy_leaves_out(self):
        self.site.override("reinject", "milter_macro_daemon_name=REINJECTED")
        self.site.postconf("-PX", self.site.service("reinject") + "/smtpd_milters")
        self.other_policy(policies.policy(outbound='outbound when (authenticated or local or client in "127.0.0.0/8") and not listener = "REINJECTED"'))
        self.assertNotIn("reinjection", [one["check"] for one in self.wrong(self.site)])
        self.site.override("reinject", "milter_macro_daemon_name=OTHER")
        self.assertIn("reinjection", [one["check"] for one in self.wrong(self.site)])

    def test_proxy_filter(self):
        self.site.add_service("2525 inet n - n - - smtpd\n  -o smtpd_proxy_filter=127.0.0.1:10024\n")
        found = self.check(self.site, ("error", "proxy-filter"))
        self.assertRegex(found[0]["mend"][1]["line"], r"content_filter=smtp:\[127\.0\.0\.1\]:10024")

    def test_proxy_filter_of_all(self):
        self.site.set("smtpd_proxy_filter = inet:127.0.0.1:10024")
        self.check(self.site, ("error", "proxy-filter"))

    def test_milter_maps(self):
        self.site.set("smtpd_milter_maps = cidr:/etc/postfix/milters")
        self.check(self.site, ("warning", "milter-maps"))

    # ---- what else main.cf may say

    def test_reject_characters(self):
        self.site.set("message_reject_characters =")
        self.check(self.site, ("warning", "reject-characters"))

    def test_drop_headers(self):
        self.site.set("message_drop_headers = content-length")
        self.check(self.site, ("note", "drop-headers"), text="lacks bcc, resent-bcc")

    def answers(self, **keys):
        """What doctor says of `answers`."""
        doctorcase.configuration(self.site.config, self.guard, mta="postfix", postfix_config=self.site.directory, **keys)
        self.addCleanup(doctorcase.configuration, self.site.config, self.guard, mta="postfix", postfix_config=self.site.directory)
        return [(one["severity"], one["text"]) for one in self.findings(self.site) if one["check"] == "answers"]

    def test_answers(self):
        """the address that people answer to: its delimiter, and who it is"""
        self.site.set("recipient_delimiter = +", "mydestination = here.example")
        self.assertEqual(self.answers(answers="root@here.example"), [("ok", "root@here.example: Postfix takes it with what is added")])
        self.site.set("recipient_delimiter = -")
        self.assertEqual(self.answers(answers="root@here.example"), [("error", "answers-delimiter is +, and recipient_delimiter is -")])
        found = [one for one in self.wrong(self.site) if one["check"] == "answers"]
        self.assertEqual(found[0]["mend"][0]["line"], "recipient_delimiter = -+")
        self.site.set("recipient_delimiter = +", "local_recipient_maps = unix:passwd.byname")
        self.assertEqual(self.answers(answers="No-Body@here.example"), [("error", "[review] answers is no-body@here.example, and local_recipient_maps has no such address")])
        self.site.set("local_recipient_maps =")
        self.assertEqual(self.answers(answers="no-body@here.example")[0][0], "ok", "each is taken")

    def test_answers_of_other_domains(self):
        """in each class of domains, given as names and in a table"""
        table = "inline:{ {guard@far.example=x}, {far.example=x} }"
        for domains, maps in ("virtual_alias_domains", "virtual_alias_maps"), ("virtual_mailbox_domains", "virtual_mailbox_maps"), ("relay_domains", "relay_recipient_maps"):
            for listed in "far.example", "inline:{far.example=x}":
                with self.subTest(domains, listed=listed):
                    self.site.set("recipient_delimiter = +", "mydestination =", "%s = %s" % (domains, listed), "%s = %s" % (maps, table))
                    self.assertEqual(self.answers(answers="guard@far.example")[0][0], "ok")
                    self.assertEqual(self.answers(answers="other@far.example"), [("error", "[review] answers is other@far.example, and %s has no such address" % maps)])
                    self.site.set("%s = hash:/nowhere/table" % maps)
                    self.assertEqual(self.answers(answers="guard@far.example"), [("warning", "[review] answers is guard@far.example, and %s cannot be asked for it" % maps)])
                    self.site.set("%s =" % domains, "%s =" % maps)
        self.site.set("recipient_delimiter = +", "mydestination = far.example", "local_recipient_maps = inline:{x=x}", "virtual_alias_maps = inline:{guard@far.example=root}")
        self.assertEqual(self.answers(answers="guard@far.example")[0][0], "ok", "an alias is one of any class")
        self.assertEqual(self.answers(answers="guard@else.example"), [("warning", "[review] answers is guard@else.example, and its domain is none of this Postfix")])

    def test_long_queue_ids(self):
        self.site.set("enable_long_queue_ids = no")
        self.check(self.site, ("note", "long-queue-ids"))

    def test_submitters(self):
        for value, missing in ("", "root, " + daemon.USER), ("root", daemon.USER), ("!root, %s" % daemon.USER, "root"), ("alice", "root, " + daemon.USER):
            with self.subTest(value):
                self.site.set("authorized_submit_users = " + value)
                self.check(self.site, ("error", "submitters"), text="authorized_submit_users is without " + missing)
        for value in "root, %s" % daemon.USER, "inline:{root=x}", "static:anyone":
            self.site.set("authorized_submit_users = " + value)
            self.assertEqual([one for one in self.wrong(self.site) if one["check"] == "submitters"], [])

    # ---- the socket

    def test_absolute_path_in_a_chroot(self):
        self.site.set("smtpd_milters = unix:" + self.socket)
        found = self.check(self.site, ("error", "chroot"), text=r"which is chrooted, looks for %s%s" % (re.escape(self.mta._path("queue")), re.escape(self.socket)))
        self.assertEqual(found[0]["mend"][0]["line"], "smtpd_milters = " + self.name)

    def test_folder_that_is_closed(self):
        os.chmod(self.directory, 0o700)
        self.check(self.site, *[("error", "reach")] * 3, text=r"smtpd \(chrooted\), as the user postfix, cannot open rcptguard/rcptguard\.sock: Permission denied: %s" % re.escape(self.directory))

    def test_socket_that_is_closed(self):
        os.chmod(self.socket, 0o600)
        self.addCleanup(os.chmod, self.socket, 0o660)
        self.check(self.site, *[("error", "reach")] * 3, text="cannot open")

    def test_folder_for_everybody(self):
        os.chmod(self.directory, 0o2777)
        self.addCleanup(os.chmod, self.directory, 0o2750)
        self.check(self.site, ("error", "socket"), text="can be written by others")
        os.chmod(self.directory, 0o2750)

    def test_daemon_away(self):
        self.guard.stop()
        self.check(self.site, ("error", "running"), ("error", "socket"), ("error", "answer"), mended=False)
        self.restart()
        self.assertSound(self.site)

    def other_socket(self, serve):
        """Another program in the daemon's place, with a socket of its own."""
        path = os.path.join(self.directory, "other.sock")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(path)
        self.addCleanup(os.unlink, path)
        listener.listen(8)
        os.chmod(path, 0o660)
        daemon.own(path)
        os.chown(path, -1, os.stat(self.directory).st_gid)
        doctorcase.set_key(self.site.config, "socket = unix:" + path)
        self.site.set(*["%s = unix:%s/other.sock" % (name, postfix.SOCKET_DIRECTORY) for name in ("smtpd_milters", "non_smtpd_milters")])
        threading.Thread(target=serve, args=(listener,), daemon=True).start()

    def test_another_program_listens(self):
        def serve(listener):
            try:
                while True:
                    with listener.accept()[0] as session:
                        session.sendall(b"220 this is no milter\r\n")
            except OSError:
                pass
        self.other_socket(serve)
        self.check(self.site, ("error", "running"), ("error", "answer"), text="does not speak the milter protocol", mended=False)

    def test_another_milter_listens(self):
        def serve(listener):
            try:
                while True:
                    with listener.accept()[0] as session:
                        if session.recv(4096):
                            session.sendall(b"\0\0\0\rO" + bytes([0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0]))
            except OSError:
                pass
        self.other_socket(serve)
        self.check(self.site, ("error", "running"), ("error", "answer"), text="what answers is another milter", mended=False)

    def test_something_in_the_sockets_place(self):
        path = daemon.write(os.path.join(self.directory, "file"), "")
        self.addCleanup(os.unlink, path)
        doctorcase.set_key(self.site.config, "socket = unix:" + path)
        self.site.set(*["%s = unix:%s/file" % (name, postfix.SOCKET_DIRECTORY) for name in ("smtpd_milters", "non_smtpd_milters")])
        self.check(self.site, ("error", "running"), ("error", "socket"), ("error", "answer"), text="is no socket", mended=False)

    def test_short_headers(self):
        self.site.set("header_size_limit = 30000", "header_address_token_limit = 5000")
        found = self.check(self.site, ("warning", "header-size"), ("warning", "header-size"))
        self.assertEqual([mend["line"] for one in found for mend in one["mend"]], ["header_size_limit = 102400", "header_address_token_limit = 10240"])

    def test_long_headers(self):
        """cut by Postfix no later for that: nothing to mend"""
        self.site.set("header_size_limit = 500000", "header_address_token_limit = 20000")
        self.assertSound(self.site)

    def inside(self):
        """A policy that asks what bodies show."""
        self.addCleanup(self.reload)
        self.addCleanup(self.guard.set_policy, policies.FIELD)
        self.guard.set_policy(policies.policy(rules=policies.rule("invite", "visible(external) inside calendar >= 10", 'quarantine "x"')))
        self.reload()

    def body_limit(self):
        one, = [one for one in self.findings(self.site) if one["check"] == "body-limit"]
        return one["severity"], one["text"]

    def test_body_limit(self):
        """only if a rule asks; the largest of main.cf and of each smtpd, and none at all"""
        self.site.set("message_size_limit = 50000000")
        self.assertEqual(self.body_limit(), ("ok", "no rule asks what a body shows"))
        self.inside()
        found = self.check(self.site, ("warning", "body-limit"), text="body is 10M, and message_size_limit is 50000000", mended=False)
        self.assertEqual([(mend["place"], mend["line"]) for one in found for mend in one["mend"]], [("rcptguard.conf", "body = 48M")])
        doctorcase.set_key(self.site.config, "body = 48M")
        self.assertEqual(self.body_limit(), ("ok", "a body of 48M is read, and message_size_limit is 50000000"))
        services = subprocess.run(["postconf", "-c", self.site.directory, "-M"], check=True, stdout=subprocess.PIPE).stdout.decode().splitlines()
        name = next(line.split()[0] for line in services if line.split()[1] == "inet" and line.split()[7] == "smtpd")
        subprocess.run(["postconf", "-c", self.site.directory, "-P", "%s/inet/message_size_limit=60000000" % name], check=True)
        daemon.settle(*(os.path.join(self.site.directory, name) for name in ("main.cf", "master.cf")))
        self.assertRegex(" ".join(self.body_limit()), r"^warning body is 48M, and message_size_limit of \S+ is 60000000$")
        self.site.set("message_size_limit = 0")
        self.assertEqual(self.body_limit(), ("warning", "body is 48M, and message_size_limit is 0"))

    # ---- what the administrator wrote stays, with its variables

    def written(self, name):
        return subprocess.run(["postconf", "-c", self.site.directory, "-h", name], check=True, stdout=subprocess.PIPE).stdout.decode().strip()

    def test_a_list_by_a_variable(self):
        """the variable is mended, and those who name it have it by that"""
        self.site.set("my_milters = inet:127.0.0.1:8891", "smtpd_milters = $my_milters", "non_smtpd_milters = ${smtpd_milters}")
        self.check(self.site, ("error", "smtpd-milters"), ("error", "non-smtpd-milters"))
        self.assertEqual((self.written("smtpd_milters"), self.written("non_smtpd_milters")), ("$my_milters", "${smtpd_milters}"))
        self.assertRegex(self.written("my_milters"), r"^inet:127\.0\.0\.1:8891, \S+$")

    def test_a_list_with_a_variable(self):
        self.site.set("my_signer = inet:127.0.0.1:8891", "smtpd_milters = %s, $my_signer" % self.written("smtpd_milters"))
        self.check(self.site, ("warning", "last"))
        self.assertRegex(self.written("smtpd_milters"), r"^\$my_signer, \S+$")

    def test_ours_within_a_variable(self):
        """it is written out there, or it would stand there twice"""
        self.site.set("my_milters = %s, inet:127.0.0.1:8891" % self.written("smtpd_milters"), "smtpd_milters = inet:127.0.0.1:8892, $my_milters")
        self.check(self.site, ("warning", "last"))
        self.assertRegex(self.written("smtpd_milters"), r"^inet:127\.0\.0\.1:8892, inet:127\.0\.0\.1:8891, \S+$")

    def test_words_with_a_variable(self):
        self.site.set("my_macros = j {daemon_name}", "milter_connect_macros = $my_macros", "my_options = no_address_mappings",
                      "receive_override_options = $my_options, no_milters", "my_drop = content-length", "message_drop_headers = $my_drop")
        self.check(self.site, ("note", "macros"), ("error", "override-options"), ("note", "drop-headers"))
        self.assertEqual([self.written(name) for name in ("milter_connect_macros", "receive_override_options", "message_drop_headers")],
                         ["$my_macros v", "$my_options", "$my_drop, bcc, resent-bcc"])

    # ---- policy, ledger, review

    def other_policy(self, text, mode=0o644):
        path = self.site.directory + ".policy"
        daemon.write(path, text, mode)
        doctorcase.set_key(self.site.config, "policy = " + path)
        return path

    def test_policy_that_cannot_be_read(self):
        self.other_policy(policies.FIELD, 0o600)
        self.check(self.site, ("error", "policy"), text="cannot be read: permission denied", mended=False)

    def test_policy_with_errors(self):
        self.other_policy("version 1\nclass internal { domain \"me.example\" }\n")
        self.check(self.site, ("error", "policy"), text=r":3:1: error: expected `default`", mended=False)

    def test_assertion_that_fails(self):
        self.other_policy(policies.policy(expectations='expect "me.example" is other\n'))
        self.check(self.site, ("error", "policy"), ("warning", "reload"), mended=False)

    def template(self, text, mode=0o644):
        path = daemon.write(self.site.directory + ".notice", text, mode)
        with open(self.site.config, encoding="utf-8") as file:
            text = file.read()
        daemon.write(self.site.config, text.replace("[review]\n", "[review]\nnotice = %s\n" % path))

    def test_notice(self):
        self.template("Subject: Held: {subject}\n\nIt was held: {text}.\n")
        self.assertSound(self.site)
        self.assertEqual([one["severity"] for one in self.findings(self.site) if one["check"] == "notice"], ["ok"])

    def test_notice_with_errors(self):
        """each with its place; the policy is sound all the same"""
        self.template("Subject: Held\nno empty line {subjct}\n\n{text\n")
        self.check(self.site, ("error", "notice"), ("error", "notice"), ("error", "notice"), mended=False,
                   text=r"\.notice:2:1: error: expected an empty line .*\n.*\.notice:2:15: error: there is no \{subjct\}; did you mean \{subject\}\?\n.*\.notice:4:1: error: this `\{`")

    def test_notice_that_cannot_be_read(self):
        self.template("Subject: Held\n\nHeld.\n", 0o600)
        self.check(self.site, ("error", "notice"), text="cannot be read: permission denied", mended=False)

    # ---- the configuration that the daemon runs with

    def configuration(self):
        """What doctor says of it."""
        return [one for one in self.wrong(self.site) if one["check"] == "configuration"]

    def run_reload(self):
        done = subprocess.run([review.PROGRAM, "reload", "-c", self.site.config], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=daemon.LIMIT, check=False, env=daemon.environment())
        return review.Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    def test_configuration(self):
        """a change is found until it is in force; reload says what it could not do, and why"""
        self.site.config = self.guard.config_path
        self.ELSEWHERE = frozenset()
        before = daemon.pathlib.Path(self.site.config).read_text(encoding="utf-8")
        self.addCleanup(daemon.write, self.site.config, before)
        self.assertEqual(self.configuration(), [])
        doctorcase.set_key(self.site.config, "on-error = accept")
        found, = self.configuration()
        self.assertEqual((found["severity"], found["text"], found["mend"]), ("warning", "%s: changed, and not yet in force: [milter] on-error" % self.site.config,
                                                                            [{"place": "shell", "line": "systemctl reload rcptguardd"}]))
        self.assertEqual(self.run_reload(), review.Answer(0, "reloaded\n", ""))
        self.assertEqual(self.configuration(), [])

        doctorcase.set_key(self.site.config, "timeout = 9000")
        doctorcase.set_key(self.site.config, "on-fault = reject")
        answer = self.run_reload()
        self.assertEqual((answer.code, answer.out), (review.WRONG, ""))
        self.assertIn("reloaded, but for [milter] timeout of %s: a restart is needed" % self.site.config, answer.err)
        found, = self.configuration()
        self.assertEqual((found["text"], found["mend"]), ("%s: changed, and needs a restart: [milter] timeout" % self.site.config,
                                                          [{"place": "shell", "line": "systemctl restart rcptguardd"}]))

        policy = daemon.pathlib.Path(self.guard.policy_path).read_text(encoding="utf-8")
        self.addCleanup(self.guard.set_policy, policy)
        self.guard.set_policy(policy + "nothing\n")
        answer = self.run_reload()
        self.assertEqual(answer.code, review.WRONG)
        self.assertIn("the reload failed, and everything is as before", answer.err)

    def test_reload_by_the_daemons_user(self):
        """as the unit does, where he does not see the daemon's process"""
        program = review.copy_program(daemon.temporary_directory())
        self.addCleanup(shutil.rmtree, os.path.dirname(program))
        # The program's own entry stays, for the sanitizers; for leaks they need more of /proc than there is.
        environment = daemon.environment()
        environment["ASAN_OPTIONS"] += ":detect_leaks=0"
        if tap.SANITIZERS != "no":
            program += "-itself"  # beside the script that has the sanitizers' options
        elsewhere = daemon.temporary_directory()
        self.addCleanup(os.rmdir, elsewhere)
        script = "mount -t proc proc %s && mount -t tmpfs tmpfs /proc && ln -s %s/self /proc/self && exec setpriv --reuid %s --clear-groups \"$@\"" % (
            elsewhere, elsewhere, daemon.USER)
        done = subprocess.run(["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", script, "sh", program, "reload", "-c", self.guard.config_path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=daemon.LIMIT, check=False, env=environment)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"reloaded\n", b""))

    def test_reload_of_no_daemon(self):
        """no process of another user gets a signal, whatever the record says"""
        other = os.path.join(daemon.temporary_directory(), "ledger.db")
        self.addCleanup(shutil.rmtree, os.path.dirname(other))
        self.site.config = daemon.write_config(self.site.config, {("milter", "user"): daemon.USER, ("ledger", "path"): other})
        for text in None, "", "process = %d\nreloads = 0\n" % os.getpid(), "process = 1\n", "process = -1\n":
            if text is not None:
                daemon.write(other + ".running", text)
            answer = self.run_reload()
            self.assertEqual((answer.code, answer.out), (review.WRONG, ""), text)
            self.assertIn("no rcptguardd runs", answer.err)

    def test_policy_that_is_not_in_force(self):
        before = policies.FIELD
        self.addCleanup(self.reload)
        self.addCleanup(self.guard.set_policy, before)
        self.guard.set_policy(before.replace("parties(external) >= 50", "parties(external) >= 51"))
        self.check(self.site, ("warning", "reload"))

    def test_logins(self):
        """a rule lists addresses as logins, and the MTA's are names: whose mail goes out is not met"""
        listed = "".join(policies.rule(name, test, "accept") for name, test in (
            ("boss", 'user = "care@me.example"'), ("both", 'parties(external) >= 2 and not user in "ann@me.example", "care@me.example"'),
            ("met", 'user in "care", "care@me.example"'), ("nobody", 'user = "nobody@me.example"'), ("pattern", 'user =~ /care@me.example/')))
        self.addCleanup(self.reload)
        self.addCleanup(self.guard.set_policy, policies.FIELD)
        self.guard.set_policy(policies.policy(rules=listed))
        self.reload()
        self.site.config = self.guard.config_path
        with self.guard.client() as mta:
            mta.connect("127.0.0.1")
            self.assertEqual(self.logins(), [])
            mta.message("care@me.example", ["a@x.example"], [("To", "a@x.example")], user="care")
            daemon.wait_until(self.logins, daemon.LIMIT, "what doctor says of logins")
            found, = self.logins()
            self.assertEqual((found["severity"], found["text"].rpartition(": ")[2]), ("warning", "boss, both"))
            mta.message("care@me.example", ["a@x.example"], [("To", "a@x.example")], user="care@me.example")
            daemon.wait_until(lambda: not self.logins(), daemon.LIMIT, "an end of it")

    def logins(self):
        return [one for one in self.wrong(self.site) if one["check"] == "logins"]

    def state(self):
        return {one["check"]: one for one in self.findings(self.site) if one["check"].startswith("state")}

    def test_state(self):
        """what is remembered: not needed, sound, with a key that others can read or that is none, damaged, missing, of a newer program"""
        self.assertEqual([(one["severity"], one["text"]) for one in self.state().values()], [("ok", "no rule needs one")])
        self.addCleanup(self.reload)
        self.addCleanup(self.guard.set_policy, policies.FIELD)
        self.guard.set_policy(policies.policy(rules=policies.rule("split", "parties(external) within 10m >= 20", 'quarantine "x"')))
        self.assertEqual(sorted((one["severity"], one["check"]) for one in self.state().values()), [("warning", "state-key")])
        self.reload()
        self.site.config = self.guard.config_path
        self.assertEqual({name: one["severity"] for name, one in self.state().items()}, dict.fromkeys(("state-key", "state", "state-integrity", "state-room"), "ok"))
        path, key = (os.path.join(self.guard.state_directory, name) for name in ("state.db", "state.key"))
        os.chmod(key, 0o644)
        found = [one for one in self.state().values() if one["severity"] != "ok"]
        self.assertEqual(self.names(found), [("error", "state-key")])
        for mend in found[0]["mend"]:
            doctorcase.shell(mend["line"], restart=self.restart, reload=self.reload)
        self.assertEqual(os.stat(key).st_mode & 0o777, 0o600)
        self.assertEqual({one["severity"] for one in self.state().values()}, {"ok"})

        copy = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, copy)
        os.chmod(copy, 0o700)
        copies = [os.path.join(copy, name) for name in ("state.db", "state.key")]
        self.site.config = daemon.write_config(self.site.directory + ".state.conf", {
            ("milter", "user"): daemon.USER, ("milter", "policy"): self.guard.policy_path, ("ledger", "path"): self.guard.ledger_path, ("state", "path"): copies[0],
            ("state", "key"): copies[1]})
        for what, wanted in ((lambda: daemon.write(copies[1], "no key\n", 0o600), ("error", "state-key", "this is no key")),
                             (lambda: ledgerfile.execute(copies[0], "PRAGMA user_version = 99"), ("error", "state", "newer")),
                             (lambda: self.overwrite(copies[0]), ("error", "state-integrity", "state.db")),
                             (lambda: os.unlink(copies[0]), ("warning", "state", "there is no such file"))):
            for source, target in ((path, copies[0]), (key, copies[1])):
                ledgerfile.copy(source, target) if source == path else shutil.copy(source, target)
                os.chmod(target, 0o600)
            what()
            for name in [copy, *(os.path.join(copy, each) for each in os.listdir(copy))]:
                daemon.own(name)
            found = [one for one in self.state().values() if one["severity"] != "ok"]
            self.assertEqual([(one["severity"], one["check"]) for one in found], [wanted[:2]], found)
            self.assertIn(wanted[2], found[0]["text"])
            for name in os.listdir(copy):
                os.unlink(os.path.join(copy, name))

    def test_state_in_trouble(self):
        """what is remembered: on a file system that is nearly full, and then full, which the daemon has counted"""
        folder = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, folder, True)
        for name in folder, folder + "/small":
            os.makedirs(name, exist_ok=True)
            os.chmod(name, 0o755)
        paths = {name: os.path.join(folder, "small", name) for name in ("state.db", "state.key")}
        uid = daemon.pwd.getpwnam(daemon.USER).pw_uid
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=31m,mode=700,uid=%d" % uid, "tmpfs", folder + "/small"], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", folder + "/small"], check=True)
        metrics = os.path.join(folder, "metrics", "rcptguard.prom")
        os.mkdir(os.path.dirname(metrics))
        daemon.own(os.path.dirname(metrics))
        policy = policies.policy(rules=policies.rule("split", "parties(external) within 10m >= 20", 'quarantine "x"'))
        with daemon.Daemon(policy, config={("state", "path"): paths["state.db"], ("state", "key"): paths["state.key"], ("metrics", "path"): metrics}) as guard:
            self.site.config = guard.config_path
            found = self.state()
            self.assertEqual(self.names(one for one in found.values() if one["severity"] != "ok"), [("warning", "state-room")], found)
            self.assertRegex(found["state-room"]["text"], r"^only (30|31)M are free on the file system of %s/small$" % folder)
            self.assertEqual(found["state-errors"]["severity"], "ok")
            with contextlib.suppress(OSError), open(folder + "/small/filler", "wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
            with guard.client() as mta:
                mta.connect("127.0.0.1")
                while guardcase.send(mta, sender="care@me.example", cc=policies.people(9)).verdict != milterclient.TEMPFAIL:
                    pass
            daemon.wait_until(lambda: self.state()["state-errors"]["severity"] == "note", daemon.LIMIT, "the daemon's metrics")
            self.assertRegex(self.state()["state-errors"]["text"], r"^the daemon could not use it [1-9]\d* times since its start$")
            self.assertTrue(self.state()["state-room"]["text"].startswith("only 0M are free"))

    @staticmethod
    def overwrite(path):
        """every page after the first two"""
        with open(path, "r+b") as file:
            file.seek(2 * 4096)
            file.write(b"\xa5" * (os.path.getsize(path) - 2 * 4096))

    def test_metrics(self):
        """The file is missing with its folder, old, and fresh."""
        folder = os.path.join(daemon.temporary_directory(), "metrics")
        self.addCleanup(shutil.rmtree, os.path.dirname(folder))
        path = os.path.join(folder, "rcptguard.prom")
        with open(self.site.config, "a", encoding="utf-8") as file:
            file.write("[metrics]\npath = %s\n" % path)
        found = self.check(self.site, ("warning", "metrics"), text="%s: No such file or directory" % path, mended=False)
        lines = [mend["line"] for mend in found[0]["mend"]]
        self.assertEqual(lines, ["install -d -o %s -m 755 %s" % (daemon.USER, folder), "systemctl restart rcptguardd"])
        subprocess.run(["sh", "-c", lines[0]], check=True)
        with daemon.Daemon(policies.FIELD, config={("metrics", "path"): path}):
            self.assertSound(self.site)
        old = os.stat(path).st_mtime - 1000
        os.utime(path, (old, old))
        found = self.check(self.site, ("warning", "metrics"), text=r"%s was written 1\d\d\d s ago, and should be every 15 s" % path, mended=False)
        self.assertEqual([mend["line"] for mend in found[0]["mend"]], ["systemctl restart rcptguardd"])

    def test_no_ledger(self):
        with open(self.site.config, encoding="utf-8") as file:
            text = file.read()
        daemon.write(self.site.config, text.replace(self.guard.ledger_path, self.guard.ledger_path + ".none"))
        self.check(self.site, ("error", "ledger"), mended=False)

    def test_damaged_ledger(self):
        folder = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, "ledger.db")
        ledgerfile.copy(self.guard.ledger_path, path)
        with open(path, "r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * 4096)
        os.chmod(folder, 0o700)
        daemon.own(folder)
        daemon.own(path)
        with open(self.site.config, encoding="utf-8") as file:
            text = file.read()
        daemon.write(self.site.config, text.replace(self.guard.ledger_path, path))
        self.assertTrue({"ledger", "integrity"} & {one["check"] for one in self.wrong(self.site) if one["severity"] == "error"})

    def test_groups(self):
        doctorcase.configuration(self.site.config, self.guard, mta="postfix", postfix_config=self.site.directory, list="rcptguard-nobody-is-in-here")
        found = self.check(self.site, ("error", "groups"), mended=False)
        self.assertEqual(found[0]["mend"], [{"place": "shell", "line": "groupadd --system rcptguard-nobody-is-in-here"}])

    def test_identities(self):
        doctorcase.configuration(self.site.config, self.guard, mta="postfix", postfix_config=self.site.directory, approvals=2)
        self.check(self.site, ("error", "identities"), mended=False)

    def test_oldest(self):
        recipients = mta.customers(12)
        reply = self.mta.send("plain", "care@me.example", recipients, mta.message(self.mta.new_subject(), "care@me.example", to=recipients))
        daemon.wait_until(lambda: reply.queue_id in self.mta.held(), daemon.LIMIT, "the hold")
        self.addCleanup(self.mta.drop, reply.queue_id)
        self.assertSound(self.site)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET began = began - ?1, judged = judged - ?1, arrival = arrival - ?1", 3 * 86400 * 1000000)
        self.mta.age(reply.queue_id, 3 * 86400)
        found = self.check(self.site, ("warning", "oldest"), text="%s has waited for 3 days" % reply.queue_id, mended=False)
        self.assertEqual(found[0]["mend"], [{"place": "shell", "line": "rcptguardq show " + reply.queue_id}])
        self.mta.drop(reply.queue_id)
        self.assertSound(self.site)

    def test_held_by_another(self):
        recipients = ["one@cust1.example"]
        self.mta.stop_sink()
        self.addCleanup(self.mta.start_sink)
        reply = self.mta.send("plain", "care@me.example", recipients, mta.message(self.mta.new_subject(), "care@me.example", to=recipients))
        subprocess.run(["postsuper", "-c", self.mta._path("etc"), "-h", reply.queue_id], check=True, stderr=subprocess.DEVNULL)
        self.addCleanup(self.mta.drop, reply.queue_id)
        self.check(self.site, ("note", "agreement"), text="1 on hold were not held", mended=False)


if __name__ == "__main__":
    tap.main(240)
