/* SPDX-License-Identifier: MIT */
#include "trpo/update/policy.h"

#include <omp.h>

#include "tests/trpo/update/testing_update.h"

static const tb_head *const heads[] = {&update_categorical, &update_gaussian};
static const uint32_t dtypes[] = {TB_F64, TB_F32};
static const size_t sizes[] = {1, 95, 96, 97, 400};

// what every implementation must assert before it updates: ratio 1, KL 0, surrogate = mean
// advantage
static void test_at_the_old_parameters(void **state)
{
    (void)state;
    for (size_t h = 0; h < 2; h++)
        for (size_t t = 0; t < 2; t++)
            for (size_t s = 0; s < 5; s++) {
                update_fixture f;
                tb_error error = {0};
                update_init(&f, heads[h], dtypes[t], sizes[s], 1 + s);
                assert_ok(tb_policy_evaluate_old(&f.policy, &f.batch, &f.log, &error), &error);
                assert_true(f.log.ratio_error == 0);
                assert_true(f.log.kl == 0);
                double mean = 0, entropy = 0;
                for (size_t i = 0; i < sizes[s]; i++) {
                    mean += f.batch.advantage[i] / (double)sizes[s];
                    entropy +=
                        heads[h]->api->entropy(heads[h], f.batch.y_old + i * heads[h]->n_params) /
                        (double)sizes[s];
                }
                assert_near(f.log.surrogate_before, mean, 1e-14);
                assert_near(f.log.entropy, entropy, 1e-13);
                update_finish(&f);
            }
}

static void move(update_fixture *f, double size)
{
    tb_rng rng = test_rng(77);
    double theta[update_max_params];
    test_fill(&rng, theta, f->policy.net.n_params, size);
    for (size_t i = 0; i < f->policy.net.n_params; i++)
        theta[i] += f->before[i];
    tb_net_set(&f->policy.net, theta);
}

// surrogate and KL against their definitions, row by row, away from the old parameters
static void test_means_away_from_the_old_parameters(void **state)
{
    (void)state;
    for (size_t h = 0; h < 2; h++) {
        update_fixture f;
        tb_error error = {0};
        tb_surrogate at;
        const tb_head *head = heads[h];
        update_init(&f, head, TB_F64, 200, 2);
        move(&f, 0.3);
        assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
        double surrogate = 0, kl = 0, ratio_error = 0;
        for (size_t i = 0; i < 200; i++) {
            const double *y = f.policy.y + i * head->n_params,
                         *y_old = f.batch.y_old + i * head->n_params,
                         *a = f.batch.action + i * head->n_action;
            double ratio =
                exp(head->api->log_prob(head, y, a)) / exp(head->api->log_prob(head, y_old, a));
            surrogate += ratio * f.batch.advantage[i] / 200;
            kl += head->api->kl(head, y_old, y) / 200; // old first
            ratio_error = fmax(ratio_error, fabs(ratio - 1));
        }
        assert_near(at.surrogate, surrogate, 1e-13);
        assert_near(at.kl, kl, 1e-13);
        assert_near(at.ratio_error, ratio_error, 1e-13);
        assert_true(at.kl > 1e-3);
        update_finish(&f);
    }
}

// kl_direction turns the KL around, and nothing else
static void test_kl_of_the_new_policy_to_the_old(void **state)
{
    (void)state;
    for (size_t h = 0; h < 2; h++) {
        update_fixture f;
        tb_error error = {0};
        tb_surrogate at, turned;
        const tb_head *head = heads[h];
        update_init(&f, head, TB_F64, 200, 2);
        const tb_objective new_old = {.kl_direction = TB_KL_NEW_OLD};
        move(&f, 0.3);
        assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
        assert_ok(tb_policy_prepare(&f.policy, &new_old, 1, &error), &error);
        assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &turned, &error), &error);
        double kl = 0;
        for (size_t i = 0; i < 200; i++)
            kl += head->api->kl(head, f.policy.y + i * head->n_params,
                                f.batch.y_old + i * head->n_params) /
                  200;
        assert_near(turned.kl, kl, 1e-13);
        assert_true(fabs(turned.kl - at.kl) > 1e-3 * at.kl);
        assert_true(turned.surrogate == at.surrogate && turned.entropy == at.entropy);
        // at the old parameters it is exactly 0 too
        tb_net_set(&f.policy.net, f.before);
        assert_ok(tb_policy_evaluate_old(&f.policy, &f.batch, &f.log, &error), &error);
        assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &turned, &error), &error);
        assert_true(turned.kl == 0);
        update_finish(&f);
    }
}

static void test_objective(void **state)
{
    (void)state;
    update_fixture f;
    tb_error error = {0};
    tb_surrogate plain, bonus;
    update_init(&f, &update_gaussian, TB_F64, 120, 2);
    move(&f, 0.3);
    assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &plain, &error), &error);
    assert_true(plain.objective == plain.surrogate);
    const tb_objective objective = {.entropy_coefficient = 0.25};
    assert_ok(tb_policy_prepare(&f.policy, &objective, 1, &error), &error);
    assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &bonus, &error), &error);
    assert_true(bonus.surrogate == plain.surrogate && bonus.entropy == plain.entropy);
    assert_close(bonus.objective, plain.surrogate + 0.25 * plain.entropy, 1e-15);
    // an infinite entropy matters to those who asked for it
    assert_true(tb_policy_objective(&f.policy, 1, -INFINITY) == -INFINITY);
    f.policy.objective.entropy_coefficient = 0;
    assert_true(tb_policy_objective(&f.policy, 1, -INFINITY) == 1);
    update_finish(&f);
}

static double objective_at(update_fixture *f, const double *theta, size_t moved, double by)
{
    double copy[update_max_params];
    tb_surrogate at;
    tb_error error = {0};
    memcpy(copy, theta, f->policy.net.n_params * sizeof *copy);
    copy[moved] += by;
    tb_net_set(&f->policy.net, copy);
    assert_ok(tb_policy_evaluate(&f->policy, &f->batch, &at, &error), &error);
    return at.objective;
}

static void test_gradient(void **state)
{
    (void)state;
    for (size_t h = 0; h < 2; h++)
        for (int away = 0; away < 4; away++) {
            update_fixture f;
            tb_error error = {0};
            tb_surrogate at;
            double g[update_max_params], theta[update_max_params];
            update_init(&f, heads[h], TB_F64, 150, 3);
            // the surrogate alone and with an entropy bonus
            const tb_objective objective = {.entropy_coefficient = away < 2 ? 0 : 0.3};
            assert_ok(tb_policy_prepare(&f.policy, &objective, 1, &error), &error);
            if (away % 2)
                move(&f, 0.3);
            size_t p = f.policy.net.n_params;
            memcpy(theta, f.policy.net.theta, p * sizeof *theta);
            assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
            assert_ok(tb_policy_gradient(&f.policy, &f.batch, g, &error), &error);
            for (size_t i = 0; i < p; i++) {
                double slope =
                    (objective_at(&f, theta, i, 1e-5) - objective_at(&f, theta, i, -1e-5)) / 2e-5;
                assert_near(g[i], slope, 1e-9);
                assert_true(g[i] != 0); // every parameter counts, log-std too
            }
            update_finish(&f);
        }
}

// d mean KL(old || new) / d theta by way of the head's gradient: rows of w
static void kl_rows(void *ctx, size_t shard, size_t begin, size_t end, const double *in, double *w)
{
    (void)shard;
    (void)in;
    const update_fixture *f = ctx;
    const tb_head *head = &f->policy.head;
    size_t d = head->n_params;
    for (size_t i = begin; i < end; i++) {
        head->api->kl_grad(head, f->batch.y_old + i * d, f->policy.y + i * d, w + (i - begin) * d);
        for (size_t k = 0; k < d; k++)
            w[(i - begin) * d + k] /= (double)f->batch.n_rows;
    }
}

static void kl_gradient(update_fixture *f, const double *v, double by, double *g)
{
    double theta[update_max_params];
    tb_surrogate at;
    tb_error error = {0};
    for (size_t i = 0; i < f->policy.net.n_params; i++)
        theta[i] = f->before[i] + by * v[i];
    tb_net_set(&f->policy.net, theta);
    assert_ok(tb_policy_evaluate(&f->policy, &f->batch, &at, &error), &error);
    assert_ok(tb_net_batch_vjp(f->policy.rows, kl_rows, f, g, &error), &error);
}

static void test_fisher(void **state)
{
    (void)state;
    for (size_t h = 0; h < 2; h++) {
        update_fixture f;
        tb_error error = {0};
        tb_surrogate at;
        update_init(&f, heads[h], TB_F64, 110, 4);
        size_t p = f.policy.net.n_params;
        double *F = tb_alloc(p * p, sizeof *F);
        dense_fisher(&f, F);
        tb_rng rng = test_rng(5);
        for (int trial = 0; trial < 5; trial++) {
            double v[update_max_params], fv[update_max_params], damped[update_max_params],
                up[update_max_params], down[update_max_params];
            test_fill(&rng, v, p, 1);
            tb_net_set(&f.policy.net, f.before);
            assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
            assert_ok(tb_policy_fisher(&f.policy, 0, v, fv, &error), &error);
            assert_ok(tb_policy_fisher(&f.policy, 0.25, v, damped, &error), &error);
            // the gradient of the KL is 0 at the old parameters, and grows with F
            kl_gradient(&f, v, 0, up);
            for (size_t i = 0; i < p; i++)
                assert_true(up[i] == 0);
            kl_gradient(&f, v, 1e-4, up);
            kl_gradient(&f, v, -1e-4, down);
            double vfv = 0;
            for (size_t i = 0; i < p; i++) {
                double dense = 0;
                for (size_t j = 0; j < p; j++)
                    dense += F[i * p + j] * v[j];
                assert_near(fv[i], dense, 1e-12);
                assert_near(fv[i], (up[i] - down[i]) / 2e-4, 1e-6);
                assert_near(damped[i], fv[i] + 0.25 * v[i], 1e-14);
                vfv += v[i] * fv[i];
            }
            assert_true(vfv > 0);
        }
        free(F);
        update_finish(&f);
    }
}

/* ---- Fisher products of a share of the batch ---- */

static const tb_objective plain_objective;

static void draw(update_fixture *f, double fraction, uint64_t iteration)
{
    tb_error error = {0};
    tb_surrogate at;
    if (!(fabs(f->policy.fisher_fraction - fraction) <= 0))
        assert_ok(tb_policy_prepare(&f->policy, &plain_objective, fraction, &error), &error);
    assert_ok(tb_policy_evaluate(&f->policy, &f->batch, &at, &error), &error);
    assert_ok(tb_policy_draw_fisher_rows(&f->policy, &f->batch, iteration, &error), &error);
}

// trap 10: products are of the drawn rows, divided by their number; all else is of the batch
static void test_fisher_of_a_share(void **state)
{
    (void)state;
    for (size_t h = 0; h < 2; h++)
        for (size_t k = 0; k < 2; k++) {
            update_fixture f, part;
            tb_error error = {0};
            tb_surrogate all, again;
            size_t n = k == 0 ? 300 : 7, rows[update_max_rows];
            update_init(&f, heads[h], TB_F64, n, 4);
            update_init(&part, heads[h], TB_F64, n, 4);
            size_t p = f.policy.net.n_params;
            assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &all, &error), &error);
            draw(&f, 0.4, 3);
            // 2.8 of 7 rows are 3
            assert_int_equal(drawn_rows(&f, rows), k == 0 ? 120 : 3);
            keep_rows(&part, rows, f.policy.n_rows);
            double *F = tb_alloc(p * p, sizeof *F), v[update_max_params], fv[update_max_params];
            dense_fisher(&part, F);
            tb_rng rng = test_rng(5);
            test_fill(&rng, v, p, 1);
            assert_ok(tb_policy_fisher(&f.policy, 0.5, v, fv, &error), &error);
            for (size_t i = 0; i < p; i++) {
                double dense = 0.5 * v[i];
                for (size_t j = 0; j < p; j++)
                    dense += F[i * p + j] * v[j];
                assert_near(fv[i], dense, 1e-12);
            }
            // the next evaluation is of all rows, and so are the products after it
            assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &again, &error), &error);
            assert_memory_equal(&again, &all, sizeof all);
            assert_int_equal(f.policy.n_rows, n);
            free(F);
            update_finish(&f);
            update_finish(&part);
        }
}

/* ---- weights ---- */

// `to` becomes the batch in which row i of `from` stands copies[i] times; returns its rows
static size_t repeat_rows(const update_fixture *from, const size_t *copies, update_fixture *to)
{
    const tb_head *head = &from->policy.head;
    size_t bytes = update_inputs * sizeof(double), n = 0;
    for (size_t i = 0; i < from->batch.n_rows; i++)
        for (size_t k = 0; k < copies[i]; k++, n++) {
            assert_true(n < update_max_rows);
            memcpy((char *)to->batch.x + n * bytes, (char *)from->batch.x + i * bytes, bytes);
            memcpy(to->batch.y_old + n * head->n_params, from->batch.y_old + i * head->n_params,
                   head->n_params * sizeof(double));
            memcpy(to->batch.action + n * head->n_action, from->batch.action + i * head->n_action,
                   head->n_action * sizeof(double));
            to->batch.log_prob_old[n] = from->batch.log_prob_old[i];
            to->batch.advantage[n] = from->batch.advantage[i];
        }
    to->batch.n_rows = to->batch.steps = n;
    return n;
}

// surrogate, KL, entropy, gradient and a Fisher product, away from the old parameters
static void measure(update_fixture *f, tb_surrogate *at, double *g, double *fv)
{
    tb_error error = {0};
    double theta[update_max_params], v[update_max_params];
    tb_rng rng = test_rng(8);
    size_t p = f->policy.net.n_params;
    test_fill(&rng, theta, p, 0.3);
    test_fill(&rng, v, p, 1);
    for (size_t i = 0; i < p; i++)
        theta[i] += f->before[i];
    f->policy.objective.entropy_coefficient = 0.3;
    tb_net_set(&f->policy.net, theta);
    assert_ok(tb_policy_evaluate(&f->policy, &f->batch, at, &error), &error);
    assert_ok(tb_policy_gradient(&f->policy, &f->batch, g, &error), &error);
    assert_ok(tb_policy_fisher(&f->policy, 0.5, v, fv, &error), &error);
}

// a row of weight 3 counts as three rows, one of weight 0 as none: in every mean
static void test_weights_count_like_copies(void **state)
{
    (void)state;
    for (size_t h = 0; h < 2; h++) {
        enum { n = 110 };
        update_fixture weighted, repeated;
        tb_error error = {0};
        size_t copies[n], p;
        update_init(&weighted, heads[h], TB_F64, n, 4);
        update_init(&repeated, heads[h], TB_F64, n, 4);
        p = weighted.policy.net.n_params;
        for (size_t i = 0; i < n; i++)
            copies[i] = i * i % 4;
        size_t total = repeat_rows(&weighted, copies, &repeated);
        assert_ok(tb_batch_reserve_weights(&weighted.batch, &error), &error);
        for (size_t i = 0; i < n; i++)
            weighted.batch.weight[i] = (double)copies[i] * n / (double)total;
        tb_surrogate a, b;
        double ga[update_max_params], gb[update_max_params], fa[update_max_params],
            fb[update_max_params];
        measure(&weighted, &a, ga, fa);
        measure(&repeated, &b, gb, fb);
        assert_true(b.kl > 1e-3);
        assert_near(a.surrogate, b.surrogate, 1e-13);
        assert_near(a.objective, b.objective, 1e-13);
        assert_near(a.kl, b.kl, 1e-13);
        assert_near(a.entropy, b.entropy, 1e-13);
        for (size_t i = 0; i < p; i++) {
            assert_near(ga[i], gb[i], 1e-13);
            assert_near(fa[i], fb[i], 1e-13);
        }
        update_finish(&weighted);
        update_finish(&repeated);
    }
}

// products of a share of the rows take their weights along, and divide by those
static void test_weights_of_drawn_rows(void **state)
{
    (void)state;
    update_fixture f, part;
    tb_error error = {0};
    size_t n = 60, rows[update_max_rows], copies[update_max_rows] = {0};
    update_init(&f, heads[0], TB_F64, n, 4);
    update_init(&part, heads[0], TB_F64, n, 4);
    assert_ok(tb_batch_reserve_weights(&f.batch, &error), &error);
    for (size_t i = 0; i < n; i++)
        f.batch.weight[i] = (double)(i % 3);
    draw(&f, 0.3, 3);
    size_t drawn = drawn_rows(&f, rows);
    assert_int_equal(drawn, 18);
    for (size_t i = 0; i < drawn; i++)
        copies[rows[i]] = rows[i] % 3;
    repeat_rows(&f, copies, &part);
    double v[update_max_params], fv[update_max_params], expected[update_max_params];
    tb_rng rng = test_rng(5);
    tb_surrogate at;
    test_fill(&rng, v, f.policy.net.n_params, 1);
    assert_ok(tb_policy_fisher(&f.policy, 0.5, v, fv, &error), &error);
    assert_ok(tb_policy_evaluate(&part.policy, &part.batch, &at, &error), &error);
    assert_ok(tb_policy_fisher(&part.policy, 0.5, v, expected, &error), &error);
    for (size_t i = 0; i < f.policy.net.n_params; i++)
        assert_near(fv[i], expected[i], 1e-13);
    // drawn rows that count nothing: F is 0, not 0 / 0
    for (size_t i = 0; i < n; i++)
        f.batch.weight[i] = 0;
    draw(&f, 0.3, 4);
    assert_ok(tb_policy_fisher(&f.policy, 0.5, v, fv, &error), &error);
    for (size_t i = 0; i < f.policy.net.n_params; i++)
        assert_near(fv[i], 0.5 * v[i], 0);
    update_finish(&f);
    update_finish(&part);
}

static void test_drawn_rows_are_a_function_of_seed_and_iteration(void **state)
{
    (void)state;
    update_fixture f;
    size_t first[update_max_rows], other[update_max_rows];
    update_init(&f, &update_gaussian, TB_F32, 400, 6);
    draw(&f, 0.1, 1);
    size_t bytes = drawn_rows(&f, first) * sizeof *first;
    assert_int_equal(f.policy.n_rows, 40);
    draw(&f, 0.1, 2);
    drawn_rows(&f, other);
    assert_memory_not_equal(first, other, bytes);
    draw(&f, 0.1, 1);
    drawn_rows(&f, other);
    assert_memory_equal(first, other, bytes);
    f.policy.seed++;
    draw(&f, 0.1, 1);
    drawn_rows(&f, other);
    assert_memory_not_equal(first, other, bytes);
    update_finish(&f);
}

// each of the ten pairs of five rows is drawn equally often
static void test_every_choice_of_rows_is_equally_likely(void **state)
{
    (void)state;
    enum { draws = 4000 };
    update_fixture f;
    size_t rows[update_max_rows];
    int seen[5][5] = {{0}};
    update_init(&f, &update_categorical, TB_F64, 5, 7);
    for (uint64_t i = 0; i < draws; i++) {
        draw(&f, 0.4, i);
        assert_int_equal(drawn_rows(&f, rows), 2);
        assert_true(rows[0] < rows[1]); // no row twice
        seen[rows[0]][rows[1]]++;
    }
    // 400 each, to five standard deviations
    for (size_t i = 0; i < 5; i++)
        for (size_t j = i + 1; j < 5; j++)
            assert_near(seen[i][j], draws * 0.1, 5 * sqrt(draws * 0.1 * 0.9));
    update_finish(&f);
}

// shares that round to nothing are one row; those that round to all are the batch as it is
static void test_smallest_and_largest_share(void **state)
{
    (void)state;
    update_fixture f;
    size_t rows[update_max_rows];
    update_init(&f, &update_categorical, TB_F64, 97, 8);
    draw(&f, 1e-9, 1);
    assert_int_equal(drawn_rows(&f, rows), 1);
    draw(&f, 0.995, 1); // 96.5
    assert_int_equal(f.policy.n_rows, 97);
    draw(&f, 0.99, 1); // 96.03
    assert_int_equal(drawn_rows(&f, rows), 96);
    draw(&f, 1, 1);
    assert_int_equal(f.policy.n_rows, 97);
    assert_null(f.policy.fisher_x);
    update_finish(&f);
}

static void test_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    int threads_before = omp_get_max_threads();
    tb_surrogate first = {0};
    double g_first[update_max_params] = {0};
    for (int threads = 1; threads <= 4; threads++) {
        update_fixture f;
        tb_error error = {0};
        tb_surrogate at;
        double g[update_max_params] = {0};
        omp_set_num_threads(threads);
        update_init(&f, &update_gaussian, TB_F32, 400, 6);
        move(&f, 0.2);
        assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
        assert_ok(tb_policy_gradient(&f.policy, &f.batch, g, &error), &error);
        if (threads == 1) {
            first = at;
            memcpy(g_first, g, sizeof g);
        }
        assert_memory_equal(&at, &first, sizeof at);
        assert_memory_equal(g, g_first, sizeof g);
        update_finish(&f);
    }
    omp_set_num_threads(threads_before);
}

// one NaN anywhere must show, not only in the last row of the last shard
static void test_nan_ratio_is_kept(void **state)
{
    (void)state;
    const size_t places[] = {0, 50, 95, 96, 250, 399};
    for (size_t k = 0; k < 6; k++) {
        update_fixture f;
        tb_error error = {0};
        tb_surrogate at;
        update_init(&f, &update_categorical, TB_F64, 400, 7);
        f.batch.log_prob_old[places[k]] = NAN;
        assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
        assert_true(isnan(at.ratio_error));
        assert_true(isnan(at.surrogate));
        assert_int_equal(tb_policy_evaluate_old(&f.policy, &f.batch, &f.log, &error), TB_E_NUMERIC);
        assert_message(&error, "NaN or infinity");
        update_finish(&f);
    }
}

// the sampler runs 8 rows at once, the update 96: a map that can tell is refused
static void test_batch_variance_is_refused(void **state)
{
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        update_fixture f;
        tb_error error = {0};
        update_init(&f, &update_gaussian, dtypes[t], 97, 8);
        f.map->batch_skew = 1e-3; // 96 rows and 1 row: not what the batch was sampled with
        assert_int_equal(tb_policy_evaluate_old(&f.policy, &f.batch, &f.log, &error), TB_E_NUMERIC);
        assert_message(&error, "not batch-invariant");
        update_finish(&f);
    }
}

// KL alone differs: a Gaussian whose actions' likelihood happens to agree
static void test_kl_alone_is_refused(void **state)
{
    (void)state;
    update_fixture f;
    tb_error error = {0};
    update_init(&f, &update_gaussian, TB_F64, 10, 9);
    for (size_t i = 0; i < 10; i++)
        f.batch.y_old[i * 4] += 0.1; // log_prob_old stays
    assert_int_equal(tb_policy_evaluate_old(&f.policy, &f.batch, &f.log, &error), TB_E_NUMERIC);
    assert_message(&error, "not batch-invariant");
    update_finish(&f);
}

static void test_init_is_a_function_of_the_seed(void **state)
{
    (void)state;
    update_fixture a, b, c;
    update_init(&a, &update_categorical, TB_F64, 10, 10);
    update_init(&b, &update_categorical, TB_F64, 10, 10);
    update_init(&c, &update_categorical, TB_F64, 10, 11);
    size_t bytes = a.policy.net.n_params * sizeof(double);
    assert_memory_equal(a.before, b.before, bytes);
    assert_memory_not_equal(a.before, c.before, bytes);
    update_finish(&a);
    update_finish(&b);
    update_finish(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_the_old_parameters),
        cmocka_unit_test(test_means_away_from_the_old_parameters),
        cmocka_unit_test(test_kl_of_the_new_policy_to_the_old),
        cmocka_unit_test(test_objective),
        cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_fisher),
        cmocka_unit_test(test_fisher_of_a_share),
        cmocka_unit_test(test_weights_count_like_copies),
        cmocka_unit_test(test_weights_of_drawn_rows),
        cmocka_unit_test(test_drawn_rows_are_a_function_of_seed_and_iteration),
        cmocka_unit_test(test_every_choice_of_rows_is_equally_likely),
        cmocka_unit_test(test_smallest_and_largest_share),
        cmocka_unit_test(test_same_bits_for_any_number_of_threads),
        cmocka_unit_test(test_nan_ratio_is_kept),
        cmocka_unit_test(test_batch_variance_is_refused),
        cmocka_unit_test(test_kl_alone_is_refused),
        cmocka_unit_test(test_init_is_a_function_of_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
