/* SPDX-License-Identifier: MIT */
#include "harness/theory/experiment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trpo/linalg/vec.h"
#include "trpo/rng/streams.h"

/* Memory of one measurement. */
typedef struct scratch {
    tb_exact *old, *new_;
    double *pi, *other; // [S][A]
    tb_exact_record *records;
} scratch;

enum { STREAM_START, STREAM_OLD, STREAM_NEW };

static double slack(const tb_theory_suite *suite, double eta)
{
    return suite->config.tolerance * fmax(1, fabs(eta));
}

// rows in proportion to base * exp(u), u uniform in [-width, width); base = NULL: uniform
static void draw_policy(const tb_mdp *mdp, tb_rng *rng, const double *base, double width,
                        double *pi)
{
    size_t n = mdp->n_actions;
    for (size_t s = 0; s < mdp->n_states; s++) {
        double *row = pi + s * n;
        for (size_t a = 0; a < n; a++)
            row[a] = (base != NULL ? base[s * n + a] : 1) * exp(tb_rng_uniform(rng, -width, width));
        double sum = tb_vec_sum(row, n);
        for (size_t a = 0; a < n; a++)
            row[a] /= sum;
    }
}

static tb_rng stream(int64_t seed, uint64_t what, uint64_t i)
{
    tb_rng rng;
    tb_rng_init(&rng, tb_stream_key((uint64_t)seed, TB_STREAM_THEORY, what, i));
    return rng;
}

void tb_process_start(const tb_mdp *mdp, int64_t seed, double *pi)
{
    tb_rng rng = stream(seed, STREAM_START, 0);
    draw_policy(mdp, &rng, NULL, 1, pi);
}

// ---- triples ----

// pi from nearly uniform to nearly deterministic; pi~ anywhere, or from 10^-4 to 3 away in log
// probabilities
static void draw_pair(const tb_process *process, size_t i, scratch *m)
{
    tb_rng old = stream(process->seed, STREAM_OLD, i), new_ = stream(process->seed, STREAM_NEW, i);
    draw_policy(process->mdp, &old, NULL, tb_rng_uniform(&old, 0.1, 4), m->pi);
    if (i % 2 == 0) {
        draw_policy(process->mdp, &new_, NULL, tb_rng_uniform(&new_, 0.1, 4), m->other);
    } else {
        double distance = 3 * pow(10, -tb_rng_uniform(&new_, 0, 4.5));
        draw_policy(process->mdp, &new_, m->pi, distance, m->other);
    }
}

static tb_status measure_triple(tb_process *process, const tb_theory_suite *suite, size_t i,
                                scratch *m)
{
    draw_pair(process, i, m);
    tb_status status = tb_exact_evaluate(m->old, m->pi, &process->error);
    if (status == TB_OK)
        status = tb_exact_evaluate(m->new_, m->other, &process->error);
    if (status != TB_OK)
        return status;
    tb_triple *t = &process->triples[i];
    t->eta = m->old->eta;
    t->eta_new = m->new_->eta;
    t->lemma_error = t->eta_new - tb_performance_difference(m->old, m->new_);
    tb_bound_measure(m->old, m->other, &t->bound);
    t->shift_bound = 2 * t->bound.tv_max * m->old->advantage_max;
    double rounding = slack(suite, t->eta_new);
    // written so that no NaN can pass
    process->n_lemma += !(fabs(t->lemma_error) <= rounding);
    process->n_theorem += !(t->eta_new >= t->bound.lower_tv - rounding) ||
                          !(t->eta_new >= t->bound.lower_kl - rounding);
    process->n_coupling += !(t->bound.shift_max <= t->shift_bound + rounding);
    return TB_OK;
}

// ---- tightness ----

static double used(double gap, double penalty)
{
    return penalty > 0 && isfinite(penalty) ? gap / penalty : NAN;
}

// eps of eq. 6: max_s |sum_a pi'(a|s) A(s,a)|, with pi' greedy
static double mixture_epsilon(const tb_exact *at, const double *greedy)
{
    tb_bound bound;
    tb_bound_measure(at, greedy, &bound);
    return bound.shift_max;
}

static tb_status measure_steps(tb_process *process, const tb_theory_suite *suite, scratch *m,
                               double *greedy)
{
    const tb_mdp *mdp = process->mdp;
    size_t pairs = mdp->n_states * mdp->n_actions;
    tb_process_start(process->mdp, process->seed, m->pi);
    tb_status status = tb_exact_evaluate(m->old, m->pi, &process->error);
    tb_greedy_policy(m->old, greedy);
    double rest = 1 - mdp->gamma,
           c = 2 * mixture_epsilon(m->old, greedy) * mdp->gamma / (rest * rest);
    for (int i = 0; i < TB_THEORY_STEPS && status == TB_OK; i++) {
        tb_tightness *t = &process->steps[i];
        t->alpha = pow(10, -4 + i / 4.0);
        for (size_t k = 0; k < pairs; k++)
            m->other[k] = (1 - t->alpha) * m->pi[k] + t->alpha * greedy[k];
        status = tb_exact_evaluate(m->new_, m->other, &process->error);
        tb_bound bound;
        tb_bound_measure(m->old, m->other, &bound);
        double eta = m->new_->eta, gap = fabs(eta - bound.surrogate);
        t->gain = eta - m->old->eta;
        t->surrogate_gain = bound.surrogate - m->old->eta;
        t->of_mixture = used(gap, c * t->alpha * t->alpha);
        t->of_tv = used(gap, bound.penalty * bound.tv_max * bound.tv_max);
        t->of_kl = used(gap, bound.penalty * bound.kl_max);
        double rounding = slack(suite, eta);
        process->n_theorem += !(eta >= bound.lower_tv - rounding) ||
                              !(eta >= bound.lower_kl - rounding) ||
                              !(eta >= bound.surrogate - c * t->alpha * t->alpha - rounding);
    }
    return status;
}

// ---- algorithms ----

static tb_status run_algorithm(tb_process *process, const tb_theory_suite *suite, size_t a,
                               scratch *m)
{
    const tb_exact_algorithm *algorithm = suite->algorithms[a].algorithm;
    tb_course *course = &process->courses[a];
    size_t n = (size_t)suite->config.iterations;
    tb_process_start(process->mdp, process->seed, m->pi);
    tb_status status = tb_exact_run(process->mdp, algorithm, suite->algorithms[a].config, m->pi, n,
                                    m->records, NULL, &process->error);
    if (status != TB_OK)
        return status;
    const tb_exact_record *r = m->records;
    course->eta[0] = r[0].eta;
    course->promised[0] = NAN;
    course->least_change = course->least_margin = INFINITY;
    course->n_worse = course->n_broken = 0;
    for (size_t i = 1; i <= n; i++) {
        double promised = r[i].step.promised, rounding = slack(suite, r[i].eta);
        course->eta[i] = r[i].eta;
        course->promised[i] = promised;
        course->least_change = fmin(course->least_change, r[i].eta - r[i - 1].eta);
        if (!isnan(promised))
            course->least_margin = fmin(course->least_margin, r[i].eta - promised);
        course->n_worse += !(r[i].eta >= r[i - 1].eta - rounding);
        course->n_broken += (!isnan(promised) && !(r[i].eta >= promised - rounding)) ||
                            !(r[i].eta >= r[i].bound.lower_tv - rounding);
    }
    process->n_monotone += course->n_broken + (algorithm->monotonic ? course->n_worse : 0);
    return TB_OK;
}

// ---- all of it ----

tb_status tb_process_prepare(tb_process *process, const tb_theory_suite *suite, tb_error *error)
{
    size_t n = (size_t)suite->config.iterations + 1;
    process->triples = tb_alloc((size_t)suite->config.triples, sizeof *process->triples);
    process->courses = tb_alloc(suite->n_algorithms, sizeof *process->courses);
    if (process->triples == NULL || process->courses == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory for %s", process->env->label);
    for (size_t a = 0; a < suite->n_algorithms; a++) {
        tb_course *course = &process->courses[a];
        course->eta = tb_alloc(n, sizeof *course->eta);
        course->promised = tb_alloc(n, sizeof *course->promised);
        if (course->eta == NULL || course->promised == NULL)
            return tb_fail(error, TB_E_NOMEM, "out of memory for %s", process->env->label);
    }
    return TB_OK;
}

static tb_status measure(tb_process *process, const tb_theory_suite *suite, scratch *m,
                         double *greedy)
{
    tb_status status = tb_exact_optimum(process->mdp, NULL, &process->optimum, &process->error);
    for (size_t i = 0; status == TB_OK && i < (size_t)suite->config.triples; i++)
        status = measure_triple(process, suite, i, m);
    if (status == TB_OK)
        status = measure_steps(process, suite, m, greedy);
    for (size_t a = 0; status == TB_OK && a < suite->n_algorithms; a++)
        status = run_algorithm(process, suite, a, m);
    return status;
}

void tb_process_measure(tb_process *process, const tb_theory_suite *suite)
{
    size_t pairs = process->mdp->n_states * process->mdp->n_actions;
    process->n_lemma = process->n_theorem = process->n_coupling = process->n_monotone = 0;
    scratch m = {.records = tb_alloc((size_t)suite->config.iterations + 1, sizeof *m.records)};
    double *memory = tb_alloc(3 * pairs, sizeof *memory);
    process->status = tb_exact_create(process->mdp, &m.old, &process->error);
    if (process->status == TB_OK)
        process->status = tb_exact_create(process->mdp, &m.new_, &process->error);
    if (process->status == TB_OK && (memory == NULL || m.records == NULL))
        process->status =
            tb_fail(&process->error, TB_E_NOMEM, "out of memory for %s", process->env->label);
    if (process->status == TB_OK) {
        m.pi = memory;
        m.other = memory + pairs;
        process->status = measure(process, suite, &m, memory + 2 * pairs);
    }
    tb_exact_destroy(m.old);
    tb_exact_destroy(m.new_);
    free(memory);
    free(m.records);
}

void tb_process_finish(tb_process *process, size_t n_algorithms)
{
    for (size_t a = 0; process->courses != NULL && a < n_algorithms; a++) {
        free(process->courses[a].eta);
        free(process->courses[a].promised);
    }
    free(process->courses);
    free(process->triples);
    tb_mdp_destroy(process->mdp);
    *process = (tb_process){0};
}
