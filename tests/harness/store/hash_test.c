/* SPDX-License-Identifier: MIT
 *
 * The result hashes against an independent SHA-256: Python's hashlib over the records that hash.h
 * describes, packed with struct.pack('<Q') and ('<d').
 */
#include "harness/store/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { n_training = 4, n_evals = 3, n_policy = 3, n_critic = 1 };

typedef struct sample {
    tb_episode training[n_training], evals[n_evals];
    double policy[n_policy], critic[n_critic];
} sample;

static const sample known = {
    .training = {{.lane = 0, .index = 0, .step = 12, .reward_sum = 1.5, .length = 3},
                 {.lane = 0, .index = 1, .step = 40, .reward_sum = -2.25, .length = 7},
                 {.lane = 1, .index = 0, .step = 20, .reward_sum = 1e300, .length = 1},
                 {.lane = 1ull << 40, .index = 5, .step = 99, .reward_sum = 0.1, 1ull << 33}},
    .evals = {{.index = 0, .step = 0, .reward_sum = 3, .length = 4},
              {.index = 1, .step = 0, .reward_sum = -0.0, .length = 5},
              {.index = 0, .step = 100, .reward_sum = 7.5, .length = 6}},
    .policy = {0.5, -1, 3.141592653589793},
    .critic = {2},
};

static tb_result_hashes hash(const sample *s)
{
    sample copy = *s;
    tb_result_hashes out;
    tb_result_hash(copy.training, n_training, copy.evals, n_evals, copy.policy, n_policy,
                   copy.critic, n_critic, &out);
    return out;
}

static void records_hash_as_described(void **state)
{
    (void)state;
    tb_result_hashes found = hash(&known);
    assert_string_equal(found.train,
                        "9036ace84dad32e4b5ec6fa57454fcf4c1a07d1e24627fe5bc540cf513387a98");
    assert_string_equal(found.eval,
                        "979a38f06f745ad038c4ffffe646ce4949e48bf26ff64e78a2eeff904075b569");
    assert_string_equal(found.result,
                        "ad419d8760c530768a018f2a5c0cdd443e1ef5ce32ce3b7a46b1bb5077110450");
}

static void nothing_hashes_too(void **state)
{
    (void)state;
    tb_result_hashes found;
    tb_result_hash(NULL, 0, NULL, 0, NULL, 0, NULL, 0, &found);
    assert_string_equal(found.train,
                        "fc5f6f66b57c1383d925bd3a71463da4f1886b3ac02a17202888f08f837d52ba");
    assert_string_equal(found.eval,
                        "77b2d0f257a273629759529622ad5c626b0b07df75c57f03a414913bdfe53493");
    assert_string_equal(found.result,
                        "13a7965d1d1d99fa8f91b4bceacf32314e941a3c2d64ce9f306c1afa6a388a0d");
}

static void the_order_of_training_episodes_does_not_matter(void **state)
{
    (void)state;
    tb_result_hashes expected = hash(&known);
    // every rotation and its reverse
    for (size_t shift = 0; shift < n_training; shift++) {
        for (int reverse = 0; reverse < 2; reverse++) {
            sample s = known;
            for (size_t i = 0; i < n_training; i++) {
                size_t from = (i + shift) % n_training;
                s.training[i] = known.training[reverse ? n_training - 1 - from : from];
            }
            tb_result_hashes found = hash(&s);
            assert_string_equal(found.result, expected.result);
        }
    }
}

// which of the three hashes a change reaches: "train" and "eval" are told apart
static void expect_change(const sample *s, int train, int eval)
{
    tb_result_hashes before = hash(&known), after = hash(s);
    assert_int_equal(strcmp(before.train, after.train) != 0, train);
    assert_int_equal(strcmp(before.eval, after.eval) != 0, eval);
    assert_string_not_equal(before.result, after.result);
}

#define EXPECT_CHANGE(change, train, eval)                                                         \
    do {                                                                                           \
        sample s = known;                                                                          \
        s.change;                                                                                  \
        expect_change(&s, train, eval);                                                            \
    } while (0)

static void every_recorded_value_matters(void **state)
{
    (void)state;
    EXPECT_CHANGE(training[2].lane = 3, 1, 0);
    EXPECT_CHANGE(training[1].index = 2, 1, 0);
    EXPECT_CHANGE(training[1].reward_sum = -2.2500000000000004, 1, 0);
    EXPECT_CHANGE(training[3].length = 0, 1, 0); // above 32 bits
    EXPECT_CHANGE(evals[2].step = 101, 0, 1);
    EXPECT_CHANGE(evals[2].index = 1, 0, 1);
    EXPECT_CHANGE(evals[1].reward_sum = 0.0, 0, 1); // the sign of zero
    EXPECT_CHANGE(evals[0].length = 5, 0, 1);
    EXPECT_CHANGE(policy[2] = 3.1415926535897936, 1, 0);
    EXPECT_CHANGE(critic[0] = 2.0000000000000004, 1, 0);
}

static void a_parameter_does_not_slip_from_policy_to_critic(void **state)
{
    (void)state;
    const double three[] = {1, 2, 3};
    tb_result_hashes a, b;
    tb_result_hash(NULL, 0, NULL, 0, three, 2, three + 2, 1, &a);
    tb_result_hash(NULL, 0, NULL, 0, three, 1, three + 1, 2, &b);
    assert_string_not_equal(a.train, b.train);
}

// documented: the step at which a training episode ended is no part of the hash
static void the_step_of_a_training_episode_does_not_matter(void **state)
{
    (void)state;
    sample s = known;
    s.training[0].step = 13;
    tb_result_hashes before = hash(&known), after = hash(&s);
    assert_string_equal(before.result, after.result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_hash_as_described),
        cmocka_unit_test(nothing_hashes_too),
        cmocka_unit_test(the_order_of_training_episodes_does_not_matter),
        cmocka_unit_test(every_recorded_value_matters),
        cmocka_unit_test(a_parameter_does_not_slip_from_policy_to_critic),
        cmocka_unit_test(the_step_of_a_training_episode_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
