/* SPDX-License-Identifier: MIT
 *
 * What is shown, in words: captions for a paper and the headers of the figures' scripts.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/report/write.h"

void tb__say_interval(const tb__report *report, int64_t resamples, FILE *out)
{
    char count[TB__NUMBER_SIZE];
    tb__format_count(count, resamples);
    fprintf(out, "%g %% stratified-bootstrap percentile interval (%s resamples, seed %llu)",
            100 * report->options.level, count, (unsigned long long)report->options.seed);
}

void tb__say_source(const tb__report *report, FILE *out)
{
    fprintf(out, "Suite %s, hash %.8s, trpo-bench %s.", report->suite->name, report->suite->hash,
            TB_VERSION);
}

char *tb__series_title(const tb__report *report, size_t policy, size_t algorithm)
{
    const tb_suite *suite = report->suite;
    const char *a = suite->algorithms[algorithm].label, *p = suite->policies[policy].label;
    if (suite->n_policies < 2)
        return tb__text("%s", a);
    return tb__text("%s (%s)", a, p);
}

static void say_final_evaluation(const tb__report *report, FILE *out)
{
    int64_t least = INT64_MAX, most = 0;
    for (size_t g = 0; g < report->n_groups; g++) {
        int64_t n = report->suite->envs[report->groups[g].env].run.final_eval_episodes;
        least = n < least ? n : least;
        most = n > most ? n : most;
    }
    fprintf(out, "The score of a run is the mean undiscounted return of its last evaluation, ");
    if (least == most)
        fprintf(out, "%lld", (long long)least);
    else
        fprintf(out, "%lld to %lld", (long long)least, (long long)most);
    fputs(" episodes of the deterministic policy. ", out);
}

static void say_numbers_of_runs(const tb__report *report, FILE *out)
{
    const tb_report_summary *summary = &report->summary;
    fprintf(out, "Runs: %zu complete, %zu failed, %zu missing. ", summary->n_ok, summary->n_failed,
            summary->n_missing);
}

void tb__say_curves(const tb__report *report, const tb__curve *curves, FILE *out)
{
    size_t least = SIZE_MAX, most = 0, not_finite = 0;
    for (size_t g = 0; g < report->n_groups; g++) {
        least = curves[g].n_runs < least ? curves[g].n_runs : least;
        most = curves[g].n_runs > most ? curves[g].n_runs : most;
        not_finite += curves[g].n_not_finite;
    }
    fputs("Learning curves: mean return of the deterministic policy at each evaluation against "
          "environment steps. Thick lines: interquartile mean over runs (seeds); bands: pointwise ",
          out);
    tb__say_interval(report, report->options.curve_resamples, out);
    fprintf(out, ", none for fewer than %d runs; thin lines: single runs. ", TB__MIN_RUNS);
    if (least == most)
        fprintf(out, "%zu runs a line. ", most);
    else
        fprintf(out, "%zu to %zu runs a line. ", least, most);
    if (most > 0 && least < 4)
        fputs("Of fewer than 4 runs the interquartile mean is the mean. ", out);
    fputs("Dashed grey: the task's reward threshold, where it has one. ", out);
    if (not_finite > 0)
        fprintf(out, "%zu evaluations with a return that is not finite are not drawn. ",
                not_finite);
    say_numbers_of_runs(report, out);
    tb__say_source(report, out);
}

static void say_table(const tb__report *report, const tb__tables *tables, FILE *out)
{
    fputs("Mean, standard deviation between runs, and interquartile mean with its ", out);
    tb__say_interval(report, report->options.resamples, out);
    fputs(". ", out);
    say_final_evaluation(report, out);
    if (tables->n_all > 0)
        fputs("Normalised scores are (return - random) / (reference - random) with the "
              "environment's fixed constants; aggregates resample runs within each environment. ",
              out);
    fputs("Failed and missing runs are counted and listed; they have no score. ", out);
    say_numbers_of_runs(report, out);
    tb__say_source(report, out);
}

static void list_scales(const tb__report *report, FILE *out)
{
    fputs("\n## Constants of normalisation\n\n", out);
    for (size_t g = 0; g < report->n_groups; g++) {
        size_t env = report->groups[g].env;
        if (g > 0 && report->groups[g - 1].env == env)
            continue;
        const tb__scale *scale = &report->scales[env];
        fputs("- ", out);
        tb__put_markdown(out, report->suite->envs[env].label);
        fputs(": random ", out);
        tb__put_number(out, scale->return_random);
        fputs(", reference ", out);
        tb__put_number(out, scale->return_ref);
        fputs(", reward threshold ", out);
        tb__put_number(out, scale->reward_threshold);
        fputc('\n', out);
    }
}

tb_status tb__write_captions(const tb__report *report, const tb__tables *tables,
                             const tb__curve *curves, tb_error *error)
{
    tb__output output;
    tb_status status = tb__output_open(&output, error);
    if (status != TB_OK)
        return status;
    fputs("# Captions\n\n## Tables (table.md, table.tex, table.csv)\n\n", output.file);
    say_table(report, tables, output.file);
    fputs("\n\n## Figures (fig/)\n\n", output.file);
    tb__say_curves(report, curves, output.file);
    fputc('\n', output.file);
    list_scales(report, output.file);
    return tb__output_commit(&output, TB_OK, report->dir, "report/captions.md", error);
}
