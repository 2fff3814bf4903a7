/* SPDX-License-Identifier: MIT */
#include "lanes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "lanes_internal.h"

// ---- messages ----

tb_status tb_mj_lanes_fail(const tb_mj_lanes *lanes, tb_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(lanes->error, TB_MJ_ERROR_CAP, format, arguments);
    va_end(arguments);
    return status;
}

tb_status tb_mj_lanes_state_error(const tb_mj_lanes *lanes, uint64_t i, const char *call)
{
    static const char *const why[] = {
        "before the first reset(): call reset() first",
        "while the episode runs",
        "after the end of the episode: call reset() or load() first",
        "after the simulation became unstable: call reset() or load() first",
    };
    return tb_mj_lanes_fail(lanes, TB_E_STATE, "%s() called %s", call, why[lanes->phase[i]]);
}

static tb_status broken(const tb_mj_lanes *lanes)
{
    return tb_mj_lanes_fail(lanes, TB_E_FATAL,
                            "MuJoCo raised an error before: this instance is of no more use");
}

int tb_mj_has_state(const tb_mj_lanes *lanes, uint64_t i)
{
    return lanes->phase[i] == TB_MJ_RUNNING || lanes->phase[i] == TB_MJ_ENDED;
}

// ---- rows ----

void tb_mj_row_in(const tb_mj_lanes *lanes, uint64_t i, uint64_t n)
{
    const double *row = lanes->rows + i * lanes->stride;
    for (const tb_mj_piece *p = lanes->piece; p < lanes->piece + n; p++)
        memcpy(p->in_data, row + p->at, (size_t)p->n * sizeof(double));
}

void tb_mj_row_out(const tb_mj_lanes *lanes, uint64_t i)
{
    double *row = lanes->rows + i * lanes->stride;
    for (const tb_mj_piece *p = lanes->piece; p < lanes->piece + lanes->n_pieces; p++)
        memcpy(row + p->at, p->in_data, (size_t)p->n * sizeof(double));
    if (lanes->model->task->carries_position)
        lanes->model->task->position(&lanes->view, row + lanes->model->n_vector - 2);
}

static void add_piece(tb_mj_lanes *lanes, double *in_data, uint64_t at, uint64_t n)
{
    lanes->piece[lanes->n_pieces++] = (tb_mj_piece){in_data, at, n};
}

static void find_pieces(tb_mj_lanes *lanes)
{
    const tb_mj_model *model = lanes->model;
    const mjModel *m = model->m;
    mjData *d = lanes->d;
    uint64_t nq = (uint64_t)m->nq, nv = (uint64_t)m->nv, na = (uint64_t)m->na, n;
    add_piece(lanes, &d->time, 0, 1);
    add_piece(lanes, d->qpos, 1, nq);
    add_piece(lanes, d->qvel, 1 + nq, nv);
    add_piece(lanes, d->act, 1 + nq + nv, na);
    add_piece(lanes, d->qacc_warmstart, 1 + nq + nv + na, nv);
    uint64_t at = model->n_vector;
    for (const uint32_t *field = model->task->shown; *field != TB_MJ_NO_FIELD; field++, at += n) {
        double *in_data = tb_mj_field(m, d, *field, &n);
        add_piece(lanes, in_data, at, n);
    }
}

// ---- create and destroy ----

// the next `bytes` of a block; NULL while it is only measured
static void *take(unsigned char *base, uint64_t *at, uint64_t bytes)
{
    unsigned char *taken = base != NULL ? base + *at : NULL;
    *at += bytes;
    return taken;
}

// arrays behind the struct, in one zeroed block; twice: base = NULL measures
static uint64_t lay(tb_mj_lanes *lanes, unsigned char *base)
{
    uint64_t at = (sizeof *lanes + 63) & ~UINT64_C(63);
    lanes->rows = take(base, &at, lanes->n * lanes->stride * sizeof(double));
    lanes->rng = take(base, &at, lanes->n * sizeof(tb_rng));
    lanes->error = take(base, &at, TB_MJ_ERROR_CAP);
    lanes->phase = take(base, &at, lanes->n);
    return (at + 63) & ~UINT64_C(63);
}

tb_mj_lanes *tb_mj_lanes_create(tb_mj_model *model, uint64_t n, char *err, uint64_t err_cap)
{
    tb_mj_lanes sizes = {.n = n, .stride = (model->n_row + 7) & ~UINT64_C(7)};
    // more lanes than there is memory for would wrap the sizes around
    int is_possible = n <= UINT64_C(1) << 32 && sizes.stride <= UINT64_C(1) << 24;
    uint64_t bytes = is_possible ? lay(&sizes, NULL) : 0;
    tb_mj_lanes *lanes = bytes > 0 ? aligned_alloc(64, (size_t)bytes) : NULL;
    mjData *d = lanes != NULL ? tb_mj_data_create(model->m, err, err_cap) : NULL;
    if (lanes == NULL && err_cap > 0)
        snprintf(err, (size_t)err_cap, "out of memory for %llu lanes", (unsigned long long)n);
    if (d == NULL) {
        free(lanes);
        return NULL;
    }
    memset(lanes, 0, (size_t)bytes);
    *lanes = sizes;
    lay(lanes, (unsigned char *)lanes);
    lanes->model = tb_mj_model_share(model);
    lanes->d = d;
    lanes->view = (tb_mj_view){&model->params, model->m, d, model->dt};
    find_pieces(lanes);
    return lanes;
}

void tb_mj_lanes_destroy(tb_mj_lanes *lanes)
{
    if (lanes == NULL)
        return;
    tb_mj_data_destroy(lanes->d);
    tb_mj_model_release(lanes->model);
    free(lanes);
}

tb_mj_model *tb_mj_lanes_model(const tb_mj_lanes *lanes)
{
    return lanes->model;
}

uint64_t tb_mj_lanes_count(const tb_mj_lanes *lanes)
{
    return lanes->n;
}

char *tb_mj_lanes_error(const tb_mj_lanes *lanes)
{
    return lanes->error;
}

const double *tb_mj_lanes_terms(const tb_mj_lanes *lanes)
{
    return lanes->term;
}

// ---- simulating ----

static const int bad_numbers[] = {mjWARN_BADQPOS, mjWARN_BADQVEL, mjWARN_BADQACC};
enum { n_bad_numbers = sizeof bad_numbers / sizeof bad_numbers[0] };

static void forget_warnings(mjData *d)
{
    for (int k = 0; k < n_bad_numbers; k++)
        d->warning[bad_numbers[k]].number = 0;
}

// TB_E_NUMERIC when MuJoCo has found a bad number: it has then put its own start state in the place
static tb_status check_numbers(const tb_mj_lanes *lanes, const char *call)
{
    static const char *const what[] = {"qpos", "qvel", "qacc"};
    for (int k = 0; k < n_bad_numbers; k++) {
        const mjWarningStat *warning = &lanes->d->warning[bad_numbers[k]];
        if (warning->number > 0)
            return tb_mj_lanes_fail(lanes, TB_E_NUMERIC,
                                    "%s(): the simulation is unstable: %s[%d] is NaN or beyond "
                                    "1e10; the episode is lost, call reset() or load()",
                                    call, what[k], warning->lastinfo);
    }
    return TB_OK;
}

static int all_finite(const double *x, uint64_t n)
{
    double sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += 0 * x[i];
    return sum == 0;
}

// runs `work` and turns whatever went wrong in MuJoCo into a status; lane i is then lost
static tb_status simulate(tb_mj_lanes *lanes, uint64_t i, void (*work)(void *), const char *call)
{
    tb_status status = tb_mj_guarded(work, lanes, lanes->error, TB_MJ_ERROR_CAP);
    if (status != TB_OK)
        lanes->is_broken = 1;
    else
        status = check_numbers(lanes, call);
    if (status != TB_OK)
        lanes->phase[i] = TB_MJ_LOST;
    return status;
}

// takes the new state of lane i out of mjData and observes it; the end of reset() and step()
static tb_status finish(tb_mj_lanes *lanes, uint64_t i, double reward, double *obs_out,
                        const char *call)
{
    const tb_mj_model *model = lanes->model;
    tb_mj_row_out(lanes, i);
    model->task->observe(&lanes->view, obs_out);
    if (all_finite(lanes->rows + i * lanes->stride, model->n_row) &&
        all_finite(obs_out, model->n_obs) && isfinite(reward))
        return TB_OK;
    lanes->phase[i] = TB_MJ_LOST;
    return tb_mj_lanes_fail(lanes, TB_E_NUMERIC,
                            "%s() left the finite numbers (state, reward or observation): the "
                            "episode is lost, call reset() or load()",
                            call);
}

static void reset_data(void *arg)
{
    const tb_mj_lanes *lanes = arg;
    mj_resetData(lanes->model->m, lanes->d);
    forget_warnings(lanes->d);
}

static void forward(void *arg)
{
    const tb_mj_lanes *lanes = arg;
    mj_forward(lanes->model->m, lanes->d);
}

tb_status tb_mj_lane_reset(tb_mj_lanes *lanes, uint64_t i, const tb_key *key, double *obs_out)
{
    if (lanes->is_broken)
        return broken(lanes);
    tb_rng_init(&lanes->rng[i], *key);
    tb_status status = simulate(lanes, i, reset_data, "reset");
    if (status != TB_OK)
        return status;
    lanes->model->task->reset(&lanes->view, &lanes->rng[i]);
    status = simulate(lanes, i, forward, "reset");
    if (status != TB_OK)
        return status;
    lanes->phase[i] = TB_MJ_RUNNING;
    return finish(lanes, i, 0, obs_out, "reset");
}

static int is_unstable(const mjData *d)
{
    int bad = 0;
    for (int k = 0; k < n_bad_numbers; k++)
        bad |= d->warning[bad_numbers[k]].number;
    return bad != 0;
}

static void step_frames(void *arg)
{
    const tb_mj_lanes *lanes = arg;
    const tb_mj_model *model = lanes->model;
    for (int64_t k = 0; k < model->params.frame_skip && !is_unstable(lanes->d); k++)
        mj_step(model->m, lanes->d);
    if (model->task->has_contact_forces)
        mj_rnePostConstraint(model->m, lanes->d);
}

static tb_status take_action(tb_mj_lanes *lanes, const float *action)
{
    uint64_t n = lanes->model->n_actions;
    for (uint64_t k = 0; k < n; k++)
        if (!isfinite(action[k]))
            return tb_mj_lanes_fail(lanes, TB_E_INVALID, "action[%llu] is not finite",
                                    (unsigned long long)k);
    for (uint64_t k = 0; k < n; k++)
        lanes->d->ctrl[k] = (double)action[k];
    return TB_OK;
}

tb_status tb_mj_lane_step(tb_mj_lanes *lanes, uint64_t i, const float *action, double *obs_out,
                          tb_step *out)
{
    const tb_mj_model *model = lanes->model;
    tb_mj_outcome outcome = {0};
    double before[2] = {0, 0};
    if (lanes->is_broken)
        return broken(lanes);
    if (lanes->phase[i] != TB_MJ_RUNNING)
        return tb_mj_lanes_state_error(lanes, i, "step");
    tb_status status = take_action(lanes, action);
    if (status != TB_OK)
        return status;
    tb_mj_row_in(lanes, i, TB_MJ_READ);
    if (model->task->carries_position)
        memcpy(before, lanes->rows + i * lanes->stride + model->n_vector - 2, sizeof before);
    else if (model->task->position != NULL)
        model->task->position(&lanes->view, before);
    forget_warnings(lanes->d);
    status = simulate(lanes, i, step_frames, "step");
    if (status != TB_OK)
        return status;
    model->task->reward(&lanes->view, before, action, &outcome);
    memcpy(lanes->term, outcome.term, sizeof lanes->term);
    lanes->phase[i] = outcome.flags != 0 ? TB_MJ_ENDED : TB_MJ_RUNNING;
    status = finish(lanes, i, outcome.reward, obs_out, "step");
    if (status != TB_OK)
        return status;
    out->flags = outcome.flags;
    out->reward = outcome.reward;
    return TB_OK;
}

// ---- states ----

tb_status tb_mj_lane_observe(tb_mj_lanes *lanes, uint64_t i, double *obs_out)
{
    if (lanes->is_broken)
        return broken(lanes);
    if (!tb_mj_has_state(lanes, i))
        return tb_mj_lanes_state_error(lanes, i, "observe");
    tb_mj_row_in(lanes, i, lanes->n_pieces);
    lanes->model->task->observe(&lanes->view, obs_out);
    return TB_OK;
}

tb_status tb_mj_lane_get(const tb_mj_lanes *lanes, uint64_t i, double *out)
{
    if (!tb_mj_has_state(lanes, i))
        return tb_mj_lanes_state_error(lanes, i, "get");
    memcpy(out, lanes->rows + i * lanes->stride, (size_t)lanes->model->n_vector * sizeof(double));
    return TB_OK;
}

tb_status tb_mj_lane_set(tb_mj_lanes *lanes, uint64_t i, const double *in)
{
    uint64_t n = lanes->model->n_vector;
    double *row = lanes->rows + i * lanes->stride;
    if (lanes->is_broken)
        return broken(lanes);
    for (uint64_t k = 0; k < n; k++)
        if (!isfinite(in[k]))
            return tb_mj_lanes_fail(lanes, TB_E_INVALID, "set() got a non-finite \"%s\"",
                                    lanes->model->names[k]);
    tb_status status = simulate(lanes, i, reset_data, "set");
    if (status != TB_OK)
        return status;
    memcpy(row, in, (size_t)n * sizeof(double));
    tb_mj_row_in(lanes, i, TB_MJ_READ);
    status = simulate(lanes, i, forward, "set");
    if (status != TB_OK)
        return status;
    // what observations read is computed; what the next step reads is what was given
    tb_mj_row_out(lanes, i);
    memcpy(row, in, (size_t)n * sizeof(double));
    lanes->phase[i] = TB_MJ_RUNNING;
    return TB_OK;
}
