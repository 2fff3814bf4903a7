/* SPDX-License-Identifier: MIT
 *
 * vec/1 of broken_env.c, of the kinds whose name begins with vec_: lanes that are instances in a
 * row, and one mistake each. Part of that file.
 */
#ifndef TESTS_BROKEN_VEC_H
#define TESTS_BROKEN_VEC_H

struct tb_vec {
    uint64_t n;
    const char *why; // of the last failure
    void *lost;
    tb_env lane[];
};

enum { vec_row = 2 * sizeof(float) };

static tb_status vec_create(tb_env *prototype, uint64_t n, tb_vec **out)
{
    if (n == 0 && !IS(vec_no_lanes))
        return TB_E_INVALID;
    tb_vec *vec = calloc(1, sizeof *vec + n * sizeof vec->lane[0]);
    if (vec == NULL)
        return TB_E_NOMEM;
    vec->n = n;
    vec->why = "";
    for (uint64_t i = 0; i < n; i++)
        vec->lane[i].noise = prototype->noise;
    *out = vec;
    return TB_OK;
}

static void vec_destroy(tb_vec *vec)
{
    if (!IS(vec_leaks))
        free(vec);
}

static int vec_wanted(const uint8_t *mask, uint64_t i)
{
    return mask == NULL || (IS(vec_mask_is_one) ? mask[i] == 1 : mask[i] != 0);
}

// the call's status after one lane more
static tb_status vec_note(tb_vec *vec, tb_status so_far, tb_status lane)
{
    if (lane == TB_OK || (so_far != TB_OK && !IS(vec_last_status)))
        return so_far;
    vec->why = IS(vec_silent) ? "" : "a lane failed";
    return lane;
}

static tb_status vec_reset(tb_vec *vec, const uint8_t *mask, const tb_key *keys, void *obs_out,
                           tb_status *status)
{
    tb_status all = TB_OK;
    for (uint64_t i = 0; i < vec->n; i++)
        if (vec_wanted(mask, i)) {
            const tb_key *key = &keys[IS(vec_first_key) ? 0 : i];
            status[i] = reset(&vec->lane[i], key, (char *)obs_out + i * vec_row);
            all = vec_note(vec, all, status[i]);
        }
    return all;
}

static tb_status vec_step_lane(tb_vec *vec, uint64_t i, const void *actions, void *obs_out,
                               double *reward, uint32_t *flags)
{
    tb_env *env = &vec->lane[i];
    float *row = (float *)(void *)((char *)obs_out + i * vec_row);
    tb_step out = {.struct_size = sizeof out};
    if (IS(vec_restarts) && env->started)
        env->running = 1;
    tb_status status = step(env, (const char *)actions + i * 4, row, &out);
    if (status != TB_OK)
        return status;
    *reward = out.reward;
    *flags = out.flags;
    if (IS(vec_rounding))
        row[1] = nextafterf(row[1], 1);
    if (IS(vec_tail) && i >= 64)
        *reward = nextafter(*reward, 1);
    if (IS(vec_flags))
        *flags = 0;
    return TB_OK;
}

static tb_status vec_step(tb_vec *vec, const uint8_t *mask, const void *actions, void *obs_out,
                          double *rewards, uint32_t *flags, tb_status *status)
{
    tb_status all = TB_OK;
    if (IS(vec_allocates))
        vec->lost = malloc(64);
    for (uint64_t i = 0; i < vec->n; i++) {
        if (!vec_wanted(mask, i)) {
            if (IS(vec_moves_all))
                tb_rng_u64(&vec->lane[i].rng);
            if (IS(vec_writes_all))
                rewards[i] = 0;
            continue;
        }
        status[i] = vec_step_lane(vec, i, actions, obs_out, &rewards[i], &flags[i]);
        all = vec_note(vec, all, status[i]);
        if (IS(vec_stops) && status[i] != TB_OK)
            return all;
    }
    if (IS(vec_overrun))
        memset((char *)obs_out + vec->n * vec_row, 0, 4);
    return all;
}

static const char *vec_last_error(tb_vec *vec)
{
    return vec->why;
}

// ---- snapshots ----

static uint64_t vec_max_bytes(tb_vec *vec)
{
    return max_bytes(vec->lane);
}

static tb_status vec_save(const tb_vec *vec, uint64_t lane, void *buf, uint64_t cap, uint64_t *used)
{
    if (lane >= vec->n && !IS(vec_any_lane))
        return TB_E_INVALID;
    tb_status status = save(&vec->lane[lane % vec->n], buf, cap, used);
    if (IS(vec_own_bytes) && status == TB_OK)
        ((record *)buf)->filler = 1;
    return status;
}

static tb_status vec_load(tb_vec *vec, uint64_t lane, const void *buf, uint64_t used)
{
    double push = vec->lane[lane].push;
    tb_status status = load(&vec->lane[lane], buf, used);
    if (IS(vec_half_load))
        vec->lane[lane].push = push;
    return status;
}

static tb_status vec_rekey(tb_vec *vec, uint64_t lane, const tb_key *key)
{
    return IS(vec_no_rekey) ? TB_OK : rekey(&vec->lane[lane], key);
}

static tb_status vec_observe(tb_vec *vec, uint64_t lane, void *obs_out)
{
    return observe(&vec->lane[IS(vec_observes_first) ? 0 : lane], obs_out);
}

static const tb_env_vec vec_table = {
    sizeof(tb_env_vec), IS(vec_scope) ? TB_SNAP_SAME_PROCESS : TB_SNAP_SAME_BINARY,
    vec_create,         vec_destroy,
    vec_reset,          vec_step,
    vec_last_error,     vec_max_bytes,
    vec_save,           vec_load,
    vec_rekey,          vec_observe};

#endif
