/* SPDX-License-Identifier: MIT */
#include "tests/policy_plugin_properties.h"
#include "tests/policy_plugin_reference.h"
#include "trpo/linalg/kernels.h"

#include <pthread.h>

/* "none": the host offers no kernels, and the plugin falls back to the reference. */
static const char *const levels[] = {"none", "baseline", "v3", "v4"};
enum { LEVELS = sizeof levels / sizeof *levels };

/* Whether this CPU runs the level; from here on the host offers its kernels. A level that is
 * missing is said aloud. */
static int use_level(const char *level)
{
    test_kernels = tb_kernels_level(level);
    if (test_kernels || strcmp(level, "none") == 0)
        return 1;
    print_message("not tested: this CPU does not run level %s\n", level);
    return 0;
}

static int any_level(void **state)
{
    (void)state;
    release_buffers();
    assert_int_equal(tb_kernels_get(&test_kernels, NULL), TB_OK);
    return 0;
}

static void library_and_schema(void **state)
{
    (void)state;
    check_library("mlp");
    check_schema("mlp");
}

static void properties(void **state)
{
    (void)state;
    const test_option odd[] = {ARRAY("hidden", 3, 33, 1, 70), OPTION_END};
    const test_option none[] = {ARRAY("hidden", 0, 0), OPTION_END};
    const test_option relu[] = {ARRAY("hidden", 2, 16, 24), STRING("activation", "relu"),
                                OPTION_END};
    const test_option identity[] = {ARRAY("hidden", 1, 9), STRING("activation", "identity"),
                                    OPTION_END};
    for (size_t i = 0; i < LEVELS; i++)
        if (use_level(levels[i])) {
            check_map("mlp", 4, 2, 0, NULL, 1);
            check_map("mlp", 17, 12, 6, NULL, 1);
            check_map("mlp", 5, 3, 1, odd, 1);
            check_map("mlp", 3, 1, 0, none, 1);
            check_map("mlp", 11, 6, 3, relu, 0);
            check_map("mlp", 2, 40, 1, identity, 1);
        }
}

/* ---- the naive twin ---- */

static void compare_with_twin(const char *activation, const test_option *hidden, uint64_t n_in,
                              uint64_t n_out, uint64_t batch, uint32_t dtype, int fused)
{
    const test_option options[] = {*hidden, STRING("activation", activation), OPTION_END};
    test_map m = test_make("mlp", test_spec(dtype, n_in, n_out, n_out / 3), options);
    evaluation e = evaluate(&m, batch, 100);
    check_reference(&m, &e, hidden, *activation, fused,
                    *activation != 't' ? 0
                    : dtype == TB_F64  ? 1e-14
                                       : 4e-6);
    release_buffers();
    m.api->destroy(m.map);
}

/* relu and identity to the last bit, tanh (libm's in the twin) closely; widths on both sides of
 * vectors and panels, batches on both sides of tiles and chunks. */
static void equals_naive_twin(void **state)
{
    (void)state;
    const test_option shapes[] = {
        ARRAY("hidden", 2, 64, 64), ARRAY("hidden", 0, 0),           ARRAY("hidden", 1, 1),
        ARRAY("hidden", 2, 15, 17), ARRAY("hidden", 3, 130, 33, 70),
    };
    const uint64_t in[] = {4, 17, 1, 7, 3}, out[] = {3, 21, 1, 2, 67};
    const uint64_t batches[] = {1, 5, 97, 200};
    const char *const activations[] = {"tanh", "relu", "identity"};
    for (size_t level = 0; level < LEVELS; level++)
        if (use_level(levels[level]))
            for (size_t i = 0; i < 5 * 4 * 3 * 2; i++)
                compare_with_twin(activations[i / 40], &shapes[i % 5], in[i % 5], out[i % 5],
                                  batches[i / 5 % 4], i / 20 % 2 ? TB_F32 : TB_F64,
                                  strcmp(levels[level], "baseline") != 0);
}

/* The levels of the FMA class and the plugin's own fallback, tanh included. */
static void fused_levels_have_equal_bits(void **state)
{
    (void)state;
    const test_option options[] = {ARRAY("hidden", 3, 64, 50, 7), OPTION_END};
    for (size_t level = 2; level < LEVELS; level++)
        for (uint32_t dtype = TB_F64; dtype <= TB_F32; dtype++) {
            evaluation e[2];
            test_map m[2];
            if (!use_level(levels[level]))
                continue;
            for (int i = 0; i < 2; i++) {
                assert_true(use_level(levels[i ? level : 0]));
                m[i] = test_make("mlp", test_spec(dtype, 19, 9, 4), options);
                e[i] = evaluate(&m[i], 101, 300);
            }
            assert_same_bits(&m[0], e[0].y, e[1].y, 101 * 9, "y");
            assert_same_bits(&m[0], e[0].jv, e[1].jv, 101 * 9, "jv");
            assert_same_bits(&m[0], e[0].g, e[1].g, m[0].n_params, "g");
            for (int i = 0; i < 2; i++)
                m[i].api->destroy(m[i].map);
            release_buffers();
        }
}

/* A host of an older version, whose tables end before what the plugin calls, is like none. */
static void short_tables_are_not_used(void **state)
{
    (void)state;
    tb_kernels_table table = *test_kernels->f64;
    const tb_kernels old = {sizeof old, 1, "old", &table, &table};
    table.struct_size = (uint32_t)offsetof(tb_kernels_table, weight_grad);
    table.forward = NULL;
    test_kernels = &old;
    test_map m = test_make("mlp", test_spec(TB_F64, 3, 2, 0), NULL);
    (void)evaluate(&m, 3, 1);
    m.api->destroy(m.map);
}

static void float_agrees_with_double(void **state)
{
    (void)state;
    test_map m[2];
    evaluation e[2];
    for (int i = 0; i < 2; i++) {
        m[i] = test_make("mlp", test_spec(i ? TB_F32 : TB_F64, 6, 5, 2), NULL);
        e[i] = evaluate(&m[i], 70, 400);
    }
    assert_close(&m[1], e[1].y, e[0].y, 70 * 5, 3e-6);
    assert_close(&m[1], e[1].jv, e[0].jv, 70 * 5, 3e-6);
    assert_close(&m[1], e[1].g, e[0].g, m[0].n_params, 3e-6);
    for (int i = 0; i < 2; i++)
        m[i].api->destroy(m[i].map);
    release_buffers();
}

/* A NaN input must not come out as a number, whatever the activation. */
static void nan_comes_through(void **state)
{
    (void)state;
    const char *const activations[] = {"tanh", "relu", "identity"};
    for (size_t i = 0; i < 3 * LEVELS; i++) {
        const test_option options[] = {STRING("activation", activations[i / LEVELS]), OPTION_END};
        if (!use_level(levels[i % LEVELS]))
            continue;
        test_map m = test_make("mlp", test_spec(TB_F32, 2, 3, 0), options);
        float x[] = {1, NAN}, y[3];
        void *theta = random_buffer(&m, m.n_params, 5), *ws = workspace(&m, 1);
        assert_int_equal(m.api->forward(m.map, theta, x, 1, y, ws), TB_OK);
        assert_true(isnan(y[0]) && isnan(y[1]) && isnan(y[2]));
        release_buffers();
        m.api->destroy(m.map);
    }
}

/* ---- initial parameters ---- */

/* Largest deviation of the smaller Gram matrix of W [n_in][n_out] from gain^2 I. */
static double gram_error(const double *w, uint64_t n_in, uint64_t n_out, double gain)
{
    const int tall = n_in >= n_out;
    const uint64_t m = tall ? n_out : n_in, n = tall ? n_in : n_out;
    const uint64_t row = tall ? 1 : n_out, column = tall ? n_out : 1;
    double worst = 0;
    for (uint64_t i = 0; i < m; i++)
        for (uint64_t j = 0; j <= i; j++) {
            double sum = i == j ? -gain * gain : 0;
            for (uint64_t k = 0; k < n; k++)
                sum += w[i * row + k * column] * w[j * row + k * column];
            worst = fmax(worst, fabs(sum));
        }
    return worst;
}

/* Blocks in order, by name: weights orthogonal with the right gain, biases 0, log_std as told. */
static void orthogonal_init(void **state)
{
    (void)state;
    const test_option options[] = {ARRAY("hidden", 3, 40, 40, 40), NUMBER("gain", 1.25),
                                   OPTION_END};
    static const char *const names[] = {"hidden0.weight", "hidden0.bias",   "hidden1.weight",
                                        "hidden1.bias",   "hidden2.weight", "hidden2.bias",
                                        "output.weight",  "output.bias",    "log_std"};
    const uint64_t widths[] = {6, 40, 40, 40, 3};
    test_map m = test_make("mlp", test_spec(TB_F64, 6, 5, 2), options);
    double *theta = buffer(&m, m.n_params);
    assert_int_equal(m.api->init(m.map, theta, &(tb_key){{8, 9}}), TB_OK);
    for (uint32_t i = 0; i < 9; i++) {
        uint64_t offset, count;
        const char *name;
        assert_int_equal(m.api->block(m.map, i, &offset, &count, &name), TB_OK);
        assert_string_equal(name, names[i]);
        if (i == 8)
            assert_int_equal(count, 2);
        else if (i % 2 == 0)
            assert_at_most(
                gram_error(theta + offset, widths[i / 2], widths[i / 2 + 1], i == 6 ? 0.7 : 1.25),
                2e-15);
        else
            for (uint64_t k = 0; k < count; k++)
                assert_true(theta[offset + k] == 0);
    }
    // layers of equal shape do not share their numbers
    assert_memory_not_equal(theta + 7 * 40, theta + 7 * 40 + 41 * 40, 40 * sizeof *theta);
    assert_int_equal(m.api->block(m.map, 9, &(uint64_t){0}, &(uint64_t){0}, &(const char *){0}),
                     TB_E_INVALID);
    m.api->destroy(m.map);
}

/* Uniform within the bound of Glorot and Bengio, and filling it: variance limit^2 / 3. */
static void xavier_init(void **state)
{
    (void)state;
    const test_option options[] = {ARRAY("hidden", 1, 100), STRING("init", "xavier"),
                                   NUMBER("gain", 1), OPTION_END};
    const double limit = sqrt(6.0 / (60 + 100));
    test_map m = test_make("mlp", test_spec(TB_F64, 60, 1, 0), options);
    double *theta = buffer(&m, m.n_params), sum = 0, squares = 0, largest = 0;
    assert_int_equal(m.api->init(m.map, theta, &(tb_key){{8, 9}}), TB_OK);
    for (int i = 0; i < 6000; i++) {
        sum += theta[i];
        squares += theta[i] * theta[i];
        largest = fmax(largest, fabs(theta[i]));
    }
    assert_at_most(largest, limit);
    assert_at_most(fabs(sum / 6000), 0.05 * limit);
    assert_at_most(fabs(squares / 6000 / (limit * limit) * 3 - 1), 0.05);
    m.api->destroy(m.map);
}

/* The defaults are what the schema says: spelled out, they change nothing. */
static void defaults(void **state)
{
    (void)state;
    const test_option spelled[] = {ARRAY("hidden", 2, 64, 64), STRING("activation", "tanh"),
                                   STRING("init", "orthogonal"), NUMBER("gain", 1.4142135623730951),
                                   OPTION_END};
    const test_option *const options[] = {NULL, spelled};
    double y[2][3], *theta[2];
    test_map m[2];
    for (int i = 0; i < 2; i++) {
        m[i] = test_make("mlp", test_spec(TB_F64, 4, 3, 1), options[i]);
        theta[i] = buffer(&m[i], m[i].n_params);
        void *ws = workspace(&m[i], 1);
        assert_int_equal(m[i].api->init(m[i].map, theta[i], &(tb_key){{1, 1}}), TB_OK);
        const double x[] = {1, -2, 3, -4};
        assert_int_equal(m[i].api->forward(m[i].map, theta[i], x, 1, y[i], ws), TB_OK);
        m[i].api->destroy(m[i].map);
    }
    assert_int_equal(m[0].n_params, m[1].n_params);
    assert_same_bits(&m[0], theta[0], theta[1], m[0].n_params, "theta");
    assert_same_bits(&m[0], y[0], y[1], 3, "y");
}

/* ---- the rest of the contract ---- */

typedef struct job {
    const test_map *m;
    evaluation e;
    pthread_t thread;
} job;

static void *repeat(void *arg)
{
    job *j = arg;
    for (int i = 0; i < 50; i++) {
        const evaluation *e = &j->e;
        (void)j->m->api->forward(j->m->map, e->theta, e->x, e->batch, e->y, e->ws);
        (void)j->m->api->jvp(j->m->map, e->theta, e->x, e->batch, e->ws, e->v, e->jv);
        (void)j->m->api->vjp(j->m->map, e->theta, e->x, e->batch, e->ws, e->w, e->g);
    }
    return NULL;
}

/* One map serves threads that have their own workspaces. */
static void threads_share_a_map(void **state)
{
    (void)state;
    test_map m = test_make("mlp", test_spec(TB_F32, 5, 4, 1), NULL);
    job jobs[3];
    for (uint64_t i = 0; i < 3; i++) {
        jobs[i] = (job){.m = &m, .e = evaluate(&m, 30 + i, 500 + i)};
        assert_int_equal(pthread_create(&jobs[i].thread, NULL, repeat, &jobs[i]), 0);
    }
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(jobs[i].thread, NULL), 0);
        const evaluation alone = evaluate(&m, 30 + i, 500 + i);
        assert_same_bits(&m, jobs[i].e.y, alone.y, (30 + i) * 4, "y");
        assert_same_bits(&m, jobs[i].e.jv, alone.jv, (30 + i) * 4, "jv");
        assert_same_bits(&m, jobs[i].e.g, alone.g, m.n_params, "g");
    }
    m.api->destroy(m.map);
}

static void refusals(void **state)
{
    (void)state;
    const tb_map_spec spec = test_spec(TB_F64, 5, 3, 1);
    const test_option zero[] = {ARRAY("hidden", 2, 64, 0), OPTION_END};
    const test_option wide[] = {ARRAY("hidden", 1, 4097), OPTION_END};
    const test_option deep[] = {ARRAY("hidden", 17, 1), OPTION_END};
    const test_option activation[] = {STRING("activation", "sigmoid"), OPTION_END};
    const test_option prefix[] = {STRING("activation", "tan"), OPTION_END};
    const test_option longer[] = {STRING("activation", "tanhh"), OPTION_END};
    const test_option init[] = {STRING("init", ""), OPTION_END};
    const test_option negative[] = {NUMBER("gain", -1), OPTION_END};
    const test_option nan[] = {NUMBER("gain", NAN), OPTION_END};
    check_refusal("mlp", spec, zero, TB_E_PARAM, "hidden[1] = 0: expected a width from 1 to 4096");
    check_refusal("mlp", spec, wide, TB_E_PARAM, "hidden[0] = 4097");
    check_refusal("mlp", spec, deep, TB_E_PARAM, "");
    check_refusal("mlp", spec, activation, TB_E_PARAM, "expected one of tanh|relu|identity");
    check_refusal("mlp", spec, prefix, TB_E_PARAM, "activation = \"tan\"");
    check_refusal("mlp", spec, longer, TB_E_PARAM, "activation = \"tanhh\"");
    check_refusal("mlp", spec, init, TB_E_PARAM, "expected one of orthogonal|xavier");
    check_refusal("mlp", spec, negative, TB_E_PARAM, "gain = -1: expected");
    check_refusal("mlp", spec, nan, TB_E_PARAM, "gain = ");
}

/* The largest that create() takes. */
static void sixteen_layers(void **state)
{
    (void)state;
    test_option deep[] = {ARRAY("hidden", 16, 3), OPTION_END};
    for (int i = 0; i < 16; i++)
        deep[0].array[i] = 3 + i % 4;
    test_map m = test_make("mlp", test_spec(TB_F64, 2, 2, 1), deep);
    check_blocks(&m);
    check_init(&m);
    check_adjoint(&m, 5);
    m.api->destroy(m.map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(library_and_schema, any_level),
        cmocka_unit_test_teardown(properties, any_level),
        cmocka_unit_test_teardown(equals_naive_twin, any_level),
        cmocka_unit_test_teardown(fused_levels_have_equal_bits, any_level),
        cmocka_unit_test_teardown(short_tables_are_not_used, any_level),
        cmocka_unit_test_teardown(float_agrees_with_double, any_level),
        cmocka_unit_test_teardown(nan_comes_through, any_level),
        cmocka_unit_test_teardown(orthogonal_init, any_level),
        cmocka_unit_test_teardown(xavier_init, any_level),
        cmocka_unit_test_teardown(defaults, any_level),
        cmocka_unit_test_teardown(threads_share_a_map, any_level),
        cmocka_unit_test_teardown(refusals, any_level),
        cmocka_unit_test_teardown(sixteen_layers, any_level),
    };
    return cmocka_run_group_tests(tests, any_level, NULL);
}
