/* SPDX-License-Identifier: MIT */
#include "trpo/theory/penalty.h"

#include "tests/trpo/theory/testing_mdp.h"
#include "trpo/linalg/vec.h"
#include "trpo/theory/bound.h"

enum { n = 4 };
static const double p[n] = {0.4, 0.3, 0.2, 0.1}, advantage[n] = {-0.5, 1, 0.25, -1.5};

static double gain(const double *q)
{
    return tb_vec_dot(q, advantage, n);
}

// the divergence is used up, and no other distribution within it is better
static void test_row_is_the_best_in_the_ball(void **state)
{
    (void)state;
    for (double delta = 1e-12; delta < 10; delta *= 10) {
        double q[n];
        tb_penalty_row(p, advantage, n, delta, q);
        assert_near(tb_vec_sum(q, n), 1, 1e-15);
        assert_close(tb_kl_divergence(p, q, n), delta, delta < 1e-9 ? 1e-4 : 1e-6);
        tb_rng rng = test_rng(1);
        size_t inside = 0;
        for (int i = 0; i < 20000; i++) {
            // both near q and anywhere
            double other[n], width = i % 2 == 0 ? fmin(sqrt(delta), 1) : 3;
            for (size_t a = 0; a < n; a++)
                other[a] = q[a] * exp(tb_rng_uniform(&rng, -width, width));
            mdp_normalise(other, n);
            if (tb_kl_divergence(p, other, n) > delta)
                continue;
            inside++;
            assert_true(gain(other) <= gain(q) * (1 + 1e-12));
        }
        assert_true(inside > 100);
    }
}

// two actions with advantages +-1: q = (1 + z) / 2, KL = -log(1 - z^2) / 2, in closed form
static void test_row_of_two_actions(void **state)
{
    (void)state;
    const double half[] = {0.5, 0.5}, sign[] = {1, -1};
    for (double delta = 1e-10; delta < 5; delta *= 7) {
        double q[2], z = sqrt(-expm1(-2 * delta));
        double lambda = tb_penalty_row(half, sign, 2, delta, q);
        assert_close(q[0] - q[1], z, 1e-6);
        // d sum q A / d delta = dz / d delta = (1 - z^2) / z
        assert_close(lambda, (1 - z * z) / z, 1e-6);
    }
}

// lambda is the slope of the best gain by delta
static void test_row_multiplier(void **state)
{
    (void)state;
    for (double delta = 1e-3; delta < 3; delta *= 3) {
        double q[n], up[n], down[n], h = 1e-4 * delta;
        double lambda = tb_penalty_row(p, advantage, n, delta, q);
        tb_penalty_row(p, advantage, n, delta + h, up);
        tb_penalty_row(p, advantage, n, delta - h, down);
        assert_close(lambda, (gain(up) - gain(down)) / (2 * h), 1e-6);
    }
}

static void test_row_keeps_what_it_must(void **state)
{
    (void)state;
    const double flat[n] = {0.5, 0.5, 0.5, 0.5}, partly[n] = {0.5, 0.5, 0, 0},
                 best_is_out[n] = {1, 2, 9, 0};
    double q[n];
    assert_near(tb_penalty_row(p, flat, n, 0.1, q), 0, 0);
    assert_memory_equal(q, p, sizeof q);
    // an action that is never taken stays so, even if it is the best
    assert_true(tb_penalty_row(partly, best_is_out, n, 0.1, q) > 0);
    assert_near(q[2], 0, 0);
    assert_near(q[3], 0, 0);
    assert_true(q[1] > 0.5);
    // an action that hardly happens does not vanish for good, and the divergence is still used up
    for (double tiny = 1e-3; tiny > 1e-14; tiny /= 10) {
        const double nearly[2] = {1 - tiny, tiny}, sign[2] = {1, -1};
        double row[2], delta = 10 * tiny;
        tb_penalty_row(nearly, sign, 2, delta, row);
        assert_close(tb_kl_divergence(nearly, row, 2), delta, 1e-2);
        tb_penalty_row(nearly, sign, 2, 1, row);
        assert_true(row[1] > 0 && isfinite(tb_kl_divergence(nearly, row, 2)));
    }
    const double sure[n] = {0, 1, 0, 0};
    assert_near(tb_penalty_row(sure, advantage, n, 0.1, q), 0, 0);
    assert_memory_equal(q, sure, sizeof q);
    // more than doubles can hold: nearly all on the best action
    tb_penalty_row(p, advantage, n, 1e3, q);
    assert_near(q[1], 1, 1e-12);
    assert_true(q[0] > 0 && isfinite(q[0]));
}

static double objective(const tb_exact *at, double penalty, const double *pi)
{
    tb_bound bound;
    tb_bound_measure(at, pi, &bound);
    return bound.surrogate - penalty * bound.kl_max;
}

// L - C D_KL^max is largest there: among policies near it, along the path to pi, and at other
// deltas
static void test_step_is_the_maximum(void **state)
{
    (void)state;
    static const double penalties[] = {1e-3, 0.1, 3, 1e3};
    for (uint64_t seed = 0; seed < 24; seed++) {
        tb_mdp *mdp = mdp_random(seed, 6, 3, 3, 0.9, 0.1);
        double pi[mdp_max_pairs], best[mdp_max_pairs], other[mdp_max_pairs];
        mdp_random_policy(mdp, seed, 1, pi);
        tb_exact *at = mdp_evaluate(mdp, pi);
        double penalty = penalties[seed % 4];
        double delta = tb_penalty_step(at, penalty, best);
        double value = objective(at, penalty, best), gained = value - at->eta;
        assert_true(gained > 0);
        tb_bound bound;
        tb_bound_measure(at, best, &bound);
        assert_close(bound.kl_max, delta, 1e-7);
        // every visited state uses the divergence up
        assert_close(bound.kl_mean, delta, 1e-7);
        for (uint64_t i = 0; i < 300; i++) {
            mdp_near_policy(mdp, best, seed * 1000 + i, sqrt(delta) * pow(10, -(double)(i % 5)),
                            other);
            assert_true(objective(at, penalty, other) <= value + 1e-10 * gained);
        }
        for (double f = 0.5; f < 2; f += 0.1) {
            for (size_t s = 0; s < 6; s++)
                tb_penalty_row(pi + 3 * s, at->advantage + 3 * s, 3, f * delta, other + 3 * s);
            assert_true(objective(at, penalty, other) <= value + 1e-10 * gained);
        }
        tb_exact_destroy(at);
        tb_mdp_destroy(mdp);
    }
}

// the condition for the maximum: sum rho lambda = C
static void test_step_multipliers(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        tb_mdp *mdp = mdp_any(seed);
        double pi[mdp_max_pairs], best[mdp_max_pairs], row[mdp_max_actions], sum = 0;
        mdp_random_policy(mdp, seed, 1, pi);
        tb_exact *at = mdp_evaluate(mdp, pi);
        double penalty = tb_bound_penalty(at), delta = tb_penalty_step(at, penalty, best);
        for (size_t s = 0; s < mdp->n_states; s++)
            sum += at->rho[s] * tb_penalty_row(pi + s * mdp->n_actions,
                                               at->advantage + s * mdp->n_actions, mdp->n_actions,
                                               delta, row);
        assert_close(sum, penalty, 1e-9);
        tb_exact_destroy(at);
        tb_mdp_destroy(mdp);
    }
}

static void test_step_without_penalty_is_greedy(void **state)
{
    (void)state;
    tb_mdp *mdp = mdp_random(2, 6, 3, 3, 0.9, 0.1);
    double pi[mdp_max_pairs], best[mdp_max_pairs], greedy[mdp_max_pairs];
    mdp_random_policy(mdp, 2, 1, pi);
    tb_exact *at = mdp_evaluate(mdp, pi);
    tb_greedy_policy(at, greedy);
    assert_true(tb_penalty_step(at, 0, best) == INFINITY);
    assert_memory_equal(best, greedy, 18 * sizeof *best);
    // a tiny one nearly
    tb_penalty_step(at, 1e-12, best);
    for (size_t i = 0; i < 18; i++)
        assert_near(best[i], greedy[i], 1e-8);
    // a state that is never visited keeps its row
    at->rho[4] = 0;
    for (int k = 0; k < 2; k++) {
        tb_penalty_step(at, k, best);
        assert_memory_equal(best + 12, pi + 12, 3 * sizeof *pi);
    }
    tb_exact_destroy(at);
    tb_mdp_destroy(mdp);
}

// nothing to gain: all actions alike
static void test_step_at_the_optimum(void **state)
{
    (void)state;
    mdp_arrays m;
    mdp_random_arrays(&m, 3, 5, 2, 2, 0.9, 0);
    memset(m.reward, 0, sizeof m.reward);
    tb_mdp *mdp = mdp_create(&m.model, m.gamma);
    double pi[10], best[10];
    mdp_random_policy(mdp, 2, 1, pi);
    tb_exact *at = mdp_evaluate(mdp, pi);
    assert_near(tb_penalty_step(at, 1, best), 0, 0);
    assert_memory_equal(best, pi, sizeof pi);
    tb_exact_destroy(at);
    tb_mdp_destroy(mdp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_is_the_best_in_the_ball),
        cmocka_unit_test(test_row_of_two_actions),
        cmocka_unit_test(test_row_multiplier),
        cmocka_unit_test(test_row_keeps_what_it_must),
        cmocka_unit_test(test_step_is_the_maximum),
        cmocka_unit_test(test_step_multipliers),
        cmocka_unit_test(test_step_without_penalty_is_greedy),
        cmocka_unit_test(test_step_at_the_optimum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
