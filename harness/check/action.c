/* SPDX-License-Identifier: MIT
 *
 * Tests E10, E11 and E15: what an environment does with actions.
 */
#include <float.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "harness/check/family.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

// fills every element of every action leaf: `low` and `high` are weights of the bounds
static void fill_bounds(tb_check_env *e, double low, double high)
{
    for (uint32_t l = 0; l < e->n_leaves[TB_SPACE_ACTION]; l++) {
        const tb_space *leaf = &e->leaf[TB_SPACE_ACTION][l];
        for (uint64_t i = 0; i < leaf->count; i++) {
            double a = 0, b = 1;
            if (leaf->kind == TB_SPACE_BOX) {
                a = isfinite(leaf->low[i]) ? leaf->low[i] : -1e6;
                b = isfinite(leaf->high[i]) ? leaf->high[i] : 1e6;
            } else if (leaf->kind != TB_SPACE_MULTI_BINARY) {
                a = leaf->start != NULL ? (double)leaf->start[i] : 0;
                b = a + (double)leaf->nvec[i] - 1;
            }
            double value = low * a + high * b;
            tb_check_put(e->action->data + leaf->offset, leaf->dtype, i,
                         leaf->kind == TB_SPACE_BOX ? value : floor(value));
        }
    }
}

// puts `value` into one element of a leaf
static void fill_element(tb_check_env *e, uint32_t l, uint64_t i, double value)
{
    const tb_space *leaf = &e->leaf[TB_SPACE_ACTION][l];
    fill_bounds(e, 0.5, 0.5);
    tb_check_put(e->action->data + leaf->offset, leaf->dtype, i, value);
}

static void try_extremes(tb_check *c, tb_check_env *e)
{
    static const double weights[][2] = {{1, 0}, {0, 1}, {0.5, 0.5}};
    for (size_t i = 0; i < COUNT(weights); i++) {
        tb_key key = tb_check_key(c, i);
        e->api->reset(e->env, &key, e->obs->data);
        e->out.flags = 0;
        for (int t = 0; t < 50 && e->out.flags == 0; t++) {
            fill_bounds(e, weights[i][0], weights[i][1]);
            tb_status status = tb_check_step(e);
            if (!TB_CHECK_THAT(c, status == TB_OK, "an action at the %s of its space gives %s",
                               i == 0   ? "low end"
                               : i == 1 ? "high end"
                                        : "middle",
                               tb_status_name(status)))
                return;
        }
    }
}

// one invalid action in the middle of an episode: refused, and the episode goes on as without it
static void try_invalid(tb_check *c, tb_check_env *e, uint32_t l, uint64_t i, double value)
{
    tb_check_trace *without = tb_check_trace_make(c), *with = tb_check_trace_make(c),
                   *prefix = tb_check_trace_make(c);
    size_t k = tb_check_prefix(c, e, 4, prefix);
    tb_check_continue(e, 5, 10, without);
    tb_check_prefix(c, e, k, prefix);
    fill_element(e, l, i, value);
    tb_status status = tb_check_step(e);
    if (!TB_CHECK_THAT(c, status == TB_E_INVALID,
                       "the action %g (leaf %u, element %llu) gives %s, not TB_E_INVALID", value,
                       (unsigned)l, (unsigned long long)i, tb_status_name(status)))
        return;
    tb_check_continue(e, 5, 10, with);
    if (!tb_check_is_random(c))
        tb_check_same(c, without, with, "an episode with a refused action in it");
}

static void try_huge(tb_check *c, tb_check_env *e, uint32_t l)
{
    const tb_space *leaf = &e->leaf[TB_SPACE_ACTION][l];
    double huge = leaf->dtype == TB_F64 ? 1e300 : (double)FLT_MAX;
    for (int sign = -1; sign <= 1; sign += 2) {
        tb_key key = tb_check_key(c, 3);
        e->api->reset(e->env, &key, e->obs->data);
        fill_element(e, l, 0, sign * huge);
        tb_status status = tb_check_step(e);
        TB_CHECK_THAT(c, status == TB_OK || status == TB_E_INVALID || status == TB_E_NUMERIC,
                      "the action %g gives %s", sign * huge, tb_status_name(status));
    }
}

void tb_check_actions(tb_check *c)
{
    tb_check_env *e = tb_check_env_open(c, NULL);
    if (e == NULL)
        return;
    try_extremes(c, e);
    for (uint32_t l = 0; l < e->n_leaves[TB_SPACE_ACTION]; l++) {
        const tb_space *leaf = &e->leaf[TB_SPACE_ACTION][l];
        for (uint64_t i = 0; i < leaf->count && i < 4; i++) {
            if (leaf->kind == TB_SPACE_BOX && (leaf->dtype == TB_F64 || leaf->dtype == TB_F32)) {
                try_invalid(c, e, l, i, NAN);
                try_invalid(c, e, l, i, INFINITY);
                try_invalid(c, e, l, i, -INFINITY);
            } else if (leaf->kind == TB_SPACE_DISCRETE || leaf->kind == TB_SPACE_MULTI_DISCRETE) {
                double start = leaf->start != NULL ? (double)leaf->start[i] : 0;
                try_invalid(c, e, l, i, start - 1);
                try_invalid(c, e, l, i, start + (double)leaf->nvec[i]);
            }
        }
        if (leaf->kind == TB_SPACE_BOX && (leaf->dtype == TB_F64 || leaf->dtype == TB_F32))
            try_huge(c, e, l);
    }
}

void tb_check_action_buffer(tb_check *c)
{
    tb_check_env *e = tb_check_env_open(c, NULL);
    if (e == NULL)
        return;
    tb_check_buffer *copy = tb_check_buffer_make(c, e->action->size);
    tb_key key = tb_check_key(c, 0);
    tb_rng rng;
    tb_rng_init(&rng, key);
    // first compare, which can say what happened; then make writing impossible
    for (int read_only = 0; read_only < 2; read_only++) {
        e->api->reset(e->env, &key, e->obs->data);
        e->out.flags = 0;
        for (int t = 0; t < 50 && e->out.flags == 0; t++) {
            tb_check_random_action(e, &rng);
            memcpy(copy->data, e->action->data, copy->size);
            tb_check_buffer_protect(e->action, read_only);
            tb_check_step(e);
            tb_check_buffer_protect(e->action, 0);
            if (!TB_CHECK_THAT(c, memcmp(copy->data, e->action->data, copy->size) == 0,
                               "step() writes into the action"))
                return;
        }
    }
}

// ---- E15 ----

static double seconds_of(tb_check *c, tb_check_env *e, double action)
{
    struct timespec begin, end;
    fill_bounds(e, 0.5, 0.5);
    for (uint32_t l = 0; l < e->n_leaves[TB_SPACE_ACTION]; l++)
        for (uint64_t i = 0; i < e->leaf[TB_SPACE_ACTION][l].count; i++)
            tb_check_put(e->action->data + e->leaf[TB_SPACE_ACTION][l].offset,
                         e->leaf[TB_SPACE_ACTION][l].dtype, i, action);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    for (uint64_t episode = 0, t = 0; t < 5000; episode++) {
        tb_key key = tb_check_key(c, episode);
        e->api->reset(e->env, &key, e->obs->data);
        e->out.flags = 0;
        tb_status status = TB_OK;
        for (int k = 0; k < 200 && status == TB_OK && e->out.flags == 0; k++, t++)
            status = tb_check_step(e);
        t++;
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    return (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
}

void tb_check_denormals(tb_check *c)
{
    tb_check_env *e = tb_check_env_open(c, NULL);
    if (e == NULL)
        return;
    for (uint32_t l = 0; l < e->n_leaves[TB_SPACE_ACTION]; l++)
        if (e->leaf[TB_SPACE_ACTION][l].kind != TB_SPACE_BOX) {
            tb_check_skip(c, "no BOX actions");
            return;
        }
    double normal = INFINITY, tiny = INFINITY, spent = 0;
    // long times need no repetition
    for (int i = 0; i < 3 && spent < 2; i++) {
        double times[2] = {seconds_of(c, e, 0.5), seconds_of(c, e, 1e-40)};
        normal = fmin(normal, times[0]);
        tiny = fmin(tiny, times[1]);
        spent += times[0] + times[1];
    }
    if (tiny > 10 * normal)
        tb_check_warn(c, "steps with denormal actions are %.0f times slower", tiny / normal);
}
