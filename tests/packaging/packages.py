"""What the packages of Debian and Fedora say is what the tree says: versions, what a build needs, the licence."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import tap

SOURCE = pathlib.Path(os.environ.get("top_srcdir") or pathlib.Path(__file__).resolve().parents[2])


def read(name):
    return (SOURCE / name).read_text()


def listed(variable):
    """The libraries of one of the lists in quickstart."""
    words = re.search(r'^%s="([^"]*)"' % variable, read("packaging/quickstart"), re.M).group(1).split()
    found = {word for word in words if word.endswith(("-dev", "-devel"))}
    return found - {"libc6-dev"}  # every compiler of Debian brings that


def field(name):
    text = re.search(r"^%s:((?:.*\n)(?:[ \t].*\n)*)" % name, read("packaging/debian/control"), re.M).group(1)
    return {re.match(r"\S+", alternative.strip()).group() for item in text.split(",") for alternative in item.split("|")}


class Packages(unittest.TestCase):
    def test_one_version(self):
        version = re.search(r"^AC_INIT\(\[rcptguard\], \[([^]]+)\]", read("configure.ac"), re.M).group(1)
        self.assertRegex(read("packaging/debian/changelog"), r"\Arcptguard \(%s\) " % re.escape(version))
        self.assertIn("%%{!?rcptguard_version:%s}" % version, read("packaging/rpm/rcptguard.spec"))
        self.assertRegex(read("packaging/rpm/rcptguard.spec"), r"%%changelog\n\* .* - %s-\d+\n" % re.escape(version))
        self.assertRegex(read("NEWS"), r"\Arcptguard %s\n" % re.escape(version))
        self.assertRegex(version, r"\A\d+\.\d+\.\d+\Z")

    def test_news(self):
        """Each version has a heading and says something; the newest is first."""
        found = re.findall(r"(?m)^rcptguard (\d+)\.(\d+)\.(\d+)\n(?:  \S)", read("NEWS"))
        self.assertEqual(len(found), len(re.findall(r"(?m)^\S", read("NEWS"))))
        self.assertEqual(found, sorted(found, key=lambda version: tuple(map(int, version)), reverse=True))

    def test_debian_builds_with_what_a_build_needs(self):
        self.assertGreater(len(listed("APT")), 8)
        self.assertEqual(listed("APT") - field("Build-Depends"), set())

    def test_fedora_builds_with_what_a_build_needs(self):
        required = set(re.findall(r"^BuildRequires: +(\S+)", read("packaging/rpm/rcptguard.spec"), re.M))
        self.assertGreater(len(listed("DNF")), 8)
        self.assertEqual(listed("DNF") - required, set())

    def test_before_a_removal(self):
        """at a removal alone, of this root alone, the package's script asks whether it may go, and stays if not"""
        with tempfile.TemporaryDirectory(prefix="rcptguard-packages.") as folder:
            asked = pathlib.Path(folder, "before-removal")
            asked.write_text("#!/bin/sh\necho asked\nexit 1\n")
            asked.chmod(0o755)
            prerm = read("packaging/debian/rcptguard-milter.prerm").replace("/usr/libexec/rcptguard/before-removal", str(asked))
            preun = re.search(r"(?ms)^%preun milter\n(.*?)^%\{\?", read("packaging/rpm/rcptguard.spec")).group(1).replace("%{_libexecdir}/rcptguard/before-removal", str(asked))
            self.assertTrue(str(asked) in prerm and str(asked) in preun)

            def run(script, *arguments, **environment):
                done = subprocess.run(["sh", "-c", script, "sh", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False,
                                      env={"PATH": "/usr/bin:/bin", "RCPTGUARD_REMOVE": "keep", **environment})
                return done.returncode, done.stdout
            self.assertEqual(run(prerm, "remove"), (1, "asked\n"))
            self.assertEqual(run(prerm, "remove", "in-favour", "other", "1"), (1, "asked\n"))
            for arguments in (["upgrade", "2"], ["failed-upgrade", "1"], ["deconfigure", "in-favour", "other", "1"]):
                self.assertEqual(run(prerm, *arguments), (0, ""), arguments)
            self.assertEqual(run(prerm, "remove", DPKG_ROOT="/mnt")[0], 0)
            self.assertEqual((run(preun, "0"), run(preun, "1")), ((1, "asked\n"), (0, "")))

    def test_the_licence(self):
        words = read("LICENSE").split()
        copyright_file = re.sub(r"^ \.$", " ", read("packaging/debian/copyright"), flags=re.M)
        self.assertIn(" ".join(words[words.index("Redistribution"):]), " ".join(copyright_file.split()))


if __name__ == "__main__":
    tap.main()
