"""Each --help fits a screen of 80 columns and 24 lines, with the prompt below it."""

import os
import re
import unittest

import daemon
import tap
import tool

LINES, COLUMNS = 23, 80


class Help(unittest.TestCase):
    def shown(self, program, *arguments):
        with tool.Folder() as folder:
            status, output, errors = folder.run(*arguments, program=os.path.join(daemon.BUILD, program))
        self.assertEqual((status, errors), (0, ""))
        # Where a build's files are is no matter of the layout.
        return re.sub(r"/\S*/rcptguard/", "/etc/rcptguard/", output)

    def check(self, program, *arguments):
        text = self.shown(program, *arguments)
        with self.subTest(" ".join([program, *arguments])):
            self.assertLessEqual(text.count("\n"), LINES, text)
            for line in text.splitlines():
                self.assertLessEqual(len(line), COLUMNS, line)
        return text

    def check_commands(self, program, page):
        listed = re.findall(r"^  (\w+) +\S", self.check(program, "--help"), re.MULTILINE)
        self.assertGreaterEqual(len(listed), 3)
        for command in listed:
            for option in "--help", "-h":
                text = self.check(program, command, option)
                self.assertIn("%s %s" % (program, command), text)
                self.assertIn(page, text)

    def test_commands(self):
        """of the programs and of each of their commands"""
        self.check_commands("rcptguard", "rcptguard(1)")
        if os.path.exists(os.path.join(daemon.BUILD, "rcptguardq")):
            self.check_commands("rcptguardq", "rcptguardq(8)")

    def test_daemon(self):
        if os.path.exists(os.path.join(daemon.BUILD, "rcptguardd")):
            self.assertIn("rcptguardd(8)", self.check("rcptguardd", "--help"))

    def test_suggestions(self):
        """both programs say which option or command was perhaps meant"""
        for program, command, option in (("rcptguard", "check", "strict"), ("rcptguardq", "list", "json")):
            if not os.path.exists(os.path.join(daemon.BUILD, program)):
                continue
            for arguments, wanted in (([command, "--%sx" % option], "--%s" % option), ([command + "x"], command)):
                with self.subTest(program, arguments=arguments), tool.Folder() as folder:
                    status, output, errors = folder.run(*arguments, program=os.path.join(daemon.BUILD, program))
                    self.assertEqual((status, output), (2, ""))
                    self.assertIn("did you mean `%s`?\nTry `%s --help`." % (wanted, program), errors)

    def test_help_asks_nothing_else(self):
        """no policy is read, whatever else stands on the line"""
        self.assertEqual(self.shown("rcptguard", "explain", "--json", "-p", "nothing", "--help", "nothing.eml"),
                         self.shown("rcptguard", "explain", "--help"))


if __name__ == "__main__":
    tap.main()
