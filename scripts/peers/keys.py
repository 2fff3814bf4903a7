# SPDX-License-Identifier: MIT
"""The keys of trpo-bench's random streams, as in include/trpo-bench/rng.h and trpo/rng/streams.h (a test compares)."""

STREAM_EVAL = 6        # evaluations under way; the same starts each time
STREAM_EVAL_FINAL = 7  # the evaluation at the end

MASK_32 = 0xFFFFFFFF
TOP_BIT = 1 << 63
ROOT = (0x7472706F2D62656E, 0x6368000000000001)


def philox4x32_10(key, counter):
    """One block of Salmon et al. 2011, section 3.3: four 32-bit words of (two words, four words)."""
    k0, k1 = key
    c0, c1, c2, c3 = counter
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & MASK_32, (p0 >> 32) ^ c3 ^ k1, p0 & MASK_32
        k0, k1 = (k0 + 0x9E3779B9) & MASK_32, (k1 + 0xBB67AE85) & MASK_32
    return c0, c1, c2, c3


def key_child(parent, label):
    """The key number `label` below `parent`; a key is two 64-bit words."""
    index = label | TOP_BIT
    words = philox4x32_10((parent[0] & MASK_32, parent[0] >> 32),
                          (index & MASK_32, index >> 32, parent[1] & MASK_32, parent[1] >> 32))
    return words[0] | words[1] << 32, words[2] | words[3] << 32


def stream_key(seed, purpose, i, j):
    """The key of stream (purpose, i, j) of run `seed`."""
    run = key_child(ROOT, seed & (TOP_BIT - 1))
    return key_child(key_child(key_child(run, purpose), i), j)
