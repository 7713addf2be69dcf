#!/usr/bin/env python3
"""Looks for header values that are dearer to judge than those of shapes.py:

    search.py BUILD-FOLDER SECONDS [SEED]

Those, and others of the same pieces, are changed at random; the dearest are kept and
changed again.  Prints the dearest with milliseconds of CPU for 1 MB.
"""

import os
import random
import sys
import tempfile
import time

from shapes import POLICY, SHAPES, judged, write_message

PIECES = ["a", "b", "x", "#", "$", "@", ".", ",", ";", ":", " ", "<", ">", "(", ")", "[", "]", '"', "\\", "'", "-", "*", "%", "!", "/", "|", "?", "=",
          "\n ", "\nTo: ", "\nCc: ", "\nFrom: ", "\nSubject: ",
          "=?", "?=", "=?utf-8?q?", "=?utf-8?b?", "=?x#?q?", "YUBi", "=40",
          "\u00fc", "\u00c9", "\u0301", "\u0323", "\u200b", "\u00ad", "\u202e", "\uff20", "\u3002", "\u6a23", "\u1161", "\u09be", "\ufb01", "\u1e9e", "\U00010330",
          "\udcff", "\udce2",
          "xn--", "corp.test", "amazonaws.com", "co.uk", "mailto:", "&lt;"]

KEPT = 60
FRESH = 150
LENGTH = 60

# Enough for what is quadratic to show, and for every bound.
SIZE = 256000
MEGABYTE = 1024000


class Search:
    def __init__(self, judge, folder, seed):
        self.judge = judge
        self.random = random.Random(seed)
        self.policy, self.message = os.path.join(folder, "policy"), os.path.join(folder, "message")
        with open(self.policy, "w") as out:
            out.write(POLICY)
        self.kept = []
        self.seen = set()

    def cost(self, shape, size, processes=1):
        write_message(self.message, shape, size)
        return judged(self.judge, self.policy, self.message, processes)[0]

    def offer(self, pieces):
        shape = "".join(pieces)
        if shape in self.seen:
            return
        self.seen.add(shape)
        cost = self.cost(shape, SIZE)
        # Again, since other work of the machine makes anything look dear.
        if len(self.kept) < KEPT or cost > self.kept[-1][0]:
            self.kept.append((min(cost, self.cost(shape, SIZE, 2)), pieces))
            self.kept.sort(key=lambda entry: -entry[0])
            del self.kept[KEPT:]

    def changed(self, pieces):
        pieces = list(pieces)
        for _ in range(self.random.randint(1, 3)):
            place = self.random.randrange(len(pieces))
            way = self.random.random()
            if way < 0.35:
                pieces.insert(place, self.random.choice(PIECES))
            elif way < 0.6 and len(pieces) > 1:
                pieces.pop(place)
            elif way < 0.85:
                pieces[place] = self.random.choice(PIECES)
            else:
                pieces[place:place] = pieces[place:place + self.random.randint(1, 6)]
        return pieces[:LENGTH]

    def next(self):
        """One of the dearest, changed, or the beginning of one with the end of another."""
        pieces = self.random.choice(self.kept)[1]
        if self.random.random() < 0.8:
            return self.changed(pieces)
        other = self.random.choice(self.kept)[1]
        return pieces[:self.random.randint(1, len(pieces))] + other[self.random.randrange(len(other)):]

    def run(self, seconds):
        end = time.monotonic() + seconds
        for shape in SHAPES:
            if "{" not in shape:
                self.offer([shape])
        for _ in range(FRESH):
            self.offer(self.random.choices(PIECES, k=self.random.randint(1, 10)))
        while time.monotonic() < end:
            self.offer(self.next())


def main():
    with tempfile.TemporaryDirectory() as folder:
        search = Search(os.path.join(sys.argv[1], "tests/bench/judge"), folder, int(sys.argv[3]) if len(sys.argv) > 3 else 1)
        search.run(float(sys.argv[2]))
        found = [(search.cost(shape, MEGABYTE, 5), shape) for shape in ("".join(pieces) for _, pieces in search.kept[:10])]
    for cost, shape in sorted(found, reverse=True):
        print("%8.1f ms  %s" % (cost / 1e6, ascii(shape)))
    print("search_shapes %d" % len(search.seen))
    print("search_dearest_megabyte %.1f ms" % (max(found)[0] / 1e6))


if __name__ == "__main__":
    main()
