/* SPDX-License-Identifier: MIT */
#include "tests/policy_plugin_properties.h"
#include "tests/policy_plugin_reference.h"

static void library_and_schema(void **state)
{
    (void)state;
    check_library("linear");
    check_schema("linear");
}

static void properties(void **state)
{
    (void)state;
    check_map("linear", 4, 2, 0, NULL, 1);
    check_map("linear", 17, 12, 6, NULL, 1);
    check_map("linear", 1, 1, 0, NULL, 1);
}

/* To the last bit: one rounding a multiply, one an add, on every CPU. */
static void equals_naive_twin(void **state)
{
    (void)state;
    const test_option none = ARRAY("hidden", 0, 0);
    for (uint32_t dtype = TB_F64; dtype <= TB_F32; dtype++) {
        test_map m = test_make("linear", test_spec(dtype, 19, 7, 3), NULL);
        const evaluation e = evaluate(&m, 50, 600);
        check_reference(&m, &e, &none, 'i', 0, 0);
        release_buffers();
        m.api->destroy(m.map);
    }
}

/* y = x W + b by hand, W [n_in][n_out] row-major. */
static void by_hand(void **state)
{
    (void)state;
    test_map m = test_make("linear", test_spec(TB_F64, 2, 3, 1), NULL);
    const double theta[] = {1, 2, /**/ 3, 4, /*b*/ 10, 20, /*log_std*/ -7}, x[] = {5, 6, 0, 1};
    const double w[] = {1, 0, 0, 0, 1, 1};
    const double want_y[] = {33, 54, -7, 13, 24, -7}, want_g[] = {5, 0, 6, 1, 1, 1, 1};
    double y[6] = {0}, g[7] = {0};
    assert_int_equal(m.n_params, 7);
    assert_int_equal(m.api->forward(m.map, theta, x, 2, y, NULL), TB_OK);
    for (int i = 0; i < 6; i++)
        assert_true(y[i] == want_y[i]);
    assert_int_equal(m.api->vjp(m.map, theta, x, 2, NULL, w, g), TB_OK);
    for (int i = 0; i < 7; i++)
        assert_true(g[i] == want_g[i]);
    m.api->destroy(m.map);
}

static void initial_weights(void **state)
{
    (void)state;
    const test_option xavier[] = {STRING("init", "xavier"), OPTION_END};
    const double limit = 0.7 * sqrt(6.0 / 7);
    double theta[17], largest = 0;
    test_map m = test_make("linear", test_spec(TB_F64, 5, 3, 1), xavier);
    assert_int_equal(m.api->init(m.map, theta, &(tb_key){{3, 4}}), TB_OK);
    for (int i = 0; i < 10; i++)
        largest = fmax(largest, fabs(theta[i]));
    assert_at_most(largest, limit);
    assert_at_most(0.5 * limit, largest);
    assert_true(theta[10] == 0 && theta[11] == 0 && theta[12] == -0.5);
    m.api->destroy(m.map);

    m = test_make("linear", test_spec(TB_F64, 5, 3, 1), NULL);
    assert_int_equal(m.api->init(m.map, theta, &(tb_key){{3, 4}}), TB_OK);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            double sum = i == j ? -0.49 : 0; // columns of norm out_gain = 0.7
            for (int k = 0; k < 5; k++)
                sum += theta[k * 2 + i] * theta[k * 2 + j];
            assert_at_most(fabs(sum), 1e-15);
        }
    m.api->destroy(m.map);
}

static void refusals(void **state)
{
    (void)state;
    const test_option word[] = {STRING("init", "ortho"), OPTION_END};
    check_refusal("linear", test_spec(TB_F64, 5, 3, 1), word, TB_E_PARAM,
                  "init = \"ortho\": expected one of orthogonal|xavier");
    const test_option type[] = {NUMBER("init", 1), OPTION_END};
    check_refusal("linear", test_spec(TB_F64, 5, 3, 1), type, TB_E_PARAM, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(library_and_schema), cmocka_unit_test(properties),
        cmocka_unit_test(equals_naive_twin),  cmocka_unit_test(by_hand),
        cmocka_unit_test(initial_weights),    cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
