/* SPDX-License-Identifier: MIT
 *
 * The update's own surrogate, gradient and KL against exact values: a batch that holds every pair
 * (s, a) once, with weights in the place of frequencies, has no sampling error left.
 */
#include "trpo/theory/softmax.h"

#include "tests/trpo/theory/testing_mdp.h"
#include "tests/trpo/update/testing_update.h"
#include "trpo/theory/bound.h"

enum { n_states = update_inputs, n_actions = 3, n_pairs = n_states * n_actions };

typedef struct fixture {
    update_fixture update;
    tb_mdp *mdp;
    tb_exact *at;
} fixture;

static void evaluate(update_fixture *f, tb_surrogate *out)
{
    tb_error error = {0};
    assert_ok(tb_policy_evaluate(&f->policy, &f->batch, out, &error), &error);
}

// pi [S][A] of the network's outputs; row s A of the batch is state s
static void read_policy(const update_fixture *f, const tb_mdp *mdp, double *pi)
{
    double theta[n_pairs];
    for (size_t s = 0; s < n_states; s++)
        memcpy(theta + s * n_actions, f->policy.y + s * n_actions * n_actions,
               n_actions * sizeof *theta);
    tb_softmax_policy(mdp, theta, pi);
}

static void set_up(fixture *f, uint64_t seed)
{
    update_fixture *u = &f->update;
    update_init(u, &update_categorical, TB_F64, n_pairs, seed);
    f->mdp = mdp_random(seed, n_states, n_actions, 3, 0.9, 0.1);
    tb_surrogate ignored;
    double pi[n_pairs];
    for (size_t i = 0; i < n_pairs; i++)
        for (size_t s = 0; s < n_states; s++)
            ((double *)u->batch.x)[i * n_states + s] = s == i / n_actions;
    evaluate(u, &ignored);
    read_policy(u, f->mdp, pi);
    f->at = mdp_evaluate(f->mdp, pi);
    memcpy(u->batch.y_old, u->policy.y, n_pairs * n_actions * sizeof(double));
    for (size_t i = 0; i < n_pairs; i++) {
        u->batch.action[i] = (double)(i % n_actions);
        u->batch.log_prob_old[i] = log(pi[i]);
        // N times the frequency of the pair
        u->batch.advantage[i] = n_pairs * f->at->rho[i / n_actions] * pi[i] * f->at->advantage[i];
    }
}

static void finish(fixture *f)
{
    update_finish(&f->update);
    tb_exact_destroy(f->at);
    tb_mdp_destroy(f->mdp);
}

// eta at the batch's policy with one parameter changed
static double eta_at(fixture *f, size_t i, double change, tb_surrogate *surrogate)
{
    tb_net *net = &f->update.policy.net;
    double pi[n_pairs], theta[update_max_params];
    memcpy(theta, net->theta, net->n_params * sizeof *theta);
    theta[i] += change;
    tb_net_set(net, theta);
    evaluate(&f->update, surrogate);
    read_policy(&f->update, f->mdp, pi);
    memcpy(theta, f->update.before, net->n_params * sizeof *theta);
    tb_net_set(net, theta);
    return mdp_eta(f->mdp, pi);
}

static void test_gradient_of_the_surrogate_is_that_of_eta(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        static fixture f;
        set_up(&f, seed);
        double g[update_max_params], h = 1e-5, largest = 0;
        tb_surrogate at;
        tb_error error = {0};
        evaluate(&f.update, &at);
        assert_ok(tb_policy_gradient(&f.update.policy, &f.update.batch, g, &error), &error);
        for (size_t i = 0; i < f.update.policy.net.n_params; i++) {
            double slope = (eta_at(&f, i, h, &at) - eta_at(&f, i, -h, &at)) / (2 * h);
            assert_near(g[i], slope, 1e-8);
            largest = fmax(largest, fabs(slope));
        }
        assert_true(largest > 1e-3);
        finish(&f);
    }
}

// far from the old policy too: the surrogate is L - eta, the KL the mean over states
static void test_surrogate_and_kl(void **state)
{
    (void)state;
    static fixture f;
    set_up(&f, 9);
    for (size_t i = 0; i < f.update.policy.net.n_params; i += 3) {
        tb_surrogate at;
        double pi[n_pairs], kl = 0;
        eta_at(&f, i, 0.7, &at);
        read_policy(&f.update, f.mdp, pi);
        tb_bound bound;
        tb_bound_measure(f.at, pi, &bound);
        assert_near(at.surrogate, bound.surrogate - f.at->eta, 1e-12);
        for (size_t s = 0; s < n_states; s++)
            kl += tb_kl_divergence(f.at->pi + s * n_actions, pi + s * n_actions, n_actions);
        assert_near(at.kl, kl / n_states, 1e-13);
    }
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient_of_the_surrogate_is_that_of_eta),
        cmocka_unit_test(test_surrogate_and_kl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
