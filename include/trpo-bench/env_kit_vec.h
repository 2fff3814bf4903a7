/* SPDX-License-Identifier: MIT
 *
 * Environment kit: vec/1, many lanes in one instance. Overview: env_kit.h.
 *
 * With step_lanes() the states lie as structure of arrays, else one after another. Whatever is not
 * vectorised brings one lane into a scalar instance (`lane`), does there what the scalar call does,
 * and takes the result back; so every rule of reset(), step() and the snapshots exists once.
 */
#ifndef TRPO_BENCH_ENV_KIT_VEC_H
#define TRPO_BENCH_ENV_KIT_VEC_H

#include <stdlib.h>
#include <string.h>

#include "env_kit_instance.h"
#include "env_kit_snapshot.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The blocks that the pointers name lie behind the struct, in the same allocation. */
struct tb_vec {
    tb_env *lane;          /* an instance of its own with the prototype's parameters */
    uint64_t n;            /* lanes */
    uint64_t stride;       /* doubles from one state variable to the next: n rounded up to 8; 0 =
                              whole states one after another */
    uint64_t row_bytes[2]; /* of an observation, an action */
    double *state;         /* [n_state][stride], or [n] states */
    tb_rng *rng;           /* [n] */
    double **at;           /* [n_state] what step_lanes() gets */
    double *kept;          /* [n_state][TB_KIT_LANES] states that a step must not change */
    unsigned char *action; /* [TB_KIT_LANES] rows: the actions of a block that is not whole */
    char *error;           /* TB__KIT_ERROR_CAP bytes */
    uint8_t *phase;        /* [n] TB__KIT_* */
};

/* ---- one lane out and in ---- */

static inline void tb__kit_gather(const tb_vec *v, uint64_t i)
{
    tb_env *env = v->lane;
    double *x = (double *)env->state;
    uint64_t k;
    if (v->stride == 0)
        env->state = v->state + i * (env->state_bytes / 8);
    else
        for (k = 0; k < env->n_state; k++)
            x[k] = v->state[k * v->stride + i];
    env->rng = v->rng[i];
    env->phase = v->phase[i];
}

static inline void tb__kit_scatter(tb_vec *v, uint64_t i)
{
    const tb_env *env = v->lane;
    const double *x = (const double *)env->state;
    uint64_t k;
    if (v->stride > 0)
        for (k = 0; k < env->n_state; k++)
            v->state[k * v->stride + i] = x[k];
    v->rng[i] = env->rng;
    v->phase[i] = (uint8_t)env->phase;
}

/* Notes what a lane's call gave; the first failure stays. */
static inline void tb__kit_note(tb_vec *v, tb_status status, tb_status *slot, tb_status *first)
{
    *slot = status;
    if (status == TB_OK || *first != TB_OK)
        return;
    *first = status;
    memcpy(v->error, v->lane->error, TB__KIT_ERROR_CAP);
}

/* ---- reset ---- */

static inline tb_status tb__kit_vec_reset(tb_vec *v, const uint8_t *mask, const tb_key *keys,
                                          void *obs_out, tb_status *statuses)
{
    unsigned char *obs = (unsigned char *)obs_out;
    tb_status first = TB_OK;
    uint64_t i;
    for (i = 0; i < v->n; i++) {
        if (mask && !mask[i])
            continue;
        tb__kit_gather(v, i);
        tb__kit_note(v, tb__kit_reset(v->lane, &keys[i], obs + i * v->row_bytes[0]), &statuses[i],
                     &first);
        tb__kit_scatter(v, i);
    }
    return first;
}

/* ---- step ---- */

/* The arguments of a call, from a block's first lane on. */
typedef struct tb__kit_block {
    const uint8_t *mask;
    const unsigned char *actions;
    unsigned char *obs;
    double *rewards;
    uint32_t *flags;
    tb_status *statuses;
    uint64_t first; /* lane */
    uint64_t n;     /* lanes, at most TB_KIT_LANES */
} tb__kit_block;

static inline void tb__kit_step_one(tb_vec *v, const tb__kit_block *b, uint64_t i, tb_status *first)
{
    tb_step out = {sizeof(tb_step), 0, 0};
    tb_status status;
    tb__kit_gather(v, b->first + i);
    status =
        tb__kit_step(v->lane, b->actions + i * v->row_bytes[1], b->obs + i * v->row_bytes[0], &out);
    tb__kit_scatter(v, b->first + i);
    tb__kit_note(v, status, &b->statuses[i], first);
    if (status == TB_OK) {
        b->rewards[i] = out.reward;
        b->flags[i] = out.flags;
    }
}

/* Whether all actions of n rows are ones that step() takes. */
static inline int tb__kit_actions_fine(const tb_vec *v, const unsigned char *actions, uint64_t n)
{
    const tb_kit_space *space = &v->lane->space[TB_SPACE_ACTION];
    uint64_t i, count = tb__kit_count(space) * n;
    if (space->kind == TB_SPACE_DISCRETE && space->dtype == TB_I32) {
        const int32_t *a = (const int32_t *)(const void *)actions;
        int bad = 0;
        for (i = 0; i < n; i++)
            bad |= (a[i] < 0) | (a[i] >= space->n);
        return !bad;
    }
    if (space->kind == TB_SPACE_BOX)
        return tb__kit_first_bad(actions, space->dtype, count) == count;
    for (i = 0; i < n; i++)
        if (tb__kit_check_action(v->lane, actions + i * v->row_bytes[1]) != TB_OK)
            return 0;
    return 1;
}

/* Which lanes of the block step together: go[i] is 1 or 0. Those that the scalar call would refuse
 * get their refusal. Returns how many go. */
static inline uint64_t tb__kit_who_goes(tb_vec *v, const tb__kit_block *b, uint8_t *go,
                                        tb_status *first)
{
    const uint8_t *phase = v->phase + b->first;
    uint64_t i, count = 0;
    int all = !b->mask;
    for (i = 0; i < b->n; i++)
        all &= phase[i] == TB__KIT_RUNNING;
    if (all && tb__kit_actions_fine(v, b->actions, b->n)) {
        memset(go, 1, (size_t)b->n);
        return b->n;
    }
    for (i = 0; i < b->n; i++) {
        int wanted = !b->mask || b->mask[i];
        go[i] = wanted && phase[i] == TB__KIT_RUNNING &&
                tb__kit_actions_fine(v, b->actions + i * v->row_bytes[1], 1);
        count += go[i];
        if (wanted && !go[i])
            tb__kit_step_one(v, b, i, first);
    }
    return count;
}

/* Exactly the sums of finite numbers times 0 are 0, whatever their number. */
static inline double tb__kit_finite_sum(const double *x, uint64_t n)
{
    double sum[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    uint64_t i, k;
    for (i = 0; i + 8 <= n; i += 8)
        for (k = 0; k < 8; k++)
            sum[k] += 0 * x[i + k];
    for (; i < n; i++)
        sum[0] += 0 * x[i];
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

static inline double tb__kit_finite_sum_f32(const float *x, uint64_t n)
{
    float sum[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    uint64_t i, k;
    for (i = 0; i + 8 <= n; i += 8)
        for (k = 0; k < 8; k++)
            sum[k] += 0 * x[i + k];
    for (; i < n; i++)
        sum[0] += 0 * x[i];
    for (k = 1; k < 8; k++)
        sum[0] += sum[k];
    return (double)sum[0];
}

/* Observations of the block, of floats that are the state's doubles. */
static inline void tb__kit_rows_f32(const tb_vec *v, const tb__kit_block *b)
{
    const double *x = v->state + b->first;
    float *rows = (float *)(void *)b->obs;
    uint64_t i, k, n_state = v->lane->n_state, stride = v->stride;
    if (n_state == 2) {
        for (i = 0; i < b->n; i++) {
            rows[2 * i] = (float)x[i];
            rows[2 * i + 1] = (float)x[i + stride];
        }
    } else if (n_state == 4) {
        for (i = 0; i < b->n; i++) {
            rows[4 * i] = (float)x[i];
            rows[4 * i + 1] = (float)x[i + stride];
            rows[4 * i + 2] = (float)x[i + 2 * stride];
            rows[4 * i + 3] = (float)x[i + 3 * stride];
        }
    } else {
        for (i = 0; i < b->n; i++)
            for (k = 0; k < n_state; k++)
                rows[n_state * i + k] = (float)x[i + k * stride];
    }
}

/* Observations of all lanes of the block; 0 when one of them holds a number that is not finite. */
static inline int tb__kit_show_block(const tb_vec *v, const tb__kit_block *b)
{
    const tb_kit_space *space = &v->lane->space[TB_SPACE_OBSERVATION];
    uint64_t i, count = tb__kit_count(space) * b->n;
    if (!v->lane->def->observe && space->dtype == TB_F32) {
        tb__kit_rows_f32(v, b);
    } else {
        for (i = 0; i < b->n; i++) {
            tb__kit_gather(v, b->first + i);
            tb__kit_write_observation(v->lane, b->obs + i * v->row_bytes[0]);
        }
    }
    if (space->kind != TB_SPACE_BOX)
        return 1;
    if (space->dtype == TB_F32)
        return tb__kit_finite_sum_f32((const float *)(const void *)b->obs, count) == 0;
    return tb__kit_first_bad(b->obs, space->dtype, count) == count;
}

/* What follows the states of a block: finiteness, observations, phases, lane by lane. */
static inline void tb__kit_finish_lanes(tb_vec *v, const tb__kit_block *b, const uint8_t *go,
                                        const double *rewards, const uint32_t *flags,
                                        tb_status *first)
{
    uint64_t i;
    for (i = 0; i < b->n; i++) {
        tb_status status;
        if (!go[i])
            continue;
        tb__kit_gather(v, b->first + i);
        v->lane->phase = flags[i] ? TB__KIT_ENDED : TB__KIT_RUNNING;
        status = tb__kit_show(v->lane, b->obs + i * v->row_bytes[0], rewards[i], "step");
        v->phase[b->first + i] = (uint8_t)v->lane->phase;
        tb__kit_note(v, status, &b->statuses[i], first);
        if (status == TB_OK) {
            b->rewards[i] = rewards[i];
            b->flags[i] = flags[i];
        }
    }
}

/* The same for a block whose lanes all go, straight into the host's arrays. */
static inline void tb__kit_finish_block(tb_vec *v, const tb__kit_block *b, const uint8_t *go,
                                        tb_status *first)
{
    uint64_t i, k, n_state = v->lane->n_state;
    double sum = tb__kit_finite_sum(b->rewards, b->n);
    for (k = 0; k < n_state; k++)
        sum += tb__kit_finite_sum(v->at[k], b->n);
    if (!(sum == 0) || !tb__kit_show_block(v, b)) {
        tb__kit_finish_lanes(v, b, go, b->rewards, b->flags, first);
        return;
    }
    for (i = 0; i < b->n; i++)
        v->phase[b->first + i] = (uint8_t)(b->flags[i] ? TB__KIT_ENDED : TB__KIT_RUNNING);
    memset(b->statuses, 0, (size_t)b->n * sizeof *b->statuses);
}

/* Steps all lanes of the block and puts back those that do not go. */
static inline void tb__kit_step_some(tb_vec *v, const tb__kit_block *b, const uint8_t *go,
                                     tb_status *first)
{
    double rewards[TB_KIT_LANES];
    uint32_t flags[TB_KIT_LANES];
    uint64_t i, k, n_state = v->lane->n_state, bytes = v->row_bytes[1];
    for (i = 0; i < b->n; i++)
        if (go[i])
            memcpy(v->action + i * bytes, b->actions + i * bytes, (size_t)bytes);
        else
            memset(v->action + i * bytes, 0, (size_t)bytes);
    for (k = 0; k < n_state; k++)
        memcpy(v->kept + k * TB_KIT_LANES, v->at[k], (size_t)b->n * sizeof(double));
    v->lane->def->step_lanes(v->lane->params, b->n, v->at, v->action, rewards, flags);
    for (k = 0; k < n_state; k++)
        for (i = 0; i < b->n; i++)
            v->at[k][i] = go[i] ? v->at[k][i] : v->kept[k * TB_KIT_LANES + i];
    tb__kit_finish_lanes(v, b, go, rewards, flags, first);
}

static inline void tb__kit_step_block(tb_vec *v, const tb__kit_block *b, tb_status *first)
{
    const tb_kit_def *def = v->lane->def;
    uint8_t go[TB_KIT_LANES];
    uint64_t i, count;
    if (!def->step_lanes) {
        for (i = 0; i < b->n; i++)
            if (!b->mask || b->mask[i])
                tb__kit_step_one(v, b, i, first);
        return;
    }
    for (i = 0; i < v->lane->n_state; i++)
        v->at[i] = v->state + i * v->stride + b->first;
    count = tb__kit_who_goes(v, b, go, first);
    if (count == b->n) {
        def->step_lanes(v->lane->params, b->n, v->at, b->actions, b->rewards, b->flags);
        tb__kit_finish_block(v, b, go, first);
    } else if (count > 0) {
        tb__kit_step_some(v, b, go, first);
    }
}

static inline tb_status tb__kit_vec_step(tb_vec *v, const uint8_t *mask, const void *actions,
                                         void *obs_out, double *rewards, uint32_t *flags,
                                         tb_status *statuses)
{
    tb_status first = TB_OK;
    uint64_t i;
    for (i = 0; i < v->n; i += TB_KIT_LANES) {
        tb__kit_block b;
        b.mask = mask ? mask + i : NULL;
        b.actions = (const unsigned char *)actions + i * v->row_bytes[1];
        b.obs = (unsigned char *)obs_out + i * v->row_bytes[0];
        b.rewards = rewards + i;
        b.flags = flags + i;
        b.statuses = statuses + i;
        b.first = i;
        b.n = v->n - i < TB_KIT_LANES ? v->n - i : TB_KIT_LANES;
        tb__kit_step_block(v, &b, &first);
    }
    return first;
}

/* ---- snapshots of a lane ---- */

static inline tb_status tb__kit_vec_no_lane(const tb_vec *v, uint64_t i, const char *call)
{
    return tb_kit_text(v->error, TB__KIT_ERROR_CAP, TB_E_INVALID,
                       "%s() of lane %llu: there are %llu", call, (unsigned long long)i,
                       (unsigned long long)v->n);
}

/* Keeps the text of a failure. */
static inline tb_status tb__kit_vec_told(const tb_vec *v, tb_status status)
{
    if (status != TB_OK)
        memcpy(v->error, v->lane->error, TB__KIT_ERROR_CAP);
    return status;
}

static inline uint64_t tb__kit_vec_max_bytes(tb_vec *v)
{
    return tb__kit_max_bytes(v->lane);
}

static inline tb_status tb__kit_vec_save(const tb_vec *v, uint64_t i, void *buf, uint64_t cap,
                                         uint64_t *used)
{
    if (i >= v->n)
        return tb__kit_vec_no_lane(v, i, "save");
    tb__kit_gather(v, i);
    return tb__kit_vec_told(v, tb__kit_save(v->lane, buf, cap, used));
}

/* A load replaces all of a lane: nothing has to be gathered before. */
static inline tb_status tb__kit_vec_load(tb_vec *v, uint64_t i, const void *buf, uint64_t used)
{
    tb_status status;
    if (i >= v->n)
        return tb__kit_vec_no_lane(v, i, "load");
    if (v->stride == 0)
        v->lane->state = v->state + i * (v->lane->state_bytes / 8);
    status = tb__kit_vec_told(v, tb__kit_load(v->lane, buf, used));
    if (status == TB_OK)
        tb__kit_scatter(v, i);
    return status;
}

static inline tb_status tb__kit_vec_rekey(tb_vec *v, uint64_t i, const tb_key *key)
{
    tb_status status;
    if (i >= v->n)
        return tb__kit_vec_no_lane(v, i, "rekey");
    v->lane->phase = v->phase[i];
    status = tb__kit_vec_told(v, tb__kit_rekey(v->lane, key));
    if (status == TB_OK)
        v->rng[i] = v->lane->rng;
    return status;
}

static inline tb_status tb__kit_vec_observe(tb_vec *v, uint64_t i, void *obs_out)
{
    if (i >= v->n)
        return tb__kit_vec_no_lane(v, i, "observe");
    tb__kit_gather(v, i);
    return tb__kit_vec_told(v, tb__kit_observe(v->lane, obs_out));
}

/* ---- create and destroy ---- */

static inline void tb__kit_vec_destroy(tb_vec *v)
{
    if (!v)
        return;
    tb__kit_destroy(v->lane);
    free(v);
}

static inline const char *tb__kit_vec_last_error(tb_vec *v)
{
    return v->error;
}

static inline uint64_t tb__kit_row_bytes(const tb_kit_space *space)
{
    return tb__kit_count(space) * tb__kit_element_bytes(space->dtype);
}

/* The next `bytes` of a block, at a multiple of 64. */
static inline void *tb__kit_take(unsigned char **at, uint64_t bytes)
{
    unsigned char *taken = *at;
    *at += (bytes + 63) & ~UINT64_C(63);
    return taken;
}

/* Lays the lanes out, in one zeroed block; twice: v = NULL measures. Returns the bytes it takes. */
static inline uint64_t tb__kit_vec_lay(tb_vec *v, const tb_vec *sizes, uint64_t n_state)
{
    uintptr_t start = v ? ((uintptr_t)(v + 1) + 63) & ~(uintptr_t)63 : 0;
    unsigned char *at = (unsigned char *)start;
    tb_vec out = *sizes;
    out.state = (double *)tb__kit_take(&at, out.stride > 0 ? n_state * out.stride * sizeof(double)
                                                           : out.n * out.lane->state_bytes);
    out.kept = (double *)tb__kit_take(&at, n_state * TB_KIT_LANES * sizeof(double));
    out.at = (double **)tb__kit_take(&at, n_state * sizeof(double *));
    out.rng = (tb_rng *)tb__kit_take(&at, out.n * sizeof(tb_rng));
    out.action = (unsigned char *)tb__kit_take(&at, TB_KIT_LANES * out.row_bytes[1]);
    out.error = (char *)tb__kit_take(&at, TB__KIT_ERROR_CAP);
    out.phase = (uint8_t *)tb__kit_take(&at, out.n);
    if (v)
        *v = out;
    return (uint64_t)((uintptr_t)at - start);
}

/* An instance like `prototype`, before its first reset. */
static inline tb_env *tb__kit_clone(const tb_env *prototype)
{
    tb_env *env = tb__kit_allocate(prototype->def);
    if (!env)
        return NULL;
    memcpy(env->params, prototype->params, (size_t)prototype->def->params_bytes);
    env->id_hash = prototype->id_hash;
    env->params_hash = prototype->params_hash;
    if (tb__kit_derive(env) != TB_OK) {
        tb__kit_destroy(env);
        return NULL;
    }
    return env;
}

static inline tb_status tb__kit_vec_create(tb_env *prototype, uint64_t n, tb_vec **out)
{
    tb_vec sizes, *v;
    if (n == 0)
        return tb_kit_text(prototype->error, TB__KIT_ERROR_CAP, TB_E_INVALID, "0 lanes");
    memset(&sizes, 0, sizeof sizes);
    sizes.n = n;
    sizes.stride = prototype->def->step_lanes ? tb__kit_round8(n) : 0;
    sizes.row_bytes[0] = tb__kit_row_bytes(&prototype->def->observation);
    sizes.row_bytes[1] = tb__kit_row_bytes(&prototype->def->action);
    sizes.lane = tb__kit_clone(prototype);
    if (!sizes.lane)
        return TB_E_NOMEM;
    /* more lanes than there is memory for would wrap the sizes around */
    v = n > UINT64_C(1) << 32
            ? NULL
            : (tb_vec *)calloc(1, (size_t)(sizeof(tb_vec) + 64 +
                                           tb__kit_vec_lay(NULL, &sizes, prototype->n_state)));
    if (!v) {
        tb__kit_destroy(sizes.lane);
        return TB_E_NOMEM;
    }
    tb__kit_vec_lay(v, &sizes, prototype->n_state);
    *out = v;
    return TB_OK;
}

static inline const tb_env_vec *tb__kit_vec_table(int portable)
{
    static const tb_env_vec tables[2] = {
        {sizeof(tb_env_vec), TB_SNAP_SAME_BINARY, tb__kit_vec_create, tb__kit_vec_destroy,
         tb__kit_vec_reset, tb__kit_vec_step, tb__kit_vec_last_error, tb__kit_vec_max_bytes,
         tb__kit_vec_save, tb__kit_vec_load, tb__kit_vec_rekey, tb__kit_vec_observe},
        {sizeof(tb_env_vec), TB_SNAP_PORTABLE, tb__kit_vec_create, tb__kit_vec_destroy,
         tb__kit_vec_reset, tb__kit_vec_step, tb__kit_vec_last_error, tb__kit_vec_max_bytes,
         tb__kit_vec_save, tb__kit_vec_load, tb__kit_vec_rekey, tb__kit_vec_observe}};
    return &tables[portable != 0];
}

#ifdef __cplusplus
}
#endif
#endif
