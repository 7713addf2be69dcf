"""The units as `make install` puts them: sound, and as closed as they are said to be."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import daemon
import tap

# systemd-analyze calls it "overall exposure level": 10 is a service without a sandbox.
EXPOSURE = 0.5
EXPOSURE_SENDMAIL = 7.5
EXPOSURE_INET = 1.0

# Those that hand mail to sendmail(1), whose set-group-id bit most of a sandbox would take away.
MAILS = {"rcptguard-notify.service", "rcptguard-digest.service"}
EXPOSURE_MAIL = 6.0

# That which does what reviewers do as root.
AGENT = "rcptguard-agent.service"
EXPOSURE_AGENT = 8.5

# The same, for servers that share a database: a process of the daemon's user talks to it.
FLEET = "rcptguard-fleet.service"

# The login of a reviewer, whose sudo inherits all that is set.
SESSION = "rcptguard-web-session@.service"
EXPOSURE_SESSION = 8.0


def run(arguments, **options):
    return subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=60 * tap.SLOWNESS, **options)


class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        env = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR")}
        result = run(["make", "-s", "-C", daemon.BUILD, "install-systemd", "DESTDIR=" + cls.folder, "prefix=/usr", "exec_prefix=/usr", "sbindir=/usr/sbin",
                      "sysconfdir=/etc", "localstatedir=/var", "systemdunitdir=/usr/lib/systemd/system", "sysusersdir=/usr/lib/sysusers.d",
                      "tmpfilesdir=/usr/lib/tmpfiles.d", "catalogdir=/usr/lib/systemd/catalog"], env=env)
        assert result.returncode == 0, result.stdout
        cls.units = pathlib.Path(cls.folder) / "usr/lib/systemd/system"

    def services(self):
        found = sorted(self.units.glob("*.service"))
        self.assertIn("rcptguardd.service", [path.name for path in found])
        return found

    def installed(self):
        return [path for path in pathlib.Path(self.folder).rglob("*") if path.is_file()]

    def test_no_path_is_left_open(self):
        self.assertGreaterEqual(len(self.installed()), 4)
        for path in self.installed():
            if path.suffix != ".catalog":  # where these are fields of the journal
                self.assertNotRegex(path.read_text(), r"@\w+@", path.name)

    def test_what_the_unit_starts(self):
        text = (self.units / "rcptguardd.service").read_text()
        self.assertIn("\nExecStart=/usr/sbin/rcptguardd -f\n", text)
        self.assertIn("\nAssertPathExists=/etc/rcptguard/policy\n", text)
        self.assertRegex(text, r"(?m)^ExecReload=.*/usr/sbin/rcptguardd -n .*&& /usr/sbin/rcptguardq reload ")  # a HUP only for what is sound
        for setting in ("Type=notify", "Restart=on-failure", "WatchdogSec=60", "LimitNOFILE=16384", "MemoryMax=1G"):
            self.assertIn("\n%s\n" % setting, text)

    def test_the_timers_are_silent(self):
        """they run from the installation on: no line for a run of which there is nothing to say, and no failure of what is not configured"""
        for name in "notify", "digest":
            text = (self.units / ("rcptguard-%s.service" % name)).read_text()
            for setting in ("ExecStart=/usr/sbin/rcptguardq %s --if-configured" % name, "LogLevelMax=notice", "SyslogLevel=notice"):
                self.assertIn("\n%s\n" % setting, text)

    def test_the_agent(self):
        """woken by the file that the daemon writes, and every minute; silent, as the others are"""
        text = (self.units / "rcptguard-agent.service").read_text()
        for setting in "ExecStart=/usr/sbin/rcptguardq agent", "LogLevelMax=notice", "SyslogLevel=notice", "SuccessExitStatus=75", "StartLimitIntervalSec=0":
            self.assertIn("\n%s\n" % setting, text)
        self.assertIn("\nOnUnitInactiveSec=1min\n", (self.units / "rcptguard-agent.timer").read_text())

    def test_the_fleet(self):
        """it goes on for ever, but for what a person has to fix"""
        text = (self.units / FLEET).read_text()
        for setting in "ExecStart=/usr/sbin/rcptguardq agent --wait", "Restart=always", "RestartPreventExitStatus=1 2", "StartLimitIntervalSec=0", "KillMode=process":
            self.assertIn("\n%s\n" % setting, text)

    def test_what_is_woken(self):
        """by the files that the daemon writes; and after a burst of them too"""
        bells = dict(re.findall(r'#define BELL_(\w+) +"(.*)"', (pathlib.Path(daemon.SOURCE) / "milter/ledger/ledger_bell.h").read_text()))
        for name, bell in ("agent", "AGENT"), ("notify", "NOTICE"):
            self.assertIn("\nPathModified=/var/lib/rcptguard/%s\n" % bells[bell], (self.units / ("rcptguard-%s.path" % name)).read_text())
            self.assertRegex((self.units / ("rcptguard-%s.service" % name)).read_text(), r"(?s)^\[Unit\]\n[^[]*\nStartLimitIntervalSec=0\n")

    def test_the_tmpfiles_are_those_of_the_configuration(self):
        tmpfiles = (pathlib.Path(self.folder) / "usr/lib/tmpfiles.d/rcptguard.conf").read_text()
        config = (pathlib.Path(daemon.SOURCE) / "packaging/rcptguard.conf").read_text()
        socket = re.search(r"^#socket = unix:(.*)/rcptguard\.sock$", config, re.M).group(1)
        self.assertIn("\nd %s 2750 rcptguard postfix -\n" % socket, tmpfiles)
        self.assertIn("\nd /var/lib/rcptguard 0750 rcptguard rcptguard -\n", tmpfiles)

    @unittest.skipUnless(shutil.which("journalctl"), "there is no journalctl (package systemd)")
    def test_the_catalog(self):
        """journalctl takes it, and it has each kind of line and no other, with fields that there are."""
        result = run(["journalctl", "--root=" + self.folder, "--update-catalog"])
        self.assertEqual(result.returncode, 0, result.stdout)
        result = run(["journalctl", "--root=" + self.folder, "--list-catalog", "--no-pager"])
        listed = re.findall(r"^([0-9a-f]{32}) (\S+): (.+)$", result.stdout, re.M)
        known = re.findall(r'\[ENTRY_\w+\] = \{"[\w-]+", "([0-9a-f]{32})"\}', (pathlib.Path(daemon.SOURCE) / "milter/log/log_entry.c").read_text())
        self.assertEqual(sorted(number for number, _, _ in listed), sorted(known))
        self.assertEqual({program for _, program, _ in listed}, {"rcptguard"})
        facts = {name for source in ("daemon/worker.c", "log/log_fields.c", "daemon/service.c")
                 for name in re.findall(r'\b(?:entry|add)_\w+\(&?entry, "([a-z-]+)"', (pathlib.Path(daemon.SOURCE) / "milter" / source).read_text())}
        fields = {"RCPTGUARD_" + name.upper().replace("-", "_") for name in facts | {"queue-id"}}
        used = set(re.findall(r"@(\w+)@", (pathlib.Path(daemon.SOURCE) / "packaging/systemd/rcptguard.catalog").read_text()))
        self.assertGreater(len(used), 10)
        self.assertLessEqual(used, fields)

    def test_instances(self):
        """each unit but those of the web server is there as a template, which has nothing that is not the instance's own"""
        plain = [path for path in self.units.iterdir() if path.is_file() and "@" not in path.name and "-web" not in path.name]
        self.assertIn("rcptguardd.service", [path.name for path in plain])
        for path in plain:
            template = path.with_name("%s@%s" % (path.stem, path.suffix))
            text = template.read_text()
            settings = re.sub(r"(?m)^#.*\n", "", text)
            self.assertRegex(settings, r"(?m)^Description=rcptguard %i,", template.name)
            # What has no name in it is for all: the programs, the manuals, the directory of the metrics and the mail of Sendmail.
            for word in re.findall(r"[-+=' ](/(?:etc|var|run)/[^\s';]*)", settings):
                if word not in ("/etc/rcptguard", "/run/rcptguard-metrics", "/run/sendmail", "/var/spool/mqueue", "/var/mail", "/var/spool/mail", "/var/lib/sendmail"):
                    self.assertIn("%i", word, template.name)
            for command in re.findall(r"/usr/sbin/rcptguard\w* [^&']*", settings):
                self.assertRegex(command, r"--instance %i|-c /etc/rcptguard/%i\.conf", template.name)
        self.assertIn("\nStateDirectory=rcptguard-%i\n", (self.units / "rcptguardd@.service").read_text())
        self.assertIn("\nPathModified=/var/lib/rcptguard-%i/agent.wake\n", (self.units / "rcptguard-agent@.path").read_text())

    def test_before_postfix(self):
        """the daemon of an instance is started before the instance, whichever of its two names Postfix's unit has; only one of both units names the other"""
        self.assertIn("\nAfter=rcptguardd@%i.service rcptguardd@postfix-%i.service\n", (self.units / "postfix@.service.d/rcptguard.conf").read_text())
        self.assertNotIn("postfix@", (self.units / "rcptguardd@.service").read_text())

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze (package systemd)")
    def test_the_sandbox(self):
        for path in self.services():
            name = path.name if path.name == SESSION else path.name.replace("@", "")
            self.assertLessEqual(self.exposure(path), EXPOSURE_AGENT if name in (AGENT, FLEET) else EXPOSURE_SESSION if name == SESSION else EXPOSURE_MAIL if name in MAILS else EXPOSURE, path.name)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze (package systemd)")
    def test_the_units_are_sound(self):
        """systemd reads the templates, with a name, without a complaint"""
        names = [path.name.replace("@.", "@postfix-out.") for path in self.units.iterdir() if path.is_file() and "@." in path.name and "-web" not in path.name]
        self.assertGreater(len(names), 5)
        for name in names:
            result = run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", "--root=" + self.folder, name])
            complaints = [line for line in result.stdout.splitlines() if "rcptguard" in line and "is not executable" not in line and "not found" not in line]
            self.assertEqual(complaints, [], result.stdout)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze (package systemd)")
    def test_the_sandbox_with_the_drop_ins_for_tcp(self):
        for name in "rcptguardd-inet.conf", "rcptguardd-database.conf":
            folder = self.units / "rcptguardd.service.d"
            folder.mkdir()
            shutil.copy(pathlib.Path(daemon.SOURCE) / "packaging/systemd" / name, folder)
            found = self.exposure(self.units / "rcptguardd.service")
            shutil.rmtree(folder)
            self.assertLessEqual(found, EXPOSURE_INET)
            self.assertGreater(found, EXPOSURE)  # else the drop-in was not read, or is not needed

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze (package systemd)")
    def test_the_sandbox_with_the_drop_in_for_sendmail(self):
        for name in MAILS:
            folder = self.units / (name + ".d")
            folder.mkdir()
            self.addCleanup(shutil.rmtree, folder)
            shutil.copy(pathlib.Path(daemon.SOURCE) / "packaging/systemd/rcptguard-sendmail.conf", folder)
            found = self.exposure(self.units / name)
            self.assertLessEqual(found, EXPOSURE_SENDMAIL)
            self.assertGreater(found, EXPOSURE_MAIL)  # else the drop-in was not read, or is not needed

    def exposure(self, unit):
        result = run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)])
        match = re.search(r"Overall exposure level for \S+: ([0-9.]+)", result.stdout)
        self.assertTrue(match, result.stdout)
        print("%s: %s" % (unit.name, match.group(1)))
        return float(match.group(1))


class Configuration(unittest.TestCase):
    """The rcptguard.conf that is installed, as it is and with each default written out."""

    def setUp(self):
        self.text = (pathlib.Path(daemon.SOURCE) / "packaging/rcptguard.conf").read_text()
        self.written_out = re.sub(r"^#(?=[a-z-]+ = )", "", self.text, flags=re.M)

    def complaints(self, text):
        """What rcptguardd says of its lines; that there is no policy yet is another matter."""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        path = pathlib.Path(folder) / "rcptguard.conf"
        path.write_text(text)
        output = run([daemon.PROGRAM, "-n", "-c", str(path)], env=daemon.environment()).stdout
        return re.findall(r"^\S+/rcptguard\.conf:\d+:.*$", output, re.M)

    def test_it_is_sound(self):
        self.assertEqual(self.complaints(self.text), [])
        self.assertEqual(self.complaints(self.written_out), [])
        self.assertEqual(len(self.complaints(self.text + "nonsense = 1\n")), 1)

    def test_without_a_policy(self):
        """it is said what to type"""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        path = pathlib.Path(folder) / "rcptguard.conf"
        path.write_text("[milter]\nuser = %s\n" % daemon.USER)
        done = run([daemon.PROGRAM, "-n", "-c", str(path)], env=daemon.environment())
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"(?m)^/\S*/rcptguard/policy: error: does not exist; `rcptguard init` writes a first policy$")

    def test_its_defaults_are_those_of_the_manual(self):
        manual = (pathlib.Path(daemon.SOURCE) / "milter/common/rcptguard.conf.5").read_text()
        keys = re.findall(r"^([a-z-]+ = .*)$", self.written_out, re.M)
        self.assertGreater(len(keys), 5)
        for key in keys:  # what has no default stands there as a comment
            self.assertRegex(manual, r"(?m)^(# )?%s$" % re.escape(key))


if __name__ == "__main__":
    tap.main()
