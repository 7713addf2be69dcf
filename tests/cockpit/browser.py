#!/usr/bin/env python3
"""The page of held mail in a real Chromium, against a real cockpit-ws, PAM, sudo, rcptguardq, rcptguardd and Postfix.

It changes the users and the mail system of the machine: `packaging/try-web` makes one and runs it there.  Words on the command line choose tests by their names.
"""

import os
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "lib")]

import tap
from appearance_cases import Appearance  # noqa: F401
from decision_cases import Decisions  # noqa: F401
from fleet_cases import Nodes  # noqa: F401
from hostile_cases import Hostile, Looked  # noqa: F401
from inside_cases import Inside  # noqa: F401
from instance_cases import Instances  # noqa: F401
from list_cases import List, Many  # noqa: F401
from login_cases import Login  # noqa: F401
from trouble_cases import Trouble  # noqa: F401

if __name__ == "__main__":
    if os.environ.get("RCPTGUARD_MACHINE") != "1":
        sys.exit("browser.py: it changes /etc of this machine; packaging/try-web runs it on one that was made for it")
    tap.main(600)
