"""The programs are built with the hardening flags that packaging/README.md names: what the linker and the compiler left of them."""

import os
import re
import subprocess
import unittest

import daemon
import tap


def readelf(option, program):
    """Its lines, not cut: -W."""
    return subprocess.run(["readelf", "-W", option, os.path.join(daemon.BUILD, program)], stdout=subprocess.PIPE, check=True, text=True).stdout


class Hardening(unittest.TestCase):
    def test_each_program(self):
        """position-independent, relocations read-only and bound at the start, no executable stack, a guard on the stack"""
        for program in "rcptguard", "rcptguardd", "rcptguardq":
            with self.subTest(program):
                self.assertRegex(readelf("-h", program), r"Type: +DYN")
                segments = readelf("-l", program)
                self.assertIn("GNU_RELRO", segments)
                self.assertRegex(segments, r"GNU_STACK .* RW +0x")
                self.assertRegex(readelf("-d", program), r"FLAGS_1\).*\bNOW\b.*\bPIE\b")
                self.assertTrue(re.search(r"\b__stack_chk_fail\b", readelf("--dyn-syms", program)))


if __name__ == "__main__":
    tap.main()
