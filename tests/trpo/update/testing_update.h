/* SPDX-License-Identifier: MIT
 *
 * A policy with a sampled batch, for the tests of updates; and dense linear algebra for comparison.
 */
#ifndef TESTS_TRPO_UPDATE_TESTING_UPDATE_H
#define TESTS_TRPO_UPDATE_TESTING_UPDATE_H

#include "tests/trpo/testing.h"
#include "tests/trpo/testing_map.h"
#include "trpo/update/algorithm.h"
#include "trpo/update/natural.h"
#include "trpo/update/policy.h"

enum { update_inputs = 3, update_max_params = 64, update_max_rows = 400 };

typedef struct update_fixture {
    tb_policy policy;
    test_map *map;
    tb_batch batch;
    tb_iteration log;
    double before[update_max_params]; // theta when the batch was sampled
    const tb_algorithm *algorithm;
    unsigned char config[256];
    double *state;
} update_fixture;

static const tb_head update_categorical = {
    .api = &tb_head_categorical, .n = 3, .n_params = 3, .n_action = 1, .n_unif = 1};
static const tb_head update_gaussian = {
    .api = &tb_head_gaussian, .n = 2, .n_params = 4, .n_const = 2, .n_action = 2, .n_unif = 2};

/* Samples the batch: inputs, outputs, actions, normalised advantages. */
static inline void update_sample(update_fixture *f, size_t rows, uint64_t seed)
{
    tb_policy *policy = &f->policy;
    tb_batch *batch = &f->batch;
    const tb_head *head = &policy->head;
    tb_rng rng = test_rng(seed);
    tb_error error = {0};
    batch->lanes = 1;
    batch->steps = batch->n_rows = rows;
    double mean = 0, squares = 0;
    for (size_t i = 0; i < rows; i++) {
        double x[update_inputs];
        test_fill(&rng, x, update_inputs, 1.5);
        uint32_t dtype = policy->net.dtype;
        tb_to_native(dtype, x, (char *)batch->x + i * update_inputs * tb_dtype_size(dtype),
                     update_inputs);
        batch->advantage[i] = tb_rng_uniform(&rng, -1, 1);
        mean += batch->advantage[i] / (double)rows;
    }
    tb_surrogate ignored;
    memset(batch->y_old, 0, rows * head->n_params * sizeof(double));
    assert_ok(tb_policy_evaluate(policy, batch, &ignored, &error), &error);
    memcpy(batch->y_old, policy->y, rows * head->n_params * sizeof(double));
    for (size_t i = 0; i < rows; i++) {
        double u[2] = {tb_rng_f64(&rng), tb_rng_f64(&rng)}, *a = batch->action + i * head->n_action;
        const double *y = batch->y_old + i * head->n_params;
        head->api->sample(head, y, u, a);
        batch->log_prob_old[i] = head->api->log_prob(head, y, a);
        batch->advantage[i] -= mean;
        squares += batch->advantage[i] * batch->advantage[i] / (double)rows;
    }
    for (size_t i = 0; i < rows; i++)
        // a mean to be seen; one row has no deviation
        batch->advantage[i] = batch->advantage[i] / (squares > 0 ? sqrt(squares) : 1) + 0.125;
}

static inline void update_init(update_fixture *f, const tb_head *head, uint32_t dtype, size_t rows,
                               uint64_t seed)
{
    memset(f, 0, sizeof *f);
    tb_error error = {0};
    tb_map_spec spec = {.struct_size = sizeof spec,
                        .dtype = dtype,
                        .n_in = update_inputs,
                        .n_out = head->n_params,
                        .n_const_out = head->n_const,
                        .const_init = -0.4,
                        .out_gain = 0.5};
    f->map = test_map_create(&spec, 4);
    assert_ok(tb_policy_init(&f->policy, &test_map_api, test_map_abi(f->map), &spec, head,
                             update_max_rows, seed, &error),
              &error);
    assert_true(f->policy.net.n_params <= update_max_params);
    assert_ok(tb_batch_init(&f->batch, update_max_rows, 1, update_inputs * tb_dtype_size(dtype),
                            head->n_action, head->n_params, &error),
              &error);
    tb_iteration_clear(&f->log);
    update_sample(f, rows, seed);
    memcpy(f->before, f->policy.net.theta, f->policy.net.n_params * sizeof(double));
}

static inline void update_finish(update_fixture *f)
{
    tb_policy_finish(&f->policy);
    tb_batch_finish(&f->batch);
    free(f->state);
}

/* ---- algorithms ---- */

static inline void update_choose(update_fixture *f, const char *id)
{
    f->algorithm = tb_algorithm_find(id);
    assert_non_null(f->algorithm);
    assert_true(f->algorithm->config_size <= sizeof f->config);
    tb_options_default(f->algorithm->options, f->config);
    if (f->algorithm->state_count != NULL)
        f->state = tb_alloc(f->algorithm->state_count(f->policy.net.n_params), sizeof(double));
}

static inline void update_set(update_fixture *f, const char *key, double value)
{
    const tb_option *option = tb_option_find(f->algorithm->options, key);
    assert_non_null(option);
    char choice[64];
    tb_value v = {.type = option->type == TB_OPTION_I64    ? TB_VALUE_I64
                          : option->type == TB_OPTION_ENUM ? TB_VALUE_STRING
                                                           : TB_VALUE_F64,
                  .i64 = (int64_t)value,
                  .f64 = value,
                  .string = choice};
    if (option->type == TB_OPTION_ENUM)
        assert_true(tb_option_choice(option, (int)value, choice));
    tb_error error = {0};
    assert_ok(tb_option_set(option, f->config, &v, &error), &error);
}

static inline void update_run(update_fixture *f)
{
    tb_error error = {0};
    assert_ok(f->algorithm->prepare(f->config, &f->policy, &error), &error);
    assert_ok(f->algorithm->update(f->config, &f->policy, &f->batch, f->state, &f->log, &error),
              &error);
}

/* The parameters are those of the sampling to the last bit, the rounded copy too. */
static inline void assert_parameters_kept(update_fixture *f)
{
    size_t n = f->policy.net.n_params;
    double native[update_max_params], rounded[update_max_params];
    assert_memory_equal(f->policy.net.theta, f->before, n * sizeof(double));
    unsigned char expected[update_max_params * 8];
    tb_to_native(f->policy.net.dtype, f->before, expected, n);
    tb_from_native(f->policy.net.dtype, expected, rounded, n);
    tb_from_native(f->policy.net.dtype, f->policy.net.native, native, n);
    assert_memory_equal(native, rounded, n * sizeof(double));
}

/* The log of an update that kept the old parameters. */
static inline void assert_rejected(update_fixture *f, tb_update_end end)
{
    assert_string_equal(tb_update_end_name(f->log.update_end), tb_update_end_name(end));
    assert_parameters_kept(f);
    assert_int_equal(f->log.updates_rejected, 1);
    assert_int_equal(f->log.non_finite, end == TB_UPDATE_NON_FINITE);
    assert_true(f->log.kl == 0);
    assert_true(f->log.step_norm == 0);
    assert_true(f->log.step_fraction == 0);
    assert_memory_equal(&f->log.surrogate_after, &f->log.surrogate_before, sizeof(double));
    assert_memory_equal(&f->log.entropy_after, &f->log.entropy, sizeof(double));
}

/* Whichever call of the network fails in an update, the update fails and says so; the run ends with
 * it. `fixture` sets one up, the same each time. */
static inline void check_every_failure(void (*fixture)(update_fixture *f))
{
    int64_t calls = 0;
    for (int64_t k = 1; calls == 0; k++) {
        update_fixture f;
        tb_error error = {0};
        fixture(&f);
        assert_ok(f.algorithm->prepare(f.config, &f.policy, &error), &error);
        f.map->n_calls = 0;
        f.map->fail_call = k;
        tb_status status =
            f.algorithm->update(f.config, &f.policy, &f.batch, f.state, &f.log, &error);
        if (f.map->n_calls < k) {
            assert_ok(status, &error);
            calls = f.map->n_calls;
        } else {
            assert_int_equal(status, TB_E_NUMERIC);
            assert_message(&error, " failed: ");
        }
        update_finish(&f);
    }
    // forward, vjp, forward at least
    assert_true(calls >= 3);
}

/* ---- dense twins ---- */

/* Row numbers in the batch of what was drawn for Fisher products, told by their inputs, which come
 * in the batch's order; returns how many. */
static inline size_t drawn_rows(const update_fixture *f, size_t *rows)
{
    size_t bytes = update_inputs * tb_dtype_size(f->policy.net.dtype), n = 0;
    const char *x = f->policy.fisher_x, *all = f->batch.x;
    for (size_t i = 0; i < f->batch.n_rows && n < f->policy.n_rows; i++)
        if (memcmp(x + n * bytes, all + i * bytes, bytes) == 0)
            rows[n++] = i;
    assert_int_equal(n, f->policy.n_rows);
    return n;
}

/* Leaves only the given rows' inputs in a batch of doubles: enough for dense_fisher. */
static inline void keep_rows(update_fixture *f, const size_t *rows, size_t n)
{
    double *x = f->batch.x;
    for (size_t i = 0; i < n; i++)
        memmove(x + i * update_inputs, x + rows[i] * update_inputs, update_inputs * sizeof(double));
    f->batch.n_rows = n;
}

/* F [P][P] = sum over rows of J' M J / N from columns: every jvp and M v by unit vectors. */
static inline void dense_fisher(update_fixture *f, double *F)
{
    const tb_net *net = &f->policy.net;
    const tb_head *head = &f->policy.head;
    size_t p = net->n_params, d = head->n_params, rows = f->batch.n_rows;
    assert_int_equal(net->dtype, TB_F64);
    double *J = tb_alloc(rows * d * p, sizeof *J); // [P][N][D]
    double *MJ = tb_alloc(rows * d * p, sizeof *MJ);
    double *y = tb_alloc(rows * d, sizeof *y);
    void *ws = tb_alloc(test_map_ws_bytes(net->map, rows), 1);
    test_map_forward(net->map, net->theta, f->batch.x, rows, y, ws);
    for (size_t i = 0; i < p; i++) {
        double unit[update_max_params] = {0}, *column = J + i * rows * d;
        unit[i] = 1;
        test_map_jvp(net->map, net->theta, f->batch.x, rows, ws, unit, column);
        for (size_t k = 0; k < rows; k++)
            head->api->fisher(head, y + k * d, column + k * d, MJ + (i * rows + k) * d);
    }
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            double sum = 0;
            for (size_t k = 0; k < rows * d; k++)
                sum += J[i * rows * d + k] * MJ[j * rows * d + k];
            F[i * p + j] = sum / (double)rows;
        }
    free(J);
    free(MJ);
    free(y);
    free(ws);
}

/* x = (F + damping I)^-1 b by Cholesky's factors; overwrites F [n][n]. */
static inline void dense_solve(double *F, double damping, const double *b, double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        F[i * n + i] += damping;
        for (size_t j = 0; j <= i; j++) {
            double sum = F[i * n + j];
            for (size_t k = 0; k < j; k++)
                sum -= F[i * n + k] * F[j * n + k];
            F[i * n + j] = i == j ? sqrt(sum) : sum / F[j * n + j];
        }
    }
    for (size_t i = 0; i < n; i++) {
        x[i] = b[i];
        for (size_t k = 0; k < i; k++)
            x[i] -= F[i * n + k] * x[k];
        x[i] /= F[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            x[i] -= F[k * n + i] * x[k];
        x[i] /= F[i * n + i];
    }
}

/* a'F b */
static inline double dense_product(const double *F, const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            sum += a[i] * F[i * n + j] * b[j];
    return sum;
}

static inline double dense_norm(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (a[i] - (b != NULL ? b[i] : 0)) * (a[i] - (b != NULL ? b[i] : 0));
    return sqrt(sum);
}

#endif
