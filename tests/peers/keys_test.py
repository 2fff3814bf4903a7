# SPDX-License-Identifier: MIT
"""scripts/peers/keys.py against the headers it repeats: a C program prints the keys of the same streams."""

import os
import subprocess
import sys
import tempfile
import unittest

SOURCE, COMPILER = os.path.abspath(sys.argv[1]), sys.argv[2]
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(SOURCE, "scripts", "peers"))

import keys

STREAMS = [(seed, purpose, i, j)
           for seed in (0, 1, 9, 2**31, 2**32 + 5, 2**63 - 1, 2**64 - 1)
           for purpose in (keys.STREAM_EVAL, keys.STREAM_EVAL_FINAL)
           for i in (0, 3)
           for j in (0, 1, 99, 2**40 + 7)]

PROGRAM = r"""
#include <inttypes.h>
#include <stdio.h>
#include "trpo/rng/streams.h"
int main(void)
{
    uint64_t s[4];
    printf("%d %d\n", TB_STREAM_EVAL, TB_STREAM_EVAL_FINAL);
    while (scanf("%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &s[0], &s[1], &s[2], &s[3]) == 4) {
        tb_key key = tb_stream_key(s[0], s[1], s[2], s[3]);
        printf("%" PRIu64 " %" PRIu64 "\n", key.w[0], key.w[1]);
    }
    return 0;
}
"""


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory(prefix="trpo-bench ") as folder:
            source, program = os.path.join(folder, "keys.c"), os.path.join(folder, "keys")
            with open(source, "w", encoding="ascii") as file:
                file.write(PROGRAM)
            subprocess.run([COMPILER, "-I" + SOURCE, "-I" + os.path.join(SOURCE, "include"), source, "-o", program],
                           check=True)
            asked = "".join("%d %d %d %d\n" % stream for stream in STREAMS)
            lines = subprocess.run([program], input=asked, check=True, capture_output=True, text=True).stdout
        cls.purposes, *cls.expected = [tuple(map(int, line.split())) for line in lines.splitlines()]

    def test_streams_have_the_numbers_of_the_header(self):
        self.assertEqual((keys.STREAM_EVAL, keys.STREAM_EVAL_FINAL), self.purposes)

    def test_keys_are_those_of_the_c_library(self):
        self.assertEqual([keys.stream_key(*stream) for stream in STREAMS], self.expected)

    def test_keys_differ(self):
        # seeds are told apart by their lower 63 bits: of these seven, 2^64 - 1 and 2^63 - 1 are one
        self.assertEqual(len(set(self.expected)), len(STREAMS) * 6 // 7)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
