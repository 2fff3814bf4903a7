/* SPDX-License-Identifier: MIT
 *
 * The map that makes a Gaussian policy's log-std of features and the noise that goes with it:
 * against its definition, against differences, against stable-baselines3.
 */
#include "trpo/net/gsde.h"

#include "tests/trpo/testing.h"
#include "tests/trpo/testing_map.h"
#include "trpo/dist/head.h"
#include "trpo/net/net.h"
#include "trpo/update/policy.h"

enum { I = 3, A = 2, H = 4, D = 2 * A, P = H * I + H + A * H + A + H * A, max_rows = 100 };
enum { first_output = H * I + H, first_log_sigma = P - H * A }; // where W2 and l begin in theta

static const tb_head gaussian = {
    .api = &tb_head_gaussian, .n = A, .n_params = D, .n_action = A, .n_unif = A};
static const uint32_t dtypes[] = {TB_F64, TB_F32};

typedef struct fixture {
    uint32_t dtype;
    test_map *inside;
    const tb_map_api *api;
    tb_map *map;
    size_t rows;
    double theta[P], x[max_rows * I]; // as rounded to dtype
    double theta_native[P], x_native[max_rows * I];
    void *ws;
} fixture;

static tb_map_spec spec_of(uint32_t dtype)
{
    return (tb_map_spec){.struct_size = sizeof(tb_map_spec),
                         .dtype = dtype,
                         .n_in = I,
                         .n_out = A + H * A,
                         .n_const_out = H * A,
                         .const_init = -0.5,
                         .out_gain = 1};
}

static void set_theta(fixture *f)
{
    tb_to_native(f->dtype, f->theta, f->theta_native, P);
    tb_from_native(f->dtype, f->theta_native, f->theta, P);
}

static void set_x(fixture *f)
{
    tb_to_native(f->dtype, f->x, f->x_native, f->rows * I);
    tb_from_native(f->dtype, f->x_native, f->x, f->rows * I);
}

static void init(fixture *f, uint32_t dtype, size_t rows, uint64_t seed)
{
    memset(f, 0, sizeof *f);
    f->dtype = dtype;
    f->rows = rows;
    const tb_map_spec spec = spec_of(dtype);
    tb_error error = {0};
    f->inside = test_map_create(&spec, H);
    assert_ok(
        tb_gsde_create(&test_map_api, test_map_abi(f->inside), &spec, &f->api, &f->map, &error),
        &error);
    assert_int_equal(f->api->n_params(f->map), P);
    tb_rng rng = test_rng(seed);
    test_fill(&rng, f->theta, P, 1);
    test_fill(&rng, f->x, rows * I, 1.5);
    set_theta(f);
    set_x(f);
    size_t bytes = (size_t)f->api->ws_bytes(f->map, rows);
    f->ws = tb_alloc(bytes + 64, 1);
    memset(f->ws, 0xff, bytes + 64); // NaN, in both types
}

static void finish(fixture *f)
{
    const unsigned char *end = (const unsigned char *)f->ws + f->api->ws_bytes(f->map, f->rows);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(end[i], 0xff);
    f->api->destroy(f->map);
    free(f->ws);
}

// y [rows][D] at theta
static void forward(fixture *f, double *y)
{
    double native[max_rows * D];
    set_theta(f);
    assert_int_equal(f->api->forward(f->map, f->theta_native, f->x_native, f->rows, native, f->ws),
                     TB_OK);
    tb_from_native(f->dtype, native, y, f->rows * D);
}

static void jvp(fixture *f, const double *v, double *jv)
{
    double v_native[P], native[max_rows * D];
    tb_to_native(f->dtype, v, v_native, P);
    assert_int_equal(
        f->api->jvp(f->map, f->theta_native, f->x_native, f->rows, f->ws, v_native, native), TB_OK);
    tb_from_native(f->dtype, native, jv, f->rows * D);
}

static void vjp(fixture *f, const double *w, double *g)
{
    double w_native[max_rows * D], native[P];
    tb_to_native(f->dtype, w, w_native, f->rows * D);
    memset(native, 0xff, sizeof native);
    assert_int_equal(
        f->api->vjp(f->map, f->theta_native, f->x_native, f->rows, f->ws, w_native, native), TB_OK);
    tb_from_native(f->dtype, native, g, P);
}

// features of row b
static void features(const fixture *f, size_t b, double *z)
{
    for (size_t k = 0; k < H; k++) {
        double sum = f->theta[H * I + k];
        for (size_t i = 0; i < I; i++)
            sum += f->theta[k * I + i] * f->x[b * I + i];
        z[k] = tanh(sum);
    }
}

static double log_sigma(const fixture *f, size_t k, size_t j)
{
    return f->theta[first_log_sigma + k * A + j];
}

static void test_definition(void **state)
{
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        fixture f;
        double y[max_rows * D], z[H], tolerance = dtypes[t] == TB_F64 ? 1e-14 : 1e-6;
        init(&f, dtypes[t], 50, 1);
        forward(&f, y);
        for (size_t b = 0; b < 50; b++) {
            features(&f, b, z);
            for (size_t j = 0; j < A; j++) {
                double mean = f.theta[first_output + A * H + j], variance = 1e-6;
                for (size_t k = 0; k < H; k++) {
                    mean += f.theta[first_output + j * H + k] * z[k];
                    variance += z[k] * z[k] * exp(2 * log_sigma(&f, k, j));
                }
                assert_near(y[b * D + j], mean, tolerance);
                assert_near(y[b * D + A + j], 0.5 * log(variance), tolerance);
            }
        }
        finish(&f);
    }
}

// the noise is linear in eps: unit vectors give all of it, and its variance is exp(2 log_std)
static void test_noise(void **state)
{
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        fixture f;
        double y[max_rows * D], z[H], noise[A], tolerance = dtypes[t] == TB_F64 ? 1e-14 : 1e-6;
        init(&f, dtypes[t], 9, 2);
        forward(&f, y);
        for (size_t b = 0; b < 9; b++) {
            double variance[A] = {0};
            features(&f, b, z);
            for (size_t i = 0; i < (H + 1) * A; i++) {
                double eps[(H + 1) * A] = {0};
                eps[i] = 1;
                tb_gsde_noise(f.map, f.ws, 9, b, eps, noise);
                for (size_t j = 0; j < A; j++) {
                    size_t k = i / A;
                    double expected = k == H ? 1e-3 : z[k] * exp(log_sigma(&f, k, j));
                    assert_near(noise[j], i % A == j ? expected : 0, tolerance);
                    variance[j] += noise[j] * noise[j];
                }
            }
            for (size_t j = 0; j < A; j++)
                assert_close(variance[j], exp(2 * y[b * D + A + j]), 10 * tolerance);
        }
        finish(&f);
    }
}

// moments over many draws of eps: mean 0, the density's variance, and no correlation of actions
static void test_noise_moments(void **state)
{
    (void)state;
    enum { draws = 40000 };
    fixture f;
    double y[max_rows * D], mean[A] = {0}, square[A] = {0}, cross = 0;
    init(&f, TB_F64, 1, 3);
    forward(&f, y);
    tb_rng rng = test_rng(4);
    for (size_t n = 0; n < draws; n++) {
        double eps[(H + 1) * A], noise[A];
        for (size_t i = 0; i < (H + 1) * A; i++)
            eps[i] = tb_normal_of_uniform(tb_rng_f64(&rng));
        tb_gsde_noise(f.map, f.ws, 1, 0, eps, noise);
        for (size_t j = 0; j < A; j++) {
            double standard = noise[j] * exp(-y[A + j]);
            mean[j] += standard / draws;
            square[j] += standard * standard / draws;
        }
        cross += noise[0] * noise[1] * exp(-y[A] - y[A + 1]) / draws;
    }
    for (size_t j = 0; j < A; j++) {
        assert_near(mean[j], 0, 4 / sqrt(draws));
        assert_near(square[j], 1, 4 * sqrt(2.0 / draws));
    }
    assert_near(cross, 0, 4 / sqrt(draws));
    finish(&f);
}

// by central differences along directions that leave the features where they are
static void test_jvp(void **state)
{
    (void)state;
    fixture f;
    double y[max_rows * D], up[max_rows * D], down[max_rows * D], jv[max_rows * D], v[P] = {0},
                                                                                    theta[P];
    init(&f, TB_F64, 20, 5);
    tb_rng rng = test_rng(6);
    test_fill(&rng, v + first_output, P - first_output, 1);
    memcpy(theta, f.theta, sizeof theta);
    for (int sign = -1; sign <= 1; sign += 2) {
        for (size_t i = 0; i < P; i++)
            f.theta[i] = theta[i] + sign * 1e-5 * v[i];
        forward(&f, sign > 0 ? up : down);
    }
    memcpy(f.theta, theta, sizeof theta);
    forward(&f, y);
    jvp(&f, v, jv);
    for (size_t i = 0; i < 20 * D; i++)
        assert_near(jv[i], (up[i] - down[i]) / 2e-5, 1e-9);
    finish(&f);
}

// the layers below move the mean; the log-std moves too, but has no derivative by them
static void test_features_are_data(void **state)
{
    (void)state;
    fixture f;
    double y[max_rows * D], moved[max_rows * D], jv[max_rows * D], v[P] = {0}, w[max_rows * D],
                                                                   g[P];
    init(&f, TB_F64, 20, 7);
    tb_rng rng = test_rng(8);
    test_fill(&rng, v, first_output, 1);
    forward(&f, y);
    jvp(&f, v, jv);
    for (size_t b = 0; b < 20; b++)
        for (size_t j = 0; j < A; j++) {
            assert_true(jv[b * D + j] != 0);
            assert_true(jv[b * D + A + j] == 0);
        }
    // and the other way: weights on log_std reach l only
    test_fill(&rng, w, 20 * D, 1);
    for (size_t b = 0; b < 20; b++)
        w[b * D] = w[b * D + 1] = 0;
    vjp(&f, w, g);
    for (size_t i = 0; i < P; i++)
        assert_int_equal(g[i] == 0, i < first_log_sigma);
    for (size_t i = 0; i < P; i++)
        f.theta[i] += 0.1 * v[i];
    forward(&f, moved);
    assert_true(fabs(moved[A] - y[A]) > 1e-3);
    finish(&f);
}

// <J v, w> = <v, J' w>
static void test_adjoint(void **state)
{
    (void)state;
    for (size_t t = 0; t < 2; t++)
        for (size_t rows = 1; rows <= 97; rows += 48) {
            fixture f;
            double y[max_rows * D], jv[max_rows * D], v[P], w[max_rows * D], g[P];
            double left = 0, right = 0, norms[2] = {0};
            init(&f, dtypes[t], rows, 9);
            tb_rng rng = test_rng(10);
            test_fill(&rng, v, P, 1);
            test_fill(&rng, w, rows * D, 1);
            forward(&f, y);
            jvp(&f, v, jv);
            vjp(&f, w, g);
            for (size_t i = 0; i < rows * D; i++) {
                left += jv[i] * w[i];
                norms[0] += jv[i] * jv[i];
                norms[1] += w[i] * w[i];
            }
            for (size_t i = 0; i < P; i++)
                right += v[i] * g[i];
            assert_near(left, right,
                        sqrt(norms[0] * norms[1]) * (dtypes[t] == TB_F64 ? 1e-14 : 1e-6));
            finish(&f);
        }
}

static void test_rows_do_not_depend_on_the_batch(void **state)
{
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        fixture whole, one;
        double y[max_rows * D], jv[max_rows * D], v[P];
        double eps[(H + 1) * A], noise[A], alone[A];
        tb_rng rng = test_rng(11);
        test_fill(&rng, v, P, 1);
        test_fill(&rng, eps, (H + 1) * A, 1);
        init(&whole, dtypes[t], 97, 12);
        forward(&whole, y);
        jvp(&whole, v, jv);
        init(&one, dtypes[t], 1, 12);
        for (size_t b = 0; b < 97; b++) {
            double y_one[D], jv_one[D];
            memcpy(one.x, whole.x + b * I, sizeof(double) * I);
            set_x(&one);
            forward(&one, y_one);
            jvp(&one, v, jv_one);
            assert_memory_equal(y_one, y + b * D, sizeof y_one);
            assert_memory_equal(jv_one, jv + b * D, sizeof jv_one);
            tb_gsde_noise(whole.map, whole.ws, 97, b, eps, noise);
            tb_gsde_noise(one.map, one.ws, 1, 0, eps, alone);
            assert_memory_equal(noise, alone, sizeof noise);
        }
        finish(&whole);
        finish(&one);
    }
}

static void test_empty_batch(void **state)
{
    (void)state;
    fixture f;
    double y[1], jv[1], v[P] = {1}, g[P];
    init(&f, TB_F64, 0, 13);
    forward(&f, y);
    jvp(&f, v, jv);
    vjp(&f, y, g);
    for (size_t i = 0; i < P; i++)
        assert_true(g[i] == 0);
    finish(&f);
}

// large and small sigmas: what float can hold; where all features are 0 the floor is left
static void test_extremes(void **state)
{
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        fixture f;
        double y[max_rows * D];
        init(&f, dtypes[t], 1, 14);
        for (size_t i = first_log_sigma; i < P; i++)
            f.theta[i] = -60;
        forward(&f, y);
        assert_near(y[A], 0.5 * log(1e-6), 1e-6);
        for (size_t i = first_log_sigma; i < P; i++)
            f.theta[i] = 20;
        forward(&f, y);
        assert_near(y[A], 20, 2);
        memset(f.theta, 0, first_output * sizeof(double));
        forward(&f, y);
        assert_near(y[A], 0.5 * log(1e-6), 1e-6);
        finish(&f);
    }
}

// ---- stable-baselines3 2.9.2, StateDependentNoiseDistribution, float64 (torch 2.13.0) ----

static tb_status features_of_x(const tb_map *map, const void *x, uint64_t batch, const void *ws,
                               void *out)
{
    (void)map;
    (void)ws;
    memcpy(out, x, batch * 3 * sizeof(double));
    return TB_OK;
}

// 4 rows of 3 features, 2 actions. The means of sb3 are whatever they are here: actions are given
// relative to them, so densities and gradients are the same.
static void test_stable_baselines3(void **state)
{
    (void)state;
    enum { rows = 4, n = 3 };
    const double z[rows * n] = {0.5, -0.25, 1, 0, 0.75, -0.5, -1, 0.125, 0.25, 0, 0, 0};
    const double l[n * A] = {-0.5, 0.25, 0, -2, 0.75, -1};
    const double off[rows * A] = {0.25, 0.5, 1, 0, -1.25, -0.5, 0.001, -0.0005};
    const double eps[(n + 1) * A] = {0.5, -1, 1.25, 0.25, -0.75, 2, 0, 0};
    const double std[rows * A] = {2.153174384630963,
                                  0.74071676661338681,
                                  1.2972753245107671,
                                  0.2100889518372305,
                                  0.81462323074386445,
                                  1.287426466933181,
                                  0.001,
                                  0.001};
    const double log_prob[rows] = {-2.5392510588624875, -0.8350210474523061, -3.1381800334854839,
                                   11.352633491555066};
    const double gl[n * A] = {0.7313339195937042,   -1.2536248553701819, -0.11703912372199213,
                              -0.23470239886840358, -0.6520692277281821, -0.90516151666666522};
    const double noise[rows * A] = {-1.7486173475313478,
                                    0.085287718796725698,
                                    1.731375006229753,
                                    -0.34250407556457746,
                                    -0.54395283297119323,
                                    1.4721943648746068,
                                    0,
                                    0};
    tb_map_spec spec = spec_of(TB_F64);
    spec.n_const_out = n * A;
    spec.n_out = A + n * A;
    test_map *inside = test_map_create(&spec, n);
    inside->features.features = features_of_x;
    const tb_map_api *api;
    tb_map *map;
    tb_error error = {0};
    assert_ok(tb_gsde_create(&test_map_api, test_map_abi(inside), &spec, &api, &map, &error),
              &error);
    const size_t p = (size_t)api->n_params(map);
    double theta[64], y[rows * D], w[rows * D], g[64];
    tb_rng rng = test_rng(15);
    test_fill(&rng, theta, p, 1);
    memcpy(theta + p - n * A, l, sizeof l);
    void *ws = tb_alloc((size_t)api->ws_bytes(map, rows), 1);
    assert_int_equal(api->forward(map, theta, z, rows, y, ws), TB_OK);
    for (size_t b = 0; b < rows; b++) {
        double a[A], drawn[A];
        for (size_t j = 0; j < A; j++) {
            a[j] = y[b * D + j] + off[b * A + j];
            assert_close(exp(y[b * D + A + j]), std[b * A + j], 1e-13);
        }
        assert_near(gaussian.api->log_prob(&gaussian, y + b * D, a), log_prob[b], 1e-12);
        gaussian.api->log_prob_grad(&gaussian, y + b * D, a, w + b * D);
        tb_gsde_noise(map, ws, rows, b, eps, drawn);
        for (size_t j = 0; j < A; j++)
            assert_near(drawn[j], noise[b * A + j], 1e-14);
    }
    assert_int_equal(api->vjp(map, theta, z, rows, ws, w, g), TB_OK);
    for (size_t i = 0; i < n * A; i++)
        assert_near(g[p - n * A + i], gl[i], 1e-12);
    api->destroy(map);
    free(ws);
}

// ---- the policy made of it ----

// d mean KL(old || new) / d theta, new = old + by * v
static void kl_rows(void *ctx, size_t shard, size_t begin, size_t end, const double *in, double *w)
{
    (void)shard;
    (void)in;
    const tb_policy *policy = ((void **)ctx)[0];
    const tb_batch *batch = ((void **)ctx)[1];
    for (size_t i = begin; i < end; i++)
        gaussian.api->kl_grad(&gaussian, batch->y_old + i * D, policy->y + i * D,
                              w + (i - begin) * D);
}

static double kl_gradient(tb_policy *policy, tb_batch *batch, const double *old, const double *v,
                          double by, double *g)
{
    double theta[P];
    tb_surrogate at;
    tb_error error = {0};
    void *ctx[] = {policy, batch};
    for (size_t i = 0; i < P; i++)
        theta[i] = old[i] + by * v[i];
    tb_net_set(&policy->net, theta);
    assert_ok(tb_policy_evaluate(policy, batch, &at, &error), &error);
    assert_ok(tb_net_batch_vjp(policy->rows, kl_rows, ctx, g, &error), &error);
    for (size_t i = 0; i < P; i++)
        g[i] /= (double)batch->n_rows;
    return at.kl;
}

// KL is 0 with gradient 0 at equality and positive elsewhere; F is the Hessian of the mean KL where
// the features stand still: for the last layer and l
static void test_fisher_is_the_hessian_of_the_kl(void **state)
{
    (void)state;
    enum { n = 130 };
    const tb_map_spec inner = spec_of(TB_F64);
    tb_map_spec spec = inner;
    const tb_map_api *api;
    tb_map *map;
    tb_error error = {0};
    assert_ok(tb_gsde_create(&test_map_api, test_map_abi(test_map_create(&inner, H)), &inner, &api,
                             &map, &error),
              &error);
    spec.n_out = D;
    spec.n_const_out = 0;
    static tb_policy policy;
    tb_batch batch;
    assert_ok(tb_policy_init(&policy, api, map, &spec, &gaussian, n, 18, &error), &error);
    assert_ok(tb_batch_init(&batch, n, 1, I * sizeof(double), A, D, &error), &error);
    batch.lanes = 1;
    batch.steps = batch.n_rows = n;
    tb_rng rng = test_rng(19);
    test_fill(&rng, batch.x, (size_t)n * I, 1.5);
    double old[P], v[P] = {0}, fv[P], up[P], down[P];
    memcpy(old, policy.net.theta, sizeof old);
    tb_surrogate at;
    assert_ok(tb_policy_evaluate(&policy, &batch, &at, &error), &error);
    memcpy(batch.y_old, policy.y, sizeof(double) * n * D);
    for (int trial = 0; trial < 4; trial++) {
        test_fill(&rng, v + first_output, P - first_output, 1);
        assert_true(kl_gradient(&policy, &batch, old, v, 0, up) == 0);
        for (size_t i = 0; i < P; i++)
            assert_true(up[i] == 0);
        assert_ok(tb_policy_fisher(&policy, 0, v, fv, &error), &error);
        assert_true(kl_gradient(&policy, &batch, old, v, 1e-4, up) > 0);
        assert_true(kl_gradient(&policy, &batch, old, v, -1e-4, down) > 0);
        for (size_t i = first_output; i < P; i++)
            assert_near(fv[i], (up[i] - down[i]) / 2e-4, 1e-6);
    }
    tb_policy_finish(&policy);
    tb_batch_finish(&batch);
}

// ---- refusals ----

static uint64_t no_features(const tb_map *map)
{
    (void)map;
    return 0;
}

static uint64_t other_features(const tb_map *map)
{
    return test_map_of(map)->H + 1;
}

static void test_refusals(void **state)
{
    (void)state;
    const struct {
        tb_map_features features;
        tb_status status;
        const char *part;
    } rows[] = {
        {{0}, TB_E_UNSUPPORTED, "tb.map.features/1"},
        {{16, 0, test_map_n_features, test_map_features}, TB_E_UNSUPPORTED, "tb.map.features/1"},
        {{sizeof(tb_map_features), 0, no_features, test_map_features}, TB_E_INVALID, "0 features"},
        {{sizeof(tb_map_features), 0, other_features, test_map_features},
         TB_E_INVALID,
         "5 features with 10 outputs, and of 4"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const tb_map_spec spec = spec_of(TB_F64);
        test_map *inside = test_map_create(&spec, H);
        const tb_map_api *api = NULL;
        tb_map *map = NULL;
        tb_error error = {0};
        inside->features = rows[i].features;
        assert_int_equal(
            tb_gsde_create(&test_map_api, test_map_abi(inside), &spec, &api, &map, &error),
            rows[i].status);
        assert_message(&error, rows[i].part);
        assert_null(map);
    }
}

static tb_status features_fail(const tb_map *map, const void *x, uint64_t batch, const void *ws,
                               void *out)
{
    (void)map;
    (void)x;
    (void)batch;
    (void)ws;
    (void)out;
    return TB_E_NOMEM;
}

static void test_failures_come_through(void **state)
{
    (void)state;
    fixture f;
    double y[D], v[P] = {0}, g[P];
    init(&f, TB_F64, 1, 16);
    forward(&f, y);
    f.inside->fail_jvp = f.inside->fail_vjp = f.inside->fail_forward = 1;
    assert_int_equal(f.api->jvp(f.map, f.theta, f.x, 1, f.ws, v, y), TB_E_NUMERIC);
    assert_int_equal(f.api->vjp(f.map, f.theta, f.x, 1, f.ws, y, g), TB_E_NUMERIC);
    assert_int_equal(f.api->forward(f.map, f.theta, f.x, 1, y, f.ws), TB_E_NUMERIC);
    assert_string_equal(f.api->explain(f.map, TB_E_NUMERIC), "told to fail");
    f.inside->fail_forward = 0;
    f.inside->features.features = features_fail;
    assert_int_equal(f.api->forward(f.map, f.theta, f.x, 1, y, f.ws), TB_E_NOMEM);
    finish(&f);
}

// what is not arithmetic is the architecture's
static void test_the_rest(void **state)
{
    (void)state;
    fixture f;
    double theta[P], inside[P];
    uint64_t offset, count;
    const char *name;
    init(&f, TB_F64, 1, 17);
    const tb_key key = {{5, 6}};
    assert_int_equal(f.api->init(f.map, theta, &key), TB_OK);
    assert_int_equal(test_map_init(test_map_abi(f.inside), inside, &key), TB_OK);
    assert_memory_equal(theta, inside, sizeof theta);
    for (size_t i = first_log_sigma; i < P; i++)
        assert_true(theta[i] == -0.5);
    assert_int_equal(f.api->block(f.map, 0, &offset, &count, &name), TB_OK);
    assert_int_equal(count, P);
    assert_int_equal(f.api->block(f.map, 1, &offset, &count, &name), TB_E_INVALID);
    assert_null(f.api->get_extension(f.map, "tb.map.nothing/1"));
    // the architecture's functions would take this map for one of theirs
    assert_null(f.api->get_extension(f.map, TB_EXT_MAP_FEATURES));
    f.api->destroy(NULL);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_noise_moments),
        cmocka_unit_test(test_jvp),
        cmocka_unit_test(test_features_are_data),
        cmocka_unit_test(test_adjoint),
        cmocka_unit_test(test_rows_do_not_depend_on_the_batch),
        cmocka_unit_test(test_empty_batch),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_stable_baselines3),
        cmocka_unit_test(test_fisher_is_the_hessian_of_the_kl),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_failures_come_through),
        cmocka_unit_test(test_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
