/* SPDX-License-Identifier: MIT
 *
 * Counter-based random numbers for the host and for plugins: Philox4x32-10 (Salmon et al. 2011,
 * "Parallel random numbers: as easy as 1, 2, 3"), self-contained, the same bits everywhere. Tested
 * against Random123.
 *
 * A 128-bit tb_key names a stream. w[0] is Philox's 64-bit key, w[1] the high half of its 128-bit
 * counter; the low half counts blocks. tb_key_child() derives independent keys (top bit of the low
 * half set, so that children and numbers of one key never meet); everything is a pure function of
 * (key, label) or (key, index).
 */
#ifndef TRPO_BENCH_RNG_H
#define TRPO_BENCH_RNG_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One Philox4x32-10 block: 128 random bits out[4] of (key, counter). Salmon et al. 2011,
 * section 3.3, 10 rounds. */
static inline void tb_philox4x32_10(const uint32_t key[2], const uint32_t counter[4],
                                    uint32_t out[4])
{
    uint32_t k0 = key[0], k1 = key[1];
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    int round;
    for (round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)UINT32_C(0xD2511F53) * c0;
        uint64_t p1 = (uint64_t)UINT32_C(0xCD9E8D57) * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += UINT32_C(0x9E3779B9);
        k1 += UINT32_C(0xBB67AE85);
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* Block `index` of the key's stream as two 64-bit words. */
static inline void tb_key_block(const tb_key *key, uint64_t index, uint64_t out[2])
{
    uint32_t k[2], c[4], r[4];
    k[0] = (uint32_t)key->w[0];
    k[1] = (uint32_t)(key->w[0] >> 32);
    c[0] = (uint32_t)index;
    c[1] = (uint32_t)(index >> 32);
    c[2] = (uint32_t)key->w[1];
    c[3] = (uint32_t)(key->w[1] >> 32);
    tb_philox4x32_10(k, c, r);
    out[0] = (uint64_t)r[0] | (uint64_t)r[1] << 32;
    out[1] = (uint64_t)r[2] | (uint64_t)r[3] << 32;
}

/* The independent key number `label` (below 2^63) under `parent`. */
static inline tb_key tb_key_child(tb_key parent, uint64_t label)
{
    tb_key child;
    tb_key_block(&parent, label | UINT64_C(0x8000000000000000), child.w);
    return child;
}

/* 53 random bits as a double in [0, 1). */
static inline double tb_unit_f64(uint64_t bits)
{
    return (double)(bits >> 11) * (1.0 / 9007199254740992.0);
}

/* A position in a key's stream. Plain data: copying it copies the stream (snapshots do). */
typedef struct tb_rng {
    tb_key key;
    uint64_t n; /* 64-bit words drawn so far */
} tb_rng;

static inline void tb_rng_init(tb_rng *rng, tb_key key)
{
    rng->key = key;
    rng->n = 0;
}

/* The next 64 random bits. Words 2i and 2i+1 are the halves of block i. */
static inline uint64_t tb_rng_u64(tb_rng *rng)
{
    uint64_t block[2];
    tb_key_block(&rng->key, rng->n >> 1, block);
    return block[rng->n++ & 1];
}

/* The next number, uniform in [0, 1), 53 bits. */
static inline double tb_rng_f64(tb_rng *rng)
{
    return tb_unit_f64(tb_rng_u64(rng));
}

/* The next number, uniform in [low, high). */
static inline double tb_rng_uniform(tb_rng *rng, double low, double high)
{
    return low + (high - low) * tb_rng_f64(rng);
}

#ifdef __cplusplus
}
#endif
#endif
