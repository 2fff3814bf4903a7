/* SPDX-License-Identifier: MIT */
#include "trpo/net/features.h"

#include "tests/trpo/testing.h"

/* ---- an environment that has nothing but an observation space ---- */

enum { max_leaves = 8 };

typedef struct observer {
    tb_space leaves[max_leaves];
    uint32_t n;
    uint32_t fail_leaf; // that space() refuses; max_leaves = none
} observer;

static tb_status observer_space(tb_env *env, uint32_t which, uint32_t leaf, tb_space *out)
{
    const observer *o = (const observer *)(const void *)env;
    assert_int_equal(which, TB_SPACE_OBSERVATION);
    assert_int_equal(out->struct_size, sizeof *out);
    if (leaf >= o->n || leaf == o->fail_leaf)
        return TB_E_INVALID;
    *out = o->leaves[leaf];
    return TB_OK;
}

static const char *observer_error(tb_env *env)
{
    (void)env;
    return "no such leaf";
}

static const tb_env_api observer_api = {
    .struct_size = sizeof(tb_env_api), .space = observer_space, .last_error = observer_error};

// appends a leaf behind the others, at the next multiple of 8
static tb_space *add_leaf(observer *o, uint32_t kind, uint32_t dtype, uint64_t count)
{
    uint64_t size = dtype == TB_F64 ? 8 : dtype == TB_U8 ? 1 : 4, offset = 0;
    if (o->n > 0)
        offset = (o->leaves[o->n - 1].offset + o->leaves[o->n - 1].bytes + 7) / 8 * 8;
    tb_space *leaf = &o->leaves[o->n++];
    *leaf = (tb_space){.struct_size = sizeof *leaf,
                       .kind = kind,
                       .dtype = dtype,
                       .count = count,
                       .offset = offset,
                       .bytes = count * size,
                       .name = "leaf"};
    for (uint32_t i = 0; i < o->n; i++)
        o->leaves[i].n_leaves = o->n;
    return leaf;
}

static tb_env *env_of(observer *o)
{
    return (tb_env *)(void *)o;
}

static void init(tb_features *features, observer *o)
{
    tb_error error = {0};
    o->fail_leaf = max_leaves;
    assert_ok(tb_features_init(features, &observer_api, env_of(o), &error), &error);
}

/* ---- features ---- */

static void test_every_kind_and_dtype(void **state)
{
    (void)state;
    static const int64_t three = 3, nvec[] = {2, 4}, start[] = {-1, 10}, five = 5;
    observer o = {0};
    add_leaf(&o, TB_SPACE_BOX, TB_U8, 3);
    add_leaf(&o, TB_SPACE_BOX, TB_F64, 2);
    add_leaf(&o, TB_SPACE_DISCRETE, TB_I32, 1)->nvec = &three;
    add_leaf(&o, TB_SPACE_BOX, TB_F32, 1);
    tb_space *multi = add_leaf(&o, TB_SPACE_MULTI_DISCRETE, TB_I32, 2);
    multi->nvec = nvec;
    multi->start = start;
    add_leaf(&o, TB_SPACE_MULTI_BINARY, TB_U8, 2);
    tb_space *offset = add_leaf(&o, TB_SPACE_DISCRETE, TB_I32, 1);
    offset->nvec = &three;
    offset->start = &five;
    add_leaf(&o, TB_SPACE_BOX, TB_I32, 1);
    tb_features features;
    init(&features, &o);
    assert_int_equal(features.n_features, 3 + 2 + 3 + 1 + 6 + 2 + 3 + 1);
    assert_int_equal(features.bytes, o.leaves[7].offset + 4);

    union {
        double align;
        unsigned char bytes[128];
    } packed;
    memset(&packed, 0xee, sizeof packed); // gaps between leaves must not be read
    const uint8_t pixels[] = {0, 128, 255}, bits[] = {1, 0};
    const double box[] = {-1.5, 1e300};
    const int32_t category = 2, categories[] = {-1, 13}, seven = 7, whole = -70000;
    const float single = 0.1f;
    memcpy(packed.bytes + o.leaves[0].offset, pixels, sizeof pixels);
    memcpy(packed.bytes + o.leaves[1].offset, box, sizeof box);
    memcpy(packed.bytes + o.leaves[2].offset, &category, sizeof category);
    memcpy(packed.bytes + o.leaves[3].offset, &single, sizeof single);
    memcpy(packed.bytes + o.leaves[4].offset, categories, sizeof categories);
    memcpy(packed.bytes + o.leaves[5].offset, bits, sizeof bits);
    memcpy(packed.bytes + o.leaves[6].offset, &seven, sizeof seven);
    memcpy(packed.bytes + o.leaves[7].offset, &whole, sizeof whole);
    const double expected[] = {0,
                               128,
                               255, // U8
                               -1.5,
                               1e300, // F64
                               0,
                               0,
                               1,            // 2 of 3
                               (double)0.1f, // F32
                               1,
                               0,
                               0,
                               0,
                               0,
                               1, // -1 of [-1, 0], 13 of [10 .. 13]
                               1,
                               0, // bits
                               0,
                               0,
                               1,       // 7 of [5, 6, 7]
                               -70000}; // I32
    double x[21 + 1];
    x[21] = 42; // guard
    tb_features_expand(&features, packed.bytes, x);
    for (size_t i = 0; i < 21; i++)
        assert_near(x[i], expected[i], 0);
    assert_true(x[21] == 42);
    tb_features_finish(&features);
}

static void test_refusals(void **state)
{
    (void)state;
    static const int64_t none = 0;
    tb_features features;
    tb_error error = {0};
    observer o = {.fail_leaf = 0};
    add_leaf(&o, TB_SPACE_BOX, TB_F64, 1);
    add_leaf(&o, TB_SPACE_BOX, TB_F64, 1);
    assert_int_equal(tb_features_init(&features, &observer_api, env_of(&o), &error), TB_E_INVALID);
    assert_message(&error, "no such leaf");
    o.fail_leaf = 1;
    assert_int_equal(tb_features_init(&features, &observer_api, env_of(&o), &error), TB_E_INVALID);
    assert_message(&error, "leaf 1");
    o.fail_leaf = max_leaves;
    o.leaves[1].kind = 9;
    assert_int_equal(tb_features_init(&features, &observer_api, env_of(&o), &error),
                     TB_E_UNSUPPORTED);
    assert_message(&error, "leaf 1 of the observation has the unknown kind 9");
    o.leaves[1].kind = TB_SPACE_DISCRETE; // without nvec
    assert_int_equal(tb_features_init(&features, &observer_api, env_of(&o), &error), TB_E_INVALID);
    assert_message(&error, "no categories");
    o.leaves[1].nvec = &none;
    assert_int_equal(tb_features_init(&features, &observer_api, env_of(&o), &error), TB_E_INVALID);
    o.leaves[1].kind = TB_SPACE_BOX;
    o.leaves[1].bytes = 4;
    assert_int_equal(tb_features_init(&features, &observer_api, env_of(&o), &error), TB_E_INVALID);
    assert_message(&error, "1 elements of dtype 1 in 4 bytes");
    o.leaves[1].dtype = 17;
    assert_int_equal(tb_features_init(&features, &observer_api, env_of(&o), &error), TB_E_INVALID);
}

/* ---- moments ---- */

enum { rows = 500, width = 3 };

// two-pass mean and variance
static void two_pass(double x[][width], size_t n, size_t k, double *mean, double *variance)
{
    *mean = *variance = 0;
    for (size_t i = 0; i < n; i++)
        *mean += x[i][k] / (double)n;
    for (size_t i = 0; i < n; i++)
        *variance += (x[i][k] - *mean) * (x[i][k] - *mean) / (double)n;
}

static void test_moments_of_any_split(void **state)
{
    (void)state;
    static double x[rows][width];
    tb_rng rng = test_rng(1);
    for (size_t i = 0; i < rows; i++) {
        x[i][0] = tb_rng_uniform(&rng, -1, 1);
        x[i][1] = 1e6 + tb_rng_uniform(&rng, -1, 1); // a mean that hides a naive sum of squares
        x[i][2] = i < 250 ? 1 : 100;
    }
    const size_t parts[] = {1, 2, 3, 7, 100, rows};
    for (size_t p = 0; p < 6; p++) {
        tb_error error = {0};
        tb_moments all, part;
        assert_ok(tb_moments_init(&all, width, &error), &error);
        assert_ok(tb_moments_init(&part, width, &error), &error);
        tb_moments_merge(&all, &part); // an empty part changes nothing
        assert_true(all.count == 0);
        for (size_t s = 0; s < parts[p]; s++) {
            tb_moments_clear(&part);
            for (size_t i = s * rows / parts[p]; i < (s + 1) * rows / parts[p]; i++)
                tb_moments_add(&part, x[i]);
            tb_moments_merge(&all, &part);
        }
        assert_true(all.count == rows);
        for (size_t k = 0; k < width; k++) {
            double mean, variance;
            two_pass(x, rows, k, &mean, &variance);
            assert_close(all.mean[k], mean, 1e-13 + (k == 0 ? 1e-12 : 0));
            assert_close(tb_moments_std(&all, k), sqrt(variance), 1e-9);
        }
        tb_moments_finish(&all);
        tb_moments_finish(&part);
    }
}

static void test_std_of_little(void **state)
{
    (void)state;
    tb_error error = {0};
    tb_moments m;
    assert_ok(tb_moments_init(&m, 1, &error), &error);
    assert_true(tb_moments_std(&m, 0) == 1);
    double x = 3;
    tb_moments_add(&m, &x);
    assert_true(tb_moments_std(&m, 0) == 1);
    tb_moments_add(&m, &x);
    assert_true(tb_moments_std(&m, 0) == 1);
    x = 9; // {3, 3, 9}: variance 8 over the population
    tb_moments_add(&m, &x);
    assert_near(tb_moments_std(&m, 0), sqrt(8), 1e-15);
    tb_moments_finish(&m);
}

// many lanes that all saw one number, whatever the number: no variance
static void test_merging_a_constant(void **state)
{
    (void)state;
    tb_error error = {0};
    tb_rng rng = test_rng(2);
    for (int trial = 0; trial < 200; trial++) {
        double x = tb_rng_uniform(&rng, -1, 1) * pow(10, trial % 12);
        tb_moments all, lane;
        assert_ok(tb_moments_init(&all, 1, &error), &error);
        assert_ok(tb_moments_init(&lane, 1, &error), &error);
        for (int l = 0; l < 8; l++) {
            tb_moments_clear(&lane);
            for (int i = 0; i < 3 + l + trial; i++)
                tb_moments_add(&lane, &x);
            tb_moments_merge(&all, &lane);
        }
        assert_near(all.mean[0], x, 0);
        assert_near(all.m2[0], 0, 0);
        tb_moments_finish(&all);
        tb_moments_finish(&lane);
    }
}

/* ---- scaler ---- */

typedef struct scaled {
    observer o;
    tb_features features;
    tb_moments moments;
    tb_scaler scaler;
} scaled;

// Box 0 of 2 (one constant), a category of 2, Box of 1
static void scaled_init(scaled *s)
{
    static const int64_t two = 2;
    tb_error error = {0};
    memset(s, 0, sizeof *s);
    add_leaf(&s->o, TB_SPACE_BOX, TB_F64, 2);
    add_leaf(&s->o, TB_SPACE_DISCRETE, TB_I32, 1)->nvec = &two;
    add_leaf(&s->o, TB_SPACE_BOX, TB_F64, 1);
    init(&s->features, &s->o);
    assert_int_equal(s->features.n_features, 5);
    assert_ok(tb_moments_init(&s->moments, 5, &error), &error);
    assert_ok(tb_scaler_init(&s->scaler, 5, &error), &error);
}

static void scaled_finish(scaled *s)
{
    tb_features_finish(&s->features);
    tb_moments_finish(&s->moments);
    tb_scaler_finish(&s->scaler);
}

static void test_scaler_changes_nothing_before_statistics(void **state)
{
    (void)state;
    scaled s;
    scaled_init(&s);
    const double x[] = {1e5, -3, 0, 1, 7};
    double z[5];
    for (int i = 0; i < 2; i++) {
        memcpy(z, x, sizeof x);
        tb_scaler_apply(&s.scaler, z);
        assert_memory_equal(z, x, sizeof x);
        tb_scaler_freeze(&s.scaler, &s.features, &s.moments, 10); // empty: no clipping either
    }
    scaled_finish(&s);
}

static void test_scaler(void **state)
{
    (void)state;
    scaled s;
    scaled_init(&s);
    const double a[] = {1, 0.1, 1, 0, -5}, b[] = {3, 0.1, 0, 1, 15};
    for (int i = 0; i < 50; i++) {
        tb_moments_add(&s.moments, a);
        tb_moments_add(&s.moments, b);
    }
    tb_scaler_freeze(&s.scaler, &s.features, &s.moments, 4);
    double z[] = {4, 0.1, 1, 0, 1000};
    tb_scaler_apply(&s.scaler, z);
    assert_near(z[0], 2, 1e-7); // (4 - 2) / 1
    assert_near(z[1], 0, 0);    // constant
    assert_near(z[2], 1, 0);    // one-hot inputs stay
    assert_near(z[3], 0, 0);
    assert_near(z[4], 4, 0); // (1000 - 5) / 10, clipped
    double inside[] = {2, 0.1, 0, 1, 15};
    tb_scaler_apply(&s.scaler, inside);
    assert_near(inside[4], 1, 1e-7); // behind a leaf that is not scaled
    double low[] = {2, 0.1, 0, 1, -1000};
    tb_scaler_apply(&s.scaler, low);
    assert_near(low[0], 0, 1e-15);
    assert_near(low[4], -4, 0);
    // a constant input that moves after all is not blown up
    double moved[] = {2, 0.6, 0, 1, 5};
    tb_scaler_apply(&s.scaler, moved);
    assert_near(moved[1], 0.5, 1e-7);
    scaled_finish(&s);
}

static void test_scaler_is_frozen(void **state)
{
    (void)state;
    scaled s;
    scaled_init(&s);
    const double a[] = {1, 0, 1, 0, 2}, b[] = {5, 1, 0, 1, 100};
    tb_moments_add(&s.moments, a);
    tb_moments_add(&s.moments, b);
    tb_scaler_freeze(&s.scaler, &s.features, &s.moments, 10);
    double before[] = {2, 3, 1, 0, 4}, after[] = {2, 3, 1, 0, 4};
    tb_scaler_apply(&s.scaler, before);
    for (int i = 0; i < 10; i++)
        tb_moments_add(&s.moments, b);
    tb_scaler_apply(&s.scaler, after);
    assert_memory_equal(before, after, sizeof before);
    tb_scaler_freeze(&s.scaler, &s.features, &s.moments, 10);
    tb_scaler_apply(&s.scaler, after);
    assert_true(after[0] != before[0]);
    scaled_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_and_dtype),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_moments_of_any_split),
        cmocka_unit_test(test_std_of_little),
        cmocka_unit_test(test_merging_a_constant),
        cmocka_unit_test(test_scaler_changes_nothing_before_statistics),
        cmocka_unit_test(test_scaler),
        cmocka_unit_test(test_scaler_is_frozen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
