/* SPDX-License-Identifier: MIT */
#include "trpo/theory/softmax.h"

#include "tests/trpo/theory/testing_mdp.h"
#include "trpo/linalg/vec.h"
#include "trpo/search/cg.h"
#include "trpo/theory/bound.h"

typedef struct fixture {
    tb_mdp *mdp;
    tb_exact *at;
    size_t n; // S A
    double theta[mdp_max_pairs], pi[mdp_max_pairs];
} fixture;

static fixture make(uint64_t seed)
{
    fixture f = {.mdp = mdp_random(seed, 6, 4, 3, 0.9, 0.1)};
    f.n = f.mdp->n_states * f.mdp->n_actions;
    tb_rng rng = test_rng(seed + 100);
    test_fill(&rng, f.theta, f.n, 1.5);
    tb_softmax_policy(f.mdp, f.theta, f.pi);
    f.at = mdp_evaluate(f.mdp, f.pi);
    return f;
}

static void finish(fixture *f)
{
    tb_exact_destroy(f->at);
    tb_mdp_destroy(f->mdp);
}

static void test_policy_and_parameters(void **state)
{
    (void)state;
    fixture f = make(1);
    double theta[mdp_max_pairs], pi[mdp_max_pairs];
    for (size_t s = 0; s < 6; s++) {
        assert_near(tb_vec_sum(f.pi + 4 * s, 4), 1, 1e-15);
        assert_close(f.pi[4 * s] / f.pi[4 * s + 1], exp(f.theta[4 * s] - f.theta[4 * s + 1]),
                     1e-13);
    }
    // large numbers, and an action that is never taken
    for (size_t i = 0; i < f.n; i++)
        theta[i] = f.theta[i] + 5000;
    tb_softmax_policy(f.mdp, theta, pi);
    for (size_t i = 0; i < f.n; i++)
        assert_near(pi[i], f.pi[i], 1e-12);
    pi[1] += pi[0];
    pi[0] = 0;
    tb_softmax_parameters(f.mdp, pi, theta);
    assert_true(theta[0] == -INFINITY);
    double again[mdp_max_pairs];
    tb_softmax_policy(f.mdp, theta, again);
    for (size_t i = 0; i < f.n; i++)
        assert_near(again[i], pi[i], 1e-15);
    finish(&f);
}

// the index that u falls on; n when the probabilities end before
static size_t draw(tb_rng *rng, const double *p, size_t n)
{
    double u = tb_rng_f64(rng);
    size_t i = 0;
    for (double sum = 0; i < n; i++) {
        sum += p[i];
        if (u < sum)
            break;
    }
    return i;
}

static double eta_at(const fixture *f, size_t i, double change)
{
    double theta[mdp_max_pairs], pi[mdp_max_pairs];
    memcpy(theta, f->theta, sizeof theta);
    theta[i] += change;
    tb_softmax_policy(f->mdp, theta, pi);
    return mdp_eta(f->mdp, pi);
}

static void test_gradient_is_that_of_eta(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        fixture f = make(seed);
        double g[mdp_max_pairs];
        tb_softmax_gradient(f.at, f.at->rho, g);
        for (size_t i = 0; i < f.n; i++) {
            double h = 1e-5;
            assert_near(g[i], (eta_at(&f, i, h) - eta_at(&f, i, -h)) / (2 * h), 1e-8);
        }
        for (size_t s = 0; s < 6; s++)
            assert_near(tb_vec_sum(g + 4 * s, 4), 0, 1e-13);
        finish(&f);
    }
}

// the mean over sampled episodes of sum_t score(s_t, a_t) A(s_t, a_t), cut after 5 steps, is the
// gradient under the visits, not under rho
static void test_gradient_under_visits(void **state)
{
    (void)state;
    fixture f = make(7);
    enum { horizon = 5, episodes = 200000 };
    const tb_mdp *mdp = f.mdp;
    double g[mdp_max_pairs], visits[mdp_max_states], work[2 * mdp_max_states];
    double sum[mdp_max_pairs] = {0}, square[mdp_max_pairs] = {0};
    tb_exact_visits(f.at, 1, horizon, visits, work);
    tb_softmax_gradient(f.at, visits, g);
    tb_rng rng = test_rng(7);
    for (int i = 0; i < episodes; i++) {
        double score[mdp_max_pairs] = {0};
        size_t s = draw(&rng, mdp->start, 6);
        for (int t = 0; t < horizon && s < 6; t++) {
            size_t a = draw(&rng, f.pi + 4 * s, 4), pair = 4 * s + a;
            for (size_t b = 0; b < 4; b++)
                score[4 * s + b] += ((a == b) - f.pi[4 * s + b]) * f.at->advantage[pair];
            size_t n = mdp->first[pair + 1] - mdp->first[pair];
            size_t k = draw(&rng, mdp->probability + mdp->first[pair], n);
            s = k < n ? mdp->next[mdp->first[pair] + k] : 6;
        }
        for (size_t k = 0; k < f.n; k++) {
            sum[k] += score[k];
            square[k] += score[k] * score[k];
        }
    }
    double off_rho = 0;
    for (size_t k = 0; k < f.n; k++) {
        double mean = sum[k] / episodes, sd = sqrt(square[k] / episodes - mean * mean);
        // 5 standard errors, of 24 components
        assert_near(mean, g[k], 5 * sd / sqrt(episodes));
        off_rho = fmax(off_rho, fabs(g[k] - f.at->rho[k / 4] / visits[k / 4] * g[k]) /
                                    (sd / sqrt(episodes)));
    }
    // and the other one is far away
    assert_true(off_rho > 20);
    finish(&f);
}

// mean KL(old || new) under rho / sum rho at theta + x
static double mean_kl(const fixture *f, const double *x)
{
    double theta[mdp_max_pairs], pi[mdp_max_pairs];
    for (size_t i = 0; i < f->n; i++)
        theta[i] = f->theta[i] + x[i];
    tb_softmax_policy(f->mdp, theta, pi);
    tb_bound bound;
    tb_bound_measure(f->at, pi, &bound);
    return bound.kl_mean;
}

// the mixed second difference of the mean KL at 0
static double curvature(const fixture *f, size_t i, size_t j)
{
    const double h = 1e-3;
    double sum = 0;
    for (int a = -1; a <= 1; a += 2)
        for (int b = -1; b <= 1; b += 2) {
            double x[mdp_max_pairs] = {0};
            x[i] += a * h;
            x[j] += b * h;
            sum += a * b * mean_kl(f, x);
        }
    return sum / (4 * h * h);
}

static void test_fisher_is_the_curvature_of_the_kl(void **state)
{
    (void)state;
    fixture f = make(3);
    double fisher[6 * 16];
    tb_softmax_fisher(f.at, fisher);
    for (size_t i = 0; i < f.n; i++)
        for (size_t j = 0; j < f.n; j++) {
            size_t s = i / 4;
            double expected = curvature(&f, i, j);
            assert_near(j / 4 == s ? fisher[s * 16 + i % 4 * 4 + j % 4] : 0, expected, 1e-7);
        }
    finish(&f);
}

static void test_product_is_the_matrix(void **state)
{
    (void)state;
    fixture f = make(4);
    double fisher[6 * 16], v[mdp_max_pairs], fv[mdp_max_pairs];
    tb_rng rng = test_rng(4);
    test_fill(&rng, v, f.n, 1);
    tb_softmax_fisher(f.at, fisher);
    tb_softmax_fisher_product(f.at, 0.3, v, fv);
    for (size_t i = 0; i < f.n; i++) {
        double sum = 0.3 * v[i];
        for (size_t b = 0; b < 4; b++)
            sum += fisher[i / 4 * 16 + i % 4 * 4 + b] * v[i / 4 * 4 + b];
        assert_near(fv[i], sum, 1e-15);
    }
    finish(&f);
}

static tb_status product(void *ctx, const double *v, double *fv, tb_error *error)
{
    (void)error;
    tb_softmax_fisher_product(ctx, 1e-3, v, fv);
    return TB_OK;
}

// (F + damping I) x = g; and conjugate gradients find the same x
static void test_natural_gradient(void **state)
{
    (void)state;
    fixture f = make(5);
    double g[mdp_max_pairs], x[mdp_max_pairs], fx[mdp_max_pairs], y[mdp_max_pairs],
        work[3 * mdp_max_pairs];
    static const double dampings[] = {0, 1e-3, 10};
    tb_softmax_gradient(f.at, f.at->rho, g);
    for (size_t k = 0; k < 3; k++) {
        tb_softmax_natural(f.at, dampings[k], g, x);
        tb_softmax_fisher_product(f.at, dampings[k], x, fx);
        for (size_t i = 0; i < f.n; i++)
            assert_near(fx[i], g[i], 1e-13);
    }
    tb_softmax_natural(f.at, 1e-3, g, x);
    tb_cg_result result;
    assert_int_equal(tb_cg_solve(product, f.at, g, y, work, f.n, 200, 1e-13, &result, NULL), TB_OK);
    for (size_t i = 0; i < f.n; i++)
        assert_near(y[i], x[i], 1e-8);
    // without damping: F^-1 g of the mean surrogate is the advantage (Kakade 2002, theorem 1, for
    // the tabular softmax)
    tb_softmax_natural(f.at, 0, g, x);
    for (size_t i = 0; i < f.n; i++)
        assert_close(x[i], f.at->rho_sum * f.at->advantage[i], 1e-11);
    finish(&f);
}

// probability 0 and states never visited: 0 / 0 is 0
static void test_natural_gradient_of_nothing(void **state)
{
    (void)state;
    fixture f = make(6);
    double g[mdp_max_pairs], x[mdp_max_pairs];
    f.at->rho[2] = 0;
    f.at->pi[0] = 0;
    tb_softmax_gradient(f.at, f.at->rho, g);
    for (int damped = 0; damped < 2; damped++) {
        tb_softmax_natural(f.at, damped * 0.1, g, x);
        for (size_t i = 0; i < f.n; i++)
            assert_true(isfinite(x[i]));
        for (size_t i = 8; i < 12; i++)
            assert_near(x[i], 0, 0);
    }
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy_and_parameters),
        cmocka_unit_test(test_gradient_is_that_of_eta),
        cmocka_unit_test(test_gradient_under_visits),
        cmocka_unit_test(test_fisher_is_the_curvature_of_the_kl),
        cmocka_unit_test(test_product_is_the_matrix),
        cmocka_unit_test(test_natural_gradient),
        cmocka_unit_test(test_natural_gradient_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
