/* SPDX-License-Identifier: MIT */
#include "trpo/net/net.h"

#include <omp.h>

#include "tests/trpo/testing.h"
#include "tests/trpo/testing_map.h"

// the largest has segments of four and of five shards, so stretches of four and of one
enum { I = 4, O = 3, H = 5, max_rows = 65 * TB_SHARD_ROWS - 7 };

static const size_t sizes[] = {1, 2, 95, 96, 97, 191, 192, 193, 1000, max_rows};
enum { n_sizes = sizeof sizes / sizeof sizes[0] };

static tb_map_spec spec_of(uint32_t dtype)
{
    return (tb_map_spec){.struct_size = sizeof(tb_map_spec),
                         .dtype = dtype,
                         .n_in = I,
                         .n_out = O,
                         .n_const_out = 1,
                         .const_init = -0.5,
                         .out_gain = 1};
}

typedef struct fixture {
    tb_net net;
    tb_net_batch *batch;
    test_map *map;
    unsigned char x[max_rows * I * 8];
    double v[64], g[64], h[64];
    double y[max_rows * O], w[max_rows * O]; // what rows_fn saw and gave
    int rows_seen[max_rows];
} fixture;

static void init(fixture *f, uint32_t dtype)
{
    memset(f, 0, sizeof *f);
    tb_error error = {0};
    tb_map_spec spec = spec_of(dtype);
    f->map = test_map_create(&spec, H);
    const tb_key key = {{1, 2}};
    assert_ok(tb_net_init(&f->net, &test_map_api, test_map_abi(f->map), &spec, &key, &error),
              &error);
    assert_ok(tb_net_batch_create(&f->net, max_rows, &f->batch, &error), &error);
    tb_rng rng = test_rng(3);
    double x[I];
    for (size_t i = 0; i < max_rows; i++) {
        test_fill(&rng, x, I, 1);
        tb_to_native(dtype, x, f->x + i * I * tb_dtype_size(dtype), I);
    }
    test_fill(&rng, f->v, f->net.n_params, 1);
    test_fill(&rng, f->w, max_rows * O, 1);
}

static void finish(fixture *f)
{
    tb_net_batch_destroy(f->batch);
    tb_net_finish(&f->net);
}

static void keep_y(void *ctx, size_t shard, size_t begin, size_t end, const double *in, double *out)
{
    fixture *f = ctx;
    assert_null(out);
    assert_int_equal(shard, begin / TB_SHARD_ROWS);
    for (size_t i = begin; i < end; i++)
        f->rows_seen[i]++;
    memcpy(f->y + begin * O, in, (end - begin) * O * sizeof *in);
}

static void give_w(void *ctx, size_t shard, size_t begin, size_t end, const double *in, double *out)
{
    const fixture *f = ctx;
    (void)shard;
    assert_null(in);
    memcpy(out, f->w + begin * O, (end - begin) * O * sizeof *out);
}

// a metric that differs from row to row and couples outputs: M = d d' + 2 I, d_k = sin(row + k)
static void metric(size_t row, const double *jv, double *mjv)
{
    double dot = 0;
    for (size_t k = 0; k < O; k++)
        dot += sin((double)(row + k)) * jv[k];
    for (size_t k = 0; k < O; k++)
        mjv[k] = sin((double)(row + k)) * dot + 2 * jv[k];
}

static void apply_metric(void *ctx, size_t shard, size_t begin, size_t end, const double *in,
                         double *out)
{
    (void)ctx;
    (void)shard;
    for (size_t i = begin; i < end; i++)
        metric(i, in + (i - begin) * O, out + (i - begin) * O);
}

static void all_products(fixture *f, size_t rows)
{
    tb_error error = {0};
    memset(f->rows_seen, 0, sizeof f->rows_seen);
    assert_ok(tb_net_batch_forward(f->batch, f->x, rows, keep_y, f, &error), &error);
    assert_ok(tb_net_batch_vjp(f->batch, give_w, f, f->g, &error), &error);
    assert_ok(tb_net_batch_gauss_newton(f->batch, f->v, apply_metric, f, f->h, &error), &error);
}

// the whole batch in one call of the map
static void naive(fixture *f, size_t rows, double *y, double *g, double *h)
{
    const tb_net *net = &f->net;
    size_t p = net->n_params, size = tb_dtype_size(net->dtype);
    void *ws = tb_alloc(test_map_ws_bytes(net->map, rows), 1), *out = tb_alloc(rows * O, size),
         *native = tb_alloc(p, size);
    double *jv = tb_alloc(rows * O, sizeof *jv), *mjv = tb_alloc(rows * O, sizeof *mjv);
    test_map_forward(net->map, net->native, f->x, rows, out, ws);
    tb_from_native(net->dtype, out, y, rows * O);
    tb_to_native(net->dtype, f->w, out, rows * O);
    test_map_vjp(net->map, net->native, f->x, rows, ws, out, native);
    tb_from_native(net->dtype, native, g, p);
    tb_to_native(net->dtype, f->v, native, p);
    test_map_jvp(net->map, net->native, f->x, rows, ws, native, out);
    tb_from_native(net->dtype, out, jv, rows * O);
    for (size_t i = 0; i < rows; i++)
        metric(i, jv + i * O, mjv + i * O);
    tb_to_native(net->dtype, mjv, out, rows * O);
    test_map_vjp(net->map, net->native, f->x, rows, ws, out, native);
    tb_from_native(net->dtype, native, h, p);
    free(ws);
    free(out);
    free(native);
    free(jv);
    free(mjv);
}

static void check_against_naive(uint32_t dtype, double tolerance)
{
    static fixture f;
    static double y[max_rows * O];
    double g[64], h[64];
    init(&f, dtype);
    for (size_t s = 0; s < n_sizes; s++) {
        size_t rows = sizes[s];
        all_products(&f, rows);
        naive(&f, rows, y, g, h);
        for (size_t i = 0; i < max_rows; i++)
            assert_int_equal(f.rows_seen[i], i < rows);
        assert_memory_equal(f.y, y, rows * O * sizeof *y);
        double biggest = 0;
        for (size_t i = 0; i < f.net.n_params; i++)
            biggest = fmax(biggest, fmax(fabs(g[i]), fabs(h[i])));
        for (size_t i = 0; i < f.net.n_params; i++) {
            assert_near(f.g[i], g[i], tolerance * biggest);
            assert_near(f.h[i], h[i], tolerance * biggest);
        }
    }
    finish(&f);
}

static void test_f64_equals_one_big_batch(void **state)
{
    (void)state;
    check_against_naive(TB_F64, 1e-13);
}

// the naive sum over 1000 rows in float is the one that rounds
static void test_f32_equals_one_big_batch(void **state)
{
    (void)state;
    check_against_naive(TB_F32, 2e-5);
}

static void test_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    static fixture one, many;
    int threads_before = omp_get_max_threads();
    for (uint32_t dtype = TB_F64; dtype <= TB_F32; dtype++) {
        init(&one, dtype);
        init(&many, dtype);
        size_t bytes = one.net.n_params * sizeof(double);
        for (size_t s = 0; s < n_sizes; s++) {
            omp_set_num_threads(1);
            all_products(&one, sizes[s]);
            for (int threads = 2; threads <= 4; threads++) {
                omp_set_num_threads(threads);
                all_products(&many, sizes[s]);
                assert_memory_equal(one.y, many.y, sizes[s] * O * sizeof(double));
                assert_memory_equal(one.g, many.g, bytes);
                assert_memory_equal(one.h, many.h, bytes);
            }
        }
        finish(&one);
        finish(&many);
    }
    omp_set_num_threads(threads_before);
}

// a large batch leaves nothing behind that a smaller one could pick up
static void test_batches_of_changing_size(void **state)
{
    (void)state;
    static fixture f, fresh;
    init(&f, TB_F64);
    all_products(&f, max_rows);
    all_products(&f, 97);
    init(&fresh, TB_F64);
    all_products(&fresh, 97);
    assert_memory_equal(f.g, fresh.g, f.net.n_params * sizeof(double));
    assert_memory_equal(f.h, fresh.h, f.net.n_params * sizeof(double));
    finish(&f);
    finish(&fresh);
}

// g against central differences of sum w'y, through the whole machinery
static void test_gradient_is_the_derivative(void **state)
{
    (void)state;
    static fixture f;
    init(&f, TB_F64);
    all_products(&f, 200);
    double theta[64];
    size_t p = f.net.n_params;
    memcpy(theta, f.net.theta, p * sizeof *theta);
    tb_error error = {0};
    for (size_t i = 0; i < p; i++) {
        double sums[2] = {0};
        for (int side = 0; side < 2; side++) {
            double moved[64];
            memcpy(moved, theta, p * sizeof *moved);
            moved[i] += side ? 1e-5 : -1e-5;
            tb_net_set(&f.net, moved);
            assert_ok(tb_net_batch_forward(f.batch, f.x, 200, keep_y, &f, &error), &error);
            for (size_t k = 0; k < 200 * O; k++)
                sums[side] += f.w[k] * f.y[k];
        }
        assert_near(f.g[i], (sums[1] - sums[0]) / 2e-5, 1e-7);
    }
    finish(&f);
}

static void test_lane_equals_batch(void **state)
{
    (void)state;
    static fixture f;
    for (uint32_t dtype = TB_F64; dtype <= TB_F32; dtype++) {
        init(&f, dtype);
        all_products(&f, 100);
        tb_net_lane lane;
        tb_error error = {0};
        assert_ok(tb_net_lane_init(&lane, &f.net, 7, &error), &error);
        memcpy(lane.x, f.x, 7 * I * tb_dtype_size(dtype));
        double y[7 * O];
        for (size_t rows = 1; rows <= 7; rows++) {
            assert_ok(tb_net_lane_forward(&lane, rows, y, &error), &error);
            assert_memory_equal(y, f.y, rows * O * sizeof *y);
        }
        tb_net_lane_finish(&lane);
        finish(&f);
    }
}

static void test_native_is_theta_rounded(void **state)
{
    (void)state;
    static fixture f;
    init(&f, TB_F32);
    double theta[64];
    for (size_t i = 0; i < f.net.n_params; i++)
        theta[i] = 1.0 / (double)(i + 3);
    tb_net_set(&f.net, theta);
    for (size_t i = 0; i < f.net.n_params; i++) {
        assert_true(f.net.theta[i] == theta[i]); // the master keeps all its digits
        assert_true(((const float *)f.net.native)[i] == (float)theta[i]);
    }
    // in place
    f.net.theta[0] = 5;
    tb_net_set(&f.net, f.net.theta);
    assert_true(((const float *)f.net.native)[0] == 5);
    finish(&f);
}

static void test_failures_name_the_call(void **state)
{
    (void)state;
    static fixture f;
    init(&f, TB_F64);
    all_products(&f, 300);
    tb_error error = {0};
    f.map->fail_jvp = 1;
    assert_int_equal(tb_net_batch_gauss_newton(f.batch, f.v, apply_metric, &f, f.h, &error),
                     TB_E_NUMERIC);
    assert_message(&error, "jvp failed: told to fail (TB_E_NUMERIC)");
    f.map->fail_vjp = 1;
    assert_int_equal(tb_net_batch_vjp(f.batch, give_w, &f, f.g, &error), TB_E_NUMERIC);
    assert_message(&error, "vjp failed");
    f.map->fail_forward = 1;
    assert_int_equal(tb_net_batch_forward(f.batch, f.x, 300, keep_y, &f, &error), TB_E_NUMERIC);
    assert_message(&error, "forward failed");
    // and it recovers
    f.map->fail_forward = f.map->fail_vjp = f.map->fail_jvp = 0;
    all_products(&f, 300);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f64_equals_one_big_batch),
        cmocka_unit_test(test_f32_equals_one_big_batch),
        cmocka_unit_test(test_same_bits_for_any_number_of_threads),
        cmocka_unit_test(test_batches_of_changing_size),
        cmocka_unit_test(test_gradient_is_the_derivative),
        cmocka_unit_test(test_lane_equals_batch),
        cmocka_unit_test(test_native_is_theta_rounded),
        cmocka_unit_test(test_failures_name_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
