/* SPDX-License-Identifier: MIT */
#include "trpo/theory/table_map.h"

#include "tests/trpo/testing.h"

enum { I = 3, O = 2, B = 4 };

static const double table[I * O] = {1, -2, 3, 0.5, -1, 4};

static tb_map *make(const tb_map_api **api)
{
    tb_map_spec spec = {.struct_size = sizeof spec, .dtype = TB_F64, .n_in = I, .n_out = O};
    tb_error error = {0};
    tb_map *map;
    assert_ok(tb_table_map_create(&spec, table, api, &map, &error), &error);
    return map;
}

// of a one-hot input the output is a row of the table
static void test_rows(void **state)
{
    (void)state;
    const tb_map_api *api;
    tb_map *map = make(&api);
    double theta[I * O], x[I * I] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, y[I * O];
    uint64_t offset, count;
    const char *name;
    assert_int_equal(api->n_params(map), I * O);
    assert_int_equal(api->block(map, 0, &offset, &count, &name), TB_OK);
    assert_int_equal(offset, 0);
    assert_int_equal(count, I * O);
    assert_string_equal(name, "table");
    assert_int_equal(api->block(map, 1, &offset, &count, &name), TB_E_INVALID);
    assert_int_equal(api->init(map, theta, NULL), TB_OK);
    assert_int_equal(api->forward(map, theta, x, I, y, NULL), TB_OK);
    assert_memory_equal(y, table, sizeof table);
    assert_null(api->get_extension(map, TB_EXT_MAP_FEATURES));
    assert_string_equal(api->explain(map, TB_E_NUMERIC), "");
    api->destroy(map);
}

// of any input it is linear in theta: J v is the output at v, and J' w its transpose
static void test_products(void **state)
{
    (void)state;
    const tb_map_api *api;
    tb_map *map = make(&api);
    tb_rng rng = test_rng(1);
    double x[B * I], v[I * O], w[B * O], y[B * O], jv[B * O], g[I * O], left = 0, right = 0;
    test_fill(&rng, x, B * I, 1);
    test_fill(&rng, v, I * O, 1);
    test_fill(&rng, w, B * O, 1);
    x[2] = 0;
    assert_int_equal(api->forward(map, v, x, B, y, NULL), TB_OK);
    assert_int_equal(api->jvp(map, table, x, B, NULL, v, jv), TB_OK);
    assert_memory_equal(jv, y, sizeof y);
    for (size_t b = 0; b < B; b++)
        for (size_t k = 0; k < O; k++) {
            double sum = 0;
            for (size_t i = 0; i < I; i++)
                sum += x[b * I + i] * v[i * O + k];
            assert_near(y[b * O + k], sum, 1e-15);
        }
    assert_int_equal(api->vjp(map, table, x, B, NULL, w, g), TB_OK);
    for (size_t i = 0; i < B * O; i++)
        left += w[i] * jv[i];
    for (size_t i = 0; i < I * O; i++)
        right += g[i] * v[i];
    assert_near(left, right, 1e-14);
    api->destroy(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
