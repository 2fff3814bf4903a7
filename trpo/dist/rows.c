/* SPDX-License-Identifier: MIT
 *
 * The Gaussian's log-std is the same in each row unless the network computes it from the state. So
 * rows are taken in runs of equal log-std, whose exponentials are computed once, BLOCK columns at a
 * time. Sums over the columns start at 0 and take them in order, as gaussian.c does.
 */
#include "trpo/dist/rows.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 16 };

static const double half_log_2pi = 0.91893853320467274178;

static int is_gaussian(const tb_head *head)
{
    return head->api == &tb_head_gaussian;
}

/* Rows of [rows][d], from the first on, that have its bits in n columns. */
static size_t run_of(const double *first, size_t d, size_t n, size_t rows)
{
    for (size_t r = 1; r < rows; r++)
        if (memcmp(first + r * d, first, n * sizeof *first) != 0)
            return r;
    return rows;
}

/* A run of rows and a block of columns: `at` is where both begin in [rows][2 n], and log_std where
 * the log-stds of its first row are. */
typedef struct tb_run {
    size_t n; /* columns of the head */
    size_t row, rows, column, columns;
    size_t at;
    const double *log_std;
} tb_run;

/* The next run of y [rows][2 n]; *run is {.n = n} at the beginning. 0: there is none. */
static int next_run(tb_run *run, size_t rows, const double *y)
{
    const size_t n = run->n, d = 2 * n;
    run->row += run->rows;
    if (run->row == rows) {
        run->row = 0;
        run->column += run->columns;
    }
    if (run->column == n || rows == 0)
        return 0;
    run->columns = n - run->column < BLOCK ? n - run->column : BLOCK;
    run->at = run->row * d + run->column;
    run->log_std = y + run->at + n;
    run->rows = run_of(run->log_std, d, run->columns, rows - run->row);
    return 1;
}

static void log_prob_run(const tb_run *run, const double *restrict mean, const double *restrict a,
                         double *restrict out)
{
    double log_std[BLOCK], inv_s[BLOCK];
    for (size_t i = 0; i < run->columns; i++) {
        log_std[i] = run->log_std[i];
        inv_s[i] = exp(-log_std[i]);
    }
    for (size_t r = 0; r < run->rows; r++, mean += 2 * run->n, a += run->n) {
        double sum = out[r];
        for (size_t i = 0; i < run->columns; i++) {
            double z = (a[i] - mean[i]) * inv_s[i];
            sum += -0.5 * z * z - log_std[i] - half_log_2pi;
        }
        out[r] = sum;
    }
}

void tb_head_log_prob_rows(const tb_head *head, size_t rows, const double *y, const double *a,
                           double *out)
{
    size_t n = head->n, d = head->n_params;
    if (!is_gaussian(head)) {
        for (size_t r = 0; r < rows; r++)
            out[r] = head->api->log_prob(head, y + r * d, a + r * head->n_action);
        return;
    }
    memset(out, 0, rows * sizeof *out);
    for (tb_run run = {.n = n}; next_run(&run, rows, y);)
        log_prob_run(&run, y + run.at, a + run.row * n + run.column, out + run.row);
}

static void log_prob_grad_run(const tb_run *run, const double *restrict mean,
                              const double *restrict a, double *restrict dy)
{
    double inv_s[BLOCK];
    for (size_t i = 0; i < run->columns; i++)
        inv_s[i] = exp(-run->log_std[i]);
    for (size_t r = 0; r < run->rows; r++, mean += 2 * run->n, dy += 2 * run->n, a += run->n)
        for (size_t i = 0; i < run->columns; i++) {
            double z = (a[i] - mean[i]) * inv_s[i];
            dy[i] = z * inv_s[i];
            dy[run->n + i] = z * z - 1;
        }
}

void tb_head_log_prob_grad_rows(const tb_head *head, size_t rows, const double *y, const double *a,
                                double *dy)
{
    size_t n = head->n, d = head->n_params;
    if (!is_gaussian(head)) {
        for (size_t r = 0; r < rows; r++)
            head->api->log_prob_grad(head, y + r * d, a + r * head->n_action, dy + r * d);
        return;
    }
    for (tb_run run = {.n = n}; next_run(&run, rows, y);)
        log_prob_grad_run(&run, y + run.at, a + run.row * n + run.column, dy + run.at);
}

/* Rows that also have the same old log-std. */
static void kl_run(const tb_run *run, const double *restrict old, const double *restrict mean,
                   double *restrict out)
{
    double inv_s[BLOCK], change[BLOCK], spread[BLOCK];
    for (size_t i = 0; i < run->columns; i++) {
        inv_s[i] = exp(-run->log_std[i]);
        change[i] = run->log_std[i] - old[run->n + i];
        spread[i] = expm1(-2 * change[i]);
    }
    for (size_t r = 0; r < run->rows; r++, mean += 2 * run->n, old += 2 * run->n) {
        double sum = out[r];
        for (size_t i = 0; i < run->columns; i++) {
            double z = (old[i] - mean[i]) * inv_s[i];
            sum += change[i] + 0.5 * (spread[i] + z * z);
        }
        out[r] = sum;
    }
}

void tb_head_kl_rows(const tb_head *head, size_t rows, const double *y_old, const double *y,
                     double *out)
{
    size_t n = head->n, d = head->n_params;
    if (!is_gaussian(head)) {
        for (size_t r = 0; r < rows; r++)
            out[r] = head->api->kl(head, y_old + r * d, y + r * d);
        return;
    }
    memset(out, 0, rows * sizeof *out);
    for (tb_run run = {.n = n}; next_run(&run, rows, y);) {
        run.rows = run_of(y_old + run.at + n, d, run.columns, run.rows);
        kl_run(&run, y_old + run.at, y + run.at, out + run.row);
    }
}

void tb_head_entropy_rows(const tb_head *head, size_t rows, const double *y, double *out)
{
    const size_t n = head->n, d = head->n_params;
    for (size_t r = 0, run = 1; r < rows; r += run) {
        if (is_gaussian(head))
            run = run_of(y + r * d + n, d, n, rows - r);
        out[r] = head->api->entropy(head, y + r * d);
        for (size_t k = 1; k < run; k++)
            out[r + k] = out[r];
    }
}

static void fisher_run(const tb_run *run, const double *restrict v, double *restrict mv)
{
    double precision[BLOCK];
    for (size_t i = 0; i < run->columns; i++)
        precision[i] = exp(-2 * run->log_std[i]);
    for (size_t r = 0; r < run->rows; r++, v += 2 * run->n, mv += 2 * run->n)
        for (size_t i = 0; i < run->columns; i++) {
            mv[i] = v[i] * precision[i];
            mv[run->n + i] = 2 * v[run->n + i];
        }
}

void tb_head_fisher_rows(const tb_head *head, size_t rows, const double *y, const double *v,
                         double *mv)
{
    size_t n = head->n, d = head->n_params;
    if (!is_gaussian(head)) {
        for (size_t r = 0; r < rows; r++)
            head->api->fisher(head, y + r * d, v + r * d, mv + r * d);
        return;
    }
    for (tb_run run = {.n = n}; next_run(&run, rows, y);)
        fisher_run(&run, v + run.at, mv + run.at);
}
