/* SPDX-License-Identifier: MIT
 *
 * Environment kit: an optional, header-only way to write a plugin of env.h. The author writes the
 * physics and one tb_kit_def for each environment; the kit makes the entry, the factory, the
 * instances, params-schema/1, snapshot/1, state-vector/1 and vec/1 of it:
 *
 *   static const tb_kit_def cartpole = { ... };
 *   TB_KIT_PLUGIN(&cartpole);             (several: TB_KIT_PLUGIN(&cartpole, &acrobot);)
 *
 * The kit sees to everything that is the same in every environment: the order of calls, the checks
 * of actions and parameters, non-finite states, messages, the framing of snapshots. An instance is
 * one allocation (two with tables()); reset, step, save and load allocate nothing; nothing is
 * global but constants.
 *
 * The functions of a tb_kit_def never see the instance: they get constant parameters, one state,
 * one random stream. *Rationale:* whoever owns the state can then lay it out as he likes, many
 * lanes side by side for instance, without a change to any environment.
 *
 * What the kit does not cover (composite observations, array parameters, BOX spaces whose shape
 * depends on parameters) is written against env.h directly. Environments of finitely many states
 * with known dynamics: tabular_kit.h.
 *
 * What to fill in is explained in env_kit_def.h; the other env_kit_*.h are the kit's own code.
 *
 * Include it in one .c file of a plugin. Names tb__kit_* are internal. Compiles alone as C99 to
 * C17 and C++11 to C++20 with -pedantic -Wpadded -Werror.
 */
#ifndef TRPO_BENCH_ENV_KIT_H
#define TRPO_BENCH_ENV_KIT_H

#include <stdlib.h>
#include <string.h>

#include "env_kit_def.h"
#include "env_kit_instance.h"
#include "env_kit_params.h"
#include "env_kit_snapshot.h"
#include "env_kit_vec.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- tables ---- */

static inline const void *tb__kit_env_extension(tb_env *env, const char *id)
{
    /* doubles are written little-endian, other bytes as this build lays them out */
    static const tb_env_snapshot portable = {
        sizeof(tb_env_snapshot), TB_SNAP_PORTABLE, tb__kit_max_bytes, tb__kit_save, tb__kit_load,
        tb__kit_rekey,           tb__kit_observe};
    static const tb_env_snapshot same_binary = {
        sizeof(tb_env_snapshot), TB_SNAP_SAME_BINARY, tb__kit_max_bytes, tb__kit_save, tb__kit_load,
        tb__kit_rekey,           tb__kit_observe};
    static const tb_env_state_vector vector = {sizeof(tb_env_state_vector), 0,
                                               tb__kit_vector_count,        tb__kit_vector_name,
                                               tb__kit_vector_get,          tb__kit_vector_set};
    if (strcmp(id, TB_EXT_ENV_SNAPSHOT) == 0)
        return env->state_bytes == 8 * env->n_state ? &portable : &same_binary;
    if (strcmp(id, TB_EXT_ENV_STATE_VECTOR) == 0 && env->n_state > 0)
        return &vector;
    if (strcmp(id, TB_EXT_ENV_VEC) == 0)
        return tb__kit_vec_table(env->state_bytes == 8 * env->n_state);
    return env->def->extension ? env->def->extension(id) : NULL;
}

static inline const tb_env_api *tb__kit_env_api(void)
{
    static const tb_env_api api = {sizeof(tb_env_api), 0,
                                   tb__kit_destroy,    tb__kit_space,
                                   tb__kit_reset,      tb__kit_step,
                                   tb__kit_last_error, tb__kit_env_extension};
    return &api;
}

/* ---- the factories ---- */

static inline const tb_kit_def *tb__kit_find(const tb_kit_def *const *defs, uint32_t n,
                                             const char *id)
{
    uint32_t i;
    for (i = 0; i < n; i++)
        if (strcmp(defs[i]->desc.id, id) == 0)
            return defs[i];
    return NULL;
}

/* What the author of a definition got wrong, or NULL. */
static inline const char *tb__kit_wrong(const tb_kit_def *def)
{
    const tb_kit_space *seen = &def->observation;
    int number = seen->kind == TB_SPACE_BOX && (seen->dtype == TB_F32 || seen->dtype == TB_F64);
    uint64_t n = tb__kit_n_state(def);
    if (def->state_bytes < 8 * n)
        return "state_names has more names than the state has doubles";
    if (def->step_lanes && def->state_bytes != 8 * n)
        return "step_lanes() needs a state of doubles that are all named in state_names";
    if (def->step_lanes && (def->desc.flags & TB_ENV_STOCHASTIC_STEP))
        return "step_lanes() has no random numbers, but TB_ENV_STOCHASTIC_STEP is declared";
    if (!def->observe && !(number && tb__kit_count(seen) == n))
        return "without observe() the observation must be a BOX of as many floats or doubles as "
               "state_names has names";
    return NULL;
}

static inline tb_status tb__kit_create(const tb_kit_def *const *defs, uint32_t n, const char *id,
                                       const tb_params *params, const tb_env_api **api,
                                       tb_env **out, char *err, uint64_t cap)
{
    const tb_kit_def *def = tb__kit_find(defs, n, id);
    const char *why;
    tb_env *env;
    tb_status status;
    if (!def)
        return tb_kit_text(err, cap, TB_E_INVALID, "no environment \"%s\" in this library", id);
    why = tb__kit_wrong(def);
    if (why)
        return tb_kit_text(err, cap, TB_E_INVALID, "the definition is wrong: %s", why);
    env = tb__kit_allocate(def);
    if (!env)
        return tb_kit_text(err, cap, TB_E_NOMEM, "out of memory");
    status = tb__kit_read_params(def, params, env->params, err, cap);
    if (status == TB_OK) {
        status = tb__kit_derive(env);
        if (status != TB_OK)
            tb_kit_text(err, cap, status, "out of memory for the environment's tables");
    }
    if (status != TB_OK) {
        tb__kit_destroy(env);
        return status;
    }
    env->id_hash = tb__kit_hash_text(TB__KIT_HASH_START, def->desc.id);
    env->params_hash = tb__kit_hash_params(def, env->params);
    *api = tb__kit_env_api();
    *out = env;
    return TB_OK;
}

#ifdef TB_PLUGIN_BUILD
#define TB__KIT_BUILD TB_PLUGIN_BUILD
#else
#define TB__KIT_BUILD "built without tb_add_plugin"
#endif

#ifdef __cplusplus
#define TB__KIT_C extern "C"
#else
#define TB__KIT_C
#endif

/* The plugin of these definitions (const tb_kit_def *, ...), at the end of the file. Its names
 * begin with tb__ so that they shadow none of the author's. */
#define TB_KIT_PLUGIN(...)                                                                         \
    static const tb_kit_def *const tb__kit_defs[] = {__VA_ARGS__};                                 \
    static uint32_t tb__kit_n(void)                                                                \
    {                                                                                              \
        return (uint32_t)(sizeof tb__kit_defs / sizeof tb__kit_defs[0]);                           \
    }                                                                                              \
    static const tb_env_desc *tb__kit_describe(uint32_t tb__i)                                     \
    {                                                                                              \
        return tb__i < tb__kit_n() ? &tb__kit_defs[tb__i]->desc : NULL;                            \
    }                                                                                              \
    static tb_status tb__kit_create_any(const tb_host *tb__host, const char *tb__id,               \
                                        const tb_params *tb__params, const tb_env_api **tb__api,   \
                                        tb_env **tb__out, char *tb__err, uint64_t tb__cap)         \
    {                                                                                              \
        (void)tb__host;                                                                            \
        return tb__kit_create(tb__kit_defs, tb__kit_n(), tb__id, tb__params, tb__api, tb__out,     \
                              tb__err, tb__cap);                                                   \
    }                                                                                              \
    static uint32_t tb__kit_schema_count(const char *tb__id)                                       \
    {                                                                                              \
        return tb__kit_params_count(tb__kit_find(tb__kit_defs, tb__kit_n(), tb__id));              \
    }                                                                                              \
    static tb_status tb__kit_schema_get(const char *tb__id, uint32_t tb__i,                        \
                                        tb_param_info *tb__out)                                    \
    {                                                                                              \
        return tb__kit_params_get(tb__kit_find(tb__kit_defs, tb__kit_n(), tb__id), tb__i,          \
                                  tb__out);                                                        \
    }                                                                                              \
    static const void *tb__kit_factory(const char *tb__id)                                         \
    {                                                                                              \
        static const tb_env_factory tb__envs = {sizeof(tb_env_factory), 0, tb__kit_n,              \
                                                tb__kit_describe, tb__kit_create_any};             \
        static const tb_params_schema tb__schema = {sizeof(tb_params_schema), 0,                   \
                                                    tb__kit_schema_count, tb__kit_schema_get};     \
        if (strcmp(tb__id, TB_ENV_FACTORY) == 0)                                                   \
            return &tb__envs;                                                                      \
        return strcmp(tb__id, TB_PARAMS_SCHEMA) == 0 ? &tb__schema : NULL;                         \
    }                                                                                              \
    TB__KIT_C TB_EXPORT const tb_entry *tb_plugin_entry(void)                                      \
    {                                                                                              \
        static const tb_entry tb__entry = {TB_ABI_MAGIC,                                           \
                                           sizeof(tb_entry),                                       \
                                           TB_ABI_MAJOR,                                           \
                                           TB_ABI_MINOR,                                           \
                                           0,                                                      \
                                           TB_ABI_LAYOUT_CRC,                                      \
                                           0,                                                      \
                                           TB__KIT_BUILD,                                          \
                                           NULL,                                                   \
                                           NULL,                                                   \
                                           tb__kit_factory};                                       \
        return &tb__entry;                                                                         \
    }                                                                                              \
    TB__KIT_C TB_EXPORT const tb_entry *tb_plugin_entry(void)

#ifdef __cplusplus
}
#endif
#endif
