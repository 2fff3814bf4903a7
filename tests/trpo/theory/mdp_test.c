/* SPDX-License-Identifier: MIT */
#include "trpo/theory/mdp.h"

#include "tests/trpo/theory/testing_mdp.h"

// after the headers that declare what it replaces
#include "tests/trpo/testing_malloc.h"

static mdp_arrays m;

static int setup(void **state)
{
    (void)state;
    mdp_random_arrays(&m, 1, 3, 2, 2, 0.9, 0);
    return 0;
}

// r = sum P r over all outcomes, ends included; ends and impossible outcomes are no transitions
static void test_outcomes(void **state)
{
    (void)state;
    m.probability[0] = 0.25;
    m.probability[1] = 0.75;
    m.reward[0] = 8;
    m.reward[1] = -4;
    m.terminated[1] = 1;
    m.probability[2] = 0;
    m.probability[3] = 1;
    m.reward[2] = 1000;
    tb_mdp *mdp = mdp_create(&m.model, m.gamma);
    assert_near(mdp->reward[0], 0.25 * 8 - 0.75 * 4, 1e-15);
    assert_int_equal(mdp->first[1], 1);
    assert_int_equal(mdp->next[0], m.next[0]);
    assert_near(mdp->probability[0], 0.25, 0);
    assert_int_equal(mdp->first[2] - mdp->first[1], 1);
    assert_int_equal(mdp->next[1], m.next[3]);
    assert_near(mdp->reward_low, -4, 0);
    assert_near(mdp->reward_high, 8, 0);
    tb_mdp_destroy(mdp);
}

static void refuse(const char *message)
{
    tb_error error = {0};
    tb_mdp *mdp = (tb_mdp *)&m;
    assert_int_equal(tb_mdp_create(&m.model, m.gamma, &mdp, &error), TB_E_PARAM);
    assert_message(&error, message);
    assert_null(mdp);
    setup(NULL);
}

static void test_refusals(void **state)
{
    (void)state;
    m.gamma = 1;
    refuse("gamma");
    m.gamma = NAN;
    refuse("gamma");
    m.model.n_actions = 0;
    refuse("at least one");
    m.probability[5] = 0.9;
    m.probability[4] = 0.2;
    refuse("state 1, action 0: the probabilities");
    m.probability[5] = -0.5;
    refuse("state 1, action 0");
    m.probability[5] = NAN;
    refuse("state 1, action 0");
    m.next[11] = 3;
    refuse("state 2, action 1: outcome 11 leads to state 3");
    m.reward[3] = INFINITY;
    refuse("state 0, action 1");
    m.first[2] = 1;
    refuse("ascend");
    m.first[0] = 1;
    refuse("number 0");
    m.start[1] += 0.1;
    refuse("first state");
    m.start[1] = -m.start[1];
    refuse("state 1");
}

static void test_out_of_memory(void **state)
{
    (void)state;
    if (!test_can_fail) {
        print_message("no allocation fails under a sanitizer\n");
        skip();
    }
    for (int64_t i = 1; i <= 6; i++) {
        tb_error error = {0};
        tb_mdp *mdp;
        int64_t before = test_allocations - test_frees;
        test_fail_at = i;
        assert_int_equal(tb_mdp_create(&m.model, m.gamma, &mdp, &error), TB_E_NOMEM);
        assert_int_equal(test_fail_at, 0);
        assert_int_equal(test_allocations - test_frees, before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_outcomes, setup),
        cmocka_unit_test_setup(test_refusals, setup),
        cmocka_unit_test_setup(test_out_of_memory, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
