/* SPDX-License-Identifier: MIT */
#include "tests/trpo/dist/head_checks.h"
#include "trpo/config.h"

/* Which head a space and a choice make; what is refused. */

static tb_status choose(const tb_space *space, int32_t distribution, tb_head *head, tb_error *error)
{
    memset(error, 0, sizeof *error);
    return tb_head_for_space(space, distribution, head, error);
}

static void test_auto(void **state)
{
    (void)state;
    const int64_t nvec[] = {3, 2};
    const struct {
        uint32_t kind;
        const tb_head_api *api;
    } cases[] = {
        {TB_SPACE_BOX, &tb_head_gaussian},
        {TB_SPACE_DISCRETE, &tb_head_categorical},
        {TB_SPACE_MULTI_DISCRETE, &tb_head_multi_categorical},
        {TB_SPACE_MULTI_BINARY, &tb_head_bernoulli},
    };
    for (size_t i = 0; i < 4; i++)
        test_head(cases[i].kind, 2, nvec, TB_DISTRIBUTION_AUTO, cases[i].api);
}

static void test_choices_for_boxes(void **state)
{
    (void)state;
    const tb_head_api *const heads[] = {&tb_head_gaussian, &tb_head_gaussian,
                                        &tb_head_gaussian_state_std, &tb_head_squashed_gaussian,
                                        &tb_head_beta};
    for (int32_t d = TB_DISTRIBUTION_AUTO; d <= TB_DISTRIBUTION_BETA; d++) {
        test_box_head(3, d, heads[d]);
        if (d > TB_DISTRIBUTION_AUTO)
            assert_string_equal(tb_distribution_name(d), heads[d]->id);
    }
}

// the Gaussian, whose log-std the network computes: none of its outputs is constant
static void test_gsde(void **state)
{
    (void)state;
    const tb_head head = test_box_head(3, TB_DISTRIBUTION_GSDE, &tb_head_gaussian);
    assert_shape(&head, 3, 6, 0, 3, 3);
    assert_int_equal(head.n_features, 0); // known when there is a network
    assert_string_equal(tb_distribution_name(TB_DISTRIBUTION_GSDE), "gsde");
}

// the option's words stand for the enum's values, in the same order
static void test_names_are_those_of_the_option(void **state)
{
    (void)state;
    const tb_option *option = tb_option_find(tb_learner_options, "action_distribution");
    char word[64];
    assert_non_null(option);
    assert_near(option->def, TB_DISTRIBUTION_AUTO, 0);
    for (int32_t d = TB_DISTRIBUTION_AUTO; d <= TB_DISTRIBUTION_GSDE; d++) {
        assert_true(tb_option_choice(option, d, word));
        assert_string_equal(word, tb_distribution_name(d));
    }
    assert_false(tb_option_choice(option, TB_DISTRIBUTION_GSDE + 1, word));
}

static void test_choices_are_for_boxes_only(void **state)
{
    (void)state;
    const int64_t nvec[] = {3};
    const char *const names[] = {"", "Box", "Discrete", "MultiDiscrete", "MultiBinary"};
    for (uint32_t kind = TB_SPACE_DISCRETE; kind <= TB_SPACE_MULTI_BINARY; kind++)
        for (int32_t d = TB_DISTRIBUTION_GAUSSIAN; d <= TB_DISTRIBUTION_GSDE; d++) {
            tb_space space = test_space(kind, 1, nvec);
            tb_head head;
            tb_error error;
            assert_int_equal(choose(&space, d, &head, &error), TB_E_UNSUPPORTED);
            assert_message(&error, tb_distribution_name(d));
            assert_message(&error, names[kind]);
        }
}

static void test_bounds_that_cannot_be_filled(void **state)
{
    (void)state;
    const struct {
        double low, high;
    } cases[] = {{-INFINITY, 1}, {0, INFINITY}, {2, 2}, {-1.7e308, 1.7e308}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const double low[] = {0, cases[i].low}, high[] = {1, cases[i].high};
        tb_space space = test_space(TB_SPACE_BOX, 2, NULL);
        tb_head head;
        tb_error error;
        space.low = low;
        space.high = high;
        for (int32_t d = TB_DISTRIBUTION_AUTO; d <= TB_DISTRIBUTION_GAUSSIAN_STATE_STD; d++)
            assert_ok(choose(&space, d, &head, &error), &error);
        for (int32_t d = TB_DISTRIBUTION_SQUASHED_GAUSSIAN; d <= TB_DISTRIBUTION_BETA; d++) {
            assert_int_equal(choose(&space, d, &head, &error), TB_E_UNSUPPORTED);
            assert_message(&error, tb_distribution_name(d));
            assert_message(&error, "entry 1 of the Box");
        }
    }
}

static void test_other_spaces_are_refused(void **state)
{
    (void)state;
    tb_space space = {.struct_size = sizeof space, .kind = 9, .count = 1, .n_leaves = 1};
    tb_head head;
    tb_error error;
    assert_int_equal(choose(&space, TB_DISTRIBUTION_AUTO, &head, &error), TB_E_UNSUPPORTED);
    assert_message(&error, "kind 9");
    space.kind = 0;
    assert_int_equal(choose(&space, TB_DISTRIBUTION_AUTO, &head, &error), TB_E_UNSUPPORTED);
    space.n_leaves = 2;
    assert_int_equal(choose(&space, TB_DISTRIBUTION_AUTO, &head, &error), TB_E_UNSUPPORTED);
    assert_message(&error, "2 leaves");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auto),
        cmocka_unit_test(test_choices_for_boxes),
        cmocka_unit_test(test_gsde),
        cmocka_unit_test(test_names_are_those_of_the_option),
        cmocka_unit_test(test_choices_are_for_boxes_only),
        cmocka_unit_test(test_bounds_that_cannot_be_filled),
        cmocka_unit_test(test_other_spaces_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
