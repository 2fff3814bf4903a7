/* SPDX-License-Identifier: MIT
 *
 * Environment kit: hashes and little-endian words. Overview: env_kit.h.
 */
#ifndef TRPO_BENCH_ENV_KIT_BYTES_H
#define TRPO_BENCH_ENV_KIT_BYTES_H

#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TB__KIT_HASH_START UINT64_C(0xcbf29ce484222325)

/* Mixes one word in. Each step is a bijection of the hash, so two inputs that differ in one word
 * never meet. */
static inline uint64_t tb__kit_hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static inline uint64_t tb__kit_hash_text(uint64_t hash, const char *text)
{
    do
        hash = tb__kit_hash_word(hash, (unsigned char)*text);
    while (*text++);
    return hash;
}

static inline uint64_t tb__kit_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline void tb__kit_put(unsigned char *at, uint64_t word)
{
    int i;
    for (i = 0; i < 8; i++)
        at[i] = (unsigned char)(word >> 8 * i);
}

static inline uint64_t tb__kit_get(const unsigned char *at)
{
    /* written out, not a loop: compilers see one load */
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
           (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 |
           (uint64_t)at[7] << 56;
}

#ifdef __cplusplus
}
#endif
#endif
