/* SPDX-License-Identifier: MIT */
#include "trpo/theory/algorithm.h"

#include "tests/trpo/theory/testing_mdp.h"
#include "trpo/linalg/vec.h"

// after the headers that declare what it replaces
#include "tests/trpo/testing_malloc.h"

enum { iterations = 40, n_algorithms = 6 };

typedef struct fixture {
    const tb_exact_algorithm *algorithm;
    unsigned char config[256];
} fixture;

// the defaults, with one option changed ("" = none)
static fixture make(const char *id, const char *key, double value)
{
    fixture f = {.algorithm = tb_exact_algorithm_find(id)};
    assert_non_null(f.algorithm);
    assert_true(f.algorithm->config_size <= sizeof f.config);
    tb_options_default(f.algorithm->options, f.config);
    if (*key != '\0') {
        const tb_option *option = tb_option_find(f.algorithm->options, key);
        assert_non_null(option);
        tb_value v = {.type = TB_VALUE_F64, .f64 = value, .i64 = (int64_t)value};
        if (option->type == TB_OPTION_I64)
            v.type = TB_VALUE_I64;
        assert_int_equal(tb_option_set(option, f.config, &v, NULL), TB_OK);
    }
    return f;
}

static void run(const fixture *f, const tb_mdp *mdp, const double *pi0, size_t n,
                tb_exact_record *records, double *pi_end)
{
    tb_error error = {0};
    assert_ok(tb_exact_run(mdp, f->algorithm, f->config, pi0, n, records, pi_end, &error), &error);
}

// eta of the best policy by value iteration
static double optimum_by_values(const tb_mdp *mdp)
{
    double v[mdp_max_states] = {0};
    for (int t = 0; t < 5000; t++)
        for (size_t s = 0; s < mdp->n_states; s++) {
            double best = -INFINITY;
            for (size_t a = 0; a < mdp->n_actions; a++) {
                size_t pair = s * mdp->n_actions + a;
                double q = mdp->reward[pair];
                for (size_t k = mdp->first[pair]; k < mdp->first[pair + 1]; k++)
                    q += mdp->gamma * mdp->probability[k] * v[mdp->next[k]];
                best = fmax(best, q);
            }
            v[s] = best;
        }
    return tb_vec_dot(mdp->start, v, mdp->n_states);
}

static void test_table(void **state)
{
    (void)state;
    size_t n;
    const tb_exact_algorithm *const *all = tb_exact_algorithms(&n);
    assert_int_equal(n, n_algorithms);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(tb_exact_algorithm_find(all[i]->id), all[i]);
        assert_non_null(all[i]->options);
    }
    assert_null(tb_exact_algorithm_find("ppo"));
}

static void test_optimum(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 24; seed++) {
        tb_mdp *mdp = mdp_any(seed);
        double eta, pi[mdp_max_pairs];
        tb_error error = {0};
        assert_ok(tb_exact_optimum(mdp, pi, &eta, &error), &error);
        assert_near(eta, optimum_by_values(mdp), 1e-9);
        assert_near(mdp_eta(mdp, pi), eta, 1e-12);
        // and the algorithm of that name gets there
        fixture f = make("policy-iteration", "", 0);
        tb_exact_record records[iterations + 1];
        mdp_random_policy(mdp, seed, 2, pi);
        run(&f, mdp, pi, iterations, records, NULL);
        assert_near(records[iterations].eta, eta, 1e-11);
        tb_mdp_destroy(mdp);
    }
}

// the first state's value stands still while those behind it get better: 0.6 at once, or 0.3 from
// state 1, or 1 from state 2, which a random action loses
static void test_optimum_behind_a_plateau(void **state)
{
    (void)state;
    static const uint64_t first[] = {0, 1, 2, 3, 4, 5, 6};
    static const uint32_t next[] = {0, 1, 0, 2, 0, 0};
    static const double probability[] = {1, 1, 1, 1, 1, 1}, reward[] = {0.6, 0, 0.3, 0, -1, 1},
                        start[] = {1, 0, 0};
    static const uint8_t terminated[] = {1, 0, 1, 0, 1, 1};
    const tb_tabular model = {.n_states = 3,
                              .n_actions = 2,
                              .n_outcomes = 6,
                              .first = first,
                              .next = next,
                              .probability = probability,
                              .reward = reward,
                              .terminated = terminated,
                              .start = start};
    tb_mdp *mdp = mdp_create(&model, 0.9);
    double eta, pi[6];
    assert_int_equal(tb_exact_optimum(mdp, pi, &eta, NULL), TB_OK);
    assert_near(eta, 0.81, 1e-15);
    assert_near(pi[1], 1, 0);
    fixture f = make("policy-iteration", "", 0);
    tb_exact_record r[4];
    tb_uniform_policy(mdp, pi);
    run(&f, mdp, pi, 3, r, NULL);
    assert_near(r[1].eta, 0.6, 1e-15);
    assert_near(r[2].eta, 0.6, 1e-15);
    assert_near(r[3].eta, 0.81, 1e-15);
    tb_mdp_destroy(mdp);
}

// what the theory promises, over many processes: never worse, and at least what was promised
static void test_promises(void **state)
{
    (void)state;
    static const char *const ids[] = {"policy-iteration", "conservative", "monotonic"};
    for (size_t k = 0; k < 3; k++) {
        double least_progress = INFINITY;
        for (uint64_t seed = 0; seed < 40; seed++) {
            tb_mdp *mdp = mdp_any(seed);
            double pi[mdp_max_pairs];
            tb_exact_record r[iterations + 1];
            mdp_random_policy(mdp, seed, 1, pi);
            fixture f = make(ids[k], "", 0);
            assert_true(f.algorithm->monotonic);
            run(&f, mdp, pi, iterations, r, NULL);
            for (size_t i = 1; i <= iterations; i++) {
                double slack = 1e-12 * fmax(1, fabs(r[i].eta));
                assert_true(r[i].eta >= r[i - 1].eta - slack);
                assert_true(r[i].eta >= r[i].step.promised - slack);
                assert_true(r[i].step.promised >= r[i - 1].eta - slack);
                assert_true(r[i].eta >= r[i].bound.lower_tv - slack);
            }
            least_progress = fmin(least_progress, r[iterations].eta - r[0].eta);
            tb_mdp_destroy(mdp);
        }
        assert_true(least_progress > 0);
    }
}

// record 0 is the start; bounds are measured from the policy before; the end is what was recorded
static void test_records(void **state)
{
    (void)state;
    tb_mdp *mdp = mdp_random(1, 8, 3, 3, 0.9, 0.1);
    double pi[mdp_max_pairs], end[mdp_max_pairs], middle[mdp_max_pairs];
    tb_exact_record r[4], again[4];
    mdp_random_policy(mdp, 1, 1, pi);
    fixture f = make("penalized", "", 0);
    run(&f, mdp, pi, 3, r, end);
    assert_near(r[0].eta, mdp_eta(mdp, pi), 0);
    assert_near(r[3].eta, mdp_eta(mdp, end), 0);
    run(&f, mdp, pi, 2, again, middle);
    tb_exact *at = mdp_evaluate(mdp, middle);
    tb_bound bound;
    tb_bound_measure(at, end, &bound);
    assert_memory_equal(&bound, &r[3].bound, sizeof bound);
    tb_exact_destroy(at);
    // in place
    run(&f, mdp, middle, 1, again, middle);
    assert_memory_equal(middle, end, 24 * sizeof *end);
    tb_mdp_destroy(mdp);
}

static void test_conservative_mixture(void **state)
{
    (void)state;
    tb_mdp *mdp = mdp_random(4, 8, 3, 3, 0.8, 0.1);
    double pi[mdp_max_pairs], greedy[mdp_max_pairs], end[mdp_max_pairs], gain = 0, eps = 0;
    tb_exact_record r[2];
    mdp_random_policy(mdp, 4, 1, pi);
    tb_exact *at = mdp_evaluate(mdp, pi);
    tb_greedy_policy(at, greedy);
    for (size_t s = 0; s < 8; s++) {
        double shift = tb_vec_dot(greedy + 3 * s, at->advantage + 3 * s, 3);
        gain += at->rho[s] * shift;
        eps = fmax(eps, shift);
    }
    fixture f = make("conservative", "", 0);
    run(&f, mdp, pi, 1, r, end);
    double alpha = r[1].step.size;
    assert_true(alpha > 0 && alpha < 1);
    for (size_t i = 0; i < 24; i++)
        assert_near(end[i], (1 - alpha) * pi[i] + alpha * greedy[i], 1e-15);
    // eq. 6 is a parabola in alpha, and this its top
    double bound = 0, c = 2 * eps * 0.8 / (0.2 * 0.2);
    for (double x = 0; x <= 1; x += 1e-4)
        bound = fmax(bound, x * gain - c * x * x);
    assert_near(r[1].step.promised - at->eta, alpha * gain - c * alpha * alpha, 1e-12);
    assert_near(r[1].step.promised - at->eta, bound, 1e-6 * bound);
    tb_exact_destroy(at);
    tb_mdp_destroy(mdp);
}

// corollary 4.2 of Kakade & Langford: returns scaled by 1 - gamma grow by B^2 / (8 R) at least
static void test_conservative_of_rewards(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 24; seed++) {
        tb_mdp *mdp = mdp_any(seed);
        size_t n = mdp->n_actions;
        double pi[mdp_max_pairs], greedy[mdp_max_pairs], b = 0, rest = 1 - mdp->gamma;
        tb_exact_record r[2];
        mdp_random_policy(mdp, seed, 1, pi);
        tb_exact *at = mdp_evaluate(mdp, pi);
        tb_greedy_policy(at, greedy);
        for (size_t s = 0; s < mdp->n_states; s++)
            b += rest * rest * at->rho[s] * tb_vec_dot(greedy + s * n, at->advantage + s * n, n);
        double range = mdp->reward_high - mdp->reward_low;
        fixture f = make("conservative", "", 0), bound = f;
        tb_value value = {.type = TB_VALUE_STRING, .string = "rewards"};
        assert_int_equal(
            tb_option_set(tb_option_find(f.algorithm->options, "mixture"), f.config, &value, NULL),
            TB_OK);
        run(&f, mdp, pi, 1, r, NULL);
        assert_close(r[1].step.size, rest * b / (4 * range), 1e-12);
        assert_true(rest * (r[1].eta - r[0].eta) >= b * b / (8 * range) - 1e-14);
        // the bound knows more than the rewards' range does, so it goes further
        tb_exact_record other[2];
        run(&bound, mdp, pi, 1, other, NULL);
        assert_true(other[1].step.size > r[1].step.size);
        tb_exact_destroy(at);
        tb_mdp_destroy(mdp);
    }
}

// algorithm 1 promises the largest M: more than the mixture's policy would
static void test_monotonic_step(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        tb_mdp *mdp = mdp_any(seed);
        double pi[mdp_max_pairs], other[mdp_max_pairs];
        tb_exact_record r[2];
        mdp_random_policy(mdp, seed, 1, pi);
        tb_exact *at = mdp_evaluate(mdp, pi);
        fixture f = make("monotonic", "", 0),
                g = make("penalized", "penalty", tb_bound_penalty(at));
        run(&f, mdp, pi, 1, r, NULL);
        assert_near(r[1].step.promised, r[1].bound.lower_kl, 0);
        assert_true(r[1].step.promised > r[0].eta);
        assert_close(r[1].step.size, r[1].bound.kl_max, 1e-6);
        // with the same coefficient it is the other algorithm; with less it goes further
        tb_exact_record same[2], further[2];
        run(&g, mdp, pi, 1, same, NULL);
        assert_near(same[1].eta, r[1].eta, 1e-13);
        g = make("penalized", "penalty", tb_bound_penalty(at) / 100);
        run(&g, mdp, pi, 1, further, NULL);
        assert_true(further[1].bound.kl_max > 10 * r[1].bound.kl_max);
        for (uint64_t i = 0; i < 50; i++) {
            tb_bound bound;
            mdp_near_policy(mdp, pi, i, pow(10, -(double)(i % 6)), other);
            tb_bound_measure(at, other, &bound);
            assert_true(bound.lower_kl <= r[1].step.promised + 1e-13);
        }
        tb_exact_destroy(at);
        tb_mdp_destroy(mdp);
    }
}

// pi_new proportional to pi exp(step A)
static void test_npg_multiplies_weights(void **state)
{
    (void)state;
    tb_mdp *mdp = mdp_random(6, 8, 3, 3, 0.9, 0.1);
    double pi[mdp_max_pairs], end[mdp_max_pairs], expected[mdp_max_pairs];
    tb_exact_record r[2];
    mdp_random_policy(mdp, 6, 1, pi);
    tb_exact *at = mdp_evaluate(mdp, pi);
    fixture f = make("npg", "step_size", 0.7);
    run(&f, mdp, pi, 1, r, end);
    for (size_t i = 0; i < 24; i++)
        expected[i] = pi[i] * exp(0.7 * at->advantage[i]);
    for (size_t s = 0; s < 8; s++)
        mdp_normalise(expected + 3 * s, 3);
    for (size_t i = 0; i < 24; i++)
        assert_near(end[i], expected[i], 1e-13);
    // heavy damping leaves the plain gradient
    f = make("npg", "damping", 1e6);
    run(&f, mdp, pi, 1, r, end);
    for (size_t i = 0; i < 24; i++)
        expected[i] =
            pi[i] * exp(0.1 / 1e6 * at->rho[i / 3] / at->rho_sum * pi[i] * at->advantage[i]);
    for (size_t s = 0; s < 8; s++)
        mdp_normalise(expected + 3 * s, 3);
    for (size_t i = 0; i < 24; i++)
        assert_near((end[i] - pi[i]) * 1e6, (expected[i] - pi[i]) * 1e6, 1e-8);
    tb_exact_destroy(at);
    tb_mdp_destroy(mdp);
}

static void test_trpo_stays_in_its_region(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        tb_mdp *mdp = mdp_any(seed);
        double pi[mdp_max_pairs];
        tb_exact_record r[iterations + 1];
        mdp_random_policy(mdp, seed, 1, pi);
        double delta = pow(10, -1 - (double)(seed % 4));
        fixture f = make("trpo", "max_kl", delta);
        run(&f, mdp, pi, iterations, r, NULL);
        for (size_t i = 1; i <= iterations; i++) {
            assert_true(r[i].bound.kl_mean <= delta);
            if (r[i].step.end == TB_UPDATE_ACCEPTED) {
                assert_true(r[i].bound.surrogate > r[i - 1].eta);
                assert_true(r[i].step.size > 0 && r[i].step.trials >= 1);
            } else {
                assert_near(r[i].eta, r[i - 1].eta, 0);
            }
        }
        assert_int_equal(r[1].step.end, TB_UPDATE_ACCEPTED);
        tb_mdp_destroy(mdp);
    }
}

// the full step reaches delta in the quadratic model: a small one does in truth
static void test_trpo_full_step(void **state)
{
    (void)state;
    tb_mdp *mdp = mdp_random(9, 8, 3, 3, 0.9, 0.1);
    double pi[mdp_max_pairs], end[mdp_max_pairs];
    tb_exact_record r[2];
    mdp_random_policy(mdp, 9, 1, pi);
    fixture f = make("trpo", "max_kl", 1e-8);
    run(&f, mdp, pi, 1, r, end);
    double fraction = r[1].step.size;
    assert_true(fraction >= 0.8);
    assert_close(r[1].bound.kl_mean, 1e-8 * fraction * fraction, 1e-3);
    // along F^-1 g = A: log ratios differ by beta (A - A')
    tb_exact *at = mdp_evaluate(mdp, pi);
    double beta = 0;
    for (size_t s = 0; s < 8; s++) {
        double slope = (log(end[3 * s] / pi[3 * s]) - log(end[3 * s + 1] / pi[3 * s + 1])) /
                       (at->advantage[3 * s] - at->advantage[3 * s + 1]);
        beta = s == 0 ? slope : beta;
        assert_close(slope, beta, 1e-6);
    }
    assert_true(beta > 0);
    tb_exact_destroy(at);
    tb_mdp_destroy(mdp);
}

// all rewards alike: nothing moves, nothing breaks, for every algorithm
static void test_nothing_to_gain(void **state)
{
    (void)state;
    mdp_arrays m;
    mdp_random_arrays(&m, 3, 5, 2, 2, 0.9, 0);
    memset(m.reward, 0, sizeof m.reward);
    tb_mdp *mdp = mdp_create(&m.model, m.gamma);
    double pi[10];
    mdp_random_policy(mdp, 2, 1, pi);
    size_t n;
    const tb_exact_algorithm *const *all = tb_exact_algorithms(&n);
    for (size_t i = 0; i < n; i++) {
        fixture f = make(all[i]->id, "", 0);
        tb_exact_record r[4];
        run(&f, mdp, pi, 3, r, NULL);
        for (size_t k = 0; k < 4; k++)
            assert_near(r[k].eta, 0, 1e-13);
    }
    tb_mdp_destroy(mdp);
}

// every algorithm gets near the optimum when it may step far enough, and none beyond it
static void test_all_end_at_the_optimum(void **state)
{
    (void)state;
    static const struct {
        const char *id, *key;
        double value;
        size_t steps;
        double share; // of the gap that must be closed
    } cases[] = {
        {"policy-iteration", "", 0, 20, 1 - 1e-9}, {"conservative", "", 0, 3000, 0.9},
        {"monotonic", "", 0, 3000, 0.5},           {"penalized", "penalty", 0.1, 200, 0.999},
        {"npg", "step_size", 1, 1000, 0.999},      {"trpo", "max_kl", 0.01, 1000, 0.999},
    };
    static tb_exact_record r[3001];
    for (uint64_t seed = 0; seed < 3; seed++) {
        tb_mdp *mdp = mdp_random(seed, 6, 3, 3, 0.5, 0.1);
        double pi[mdp_max_pairs], eta;
        assert_int_equal(tb_exact_optimum(mdp, NULL, &eta, NULL), TB_OK);
        tb_uniform_policy(mdp, pi);
        for (size_t i = 0; i < n_algorithms; i++) {
            fixture f = make(cases[i].id, cases[i].key, cases[i].value);
            run(&f, mdp, pi, cases[i].steps, r, NULL);
            double closed = (r[cases[i].steps].eta - r[0].eta) / (eta - r[0].eta);
            if (!(closed >= cases[i].share && closed <= 1 + 1e-12))
                fail_msg("%s closes %.17g of the gap, not %g", cases[i].id, closed, cases[i].share);
        }
        tb_mdp_destroy(mdp);
    }
}

static void test_errors_are_handed_on(void **state)
{
    (void)state;
    tb_mdp *mdp = mdp_random(1, 4, 2, 2, 0.9, 0);
    double bad[8] = {0}, pi[8];
    tb_exact_record r[3];
    tb_error error = {0};
    fixture f = make("trpo", "", 0);
    assert_int_equal(tb_exact_run(mdp, f.algorithm, f.config, bad, 2, r, NULL, &error), TB_E_PARAM);
    tb_uniform_policy(mdp, pi);
    for (int64_t i = 1; test_can_fail && i <= 11; i++) {
        int64_t held = test_allocations - test_frees;
        double eta;
        test_fail_at = i;
        assert_int_equal(tb_exact_run(mdp, f.algorithm, f.config, pi, 2, r, NULL, &error),
                         TB_E_NOMEM);
        assert_int_equal(test_fail_at, 0);
        test_fail_at = i;
        assert_int_equal(tb_exact_optimum(mdp, NULL, &eta, &error), TB_E_NOMEM);
        assert_int_equal(test_fail_at, 0);
        assert_int_equal(test_allocations - test_frees, held);
    }
    tb_mdp_destroy(mdp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_optimum),
        cmocka_unit_test(test_optimum_behind_a_plateau),
        cmocka_unit_test(test_promises),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_conservative_mixture),
        cmocka_unit_test(test_conservative_of_rewards),
        cmocka_unit_test(test_monotonic_step),
        cmocka_unit_test(test_npg_multiplies_weights),
        cmocka_unit_test(test_trpo_stays_in_its_region),
        cmocka_unit_test(test_trpo_full_step),
        cmocka_unit_test(test_nothing_to_gain),
        cmocka_unit_test(test_all_end_at_the_optimum),
        cmocka_unit_test(test_errors_are_handed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
