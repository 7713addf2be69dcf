#!/usr/bin/env python3
"""Prints what the worst shapes cost, from 8 kB to 1 MB, and what a doubling adds:

    growth.py BUILD-FOLDER

first of headers, then of bodies.  Millions of instructions (callgrind), the largest ratio of neighbours; then for
1 MB milliseconds of CPU, the least of five processes, and bytes of memory a byte of
header.
"""

import os
import sys
import tempfile

import body_shapes
from shapes import POLICY, SHAPES, instructions, judged, write_message

SIZES = [8000 << i for i in range(8)]


def main():
    judge = os.path.join(sys.argv[1], "tests/bench/judge")
    with tempfile.TemporaryDirectory() as folder:
        policy, message = os.path.join(folder, "policy"), os.path.join(folder, "message")
        with open(policy, "w") as out:
            out.write(POLICY)
        write_message(message, "a", 1)
        _, _, least = judged(judge, policy, message)
        print("%-24s" % "shape", *("%7dk" % (size // 1000) for size in SIZES), "  largest  1 MB ms  memory")
        worst = dearest = 0
        for shape in SHAPES:
            counts = []
            for size in SIZES:
                write_message(message, shape, size)
                counts.append(instructions(judge, policy, message))
            ratio = max(large / small for small, large in zip(counts, counts[1:]))
            worst = max(worst, ratio)
            nanoseconds, _, peak = judged(judge, policy, message, 5)
            dearest = max(dearest, nanoseconds)
            print("%-24s" % ascii(shape), *("%8.2f" % (count / 1e6) for count in counts),
                  "   %5.2fx  %7.1f  %5.1fx" % (ratio, nanoseconds / 1e6, (peak - least) / SIZES[-1]), flush=True)
        print("growth_worst_doubling %.2f x" % worst)
        print("growth_dearest_megabyte %.1f ms" % (dearest / 1e6))
        bodies(os.path.join(sys.argv[1], "tests/parts/show-parts"), message)


def bodies(show, message):
    """The same of bodies; the milliseconds are those of 10 MB, which a body may have."""
    body_shapes.write(message, "letter", 1)
    _, least, _ = body_shapes.shown(show, message)
    print("\n%-24s" % "body", *("%7dk" % (size // 1000) for size in SIZES), "  largest 10 MB ms  10 MB memory")
    worst = dearest = 0
    for shape in body_shapes.SHAPES:
        counts = []
        for size in SIZES:
            body_shapes.write(message, shape, size)
            counts.append(body_shapes.instructions(show, message))
        ratio = max(large / small for small, large in zip(counts, counts[1:]))
        worst = max(worst, ratio)
        body_shapes.write(message, shape, 10 * 1000 * 1000)
        nanoseconds, peak, _ = body_shapes.shown(show, message, 5)
        dearest = max(dearest, nanoseconds)
        print("%-24s" % shape, *("%8.2f" % (count / 1e6) for count in counts),
              "   %5.2fx  %7.1f  %5.1f MB" % (ratio, nanoseconds / 1e6, (peak - least) / 1e6), flush=True)
    print("growth_worst_body_doubling %.2f x" % worst)
    print("growth_dearest_body %.1f ms" % (dearest / 1e6))


if __name__ == "__main__":
    main()
