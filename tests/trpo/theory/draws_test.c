/* SPDX-License-Identifier: MIT
 *
 * The vine's estimators, as updates use them (trpo/update/draws.h), averaged over every K-tuple of
 * actions: their exact expectations, with nothing sampled.
 */
#include "trpo/update/draws.h"

#include "tests/trpo/theory/testing_mdp.h"
#include "trpo/linalg/vec.h"
#include "trpo/theory/snis.h"

enum { n = 3, most_draws = 6 };

static const tb_head head = {
    .api = &tb_head_categorical, .n = n, .n_params = n, .n_action = 1, .n_unif = 1};

typedef struct fixture {
    double y[n], pi[n], q[n], value[n];
    double action[most_draws], log_old[most_draws], log_q[most_draws], advantage[most_draws];
} fixture;

static fixture make(uint64_t seed, int own_policy)
{
    fixture f = {0};
    tb_rng rng = test_rng(seed);
    test_fill(&rng, f.y, n, 1);
    test_fill(&rng, f.value, n, 2);
    for (size_t a = 0; a < n; a++) {
        f.pi[a] = exp(f.y[a]);
        f.q[a] = own_policy ? f.pi[a] : tb_rng_uniform(&rng, 0.2, 1);
    }
    mdp_normalise(f.pi, n);
    mdp_normalise(f.q, n);
    return f;
}

// E of the estimate and of its derivative by the logits; `centred`: Q less the mean of the K values
static double average(fixture *f, size_t k, int self_normalized, int centred, double *gradient)
{
    const tb_batch batch = {.n_rows = 1,
                            .n_action = 1,
                            .n_params = n,
                            .n_draws = k,
                            .draw_weight = 1 / (double)k,
                            .self_normalized = self_normalized,
                            .action = f->action,
                            .log_prob_old = f->log_old,
                            .log_proposal = f->log_q,
                            .advantage = f->advantage};
    size_t tuples = (size_t)round(pow(n, (double)k));
    double mean = 0;
    memset(gradient, 0, n * sizeof *gradient);
    for (size_t t = 0; t < tuples; t++) {
        double probability = 1, center = 0, log_prob[most_draws], dy[n], w[n], error = 0;
        for (size_t i = 0, rest = t; i < k; i++, rest /= n) {
            size_t a = rest % n;
            probability *= f->q[a];
            f->action[i] = (double)a;
            f->log_old[i] = log(f->pi[a]);
            f->log_q[i] = log(f->q[a]);
            center += centred ? f->value[a] / (double)k : 0;
        }
        for (size_t i = 0; i < k; i++)
            f->advantage[i] = f->value[(size_t)f->action[i]] - center;
        mean += probability * tb_draws_value(&head, &batch, 0, f->y, log_prob, &error);
        assert_near(error, 0, 1e-14);
        tb_draws_gradient(&head, &batch, 0, f->y, log_prob, dy, w);
        tb_vec_axpy(probability, w, gradient, n);
    }
    return mean;
}

static void test_self_normalised(void **state)
{
    (void)state;
    for (size_t k = 1; k <= most_draws; k++)
        for (int own_policy = 0; own_policy < 2; own_policy++) {
            fixture f = make(k, own_policy);
            double gradient[n], expected[n];
            tb_snis out = {.gradient = expected};
            tb_snis_def def = {n, k, f.pi, f.q, f.value};
            assert_int_equal(tb_snis_expectation(&def, &out, NULL), TB_OK);
            assert_near(average(&f, k, 1, 0, gradient), out.mean, 1e-13);
            double mu = tb_vec_dot(f.pi, f.value, n), share = (double)(k - 1) / (double)k;
            for (size_t a = 0; a < n; a++) {
                assert_near(gradient[a], expected[a], 1e-13);
                if (own_policy)
                    assert_near(gradient[a], share * f.pi[a] * (f.value[a] - mu), 1e-13);
            }
        }
}

// the gradient of sum pi Q, whatever q; with the mean of the K values as baseline (K - 1) / K of it
static void test_plain_weights(void **state)
{
    (void)state;
    for (size_t k = 1; k <= most_draws; k++)
        for (int centred = 0; centred < 2; centred++) {
            fixture f = make(20 + k, 0);
            double gradient[n], mu = tb_vec_dot(f.pi, f.value, n);
            double share = centred ? (double)(k - 1) / (double)k : 1;
            double mean = average(&f, k, 0, centred, gradient);
            if (!centred)
                assert_near(mean, mu, 1e-13);
            for (size_t a = 0; a < n; a++)
                assert_near(gradient[a], share * f.pi[a] * (f.value[a] - mu), 1e-13);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_self_normalised),
        cmocka_unit_test(test_plain_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
