/* SPDX-License-Identifier: MIT
 *
 * What must hold for every distribution head, checked by finite differences.
 */
#ifndef TESTS_TRPO_DIST_HEAD_CHECKS_H
#define TESTS_TRPO_DIST_HEAD_CHECKS_H

#include "tests/trpo/testing.h"
#include "trpo/dist/head.h"

enum { max_d = 16 };

// fourth-order central difference of log_prob or KL along parameter k: error about 1e-12
static inline double head_slope(const tb_head *head, const double *y_old, const double *y,
                                const double *a, size_t k)
{
    const double h = 1e-3;
    double at[4], moved[max_d];
    for (int i = 0; i < 4; i++) {
        memcpy(moved, y, head->n_params * sizeof *y);
        moved[k] += h * (i < 2 ? i - 2 : i - 1); // -2h, -h, h, 2h
        at[i] = a != NULL ? head->api->log_prob(head, moved, a) : head->api->kl(head, y_old, moved);
    }
    return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h);
}

static inline void check_log_prob_gradient(const tb_head *head, tb_rng *rng, double scale)
{
    double y[max_d], a[max_d], u[max_d], dy[max_d];
    for (int i = 0; i < 50; i++) {
        test_fill(rng, y, head->n_params, scale);
        for (size_t k = 0; k < head->n_unif; k++)
            u[k] = tb_rng_f64(rng);
        head->api->sample(head, y, u, a);
        head->api->log_prob_grad(head, y, a, dy);
        for (size_t k = 0; k < head->n_params; k++)
            assert_near(dy[k], head_slope(head, NULL, y, a, k), 1e-9);
    }
}

static inline void check_kl_gradient(const tb_head *head, tb_rng *rng, double scale)
{
    double y_old[max_d], y_new[max_d], dy[max_d];
    for (int i = 0; i < 50; i++) {
        test_fill(rng, y_old, head->n_params, scale);
        test_fill(rng, y_new, head->n_params, scale);
        head->api->kl_grad(head, y_old, y_new, dy);
        for (size_t k = 0; k < head->n_params; k++)
            assert_near(dy[k], head_slope(head, y_old, y_new, NULL, k), 1e-9 * (1 + fabs(dy[k])));
    }
}

// at equality KL and its gradient are exactly 0; elsewhere KL is positive, however small the step
static inline void check_kl_sign(const tb_head *head, tb_rng *rng, double scale)
{
    double y_old[max_d], y_new[max_d], dy[max_d];
    for (int i = 0; i < 200; i++) {
        test_fill(rng, y_old, head->n_params, scale);
        assert_true(head->api->kl(head, y_old, y_old) == 0);
        head->api->kl_grad(head, y_old, y_old, dy);
        for (size_t k = 0; k < head->n_params; k++)
            assert_true(dy[k] == 0);
        for (int e = 0; e >= -12; e--) {
            test_fill(rng, y_new, head->n_params, scale * pow(10, e));
            for (size_t k = 0; k < head->n_params; k++)
                y_new[k] += y_old[k];
            double kl = head->api->kl(head, y_old, y_new);
            if (!(kl >= 0)) {
                print_error("KL is %g after a step of 1e%d\n", kl, e);
                fail();
            }
            assert_true(e < -6 || kl > 0);
        }
    }
}

// M from products with unit vectors against second differences of KL(y || y'): symmetric, PSD
static inline void check_fisher(const tb_head *head, tb_rng *rng, double scale)
{
    const double h = 1e-4;
    size_t d = head->n_params;
    double y[max_d], v[max_d], m[max_d][max_d], mv[max_d], up[max_d], down[max_d];
    for (int i = 0; i < 30; i++) {
        test_fill(rng, y, d, scale);
        for (size_t k = 0; k < d; k++) {
            memset(v, 0, sizeof v);
            v[k] = 1;
            head->api->fisher(head, y, v, m[k]);
            // M's column k = d/dy'_k of the KL's gradient
            memcpy(v, y, d * sizeof *y);
            v[k] = y[k] + h;
            head->api->kl_grad(head, y, v, up);
            v[k] = y[k] - h;
            head->api->kl_grad(head, y, v, down);
            for (size_t j = 0; j < d; j++)
                assert_near(m[k][j], (up[j] - down[j]) / (2 * h), 1e-7 * (1 + fabs(m[k][j])));
            // and its diagonal from the KL itself
            double at_up, at_down;
            v[k] = y[k] + h;
            at_up = head->api->kl(head, y, v);
            v[k] = y[k] - h;
            at_down = head->api->kl(head, y, v);
            assert_near(m[k][k], (at_up + at_down) / (h * h), 1e-6 * (1 + m[k][k]));
        }
        for (size_t k = 0; k < d; k++)
            for (size_t j = 0; j < k; j++)
                assert_near(m[k][j], m[j][k], 1e-15);
        for (int trial = 0; trial < 20; trial++) {
            test_fill(rng, v, d, 1);
            head->api->fisher(head, y, v, mv);
            double vmv = 0, by_columns[max_d] = {0};
            for (size_t k = 0; k < d; k++)
                for (size_t j = 0; j < d; j++)
                    by_columns[j] += v[k] * m[k][j];
            for (size_t j = 0; j < d; j++) {
                vmv += v[j] * mv[j];
                assert_near(mv[j], by_columns[j], 1e-13 * (1 + fabs(mv[j])));
            }
            assert_true(vmv >= -1e-15);
        }
    }
}

#endif
