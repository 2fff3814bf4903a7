/* SPDX-License-Identifier: MIT
 *
 * A head over many rows gives the bits of the head row by row, whatever stays the same or changes
 * from row to row.
 */
#include "trpo/dist/rows.h"

#include <math.h>
#include <string.h>

#include "tests/trpo/testing.h"

enum { ROWS = 96, MAX_D = 40, MAX_A = 20 };

typedef struct rows_fixture {
    double y[ROWS * MAX_D], y_old[ROWS * MAX_D], v[ROWS * MAX_D], a[ROWS * MAX_A];
} rows_fixture;

static const tb_head gaussian = {
    .api = &tb_head_gaussian, .n = 6, .n_params = 12, .n_const = 6, .n_action = 6, .n_unif = 6};
// more columns than are taken at a time
static const tb_head wide = {
    .api = &tb_head_gaussian, .n = 20, .n_params = 40, .n_const = 20, .n_action = 20, .n_unif = 20};
static const tb_head categorical = {
    .api = &tb_head_categorical, .n = 5, .n_params = 5, .n_action = 1, .n_unif = 1};

static rows_fixture draw(const tb_head *head, uint64_t seed)
{
    rows_fixture f;
    tb_rng rng = test_rng(seed);
    test_fill(&rng, f.y, ROWS * MAX_D, 1.5);
    test_fill(&rng, f.y_old, ROWS * MAX_D, 1.5);
    test_fill(&rng, f.v, ROWS * MAX_D, 1.5);
    test_fill(&rng, f.a, ROWS * MAX_A, 1.5);
    for (size_t i = 0; head->api == &tb_head_categorical && i < ROWS; i++)
        f.a[i] = floor(tb_rng_uniform(&rng, 0, 5));
    return f;
}

// the log-stds of rows 0, `every`, 2 `every`, ... are the first row's
static void repeat_log_std(const tb_head *head, rows_fixture *f, size_t every)
{
    const size_t d = head->n_params;
    for (size_t r = 0; r < ROWS; r += every)
        for (size_t i = head->n; i < d; i++) {
            f->y[r * d + i] = f->y[i];
            f->y_old[r * d + i] = f->y_old[i];
        }
}

static void compare(const tb_head *head, const rows_fixture *f)
{
    size_t d = head->n_params, n_a = head->n_action;
    double out[ROWS], rows[ROWS * MAX_D], row[MAX_D], one;
    tb_head_log_prob_rows(head, ROWS, f->y, f->a, out);
    for (size_t r = 0; r < ROWS; r++) {
        one = head->api->log_prob(head, f->y + r * d, f->a + r * n_a);
        assert_memory_equal(&out[r], &one, sizeof one);
    }
    tb_head_kl_rows(head, ROWS, f->y_old, f->y, out);
    for (size_t r = 0; r < ROWS; r++) {
        one = head->api->kl(head, f->y_old + r * d, f->y + r * d);
        assert_memory_equal(&out[r], &one, sizeof one);
    }
    tb_head_entropy_rows(head, ROWS, f->y, out);
    for (size_t r = 0; r < ROWS; r++) {
        one = head->api->entropy(head, f->y + r * d);
        assert_memory_equal(&out[r], &one, sizeof one);
    }
    tb_head_log_prob_grad_rows(head, ROWS, f->y, f->a, rows);
    for (size_t r = 0; r < ROWS; r++) {
        head->api->log_prob_grad(head, f->y + r * d, f->a + r * n_a, row);
        assert_memory_equal(rows + r * d, row, d * sizeof *row);
    }
    tb_head_fisher_rows(head, ROWS, f->y, f->v, rows);
    for (size_t r = 0; r < ROWS; r++) {
        head->api->fisher(head, f->y + r * d, f->v + r * d, row);
        assert_memory_equal(rows + r * d, row, d * sizeof *row);
    }
}

static void gaussian_rows_have_the_bits_of_single_rows(void **state)
{
    (void)state;
    for (size_t every = 1; every < 5; every++) {
        const tb_head *heads[] = {&gaussian, &wide};
        for (int h = 0; h < 2; h++) {
            rows_fixture f = draw(heads[h], every);
            if (every < 4)
                repeat_log_std(heads[h], &f, every);
            // the old policy's change on their own
            for (size_t i = 0; every == 1 && i < heads[h]->n; i++)
                f.y_old[(ROWS / 2) * heads[h]->n_params + heads[h]->n + i] += 0.1;
            compare(heads[h], &f);
        }
    }
}

/* Equal numbers with different bits, and what equals nothing. */
static void zeros_and_infinities(void **state)
{
    (void)state;
    rows_fixture f = draw(&gaussian, 9);
    const double odd[] = {0, -0.0, INFINITY, -INFINITY, 0, -0.0, -0.0};
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 6; i < 12; i++) {
            f.y[r * 12 + i] = odd[(r + i) % 7];
            f.y_old[r * 12 + i] = odd[(r / 2 + i) % 2];
            // no NaN: its sign is nobody's promise
            f.v[r * 12 + i - 6] = 1 + (double)r;
        }
    double out[ROWS], mv[ROWS * 12];
    tb_head_fisher_rows(&gaussian, ROWS, f.y, f.v, mv);
    tb_head_kl_rows(&gaussian, ROWS, f.y_old, f.y, out);
    for (size_t r = 0; r < ROWS; r++) {
        double row[12], kl = tb_head_gaussian.kl(&gaussian, f.y_old + r * 12, f.y + r * 12);
        tb_head_gaussian.fisher(&gaussian, f.y + r * 12, f.v + r * 12, row);
        assert_memory_equal(mv + r * 12, row, sizeof row);
        assert_true(isnan(kl) ? isnan(out[r]) : out[r] <= kl && out[r] >= kl);
    }
}

/* NaN in one row spoils that row alone. */
static void nan_stays_in_its_row(void **state)
{
    (void)state;
    rows_fixture f = draw(&gaussian, 11);
    double out[ROWS];
    repeat_log_std(&gaussian, &f, 1);
    f.y[5 * 12 + 8] = NAN;
    tb_head_log_prob_rows(&gaussian, ROWS, f.y, f.a, out);
    for (size_t r = 0; r < ROWS; r++)
        assert_int_equal(isnan(out[r]) != 0, r == 5);
    tb_head_kl_rows(&gaussian, ROWS, f.y_old, f.y, out);
    for (size_t r = 0; r < ROWS; r++)
        assert_int_equal(isnan(out[r]) != 0, r == 5);
}

static void other_heads_row_by_row(void **state)
{
    (void)state;
    rows_fixture f = draw(&categorical, 21);
    compare(&categorical, &f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaussian_rows_have_the_bits_of_single_rows),
        cmocka_unit_test(zeros_and_infinities),
        cmocka_unit_test(nan_stays_in_its_row),
        cmocka_unit_test(other_heads_row_by_row),
    };
    return cmocka_run_group_tests_name("heads over rows", tests, NULL, NULL);
}
