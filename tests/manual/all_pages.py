"""Every manual page is sound mdoc(7), is installed, and refers to pages that exist."""

import os
import re
import unittest

import csource
import daemon
import page
import tap

# mandoc looks for the pages that a page refers to where the system has its own; the reference test below knows ours.
REFERENCE = re.compile(r"STYLE: referenced manual not found: Xr |^mandoc: outdated mandoc\.db lacks ")

# Pages of others: by what they come with.
OTHERS = {"sudo 8", "seccomp 2", "landlock 7", "visudo 8", "syslog 3", "systemd 1", "systemd-journald.service 8", "systemd.journal-fields 7", "smtpd 8", "sendmail 1", "postconf 5", "postconf 1", "postmap 1", "postmulti 1", "postcat 1", "postqueue 1", "postsuper 1", "syslog.conf 5",
          "pcre2pattern 3", "cockpit.conf 5", "cockpit-ws 8", "ssh 1", "psql 1", "pg_dump 1"}


class Pages(unittest.TestCase):
    def test_every_page(self):
        """there is no page that the tests do not know"""
        there = {os.path.relpath(os.path.join(place, name), daemon.SOURCE) for folder in ("policy", "milter", "packaging")
                 for place, _below, names in os.walk(os.path.join(daemon.SOURCE, folder)) for name in names if re.search(r"\.[1-9]$", name)}
        self.assertEqual(there, set(page.PAGES.values()))

    def test_lint(self):
        """mandoc -T lint has nothing to say, of any level"""
        for name in page.PAGES:
            with self.subTest(name):
                _code, output = page.mandoc("-T", "lint", page.path(name))
                self.assertEqual([line for line in output.splitlines() if not REFERENCE.search(line)], [])

    def test_lint_can_fail(self):
        """mandoc complains of a page that is wrong"""
        _code, output = page.mandoc("-T", "lint", os.path.join(daemon.SOURCE, "NEWS"))
        self.assertTrue([line for line in output.splitlines() if not REFERENCE.search(line)])

    def test_references(self):
        """each .Xr is a page of ours or a known one of others, and ours refer to each other"""
        ours = {re.sub(r"\((\d)\)", r" \1", name) for name in page.PAGES}
        for name in page.PAGES:
            with self.subTest(name):
                found = {" ".join(child.text() for child in reference.children) for reference in page.tree(name).find("Xr", "elem")}
                self.assertLessEqual(found, ours | OTHERS)
                self.assertEqual(found & ours, ours - {re.sub(r"\((\d)\)", r" \1", name)})

    def test_titles(self):
        """each page says its own name and section"""
        for name, file in page.PAGES.items():
            title, section = re.fullmatch(r"(.*)\((\d)\)", name).groups()
            self.assertEqual(os.path.basename(file), "%s.%s" % (title, section))
            text = page.read(name)
            self.assertIn("\n.Dt %s %s\n" % (title.upper(), section), "\n" + text)
            self.assertIn("\n.Nm %s\n" % title, text)

    def test_installed(self):
        """each page is installed"""
        makefile = re.sub(r"\\\n", " ", csource.read("Makefile.am"))
        listed = " ".join(re.findall(r"^dist_man_MANS \+?= *(.*)$", makefile, re.MULTILINE)).split()
        self.assertEqual(set(listed), set(page.PAGES.values()))

    def test_escapes(self):
        """the escapes are those that every roff understands alike"""
        for name in page.PAGES:
            with self.subTest(name):
                self.assertEqual(re.findall(r"(?m)^(?!\.\\\").*\\\\.*$", page.read(name)), [], "a doubled backslash")


if __name__ == "__main__":
    tap.main()
