"""SECURITY.md, "Threat model": each promise names tests, and each of them is there and is run."""

import pathlib
import re
import unittest

import daemon
import tap

SOURCE = pathlib.Path(daemon.SOURCE)
WHO = ["sender", "local user", "socket", "reviewer", "taken over the daemon", "another node of a fleet", "policy's author", "package's maintainer"]


def section():
    return re.search(r"(?ms)^## Threat model\n(.*?)^## ", (SOURCE / "SECURITY.md").read_text()).group(1)


def promises(text):
    """(promise, [(file, case)]) of each row."""
    rows = re.findall(r"(?m)^\| (?!promise|---)(.*?) \| (.*) \|$", text)
    return [(promise, re.findall(r"`(tests/[\w/.-]+): (test_\w+)`", tests)) for promise, tests in rows]


def missing(file, case):
    """Why this test proves nothing, or None."""
    path = SOURCE / file
    if not path.is_file():
        return "%s is not there" % file
    if not re.search(r"\bdef %s\(" % case if path.suffix == ".py" else r"(?m)^static void %s\(" % case, path.read_text()):
        return "%s has no %s" % (file, case)
    if file.removesuffix(".c") not in (SOURCE / "Makefile.am").read_text():
        return "%s is not run" % file
    return None


class ThreatModel(unittest.TestCase):
    def test_tests(self):
        """each test that is named exists, by its file and its case, and belongs to `make check`"""
        named = [each for _promise, tests in promises(section()) for each in tests]
        self.assertGreater(len(named), 40)
        self.assertEqual([why for why in (missing(*each) for each in named) if why], [])

    def test_promises(self):
        """no promise is without a test, and nothing else stands in the column"""
        rows = promises(section())
        self.assertEqual([promise for promise, tests in rows if not tests], [])
        self.assertEqual(sum(len(tests) for _promise, tests in rows), section().count("`tests/") - 1)  # but for this test's own name

    def test_who(self):
        """each of those whom it is about has a table"""
        parts = re.split(r"(?m)^(?=\*\*)", section())[1:]
        self.assertEqual(len(parts), len(WHO))
        for who, part in zip(WHO, parts):
            self.assertIn(who, part.partition("\n")[0])
            self.assertGreaterEqual(len(promises(part)), 4, who)

    def test_it_can_fail(self):
        """what is not there is noticed"""
        self.assertEqual(missing("tests/milter/no_such.py", "test_x"), "tests/milter/no_such.py is not there")
        self.assertEqual(missing("tests/milter/size.py", "test_no_such"), "tests/milter/size.py has no test_no_such")
        self.assertEqual(missing("tests/unit/test-pattern.c", "test_no_such"), "tests/unit/test-pattern.c has no test_no_such")


if __name__ == "__main__":
    tap.main()
