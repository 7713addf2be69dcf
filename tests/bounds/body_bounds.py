"""What a hostile body may cost: instructions and memory, for the worst shapes; valgrind counts them, which takes about 30 s."""

import os
import tempfile
import unittest

import tap
from body_shapes import instructions, shown, write

SHOW = os.path.join(os.environ["top_builddir"], "tests/parts/show-parts")

MEGABYTE = 1000 * 1000

# A doubling of the input may cost this much more; twice is linear.
GROWTH = 2.5

# Of 10 MB: 1,200 million took 72 ms where this was set; 100 ms are allowed.
INSTRUCTIONS = 1500 * MEGABYTE

# Bytes of memory beyond the message.
MEMORY = 24 * MEGABYTE

# Those that are counted here; `make growth` counts all, from 8 kB to 1 MB.
COUNTED = ("folds", "no soft ends", "nested multiparts", "near boundaries", "parameters", "quotes")

# The dearest.
DEAR = ("entities",)

# Those that might be kept as a whole.
LARGE = ("letter", "addresses", "folds", "soft ends", "base64", "utf-16", "nested messages", "empty parts", "one field", "one tag")

# Shapes of which something is not read, by what is reported.
REPORTED = {"empty parts": "limits", "boundaries": "limits", "nested messages": "limits", "nested multiparts": "limits", "addresses": "limits", "attendees": "limits", "contacts": "limits", "nested base64": "limits",
            "equals": "broken", "no utf-16": "broken", "no iso-2022-jp": "broken", "no base64": "broken", "no boundary": "broken", "parameters": "broken", "pdf": "types", "zip": "encrypted"}


class BodyBounds(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def message(self, shape, size):
        path = os.path.join(self.folder.name, "message")
        write(path, shape, size)
        return path

    def test_cost_grows_linearly(self):
        for shape in COUNTED:
            small = instructions(SHOW, self.message(shape, 64000))
            large = instructions(SHOW, self.message(shape, 128000))
            self.assertLess(large / small, GROWTH, "from 64 to 128 kB of %s" % shape)

    def test_ten_megabytes_are_cheap(self):
        for shape in DEAR:
            self.assertLess(instructions(SHOW, self.message(shape, 10 * MEGABYTE)), INSTRUCTIONS, "10 MB of %s" % shape)

    def test_memory_does_not_grow_with_the_message(self):
        _, least, _ = shown(SHOW, self.message("letter", 1))
        for shape in LARGE:
            _, peak, _ = shown(SHOW, self.message(shape, 10 * MEGABYTE))
            self.assertLess(peak - least, 10 * MEGABYTE + MEMORY, "10 MB of %s" % shape)

    def test_what_is_not_read_is_reported(self):
        for shape, kind in REPORTED.items():
            _, _, found = shown(SHOW, self.message(shape, 10 * MEGABYTE))
            self.assertIn(kind, found.rpartition("opaque=")[2].split(","), "10 MB of %s" % shape)


if __name__ == "__main__":
    tap.main(limit=600)
