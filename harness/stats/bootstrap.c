/* SPDX-License-Identifier: MIT */
#include "harness/stats/bootstrap.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <trpo-bench/rng.h>

#include "harness/stats/sample.h"

// one Philox block gives four indices
enum { indices_per_block = 4 };

// "bootstrap": keeps these streams apart from others with the same seed
#define PURPOSE UINT64_C(0x7061727473746f62)

tb_bootstrap_def tb_bootstrap_default(void)
{
    return (tb_bootstrap_def){.resamples = 50000, .level = 0.95, .seed = 0};
}

static tb_status check(const tb_scores *scores, const tb_bootstrap_def *def, tb_error *error)
{
    if (def->resamples < 1 || def->resamples > SIZE_MAX / sizeof(double))
        return tb_fail(error, TB_E_PARAM, "the number of bootstrap resamples must be at least 1");
    if (!(def->level > 0 && def->level < 1))
        return tb_fail(error, TB_E_PARAM,
                       "the level of an interval must lie between 0 and 1, not %g", def->level);
    if (scores->n_tasks == 0)
        return tb_fail(error, TB_E_PARAM, "nothing to resample: no tasks");
    for (size_t m = 0; m < scores->n_tasks; m++) {
        size_t n = scores->start[m + 1] - scores->start[m];
        if (n == 0 || n > UINT32_MAX)
            return tb_fail(error, TB_E_PARAM, "task %zu has %zu runs: a bootstrap needs 1 to 2^32",
                           m, n);
    }
    return TB_OK;
}

// fills drawn[start[M]] with resample number b. Draw i of a resample uses 32 bits of block
// b * ceil(total / 4) + i / 4: index = floor(bits * n / 2^32), off from uniform by at most n / 2^32
static void draw(const tb_scores *scores, const tb_key *key, size_t b, double *drawn)
{
    const size_t total = scores->start[scores->n_tasks];
    const uint64_t first = (uint64_t)b * ((total + indices_per_block - 1) / indices_per_block);
    uint64_t block[2] = {0, 0};
    for (size_t m = 0; m < scores->n_tasks; m++) {
        const size_t begin = scores->start[m], end = scores->start[m + 1];
        for (size_t i = begin; i < end; i++) {
            size_t word = i % indices_per_block;
            if (word == 0)
                tb_key_block(key, first + i / indices_per_block, block);
            uint32_t bits = (uint32_t)(block[word / 2] >> (word % 2 * 32));
            drawn[i] = scores->values[begin + (size_t)((uint64_t)bits * (end - begin) >> 32)];
        }
    }
}

tb_status tb_bootstrap_resample(const tb_scores *scores, tb_statistic statistic,
                                const tb_bootstrap_def *def, double *out, tb_error *error)
{
    tb_status status = check(scores, def, error);
    if (status != TB_OK)
        return status;
    // one row of scratch for each thread, whole cache lines apart
    const size_t stride = (scores->start[scores->n_tasks] + 7) / 8 * 8;
    const int threads = omp_get_max_threads();
    double *scratch = tb_alloc((size_t)threads, stride * sizeof *scratch);
    if (scratch == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory for a bootstrap");
    const tb_key key = tb_key_child((tb_key){{def->seed, PURPOSE}}, 0);
    const int64_t n = (int64_t)def->resamples;
#pragma omp parallel for num_threads(threads) schedule(static) if (n >= 256)
    for (int64_t b = 0; b < n; b++) {
        double *drawn = scratch + (size_t)omp_get_thread_num() * stride;
        draw(scores, &key, (size_t)b, drawn);
        out[b] = statistic(drawn, scores->start, scores->n_tasks);
    }
    free(scratch);
    return TB_OK;
}

tb_status tb_bootstrap_point(const tb_scores *scores, tb_statistic statistic, tb_estimate *out,
                             tb_error *error)
{
    const size_t total = scores->start[scores->n_tasks];
    double *copy = tb_alloc(total, sizeof *copy);
    if (copy == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory for a statistic");
    if (total > 0)
        memcpy(copy, scores->values, total * sizeof *copy);
    *out = (tb_estimate){statistic(copy, scores->start, scores->n_tasks), NAN, NAN};
    free(copy);
    return TB_OK;
}

tb_status tb_bootstrap_interval(const tb_scores *scores, tb_statistic statistic,
                                const tb_bootstrap_def *def, tb_estimate *out, tb_error *error)
{
    tb_status status = check(scores, def, error);
    if (status != TB_OK)
        return status;
    double *resampled = tb_alloc(def->resamples, sizeof *resampled);
    if (resampled == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory for %zu bootstrap resamples",
                       def->resamples);
    tb_estimate estimate;
    status = tb_bootstrap_resample(scores, statistic, def, resampled, error);
    if (status == TB_OK)
        status = tb_bootstrap_point(scores, statistic, &estimate, error);
    if (status == TB_OK) {
        estimate.low = tb_stats_percentile(resampled, def->resamples, 50 * (1 - def->level));
        estimate.high = tb_stats_percentile(resampled, def->resamples, 50 * (1 + def->level));
        *out = estimate;
    }
    free(resampled);
    return status;
}
