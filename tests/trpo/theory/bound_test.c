/* SPDX-License-Identifier: MIT */
#include "trpo/theory/bound.h"

#include "tests/trpo/theory/testing_mdp.h"

static void test_distances(void **state)
{
    (void)state;
    const double p[] = {0.5, 0.25, 0.25}, q[] = {0.25, 0.25, 0.5}, none[] = {0, 0.5, 0.5};
    assert_near(tb_total_variation(p, q, 3), 0.25, 1e-16);
    assert_near(tb_kl_divergence(p, q, 3), 0.25 * log(2), 1e-15);
    // not symmetric
    assert_near(tb_kl_divergence(q, p, 3), 0.25 * log(0.5) + 0.5 * log(2), 1e-15);
    assert_near(tb_kl_divergence(p, p, 3), 0, 0);
    assert_near(tb_kl_divergence(none, p, 3), log(2), 1e-15);
    assert_true(tb_kl_divergence(p, none, 3) == INFINITY);
    const double half[] = {0.5, 0.5}, far[] = {1, 1e-200};
    assert_close(tb_kl_divergence(half, far, 2), 0.5 * log(0.25) + 100 * log(10), 1e-14);
}

// KL of two near Bernoullis = x^2 / (2 p (1 - p)) (1 + O(x)): no digits may be lost on the way
static void test_tiny_divergences(void **state)
{
    (void)state;
    for (double x = 0x1p-7; x > 1e-12; x /= 4) {
        const double p[] = {0.5, 0.5}, q[] = {0.5 + x, 0.5 - x};
        // 1/2 log(1 / (1 - 4 x^2))
        assert_close(tb_kl_divergence(p, q, 2), -0.5 * log1p(-4 * x * x), 1e-12);
    }
}

// every figure from its definition, written out anew
static void test_definitions(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        tb_mdp *mdp = mdp_any(seed);
        size_t n = mdp->n_actions;
        double pi[mdp_max_pairs], other[mdp_max_pairs];
        mdp_random_policy(mdp, seed, 2, pi);
        mdp_random_policy(mdp, seed + 500, 2, other);
        tb_exact *e = mdp_evaluate(mdp, pi);
        tb_bound bound;
        tb_bound_measure(e, other, &bound);
        double l = e->eta, tv_max = 0, kl_max = 0, kl_mean = 0, eps = 0, visits = 0, shift_max = 0;
        for (size_t s = 0; s < mdp->n_states; s++) {
            double tv = 0, kl = 0, shift = 0;
            for (size_t a = s * n; a < (s + 1) * n; a++) {
                tv += fabs(pi[a] - other[a]) / 2;
                kl += pi[a] * log(pi[a] / other[a]);
                shift += other[a] * (e->q[a] - e->v[s]);
                eps = fmax(eps, fabs(e->q[a] - e->v[s]));
            }
            l += e->rho[s] * shift;
            kl_mean += e->rho[s] * kl;
            visits += e->rho[s];
            tv_max = fmax(tv_max, tv);
            kl_max = fmax(kl_max, kl);
            shift_max = fmax(shift_max, fabs(shift));
        }
        double c = 4 * eps * mdp->gamma / pow(1 - mdp->gamma, 2);
        assert_near(bound.surrogate, l, 1e-12);
        assert_near(bound.tv_max, tv_max, 1e-14);
        assert_near(bound.kl_max, kl_max, 1e-13);
        assert_near(bound.kl_mean, kl_mean / visits, 1e-13);
        assert_near(bound.shift_max, shift_max, 1e-12);
        assert_close(bound.penalty, c, 1e-12);
        assert_close(tb_bound_penalty(e), c, 1e-12);
        assert_near(bound.lower_tv, l - c * tv_max * tv_max, 1e-9);
        assert_near(bound.lower_kl, l - c * kl_max, 1e-9);
        tb_exact_destroy(e);
        tb_mdp_destroy(mdp);
    }
}

// theorem 1 in both forms, and lemma 2, over policies near and far
static void test_theorem_1(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        tb_mdp *mdp = mdp_any(seed);
        double pi[mdp_max_pairs], other[mdp_max_pairs];
        mdp_random_policy(mdp, seed, 2, pi);
        mdp_near_policy(mdp, pi, seed, pow(10, -(double)(seed % 5)) * 3, other);
        tb_exact *e = mdp_evaluate(mdp, pi);
        tb_bound bound;
        tb_bound_measure(e, other, &bound);
        double eta = mdp_eta(mdp, other);
        assert_true(eta >= bound.lower_tv - 1e-11);
        assert_true(bound.lower_tv >= bound.lower_kl - 1e-11);
        assert_true(bound.shift_max <= 2 * bound.tv_max * e->advantage_max + 1e-13);
        tb_exact_destroy(e);
        tb_mdp_destroy(mdp);
    }
}

// L matches eta to first order (eq. 4): the difference falls with the square of the step
static void test_surrogate_is_first_order(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        tb_mdp *mdp = mdp_random(seed, 8, 3, 3, 0.9, 0.1);
        double pi[mdp_max_pairs], goal[mdp_max_pairs], other[mdp_max_pairs], gap[2];
        mdp_random_policy(mdp, seed, 1, pi);
        mdp_random_policy(mdp, seed + 50, 1, goal);
        tb_exact *e = mdp_evaluate(mdp, pi);
        for (int k = 0; k < 2; k++) {
            double step = k == 0 ? 1e-3 : 1e-4;
            for (size_t i = 0; i < mdp->n_states * 3; i++)
                other[i] = pi[i] + step * (goal[i] - pi[i]);
            tb_bound bound;
            tb_bound_measure(e, other, &bound);
            gap[k] = fabs(mdp_eta(mdp, other) - bound.surrogate);
            assert_true(fabs(bound.surrogate - e->eta) > gap[k]);
        }
        assert_true(gap[1] < gap[0] / 80 + 1e-13);
        tb_exact_destroy(e);
        tb_mdp_destroy(mdp);
    }
}

// gamma = 0: one step, so L is eta, nothing is penalised, and an infinite KL costs nothing
static void test_one_step_problems(void **state)
{
    (void)state;
    tb_mdp *mdp = mdp_random(5, 6, 3, 2, 0, 0);
    double pi[mdp_max_pairs], greedy[mdp_max_pairs];
    tb_uniform_policy(mdp, pi);
    tb_exact *e = mdp_evaluate(mdp, pi);
    tb_greedy_policy(e, greedy);
    tb_bound bound;
    tb_bound_measure(e, greedy, &bound);
    assert_true(bound.kl_max == INFINITY);
    assert_near(bound.penalty, 0, 0);
    assert_near(bound.surrogate, mdp_eta(mdp, greedy), 1e-14);
    assert_near(bound.lower_kl, bound.surrogate, 0);
    assert_near(bound.lower_tv, bound.surrogate, 0);
    tb_exact_destroy(e);
    tb_mdp_destroy(mdp);
}

// a state that is never visited counts in the maxima but not in the means
static void test_unvisited_state(void **state)
{
    (void)state;
    mdp_arrays m;
    mdp_random_arrays(&m, 8, 4, 2, 2, 0.9, 0);
    for (size_t i = 0; i < 16; i++)
        m.next[i] %= 3;
    m.start[2] += m.start[3];
    m.start[3] = 0;
    tb_mdp *mdp = mdp_create(&m.model, m.gamma);
    double pi[8], other[8];
    tb_uniform_policy(mdp, pi);
    memcpy(other, pi, sizeof pi);
    other[6] = 1;
    other[7] = 0;
    tb_exact *e = mdp_evaluate(mdp, pi);
    assert_near(e->rho[3], 0, 0);
    tb_bound bound;
    tb_bound_measure(e, other, &bound);
    assert_near(bound.kl_mean, 0, 0);
    assert_true(bound.kl_max == INFINITY);
    assert_true(bound.lower_kl == -INFINITY);
    assert_near(bound.tv_max, 0.5, 0);
    assert_near(bound.surrogate, e->eta, 1e-14);
    tb_exact_destroy(e);
    tb_mdp_destroy(mdp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distances),
        cmocka_unit_test(test_tiny_divergences),
        cmocka_unit_test(test_definitions),
        cmocka_unit_test(test_theorem_1),
        cmocka_unit_test(test_surrogate_is_first_order),
        cmocka_unit_test(test_one_step_problems),
        cmocka_unit_test(test_unvisited_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
