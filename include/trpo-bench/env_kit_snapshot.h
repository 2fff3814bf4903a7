/* SPDX-License-Identifier: MIT
 *
 * Environment kit: the extensions snapshot/1 and state-vector/1. Overview: env_kit.h.
 */
#ifndef TRPO_BENCH_ENV_KIT_SNAPSHOT_H
#define TRPO_BENCH_ENV_KIT_SNAPSHOT_H

#include <string.h>

#include "env_kit_bytes.h"
#include "env_kit_instance.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- snapshot/1 ----
 *
 * 64-bit little-endian words:
 *   magic, id hash, parameter hash, total bytes, phase, key[2], rng.n,
 *   the state's doubles, its other bytes as they are (zero-padded to 8).
 *
 * *Rationale:* no checksum. Vine loads a snapshot for each branch, from memory; what goes to disk
 * is the host's to checksum. A snapshot of something else is what the words in front find.
 */

#define TB__KIT_SNAPSHOT_MAGIC UINT64_C(0x32504e5354494b54) /* "TKITSNP2" */
#define TB__KIT_SNAPSHOT_HEAD 64u                           /* bytes before the state */

static inline uint64_t tb__kit_max_bytes(tb_env *env)
{
    return TB__KIT_SNAPSHOT_HEAD + env->state_bytes;
}

static inline void tb__kit_save_state(const tb_env *env, unsigned char *at)
{
    const double *x = (const double *)env->state;
    uint64_t i, doubles = 8 * env->n_state;
    for (i = 0; i < env->n_state; i++)
        tb__kit_put(at + 8 * i, tb__kit_bits(x[i]));
    memcpy(at + doubles, (const unsigned char *)env->state + doubles,
           (size_t)(env->state_bytes - doubles));
}

static inline tb_status tb__kit_save(const tb_env *env, void *buf, uint64_t cap, uint64_t *used)
{
    unsigned char *at = (unsigned char *)buf;
    uint64_t total = TB__KIT_SNAPSHOT_HEAD + env->state_bytes;
    if (!tb__kit_has_state(env))
        return tb__kit_state_error(env, "save");
    if (cap < total)
        return tb_kit_text(env->error, TB__KIT_ERROR_CAP, TB_E_INVALID,
                           "save() needs %llu bytes, the buffer has %llu",
                           (unsigned long long)total, (unsigned long long)cap);
    tb__kit_put(at, TB__KIT_SNAPSHOT_MAGIC);
    tb__kit_put(at + 8, env->id_hash);
    tb__kit_put(at + 16, env->params_hash);
    tb__kit_put(at + 24, total);
    tb__kit_put(at + 32, env->phase);
    tb__kit_put(at + 40, env->rng.key.w[0]);
    tb__kit_put(at + 48, env->rng.key.w[1]);
    tb__kit_put(at + 56, env->rng.n);
    tb__kit_save_state(env, at + TB__KIT_SNAPSHOT_HEAD);
    *used = total;
    return TB_OK;
}

static inline double tb__kit_saved_double(const unsigned char *state, uint64_t i)
{
    uint64_t bits = tb__kit_get(state + 8 * i);
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* NULL when the bytes are a snapshot of such an instance, else what is wrong with them. */
static inline const char *tb__kit_corrupt(const tb_env *env, const unsigned char *at, uint64_t used)
{
    uint64_t i, phase, total = TB__KIT_SNAPSHOT_HEAD + env->state_bytes;
    if (used < 8 || tb__kit_get(at) != TB__KIT_SNAPSHOT_MAGIC)
        return "they do not begin like a snapshot of the environment kit";
    if (used < 16 || tb__kit_get(at + 8) != env->id_hash)
        return "they are of another environment";
    if (used < 24 || tb__kit_get(at + 16) != env->params_hash)
        return "they were saved with other parameters";
    if (used != total || tb__kit_get(at + 24) != total)
        return "their length is wrong";
    phase = tb__kit_get(at + 32);
    if (phase != TB__KIT_RUNNING && phase != TB__KIT_ENDED)
        return "they hold no state";
    for (i = 0; i < env->n_state; i++)
        if (!isfinite(tb__kit_saved_double(at + TB__KIT_SNAPSHOT_HEAD, i)))
            return "they hold a non-finite state";
    for (i = 0; i < env->n_state && env->def->valid; i++)
        if (!env->def->valid(env->params, i, tb__kit_saved_double(at + TB__KIT_SNAPSHOT_HEAD, i)))
            return "they hold a state that this environment cannot be in";
    return NULL;
}

static inline tb_status tb__kit_load(tb_env *env, const void *buf, uint64_t used)
{
    const unsigned char *at = (const unsigned char *)buf, *state;
    const char *why = tb__kit_corrupt(env, at, used);
    uint64_t i, doubles = 8 * env->n_state;
    if (why)
        return tb_kit_text(env->error, TB__KIT_ERROR_CAP, TB_E_CORRUPT,
                           "load() refused %llu bytes: %s", (unsigned long long)used, why);
    state = at + TB__KIT_SNAPSHOT_HEAD;
    env->phase = tb__kit_get(at + 32);
    env->rng.key.w[0] = tb__kit_get(at + 40);
    env->rng.key.w[1] = tb__kit_get(at + 48);
    env->rng.n = tb__kit_get(at + 56);
    for (i = 0; i < env->n_state; i++)
        ((double *)env->state)[i] = tb__kit_saved_double(state, i);
    memcpy((unsigned char *)env->state + doubles, state + doubles,
           (size_t)(env->state_bytes - doubles));
    return TB_OK;
}

static inline tb_status tb__kit_rekey(tb_env *env, const tb_key *key)
{
    if (!tb__kit_has_state(env))
        return tb__kit_state_error(env, "rekey");
    tb_rng_init(&env->rng, *key);
    return TB_OK;
}

static inline tb_status tb__kit_observe(tb_env *env, void *obs_out)
{
    if (!tb__kit_has_state(env))
        return tb__kit_state_error(env, "observe");
    tb__kit_write_observation(env, obs_out);
    return TB_OK;
}

/* ---- state-vector/1 ---- */

static inline uint64_t tb__kit_vector_count(tb_env *env)
{
    return env->n_state;
}

static inline const char *tb__kit_vector_name(tb_env *env, uint64_t i)
{
    return i < env->n_state ? env->def->state_names[i] : NULL;
}

static inline tb_status tb__kit_vector_get(const tb_env *env, double *out)
{
    if (!tb__kit_has_state(env))
        return tb__kit_state_error(env, "get");
    memcpy(out, env->state, (size_t)(8 * env->n_state));
    return TB_OK;
}

/* The state's other bytes and the random stream stay as they are (zero before the first reset). */
static inline tb_status tb__kit_vector_set(tb_env *env, const double *in)
{
    uint64_t i, bad = tb__kit_first_bad(in, TB_F64, env->n_state);
    if (bad < env->n_state)
        return tb_kit_text(env->error, TB__KIT_ERROR_CAP, TB_E_INVALID,
                           "set() got a non-finite \"%s\"", env->def->state_names[bad]);
    for (i = 0; i < env->n_state && env->def->valid; i++)
        if (!env->def->valid(env->params, i, in[i]))
            return tb_kit_text(env->error, TB__KIT_ERROR_CAP, TB_E_INVALID,
                               "set(): \"%s\" cannot be %.17g", env->def->state_names[i], in[i]);
    memcpy(env->state, in, (size_t)(8 * env->n_state));
    env->phase = TB__KIT_RUNNING;
    return TB_OK;
}

#ifdef __cplusplus
}
#endif
#endif
