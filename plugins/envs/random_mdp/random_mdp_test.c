/* SPDX-License-Identifier: MIT */
#include "tests/tabular_plugin_checks.h"

#define ID "tabular/RandomMDP-v0"

static tb_test_value other[] = {{"states", TB_PARAM_I64, 5, NULL, 0},
                                {"actions", TB_PARAM_I64, 2, NULL, 0},
                                {"branching", TB_PARAM_I64, 9, NULL, 0},
                                {"reward_share", TB_PARAM_F64, 0.5, NULL, 0},
                                {"terminal_share", TB_PARAM_F64, 0.3, NULL, 0},
                                {"start", TB_PARAM_STR, 0, "random", 0},
                                {"seed", TB_PARAM_I64, 9007199254740992, NULL, 0}};

/* written by an implementation of the README in another language */
static tb_tab_case plain = {ID, "RandomMDP-v0.csv", NULL, 0, 50, 4};
static tb_tab_case changed = {ID, "RandomMDP-v0.other.csv", other, 7, 5, 2};

/* P(|k - n p| >= d) <= 2 exp(-2 d^2 / n), Hoeffding: below 1e-9 */
static void assert_share(double k, double n, double p)
{
    if (!(fabs(k - n * p) <= sqrt(n * log(2e9) / 2)))
        fail_msg("%g of %g, expected a share of %g", k, n, p);
}

/* Different next states, probabilities that add up to exactly 1, sparse rewards, ends where the
 * last states are entered; next states and first states are spread evenly. */
static void test_large_process(void **state)
{
    enum { S = 400, A = 5, B = 8 };
    tb_test_value values[] = {{"states", TB_PARAM_I64, S, NULL, 0},
                              {"actions", TB_PARAM_I64, A, NULL, 0},
                              {"branching", TB_PARAM_I64, B, NULL, 0},
                              {"reward_share", TB_PARAM_F64, 0.3, NULL, 0},
                              {"terminal_share", TB_PARAM_F64, 0.25, NULL, 0},
                              {"seed", TB_PARAM_I64, 11, NULL, 0}};
    tb_test_env e = tb_test_create(ID, values, 6);
    tb_tabular m = tb_tab_test_model(&e);
    double paid = 0, below_half = 0, first_half = 0;
    (void)state;
    assert_int_equal(m.n_outcomes, S * A * B);
    for (uint64_t pair = 0; pair < S * A; pair++) {
        double sum = 0;
        for (uint64_t o = B * pair; o < B * (pair + 1); o++) {
            for (uint64_t before = B * pair; before < o; before++)
                assert_int_not_equal(m.next[o], m.next[before]);
            assert_int_equal(m.terminated[o], m.next[o] >= 300);
            assert_true(m.reward[o] == m.reward[B * pair] && fabs(m.reward[o]) <= 1);
            sum += m.probability[o];
            first_half += m.next[o] < S / 2;
        }
        assert_true(sum == 1);
        /* the gap before the first of 7 points exceeds x with probability (1 - x)^7 */
        below_half += m.probability[B * pair] > 0.1;
        paid += m.reward[B * pair] != 0;
    }
    assert_share(paid, S * A, 0.3);
    assert_share(below_half, S * A, pow(0.9, 7));
    assert_share(first_half, S * A * B, 0.5);
    for (uint64_t s = 0; s < S; s++)
        assert_true(m.start[s] == (s < 300 ? 1.0 / 300 : 0));
    tb_test_destroy(&e);
}

/* The seed names the process and nothing else does; a state always goes on however many end. */
static void test_keys(void **state)
{
    tb_test_value seeds[] = {{"seed", TB_PARAM_I64, 1, NULL, 0},
                             {"seed", TB_PARAM_I64, 2, NULL, 0}};
    tb_test_value all_end[] = {{"terminal_share", TB_PARAM_F64, 1, NULL, 0},
                               {"start", TB_PARAM_STR, 0, "single", 0}};
    tb_test_env a = tb_test_create(ID, &seeds[0], 1), b = tb_test_create(ID, &seeds[1], 1),
                again = tb_test_create(ID, &seeds[0], 1), last = tb_test_create(ID, all_end, 2);
    tb_tabular ma = tb_tab_test_model(&a), mb = tb_tab_test_model(&b),
               mc = tb_tab_test_model(&again), ml = tb_tab_test_model(&last);
    uint64_t bytes = ma.n_outcomes * sizeof(double);
    (void)state;
    assert_int_equal(ma.n_outcomes, mb.n_outcomes);
    assert_memory_equal(ma.probability, mc.probability, bytes);
    assert_memory_not_equal(ma.probability, mb.probability, bytes);
    assert_memory_not_equal(ma.next, mb.next, ma.n_outcomes * sizeof(uint32_t));
    assert_true(ml.start[0] == 1);
    for (uint64_t o = 0; o < ml.n_outcomes; o++)
        assert_int_equal(ml.terminated[o], ml.next[o] != 0);
    tb_test_destroy(&a);
    tb_test_destroy(&b);
    tb_test_destroy(&again);
    tb_test_destroy(&last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TB_TAB_TEST(test_model, &plain),      TB_TAB_TEST(test_model, &changed),
        cmocka_unit_test(test_large_process), cmocka_unit_test(test_keys),
        cmocka_unit_test(test_conformance),
    };
    return cmocka_run_group_tests_name("RandomMDP", tests, NULL, NULL);
}
