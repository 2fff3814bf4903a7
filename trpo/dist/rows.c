/* SPDX-License-Identifier: MIT
 *
 * The Gaussian's log-std is the same in each row unless the network computes it from the state, so
 * its exponentials are kept from one row to the next; column by column, because that is where they
 * stay the same. Sums over the columns start at 0 and take them in order, as gaussian.c does.
 */
#include "trpo/dist/rows.h"

#include <math.h>
#include <string.h>

static const double half_log_2pi = 0.91893853320467274178;

static int is_gaussian(const tb_head *head)
{
    return head->api == &tb_head_gaussian;
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
    for (size_t i = 0; i < n; i++) {
        double log_std = NAN, inv_s = NAN;
        for (size_t r = 0; r < rows; r++) {
            const double *row = y + r * d;
            if (row[n + i] != log_std) {
                log_std = row[n + i];
                inv_s = exp(-log_std);
            }
            double z = (a[r * n + i] - row[i]) * inv_s;
            out[r] += -0.5 * z * z - log_std - half_log_2pi;
        }
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
    for (size_t i = 0; i < n; i++) {
        double log_std = NAN, inv_s = NAN;
        for (size_t r = 0; r < rows; r++) {
            const double *row = y + r * d;
            if (row[n + i] != log_std) {
                log_std = row[n + i];
                inv_s = exp(-log_std);
            }
            double z = (a[r * n + i] - row[i]) * inv_s;
            dy[r * d + i] = z * inv_s;
            dy[r * d + n + i] = z * z - 1;
        }
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
    for (size_t i = 0; i < n; i++) {
        double log_std = NAN, inv_s = NAN, change = NAN, spread = NAN;
        for (size_t r = 0; r < rows; r++) {
            const double *row = y + r * d, *old = y_old + r * d;
            if (row[n + i] != log_std) {
                log_std = row[n + i];
                inv_s = exp(-log_std);
            }
            if (log_std - old[n + i] != change) {
                change = log_std - old[n + i];
                spread = expm1(-2 * change);
            }
            double z = (old[i] - row[i]) * inv_s;
            out[r] += change + 0.5 * (spread + z * z);
        }
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
    for (size_t i = 0; i < n; i++) {
        double log_std = NAN, precision = NAN;
        for (size_t r = 0; r < rows; r++) {
            const size_t at = r * d + i;
            if (y[at + n] != log_std) {
                log_std = y[at + n];
                precision = exp(-2 * log_std);
            }
            mv[at] = v[at] * precision;
            mv[at + n] = 2 * v[at + n];
        }
    }
}
