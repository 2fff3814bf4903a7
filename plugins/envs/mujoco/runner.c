/* SPDX-License-Identifier: MIT */
#include "runner.h"

#include <stdio.h>
#include <string.h>

#include "sums.h"

static int sizes(const tb_mj_view *v, uint64_t nq, uint64_t nv, uint64_t nu, const char *how,
                 int fits, char *err, uint64_t err_cap)
{
    if (!fits && err_cap > 0)
        snprintf(err, (size_t)err_cap,
                 "it has %llu positions, %llu velocities and %llu actuators; this task needs %s "
                 "%llu, %llu and %llu",
                 (unsigned long long)v->m->nq, (unsigned long long)v->m->nv,
                 (unsigned long long)v->m->nu, how, (unsigned long long)nq, (unsigned long long)nv,
                 (unsigned long long)nu);
    return fits;
}

int tb_mj_need(const tb_mj_view *v, uint64_t nq, uint64_t nv, uint64_t nu, char *err,
               uint64_t err_cap)
{
    int fits = (uint64_t)v->m->nq >= nq && (uint64_t)v->m->nv >= nv && (uint64_t)v->m->nu >= nu;
    return sizes(v, nq, nv, nu, "at least", fits, err, err_cap);
}

int tb_mj_need_exactly(const tb_mj_view *v, uint64_t nq, uint64_t nv, uint64_t nu, char *err,
                       uint64_t err_cap)
{
    int fits = (uint64_t)v->m->nq == nq && (uint64_t)v->m->nv == nv && (uint64_t)v->m->nu == nu;
    return sizes(v, nq, nv, nu, "exactly", fits, err, err_cap);
}

static uint64_t excluded(const tb_mj_view *v, uint64_t n)
{
    return v->p->exclude_current_positions_from_observation ? n : 0;
}

uint64_t tb_mj_state_size(const tb_mj_view *v, uint64_t n_excluded)
{
    return (uint64_t)v->m->nq + (uint64_t)v->m->nv - excluded(v, n_excluded);
}

double *tb_mj_put_state(const tb_mj_view *v, uint64_t n_excluded, double limit, double *to)
{
    uint64_t i, nq = (uint64_t)v->m->nq, nv = (uint64_t)v->m->nv;
    for (i = excluded(v, n_excluded); i < nq; i++)
        *to++ = v->d->qpos[i];
    for (i = 0; i < nv; i++)
        *to++ = tb_mj_clip(v->d->qvel[i], -limit, limit);
    return to;
}

// Box and Muller's: two uniform numbers make one
static double normal(tb_rng *rng)
{
    double radius = sqrt(-2 * log(1 - tb_rng_f64(rng)));
    return radius * cos(2 * 3.14159265358979323846 * tb_rng_f64(rng));
}

static void shake_positions(const tb_mj_view *v, tb_rng *rng)
{
    double scale = v->p->reset_noise_scale;
    for (uint64_t i = 0; i < (uint64_t)v->m->nq; i++)
        v->d->qpos[i] += tb_rng_uniform(rng, -scale, scale);
}

void tb_mj_noise_uniform(const tb_mj_view *v, tb_rng *rng)
{
    double scale = v->p->reset_noise_scale;
    shake_positions(v, rng);
    for (uint64_t i = 0; i < (uint64_t)v->m->nv; i++)
        v->d->qvel[i] += tb_rng_uniform(rng, -scale, scale);
}

void tb_mj_noise_normal(const tb_mj_view *v, tb_rng *rng)
{
    shake_positions(v, rng);
    for (uint64_t i = 0; i < (uint64_t)v->m->nv; i++)
        v->d->qvel[i] += v->p->reset_noise_scale * normal(rng);
}

void tb_mj_root_position(const tb_mj_view *v, double xy[2])
{
    xy[0] = v->d->qpos[0];
    xy[1] = v->d->qpos[1];
}

float tb_mj_action_cost(const tb_mj_view *v, double weight, const float *action)
{
    return (float)weight * tb_mj_square_sum_f32(action, (uint64_t)v->m->nu);
}

int tb_mj_within(double x, const double range[2])
{
    return range[0] < x && x < range[1];
}

void tb_mj_healthy_outcome(const tb_mj_view *v, double forward, int healthy, double costs,
                           tb_mj_outcome *out)
{
    double alive = healthy ? v->p->healthy_reward : 0;
    out->reward = (forward + alive) - costs;
    if (!healthy && v->p->terminate_when_unhealthy)
        out->flags = TB_TERMINATED;
}
