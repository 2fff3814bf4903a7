/* SPDX-License-Identifier: MIT
 *
 * The part of a theory suite's report that is about estimators.
 */
#include <math.h>

#include "harness/report/format.h"
#include "harness/report/write.h"
#include "harness/theory/write.h"

void tb__theory_put_studies(const tb_theory *theory, FILE *out)
{
    fputs("env,seed,estimator,steps,cosine_eta,bias_expected,bias,standard_error,distance,"
          "variance_1000,rate",
          out);
    for (size_t i = 0, size = 1; i < TB_STUDY_BLOCKS; i++, size *= 4)
        fprintf(out, ",rms_%zu", size);
    fputc('\n', out);
    for (size_t i = 0; i < theory->n_studies; i++) {
        const tb_gradient_study *s = &theory->studies[i];
        const double values[] = {s->steps, s->cosine,   s->bias_expected, s->bias,
                                 s->error, s->distance, s->variance,      s->rate};
        tb__put_csv(out, s->env->label);
        fprintf(out, ",%lld,", (long long)s->seed);
        tb__put_csv(out, s->estimator->label);
        for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
            fputc(',', out);
            tb__put_number(out, values[k]);
        }
        for (size_t k = 0; k < TB_STUDY_BLOCKS; k++) {
            fputc(',', out);
            tb__put_number(out, s->rms[k]);
        }
        fputc('\n', out);
    }
}

const tb_gradient_study *tb__theory_study(const tb_theory *theory, size_t e, size_t seed, size_t k)
{
    return &theory->studies[(e * theory->n_study_seeds + seed) * theory->suite->n_estimators + k];
}

static void add(tb__grid *grid, const char *format, double value)
{
    char text[TB__NUMBER_SIZE];
    snprintf(text, sizeof text, format, value);
    tb__grid_add(grid, isfinite(value) ? text : "-");
}

// means over the seeds, and the largest distance
static void add_estimator(const tb_theory *theory, size_t e, size_t k, tb__grid *grid)
{
    tb_gradient_study sum = {0};
    double n = (double)theory->n_study_seeds;
    for (size_t i = 0; i < theory->n_study_seeds; i++) {
        const tb_gradient_study *s = tb__theory_study(theory, e, i, k);
        sum.steps += s->steps / n;
        sum.cosine += s->cosine / n;
        sum.bias_expected += s->bias_expected / n;
        sum.bias += s->bias / n;
        sum.error += s->error / n;
        sum.distance =
            isnan(s->distance) || s->distance > sum.distance ? s->distance : sum.distance;
        sum.variance += s->variance / n;
        sum.rate += s->rate / n;
    }
    tb__grid_add(grid, theory->suite->envs[e].label);
    tb__grid_add(grid, theory->suite->estimators[k].label);
    add(grid, "%.0f", sum.steps);
    add(grid, "%.4f", sum.cosine);
    add(grid, "%.3f", sum.bias_expected);
    add(grid, "%.3f", sum.bias);
    add(grid, "%.3f", sum.error);
    add(grid, "%.2f", sum.distance);
    add(grid, "%.2f", sum.rate);
    add(grid, "%.3g", sum.variance);
}

void tb__theory_add_studies(const tb_theory *theory, tb__grid *grid)
{
    for (size_t e = 0; e < theory->suite->n_envs; e++)
        for (size_t k = 0; k < theory->suite->n_estimators; k++)
            add_estimator(theory, e, k, grid);
}

void tb__theory_put_study_legend(const tb_theory *theory, FILE *out)
{
    fprintf(out,
            "Estimators of the surrogate's gradient by the policy's logits, in %lld batches of "
            "each of %zu processes. Target: the exact gradient over the states that the rows are "
            "drawn from; cosine: with the gradient of eta. Lengths are shares of the target's. "
            "Bias: expectation less target, exact (at this number of actions) and measured, with "
            "the standard error of the measurement. Distance: of the measured mean from the exact "
            "expectation, in standard errors, the largest; above %g it is a violation. Rate: "
            "slope of log error over log batches; -0.5 is Monte Carlo. Variance: of a batch of "
            "1,000 simulator steps, branches included, over the target's square.\n",
            (long long)theory->suite->config.batches, theory->n_study_seeds, TB_STUDY_FAR);
}

void tb__theory_put_errors(const tb_theory *theory, size_t e, FILE *out)
{
    const tb_theory_suite *suite = theory->suite;
    fputs("batches", out);
    for (size_t k = 0; k < suite->n_estimators; k++)
        fprintf(out, "\t%s steps\t%s error", suite->estimators[k].label,
                suite->estimators[k].label);
    fputc('\n', out);
    for (size_t i = 0, size = 1; i < TB_STUDY_BLOCKS; i++, size *= 4) {
        fprintf(out, "%zu", size);
        for (size_t k = 0; k < suite->n_estimators; k++) {
            double steps = 0, squares = 0, n = (double)theory->n_study_seeds;
            for (size_t s = 0; s < theory->n_study_seeds; s++) {
                const tb_gradient_study *study = tb__theory_study(theory, e, s, k);
                steps += study->steps * (double)size / n;
                squares += study->rms[i] * study->rms[i] / n;
            }
            fputc('\t', out);
            tb__put_number(out, steps);
            fputc('\t', out);
            tb__put_number(out, sqrt(squares));
        }
        fputc('\n', out);
    }
}
