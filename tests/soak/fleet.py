"""Servers that share a database: 1,000 messages decided from any, local and central decisions at the same moment, agents killed at each step, and the database in every kind of trouble.

The cases are those of tests/fleet, with larger numbers in the long form.
"""

import os
import sys
import unittest

import daemon
import fleetcase
import soak

sys.path.insert(0, os.path.join(daemon.SOURCE, "tests", "fleet"))

from decisions import Many, Races  # noqa: E402
from trouble import Killed  # noqa: E402

if soak.LONG:
    from trouble import Away, Clocks, CutOff, FailedOver

if __name__ == "__main__":
    unittest.TestCase.maxDiff = None
    fleetcase.main(max(soak.LIMIT, 600))
