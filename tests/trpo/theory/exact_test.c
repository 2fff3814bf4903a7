/* SPDX-License-Identifier: MIT */
#include "trpo/theory/exact.h"

#include "tests/trpo/theory/testing_mdp.h"

// after the headers that declare what it replaces
#include "tests/trpo/testing_malloc.h"

// state 0: action 0 stays, reward 1; action 1 goes to state 1, reward 0. State 1 stays, reward 3,
// and ends with probability 1/2
static const uint64_t first[] = {0, 1, 2, 4, 6};
static const uint32_t next[] = {0, 1, 1, 0, 1, 0};
static const double probability[] = {1, 1, 0.5, 0.5, 0.5, 0.5}, reward[] = {1, 0, 3, 3, 3, 3};
static const uint8_t terminated[] = {0, 0, 0, 1, 0, 1};
static const double start[] = {1, 0};
static const tb_tabular by_hand = {.n_states = 2,
                                   .n_actions = 2,
                                   .n_outcomes = 6,
                                   .first = first,
                                   .next = next,
                                   .probability = probability,
                                   .reward = reward,
                                   .terminated = terminated,
                                   .start = start};

static void test_by_hand(void **state)
{
    (void)state;
    tb_mdp *mdp = mdp_create(&by_hand, 0.5);
    const double pi[] = {0.5, 0.5, 1, 0};
    tb_exact *e = mdp_evaluate(mdp, pi);
    // V1 = 3 + 0.25 V1 = 4; V0 = 0.5 (1 + 0.5 V0) + 0.5 (0.5 V1) = 2
    assert_near(e->v[0], 2, 1e-14);
    assert_near(e->v[1], 4, 1e-14);
    assert_near(e->q[0], 1 + 0.5 * 2, 1e-14);
    assert_near(e->q[1], 0.5 * 4, 1e-14);
    assert_near(e->advantage[0], 0, 1e-14);
    // rho0 = 1 + 0.25 rho0 = 4/3; rho1 = 0.25 rho0 + 0.25 rho1 = 4/9
    assert_near(e->rho[0], 4.0 / 3, 1e-14);
    assert_near(e->rho[1], 4.0 / 9, 1e-14);
    assert_near(e->rho_sum, 16.0 / 9, 1e-14);
    assert_near(e->eta, 2, 1e-14);
    tb_exact_destroy(e);
    tb_mdp_destroy(mdp);
}

// one step of V <- r + gamma P V and of rho <- rho0 + gamma rho P
static void iterate(const tb_mdp *mdp, const double *pi, const double *v, const double *rho,
                    double *v_out, double *rho_out)
{
    memcpy(rho_out, mdp->start, mdp->n_states * sizeof *rho_out);
    for (size_t s = 0; s < mdp->n_states; s++) {
        v_out[s] = 0;
        for (size_t a = 0; a < mdp->n_actions; a++) {
            size_t pair = s * mdp->n_actions + a;
            v_out[s] += pi[pair] * mdp->reward[pair];
            for (size_t t = mdp->first[pair]; t < mdp->first[pair + 1]; t++) {
                double p = mdp->gamma * pi[pair] * mdp->probability[t];
                v_out[s] += p * v[mdp->next[t]];
                rho_out[mdp->next[t]] += p * rho[s];
            }
        }
    }
}

// the series themselves, summed over 4000 time steps
static void test_equals_iteration(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        tb_mdp *mdp = mdp_any(seed);
        double pi[mdp_max_pairs], v[2][mdp_max_states] = {{0}}, rho[2][mdp_max_states] = {{0}};
        mdp_random_policy(mdp, seed, 2, pi);
        for (int t = 0; t < 4000; t++)
            iterate(mdp, pi, v[t % 2], rho[t % 2], v[(t + 1) % 2], rho[(t + 1) % 2]);
        tb_exact *e = mdp_evaluate(mdp, pi);
        double eta = 0;
        for (size_t s = 0; s < mdp->n_states; s++) {
            assert_near(e->v[s], v[0][s], 1e-10);
            assert_near(e->rho[s], rho[0][s], 1e-10);
            double mean = 0;
            for (size_t a = 0; a < mdp->n_actions; a++) {
                mean += pi[s * mdp->n_actions + a] * e->advantage[s * mdp->n_actions + a];
                eta += e->rho[s] * pi[s * mdp->n_actions + a] * mdp->reward[s * mdp->n_actions + a];
            }
            // advantages of the policy itself average to 0
            assert_near(mean, 0, 1e-12);
        }
        // eta = sum rho r
        assert_near(e->eta, eta, 1e-11);
        tb_exact_destroy(e);
        tb_mdp_destroy(mdp);
    }
}

// lemma 1 (eq. 2): eta(new) = eta(old) + sum rho_new sum pi_new A_old
static void test_performance_difference(void **state)
{
    (void)state;
    double largest_change = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        tb_mdp *mdp = mdp_any(seed);
        double old_pi[mdp_max_pairs], new_pi[mdp_max_pairs];
        mdp_random_policy(mdp, seed, 3, old_pi);
        mdp_random_policy(mdp, seed + 1000, 3, new_pi);
        tb_exact *old = mdp_evaluate(mdp, old_pi), *new_ = mdp_evaluate(mdp, new_pi);
        assert_near(tb_performance_difference(old, new_), new_->eta, 1e-10);
        largest_change = fmax(largest_change, fabs(new_->eta - old->eta));
        tb_exact_destroy(old);
        tb_exact_destroy(new_);
        tb_mdp_destroy(mdp);
    }
    assert_true(largest_change > 1);
}

static void test_rewards_one_are_time(void **state)
{
    (void)state;
    mdp_arrays m;
    mdp_random_arrays(&m, 3, 10, 3, 3, 0.95, 0);
    for (size_t i = 0; i < 90; i++)
        m.reward[i] = 1;
    tb_mdp *mdp = mdp_create(&m.model, m.gamma);
    double pi[mdp_max_pairs];
    mdp_random_policy(mdp, 1, 2, pi);
    tb_exact *e = mdp_evaluate(mdp, pi);
    // nothing ends: sum gamma^t = 20
    assert_near(e->eta, 20, 1e-11);
    assert_near(e->rho_sum, 20, 1e-11);
    tb_exact_destroy(e);
    tb_mdp_destroy(mdp);
}

// discounted without end they are rho; undiscounted and cut, counted by hand
static void test_visits(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        tb_mdp *mdp = mdp_any(seed);
        double pi[mdp_max_pairs], visits[mdp_max_states], work[2 * mdp_max_states];
        mdp_random_policy(mdp, seed, 2, pi);
        tb_exact *e = mdp_evaluate(mdp, pi);
        tb_exact_visits(e, mdp->gamma, 4000, visits, work);
        for (size_t s = 0; s < mdp->n_states; s++)
            assert_near(visits[s], e->rho[s], 1e-10);
        tb_exact_destroy(e);
        tb_mdp_destroy(mdp);
    }
    tb_mdp *mdp = mdp_create(&by_hand, 0.5);
    const double pi[] = {0.5, 0.5, 1, 0};
    double visits[2], work[4];
    tb_exact *e = mdp_evaluate(mdp, pi);
    // state 0: 1 + 1/2 + 1/4; state 1: 0 + 1/2 + (1/4 + 1/4)
    tb_exact_visits(e, 1, 3, visits, work);
    assert_near(visits[0], 1.75, 1e-15);
    assert_near(visits[1], 1, 1e-15);
    tb_exact_visits(e, 1, 0, visits, work);
    assert_near(visits[0] + visits[1], 0, 0);
    tb_exact_destroy(e);
    tb_mdp_destroy(mdp);
}

static void test_no_policy(void **state)
{
    (void)state;
    tb_mdp *mdp = mdp_create(&by_hand, 0.5);
    tb_exact *e = NULL;
    tb_error error = {0};
    assert_ok(tb_exact_create(mdp, &e, &error), &error);
    const double too_much[] = {0.5, 0.5, 1, 0.1}, negative[] = {-0.5, 1.5, 1, 0},
                 nan_[] = {NAN, 1, 1, 0};
    assert_int_equal(tb_exact_evaluate(e, too_much, &error), TB_E_PARAM);
    assert_message(&error, "state 1: the policy's probabilities must add up to 1, not 1.1");
    assert_int_equal(tb_exact_evaluate(e, negative, &error), TB_E_PARAM);
    assert_message(&error, "state 0: the policy takes action 0 with probability -0.5");
    assert_int_equal(tb_exact_evaluate(e, nan_, &error), TB_E_PARAM);
    tb_exact_destroy(e);
    tb_mdp_destroy(mdp);
}

static void test_uniform_and_greedy(void **state)
{
    (void)state;
    tb_mdp *mdp = mdp_create(&by_hand, 0.5);
    double pi[4];
    tb_uniform_policy(mdp, pi);
    for (size_t i = 0; i < 4; i++)
        assert_near(pi[i], 0.5, 0);
    tb_exact *e = mdp_evaluate(mdp, pi);
    e->q[0] = 1;
    e->q[1] = 2;
    e->q[2] = e->q[3] = 5;
    tb_greedy_policy(e, pi);
    const double expected[] = {0, 1, 1, 0};
    assert_memory_equal(pi, expected, sizeof pi);
    tb_exact_destroy(e);
    tb_mdp_destroy(mdp);
}

static void test_evaluates_without_allocating(void **state)
{
    (void)state;
    tb_mdp *mdp = mdp_random(1, 20, 4, 3, 0.9, 0.1);
    double pi[mdp_max_pairs];
    tb_uniform_policy(mdp, pi);
    tb_exact *e = mdp_evaluate(mdp, pi);
    int64_t before = test_count(&test_allocations);
    assert_int_equal(tb_exact_evaluate(e, e->pi, NULL), TB_OK);
    assert_int_equal(test_count(&test_allocations), before);
    tb_exact_destroy(e);
    for (int64_t i = 1; test_can_fail && i <= 10; i++) {
        tb_error error = {0};
        int64_t held = test_allocations - test_frees;
        test_fail_at = i;
        assert_int_equal(tb_exact_create(mdp, &e, &error), TB_E_NOMEM);
        assert_null(e);
        assert_int_equal(test_fail_at, 0);
        assert_int_equal(test_allocations - test_frees, held);
    }
    tb_mdp_destroy(mdp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_equals_iteration),
        cmocka_unit_test(test_performance_difference),
        cmocka_unit_test(test_rewards_one_are_time),
        cmocka_unit_test(test_visits),
        cmocka_unit_test(test_no_policy),
        cmocka_unit_test(test_uniform_and_greedy),
        cmocka_unit_test(test_evaluates_without_allocating),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
