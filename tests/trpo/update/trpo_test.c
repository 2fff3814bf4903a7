/* SPDX-License-Identifier: MIT */
#include "tests/trpo/update/testing_update.h"

static const tb_head *const heads[] = {&update_categorical, &update_gaussian};

static void init(update_fixture *f, const tb_head *head, uint32_t dtype, size_t rows, uint64_t seed)
{
    update_init(f, head, dtype, rows, seed);
    update_choose(f, "trpo");
}

static void test_accepted_step(void **state)
{
    (void)state;
    for (size_t h = 0; h < 2; h++)
        for (uint32_t dtype = TB_F64; dtype <= TB_F32; dtype++)
            for (uint64_t seed = 1; seed < 6; seed++) {
                update_fixture f;
                tb_error error = {0};
                tb_surrogate at;
                init(&f, heads[h], dtype, 300, seed);
                update_run(&f);
                const tb_iteration *log = &f.log;
                size_t n = f.policy.net.n_params;
                assert_int_equal(log->update_end, TB_UPDATE_ACCEPTED);
                assert_int_equal(log->updates_rejected, 0);
                assert_int_equal(log->negative_curvature, 0);
                assert_true(log->kl > 0 && log->kl <= 0.01);
                assert_true(log->surrogate_after > log->surrogate_before);
                assert_true(log->surrogate_expected > 0);
                assert_true(log->ratio_error == 0);
                assert_true(log->kl == log->kl_tried);
                assert_true(log->damping == 0.1);
                assert_int_equal(log->fisher_rows, 300);
                assert_in_range(log->cg_iterations, 1, 15);
                assert_in_range(log->line_search_steps, 1, 10);
                assert_close(log->step_fraction, pow(0.8, (double)log->line_search_steps - 1),
                             1e-14);
                assert_close(log->step_norm, dense_norm(f.policy.net.theta, f.before, n), 1e-8);
                // what is logged is what the kept parameters give
                assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
                assert_true(at.kl == log->kl);
                assert_true(at.surrogate == log->surrogate_after);
                assert_true(at.entropy == log->entropy_after);
                update_finish(&f);
            }
}

// the full step is sqrt(2 delta / x'Fx) x with x = (F + damping)^-1 g: its modelled KL is delta
static void test_full_step_is_the_quadratic_models(void **state)
{
    (void)state;
    const double delta = 1e-4, dampings[] = {0.1, 1e-3};
    for (size_t h = 0; h < 2; h++)
        for (size_t k = 0; k < 2; k++) {
            update_fixture f;
            tb_error error = {0};
            tb_surrogate at;
            double g[update_max_params], x[update_max_params], s[update_max_params], damping;
            init(&f, heads[h], TB_F64, 200, 10);
            damping = dampings[k];
            update_set(&f, "max_kl", delta);
            update_set(&f, "damping", damping);
            update_set(&f, "cg_iterations", 200);
            update_set(&f, "cg_tolerance", 1e-12);
            size_t n = f.policy.net.n_params;
            assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
            assert_ok(tb_policy_gradient(&f.policy, &f.batch, g, &error), &error);
            double *F = tb_alloc(n * n, sizeof *F), *copy = tb_alloc(n * n, sizeof *copy);
            dense_fisher(&f, F);
            memcpy(copy, F, n * n * sizeof *F);
            dense_solve(copy, damping, g, x, n);
            update_run(&f);
            assert_int_equal(f.log.update_end, TB_UPDATE_ACCEPTED);

            // s'(F + damping) s / 2 = delta for the full step s
            double model = 0, xfx = 0, expected = 0;
            for (size_t i = 0; i < n; i++)
                s[i] = (f.policy.net.theta[i] - f.before[i]) / f.log.step_fraction;
            for (size_t i = 0; i < n; i++) {
                for (size_t j = 0; j < n; j++) {
                    double m = F[i * n + j] + (i == j ? damping : 0);
                    model += s[i] * m * s[j] / 2;
                    xfx += x[i] * m * x[j];
                }
                expected += g[i] * s[i];
            }
            assert_close(model, delta, 1e-7);
            for (size_t i = 0; i < n; i++)
                assert_near(s[i], sqrt(2 * delta / xfx) * x[i], 1e-7 * dense_norm(s, NULL, n));
            assert_close(f.log.surrogate_expected, expected, 1e-7);
            assert_close(f.log.gradient_norm, dense_norm(g, NULL, n), 1e-12);
            assert_true(f.log.cg_residual <= 1e-12);
            // so small a step improves about as foretold
            assert_close(f.log.surrogate_after - f.log.surrogate_before,
                         expected * f.log.step_fraction, 0.05);
            free(F);
            free(copy);
            update_finish(&f);
        }
}

// a run where the quadratic model promises too much, so that the line search has work
static void init_far(update_fixture *f, uint64_t seed)
{
    init(f, heads[seed % 2], TB_F64, 100, seed);
    update_set(f, "max_kl", 0.5);
    update_set(f, "damping", 1e-3);
    update_set(f, "line_search_shrink", 0.95);
    update_set(f, "line_search_steps", 100);
}

// traps 11 and 12: where the quadratic model promises too much, the KL of what stays is within the
// radius all the same, and what stays is the accepted trial, not the full step
static void test_shortened_steps(void **state)
{
    (void)state;
    int shortened = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        update_fixture f;
        tb_error error = {0};
        tb_surrogate at;
        init_far(&f, seed);
        update_run(&f);
        assert_int_equal(f.log.update_end, TB_UPDATE_ACCEPTED);
        assert_true(f.log.kl <= 0.5);
        shortened += f.log.step_fraction < 1;
        assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
        assert_true(at.kl == f.log.kl && at.surrogate == f.log.surrogate_after);
        update_finish(&f);
    }
    assert_true(shortened > 5);
}

/* ---- options of the line search ---- */

// a trial passes up to slack * delta; the full step is delta's
static void test_kl_slack(void **state)
{
    (void)state;
    int used = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        update_fixture plain, slack;
        init_far(&plain, seed);
        init_far(&slack, seed);
        update_set(&slack, "kl_slack", 1.5);
        update_run(&plain);
        update_run(&slack);
        assert_int_equal(slack.log.update_end, TB_UPDATE_ACCEPTED);
        assert_true(slack.log.kl <= 1.5 * 0.5);
        assert_true(slack.log.step_fraction >= plain.log.step_fraction);
        assert_true(slack.log.surrogate_expected == plain.log.surrogate_expected);
        used += slack.log.kl > 0.5;
        update_finish(&plain);
        update_finish(&slack);
    }
    assert_true(used > 3);
}

// the improvement that stays is above its share of what the first order foretold
static void test_accept_ratio(void **state)
{
    (void)state;
    int stricter = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        update_fixture plain, strict;
        init_far(&plain, seed);
        init_far(&strict, seed);
        update_set(&strict, "line_search_accept_ratio", 0.8);
        update_run(&plain);
        update_run(&strict);
        const tb_iteration *log = &strict.log;
        assert_int_equal(log->update_end, TB_UPDATE_ACCEPTED);
        assert_true(log->improvement_ratio > 0.8);
        assert_close(log->improvement_ratio,
                     (log->surrogate_after - log->surrogate_before) /
                         (log->step_fraction * log->surrogate_expected),
                     1e-12);
        // longer steps than the one that stays did worse
        int refused = plain.log.improvement_ratio <= 0.8;
        assert_int_equal(log->step_fraction < plain.log.step_fraction, refused);
        stricter += refused;
        update_finish(&plain);
        update_finish(&strict);
    }
    assert_true(stricter > 3);
}

// where the objective bends down nothing improves as much as the first order foretells
static void test_accept_ratio_of_one(void **state)
{
    (void)state;
    int rejected = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        update_fixture f;
        init(&f, heads[seed % 2], TB_F64, 100, seed);
        update_set(&f, "line_search_accept_ratio", 1);
        update_run(&f);
        int bends_up = f.log.improvement_ratio > 1;
        if (bends_up)
            assert_int_equal(f.log.update_end, TB_UPDATE_ACCEPTED);
        else
            assert_rejected(&f, TB_UPDATE_NO_IMPROVEMENT);
        assert_int_equal(f.log.line_search_steps == 10, !bends_up);
        rejected += !bends_up;
        update_finish(&f);
    }
    assert_true(rejected > 3);
}

// the bound is on the KL that is chosen; the direction and the full step are the same for both
static void test_kl_direction(void **state)
{
    (void)state;
    int differ = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        update_fixture plain, turned;
        tb_error error = {0};
        tb_surrogate at;
        init_far(&plain, seed);
        init_far(&turned, seed);
        update_set(&turned, "kl_direction", TB_KL_NEW_OLD);
        update_run(&plain);
        update_run(&turned);
        assert_int_equal(turned.log.update_end, TB_UPDATE_ACCEPTED);
        assert_true(turned.log.kl <= 0.5);
        assert_true(turned.log.surrogate_expected == plain.log.surrogate_expected);
        // with the definition: KL(new || old) of what stays
        const tb_head *head = &turned.policy.head;
        size_t d = head->n_params;
        double kl = 0;
        assert_ok(tb_policy_evaluate(&turned.policy, &turned.batch, &at, &error), &error);
        for (size_t i = 0; i < 100; i++)
            kl += head->api->kl(head, turned.policy.y + i * d, turned.batch.y_old + i * d) / 100;
        assert_close(turned.log.kl, kl, 1e-12);
        differ += fabs(turned.log.step_fraction - plain.log.step_fraction) > 0.01;
        update_finish(&plain);
        update_finish(&turned);
    }
    assert_true(differ > 3);
}

/* ---- options of the Fisher matrix ---- */

// trap 10: F is of the drawn rows, and everything else of all: the step against the dense solution
static void test_fisher_fraction(void **state)
{
    (void)state;
    for (size_t h = 0; h < 2; h++) {
        update_fixture f, part;
        tb_error error = {0};
        tb_surrogate at;
        double g[update_max_params], x[update_max_params];
        size_t rows[update_max_rows];
        init(&f, heads[h], TB_F64, 200, 12);
        init(&part, heads[h], TB_F64, 200, 12);
        update_set(&f, "fisher_fraction", 0.25);
        update_set(&f, "max_kl", 1e-4);
        update_set(&f, "cg_iterations", 200);
        update_set(&f, "cg_tolerance", 1e-12);
        f.log.iteration = 7;
        size_t n = f.policy.net.n_params;
        // the gradient of all rows
        assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
        assert_ok(tb_policy_gradient(&f.policy, &f.batch, g, &error), &error);
        // and the Fisher matrix of what the seventh iteration draws
        const tb_objective plain = {0};
        assert_ok(tb_policy_prepare(&f.policy, &plain, 0.25, &error), &error);
        assert_ok(tb_policy_draw_fisher_rows(&f.policy, &f.batch, 7, &error), &error);
        assert_int_equal(drawn_rows(&f, rows), 50);
        keep_rows(&part, rows, 50);
        double *F = tb_alloc(n * n, sizeof *F), *copy = tb_alloc(n * n, sizeof *copy);
        dense_fisher(&part, F);
        memcpy(copy, F, n * n * sizeof *F);
        dense_solve(copy, 0.1, g, x, n);
        double xfx =
            dense_product(F, x, x, n) + 0.1 * dense_norm(x, NULL, n) * dense_norm(x, NULL, n);
        update_run(&f);
        assert_int_equal(f.log.update_end, TB_UPDATE_ACCEPTED);
        assert_int_equal(f.log.fisher_rows, 50);
        double scale = f.log.step_fraction * sqrt(2e-4 / xfx);
        for (size_t i = 0; i < n; i++)
            assert_near(f.policy.net.theta[i] - f.before[i], scale * x[i],
                        1e-7 * scale * dense_norm(x, NULL, n));
        // what was measured was all rows
        assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
        assert_true(at.kl == f.log.kl && at.surrogate == f.log.surrogate_after);
        free(F);
        free(copy);
        update_finish(&f);
        update_finish(&part);
    }
}

// damping * g'Fg / g'g is added: the step against the dense solution
static void test_relative_damping(void **state)
{
    (void)state;
    for (size_t h = 0; h < 2; h++) {
        update_fixture f;
        tb_error error = {0};
        tb_surrogate at;
        double g[update_max_params], x[update_max_params];
        init(&f, heads[h], TB_F64, 200, 13);
        update_set(&f, "damping", 0.05);
        update_set(&f, "damping_mode", TB_DAMPING_RELATIVE);
        update_set(&f, "cg_iterations", 300);
        update_set(&f, "cg_tolerance", 1e-13);
        size_t n = f.policy.net.n_params;
        assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
        assert_ok(tb_policy_gradient(&f.policy, &f.batch, g, &error), &error);
        double *F = tb_alloc(n * n, sizeof *F), gg = dense_norm(g, NULL, n);
        dense_fisher(&f, F);
        double damping = 0.05 * dense_product(F, g, g, n) / (gg * gg);
        dense_solve(F, damping, g, x, n);
        update_run(&f);
        assert_int_equal(f.log.update_end, TB_UPDATE_ACCEPTED);
        assert_close(f.log.damping, damping, 1e-11);
        assert_true(fabs(damping - 0.05) > 1e-3);
        // along x
        double scale = f.log.step_norm / dense_norm(x, NULL, n);
        for (size_t i = 0; i < n; i++)
            assert_near(f.policy.net.theta[i] - f.before[i], scale * x[i], 1e-7 * f.log.step_norm);
        free(F);
        update_finish(&f);
    }
}

// advantages in other units: another gradient, the same damping and the same step
static void test_relative_damping_has_no_units(void **state)
{
    (void)state;
    update_fixture one, thousand;
    init(&one, &update_gaussian, TB_F64, 100, 14);
    init(&thousand, &update_gaussian, TB_F64, 100, 14);
    update_set(&one, "damping_mode", TB_DAMPING_RELATIVE);
    update_set(&thousand, "damping_mode", TB_DAMPING_RELATIVE);
    for (size_t i = 0; i < 100; i++)
        thousand.batch.advantage[i] *= 1000;
    update_run(&one);
    update_run(&thousand);
    assert_close(thousand.log.damping, one.log.damping, 1e-12);
    assert_close(thousand.log.step_norm, one.log.step_norm, 1e-9);
    update_finish(&one);
    update_finish(&thousand);
}

// no curvature to be relative to
static void test_relative_damping_of_bad_gradients(void **state)
{
    (void)state;
    for (int bad = 0; bad < 2; bad++) {
        update_fixture f;
        init(&f, &update_categorical, TB_F64, 100, 15);
        update_set(&f, "damping_mode", TB_DAMPING_RELATIVE);
        for (size_t i = 0; i < 100; i++)
            f.batch.advantage[i] = bad ? NAN : 0;
        update_run(&f);
        assert_rejected(&f, bad ? TB_UPDATE_NON_FINITE : TB_UPDATE_ZERO_GRADIENT);
        assert_true(isnan(f.log.damping));
        update_finish(&f);
    }
}

/* ---- the entropy bonus ---- */

// what is compared is surrogate + coefficient * entropy; the columns keep them apart
static void test_entropy_bonus(void **state)
{
    (void)state;
    for (size_t h = 0; h < 2; h++) {
        update_fixture plain, f;
        tb_error error = {0};
        tb_surrogate at;
        init(&plain, heads[h], TB_F64, 300, 16);
        init(&f, heads[h], TB_F64, 300, 16);
        update_set(&f, "entropy_coefficient", 20);
        // likely actions were good: the surrogate wants to sharpen what the bonus flattens
        for (size_t i = 0; i < 300; i++)
            plain.batch.advantage[i] = f.batch.advantage[i] = f.batch.log_prob_old[i];
        update_run(&plain);
        update_run(&f);
        const tb_iteration *log = &f.log;
        assert_int_equal(log->update_end, TB_UPDATE_ACCEPTED);
        assert_true(log->entropy_after > log->entropy);
        assert_true(log->entropy_after > plain.log.entropy_after);
        // a surrogate that falls is outweighed: by itself it would be refused
        assert_true(log->surrogate_after < log->surrogate_before);
        assert_true(log->surrogate_before == plain.log.surrogate_before);
        double improvement =
            log->surrogate_after - log->surrogate_before + 20 * (log->entropy_after - log->entropy);
        assert_close(log->improvement_ratio,
                     improvement / (log->step_fraction * log->surrogate_expected), 1e-10);
        assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
        assert_true(at.surrogate == log->surrogate_after && at.entropy == log->entropy_after);
        update_finish(&plain);
        update_finish(&f);
    }
}

// without advantages the bonus alone moves the policy; an entropy that is not finite never passes
static void test_entropy_bonus_alone(void **state)
{
    (void)state;
    for (int bad = 0; bad < 2; bad++) {
        update_fixture f;
        init(&f, &update_gaussian, TB_F64, 100, 17);
        update_set(&f, "entropy_coefficient", 1e-3);
        memset(f.batch.advantage, 0, 100 * sizeof(double));
        if (bad) {
            f.map->skew_forward = (int64_t)tb_net_shards(100) + 1;
            f.map->skew_after_tries = INFINITY;
        }
        update_run(&f);
        if (bad) {
            assert_rejected(&f, TB_UPDATE_NON_FINITE);
        } else {
            assert_int_equal(f.log.update_end, TB_UPDATE_ACCEPTED);
            assert_true(f.log.entropy_after > f.log.entropy);
            assert_true(f.log.surrogate_before == 0 && f.log.surrogate_after == 0);
        }
        update_finish(&f);
    }
}

// every forward after the first evaluation is far off: nothing is acceptable
static void test_rejected_line_search_keeps_the_parameters(void **state)
{
    (void)state;
    for (uint32_t dtype = TB_F64; dtype <= TB_F32; dtype++) {
        update_fixture f;
        tb_error error = {0};
        init(&f, &update_gaussian, dtype, 300, 20);
        size_t shards = tb_net_shards(300);
        f.map->skew_forward = (int64_t)shards + 1;
        f.map->skew_after_tries = 2;
        update_run(&f);
        assert_rejected(&f, TB_UPDATE_KL_EXCEEDED);
        assert_int_equal(f.log.line_search_steps, 10);
        assert_true(f.log.kl_tried > 0.01);
        // the very same policy: the next update starts from ratio 1
        f.map->skew_forward = 0;
        assert_ok(tb_policy_evaluate_old(&f.policy, &f.batch, &f.log, &error), &error);
        assert_true(f.log.ratio_error == 0);
        update_finish(&f);
    }
}

static void test_nan_in_every_trial(void **state)
{
    (void)state;
    update_fixture f;
    init(&f, &update_gaussian, TB_F64, 100, 21);
    f.map->skew_forward = (int64_t)tb_net_shards(100) + 1;
    f.map->skew_after_tries = NAN;
    update_run(&f);
    assert_rejected(&f, TB_UPDATE_NON_FINITE);
    update_finish(&f);
}

// the gradient leads uphill but every trial makes the surrogate worse: KL alone must not accept
static void test_no_improvement(void **state)
{
    (void)state;
    update_fixture f;
    init(&f, &update_gaussian, TB_F64, 100, 22);
    update_set(&f, "max_kl", 100);
    // advantages that only the present means can earn: any shift of all outputs loses
    for (size_t i = 0; i < 100; i++) {
        double z = 0;
        for (size_t k = 0; k < 2; k++)
            z += fabs(f.batch.action[2 * i + k] - f.batch.y_old[4 * i + k]);
        f.batch.advantage[i] = 1 / (0.1 + z);
    }
    f.map->skew_forward = (int64_t)tb_net_shards(100) + 1;
    f.map->skew_after_tries = 3;
    update_run(&f);
    assert_rejected(&f, TB_UPDATE_NO_IMPROVEMENT);
    assert_true(f.log.kl_tried <= 100);
    update_finish(&f);
}

static void test_zero_advantages(void **state)
{
    (void)state;
    update_fixture f;
    init(&f, &update_categorical, TB_F64, 100, 23);
    for (size_t i = 0; i < 100; i++)
        f.batch.advantage[i] = 0;
    update_run(&f);
    assert_rejected(&f, TB_UPDATE_ZERO_GRADIENT);
    assert_int_equal(f.log.cg_iterations, 0);
    update_finish(&f);
}

static void test_bad_advantages(void **state)
{
    (void)state;
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t k = 0; k < 3; k++) {
        update_fixture f;
        init(&f, &update_categorical, TB_F64, 300, 24);
        f.batch.advantage[17] = bad[k];
        update_run(&f);
        assert_rejected(&f, TB_UPDATE_NON_FINITE);
        update_finish(&f);
    }
}

// trap 13: finite advantages, a finite direction, but g'x overflows
static void test_advantages_that_overflow(void **state)
{
    (void)state;
    update_fixture f;
    tb_error error = {0};
    double g[update_max_params];
    init(&f, &update_categorical, TB_F64, 300, 24);
    update_set(&f, "damping", 1e-6);
    assert_ok(tb_policy_evaluate_old(&f.policy, &f.batch, &f.log, &error), &error);
    assert_ok(tb_policy_gradient(&f.policy, &f.batch, g, &error), &error);
    // the square of the gradient is still a double
    double grow = 1.2e154 / dense_norm(g, NULL, f.policy.net.n_params);
    for (size_t i = 0; i < 300; i++)
        f.batch.advantage[i] *= grow;
    update_run(&f);
    assert_true(isfinite(f.log.gradient_norm));
    assert_true(f.log.cg_iterations > 0);
    assert_rejected(&f, TB_UPDATE_NON_FINITE);
    update_finish(&f);
}

// counters go on from the records before
static void test_counters_go_on(void **state)
{
    (void)state;
    update_fixture f;
    init(&f, &update_categorical, TB_F64, 50, 25);
    f.batch.advantage[0] = NAN;
    for (int i = 1; i <= 3; i++) {
        update_run(&f);
        assert_int_equal(f.log.updates_rejected, i);
        assert_int_equal(f.log.non_finite, i);
    }
    update_finish(&f);
}

static void test_smallest_radius(void **state)
{
    (void)state;
    update_fixture f;
    init(&f, &update_categorical, TB_F64, 200, 26);
    update_set(&f, "max_kl", 1e-12);
    update_run(&f);
    assert_int_equal(f.log.update_end, TB_UPDATE_ACCEPTED);
    assert_true(f.log.kl > 1e-13 && f.log.kl <= 1e-12);
    update_finish(&f);
}

static void test_one_row(void **state)
{
    (void)state;
    for (size_t h = 0; h < 2; h++) {
        update_fixture f;
        init(&f, heads[h], TB_F64, 1, 27);
        f.batch.advantage[0] = 1;
        update_run(&f);
        assert_int_equal(f.log.update_end, TB_UPDATE_ACCEPTED);
        assert_true(f.log.kl <= 0.01);
        update_finish(&f);
    }
}

static void test_failing_map_is_an_error(void **state)
{
    (void)state;
    update_fixture f;
    tb_error error = {0};
    init(&f, &update_categorical, TB_F64, 100, 28);
    f.map->fail_jvp = 1;
    assert_int_equal(f.algorithm->update(f.config, &f.policy, &f.batch, NULL, &f.log, &error),
                     TB_E_NUMERIC);
    assert_message(&error, "jvp failed");
    update_finish(&f);
}

// a share of the rows and a damping of its own: every place where the network is called
static void fixture_of_failures(update_fixture *f)
{
    init(f, &update_gaussian, TB_F64, 60, 30);
    update_set(f, "fisher_fraction", 0.5);
    update_set(f, "damping_mode", TB_DAMPING_RELATIVE);
}

static void test_every_failing_call_is_an_error(void **state)
{
    (void)state;
    check_every_failure(fixture_of_failures);
}

// trap 8: a policy so sure of itself that F is exactly 0, while a gradient is left
static void test_no_curvature(void **state)
{
    (void)state;
    for (int32_t mode = TB_DAMPING_ABSOLUTE; mode <= TB_DAMPING_RELATIVE; mode++) {
        update_fixture f;
        tb_error error = {0};
        tb_surrogate at;
        init(&f, &update_categorical, TB_F64, 50, 31);
        update_set(&f, "damping", mode == TB_DAMPING_ABSOLUTE ? 0 : 0.1);
        update_set(&f, "damping_mode", mode);
        // the first of the last layer's biases; actions are of the second category
        f.before[f.policy.net.n_params - 3] = 800;
        tb_net_set(&f.policy.net, f.before);
        assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
        memcpy(f.batch.y_old, f.policy.y, 50 * 3 * sizeof(double));
        for (size_t i = 0; i < 50; i++) {
            f.batch.action[i] = 1;
            f.batch.log_prob_old[i] = update_categorical.api->log_prob(
                &update_categorical, f.batch.y_old + 3 * i, f.batch.action + i);
        }
        update_run(&f);
        assert_true(f.log.gradient_norm > 0.01);
        assert_true(f.log.damping == 0);
        assert_int_equal(f.log.negative_curvature, 1);
        assert_rejected(&f, TB_UPDATE_BAD_CURVATURE);
        update_finish(&f);
    }
}

static void test_batch_variance_is_an_error(void **state)
{
    (void)state;
    update_fixture f;
    tb_error error = {0};
    init(&f, &update_gaussian, TB_F64, 100, 29);
    f.map->batch_skew = 1e-4;
    assert_int_equal(f.algorithm->update(f.config, &f.policy, &f.batch, NULL, &f.log, &error),
                     TB_E_NUMERIC);
    assert_message(&error, "not batch-invariant");
    assert_parameters_kept(&f);
    update_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted_step),
        cmocka_unit_test(test_full_step_is_the_quadratic_models),
        cmocka_unit_test(test_shortened_steps),
        cmocka_unit_test(test_kl_slack),
        cmocka_unit_test(test_accept_ratio),
        cmocka_unit_test(test_accept_ratio_of_one),
        cmocka_unit_test(test_kl_direction),
        cmocka_unit_test(test_fisher_fraction),
        cmocka_unit_test(test_relative_damping),
        cmocka_unit_test(test_relative_damping_has_no_units),
        cmocka_unit_test(test_relative_damping_of_bad_gradients),
        cmocka_unit_test(test_entropy_bonus),
        cmocka_unit_test(test_entropy_bonus_alone),
        cmocka_unit_test(test_rejected_line_search_keeps_the_parameters),
        cmocka_unit_test(test_nan_in_every_trial),
        cmocka_unit_test(test_no_improvement),
        cmocka_unit_test(test_zero_advantages),
        cmocka_unit_test(test_bad_advantages),
        cmocka_unit_test(test_advantages_that_overflow),
        cmocka_unit_test(test_counters_go_on),
        cmocka_unit_test(test_smallest_radius),
        cmocka_unit_test(test_one_row),
        cmocka_unit_test(test_failing_map_is_an_error),
        cmocka_unit_test(test_every_failing_call_is_an_error),
        cmocka_unit_test(test_no_curvature),
        cmocka_unit_test(test_batch_variance_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
