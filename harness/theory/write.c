/* SPDX-License-Identifier: MIT */
#include "harness/theory/write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report/data.h"
#include "harness/report/format.h"
#include "harness/report/grid.h"
#include "harness/report/write.h"
#include "harness/store/file.h"
#include "harness/suite/reader.h"

// ---- one row each ----

static void put_numbers(FILE *out, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fputc(',', out);
        tb__put_number(out, values[i]);
    }
    fputc('\n', out);
}

static void put_key(FILE *out, const tb_process *p)
{
    tb__put_csv(out, p->env->label);
    fprintf(out, ",%lld", (long long)p->seed);
}

static void put_triples(const tb_theory *theory, FILE *out)
{
    fputs("env,seed,triple,eta,eta_new,lemma_error,surrogate,tv_max,kl_max,kl_mean,penalty,"
          "lower_tv,lower_kl,shift_max,shift_bound\n",
          out);
    for (size_t i = 0; i < theory->n_processes; i++)
        for (size_t k = 0; k < (size_t)theory->suite->config.triples; k++) {
            const tb_triple *t = &theory->processes[i].triples[k];
            const tb_bound *b = &t->bound;
            put_key(out, &theory->processes[i]);
            fprintf(out, ",%zu", k);
            put_numbers(out,
                        (const double[]){t->eta, t->eta_new, t->lemma_error, b->surrogate,
                                         b->tv_max, b->kl_max, b->kl_mean, b->penalty, b->lower_tv,
                                         b->lower_kl, b->shift_max, t->shift_bound},
                        12);
        }
}

static void put_steps(const tb_theory *theory, FILE *out)
{
    fputs("env,seed,alpha,gain,surrogate_gain,used_mixture,used_tv,used_kl\n", out);
    for (size_t i = 0; i < theory->n_processes; i++)
        for (size_t k = 0; k < TB_THEORY_STEPS; k++) {
            const tb_tightness *t = &theory->processes[i].steps[k];
            put_key(out, &theory->processes[i]);
            put_numbers(out,
                        (const double[]){t->alpha, t->gain, t->surrogate_gain, t->of_mixture,
                                         t->of_tv, t->of_kl},
                        6);
        }
}

static void put_courses(const tb_theory *theory, FILE *out)
{
    size_t last = (size_t)theory->suite->config.iterations;
    fputs("env,seed,algorithm,eta_first,eta_last,optimum,least_change,least_margin,n_worse,"
          "n_broken\n",
          out);
    for (size_t i = 0; i < theory->n_processes; i++)
        for (size_t a = 0; a < theory->suite->n_algorithms; a++) {
            const tb_course *c = &theory->processes[i].courses[a];
            put_key(out, &theory->processes[i]);
            fputc(',', out);
            tb__put_csv(out, theory->suite->algorithms[a].label);
            put_numbers(out,
                        (const double[]){c->eta[0], c->eta[last], theory->processes[i].optimum,
                                         c->least_change, c->least_margin, (double)c->n_worse,
                                         (double)c->n_broken},
                        7);
        }
}

// ---- tables ----

/* One environment's figures over its processes. */
typedef struct proof {
    size_t n_triples, n_lemma, n_theorem, n_coupling, n_monotone;
    double lemma;           // largest |error|
    double margin;          // least eta(pi~) - max(lower_tv, lower_kl) over max(1, |eta|)
    double shift;           // largest |Abar| / (2 alpha eps)
    double mixture, tv, kl; // largest share of each penalty that was needed
} proof;

static proof prove(const tb_theory *theory, size_t e)
{
    size_t n = theory->suite->n_seeds;
    proof p = {.margin = INFINITY};
    for (size_t s = e * n; s < (e + 1) * n; s++) {
        const tb_process *process = &theory->processes[s];
        p.n_lemma += process->n_lemma;
        p.n_theorem += process->n_theorem;
        p.n_coupling += process->n_coupling;
        p.n_monotone += process->n_monotone;
        for (size_t k = 0; k < (size_t)theory->suite->config.triples; k++, p.n_triples++) {
            const tb_triple *t = &process->triples[k];
            p.lemma = fmax(p.lemma, fabs(t->lemma_error));
            p.margin = fmin(p.margin, (t->eta_new - fmax(t->bound.lower_tv, t->bound.lower_kl)) /
                                          fmax(1, fabs(t->eta_new)));
            if (t->shift_bound > 0)
                p.shift = fmax(p.shift, t->bound.shift_max / t->shift_bound);
        }
        for (size_t k = 0; k < TB_THEORY_STEPS; k++) {
            p.mixture = fmax(p.mixture, process->steps[k].of_mixture);
            p.tv = fmax(p.tv, process->steps[k].of_tv);
            p.kl = fmax(p.kl, process->steps[k].of_kl);
        }
    }
    return p;
}

static void add_number(tb__grid *grid, FILE *csv, double value)
{
    char text[TB__NUMBER_SIZE];
    snprintf(text, sizeof text, "%.2g", value);
    tb__grid_add(grid, isfinite(value) ? text : "-");
    fputc(',', csv);
    tb__put_number(csv, value);
}

static void add_count(tb__grid *grid, FILE *csv, size_t count)
{
    char text[TB__NUMBER_SIZE];
    tb__format_count(text, (int64_t)count);
    tb__grid_add(grid, text);
    fprintf(csv, ",%zu", count);
}

static void add_proofs(const tb_theory *theory, tb__grid *grid, FILE *csv)
{
    fputs("env,processes,pairs,violations,lemma_error_max,margin_min,shift_max,used_mixture_max,"
          "used_tv_max,used_kl_max\n",
          csv);
    for (size_t e = 0; e < theory->suite->n_envs; e++) {
        proof p = prove(theory, e);
        tb__grid_add(grid, theory->suite->envs[e].label);
        tb__put_csv(csv, theory->suite->envs[e].label);
        add_count(grid, csv, theory->suite->n_seeds);
        add_count(grid, csv, p.n_triples);
        add_count(grid, csv, p.n_lemma + p.n_theorem + p.n_coupling + p.n_monotone);
        const double values[] = {p.lemma, p.margin, p.shift, p.mixture, p.tv, p.kl};
        for (size_t i = 0; i < 6; i++)
            add_number(grid, csv, values[i]);
        fputc('\n', csv);
    }
}

static void add_algorithm(const tb_theory *theory, size_t e, size_t a, tb__grid *grid, FILE *csv)
{
    const tb_theory_suite *suite = theory->suite;
    double change = INFINITY, margin = INFINITY;
    size_t n_worse = 0, n_broken = 0;
    for (size_t s = e * suite->n_seeds; s < (e + 1) * suite->n_seeds; s++) {
        const tb_course *c = &theory->processes[s].courses[a];
        change = fmin(change, c->least_change);
        margin = fmin(margin, c->least_margin);
        n_worse += c->n_worse;
        n_broken += c->n_broken;
    }
    tb__quartiles closed =
        tb__theory_quartiles(theory, e, tb__share_closed, a, (size_t)suite->config.iterations);
    tb__grid_add(grid, suite->envs[e].label);
    tb__grid_add(grid, suite->algorithms[a].label);
    tb__put_csv(csv, suite->envs[e].label);
    fputc(',', csv);
    tb__put_csv(csv, suite->algorithms[a].label);
    const double values[] = {closed.middle, closed.low, closed.high, change, margin};
    for (size_t i = 0; i < 5; i++)
        add_number(grid, csv, values[i]);
    add_count(grid, csv, n_worse);
    add_count(grid, csv, n_broken);
    tb__grid_add(grid, suite->algorithms[a].algorithm->monotonic ? "yes" : "no");
    fprintf(csv, ",%d\n", suite->algorithms[a].algorithm->monotonic);
}

static const tb__grid_column proof_columns[] = {
    {"Environment", 0},    {"Processes", 1},     {"Pairs", 1},         {"Violations", 1},
    {"Lemma 1, error", 1}, {"Thm 1, margin", 1}, {"Lemma 2, used", 1}, {"Eq. 6, used", 1},
    {"Eq. 8, used", 1},    {"Eq. 9, used", 1},
};
static const tb__grid_column algorithm_columns[] = {
    {"Environment", 0},   {"Algorithm", 0},    {"Gap closed", 1},   {"25 %", 1},
    {"75 %", 1},          {"Worst change", 1}, {"Worst margin", 1}, {"Decreases", 1},
    {"Below a bound", 1}, {"Monotonic", 0},
};

static const tb__grid_column study_columns[] = {
    {"Environment", 0},    {"Estimator", 0}, {"Steps", 1},    {"Cosine", 1}, {"Bias, exact", 1},
    {"Bias, measured", 1}, {"+-", 1},        {"Distance", 1}, {"Rate", 1},   {"Variance", 1},
};

static void put_legend(const tb_theory *theory, FILE *out)
{
    fprintf(out,
            "Pairs: random policies pi, pi~ of each process. Lemma 1: largest |eta(pi~) - "
            "right-hand side|. Theorem 1: least eta(pi~) - bound, over max(1, |eta|). Used: "
            "largest share of the bound that was needed; 1 would be tight. Gap closed: median "
            "share of the gap to the best policy after %lld iterations, with quartiles. Worst "
            "change and margin: least eta_i+1 - eta_i, and eta_i+1 less what the algorithm had "
            "promised. A violation is a miss by more than %g max(1, |eta|).\n",
            (long long)theory->suite->config.iterations, theory->suite->config.tolerance);
}

static void put_tables(const tb_theory *theory, FILE *markdown, FILE *proofs, FILE *algorithms,
                       int *failed)
{
    tb__grid grid;
    fprintf(markdown, "# %s\n\n", theory->suite->name);
    if (theory->suite->description[0] != '\0')
        fprintf(markdown, "%s\n\n", theory->suite->description);
    tb__grid_init(&grid, proof_columns, sizeof proof_columns / sizeof proof_columns[0]);
    add_proofs(theory, &grid, proofs);
    tb__grid_markdown(&grid, markdown);
    *failed = grid.failed;
    tb__grid_finish(&grid);
    fputc('\n', markdown);
    tb__grid_init(&grid, algorithm_columns, sizeof algorithm_columns / sizeof algorithm_columns[0]);
    fputs("env,algorithm,closed_q2,closed_q1,closed_q3,change_min,margin_min,decreases,broken,"
          "monotonic\n",
          algorithms);
    for (size_t e = 0; e < theory->suite->n_envs; e++)
        for (size_t a = 0; a < theory->suite->n_algorithms; a++)
            add_algorithm(theory, e, a, &grid, algorithms);
    tb__grid_markdown(&grid, markdown);
    *failed |= grid.failed;
    tb__grid_finish(&grid);
    fputc('\n', markdown);
    put_legend(theory, markdown);
    if (theory->n_studies == 0)
        return;
    fputc('\n', markdown);
    tb__grid_init(&grid, study_columns, sizeof study_columns / sizeof study_columns[0]);
    tb__theory_add_studies(theory, &grid);
    tb__grid_markdown(&grid, markdown);
    *failed |= grid.failed;
    tb__grid_finish(&grid);
    fputc('\n', markdown);
    tb__theory_put_study_legend(theory, markdown);
}

static tb_status write_tables(const tb_theory *theory, const char *dir, tb_error *error)
{
    static const char *const names[] = {"report/table.md", "report/proof.csv",
                                        "report/algorithms.csv"};
    tb__output outputs[3] = {{0}};
    tb_status status = TB_OK;
    for (size_t i = 0; i < 3 && status == TB_OK; i++)
        status = tb__output_open(&outputs[i], error);
    int failed = 0;
    if (status == TB_OK)
        put_tables(theory, outputs[0].file, outputs[1].file, outputs[2].file, &failed);
    if (failed)
        status = tb_fail(error, TB_E_NOMEM, "out of memory for the tables");
    for (size_t i = 0; i < 3; i++)
        status = tb__output_commit(&outputs[i], status, dir, names[i], error);
    return status;
}

// ---- files ----

static tb_status write_rows(const tb_theory *theory, const char *dir, const char *name,
                            void (*put)(const tb_theory *, FILE *), tb_error *error)
{
    tb__output output;
    tb_status status = tb__output_open(&output, error);
    if (status != TB_OK)
        return status;
    put(theory, output.file);
    return tb__output_commit(&output, TB_OK, dir, name, error);
}

static tb_status hash_file(const char *dir, const char *name, json_t *hashes, tb_error *error)
{
    char hex[65], *path = tb__text("%s/%s", dir, name);
    tb_status status = path == NULL ? tb_fail(error, TB_E_NOMEM, "out of memory for a path")
                                    : tb_file_sha256(path, hex, error);
    if (status == TB_OK)
        json_object_set_new(hashes, name, json_string(hex));
    free(path);
    return status;
}

static tb_status hash_files(tb_theory *theory, const char *dir, json_t *hashes, tb_error *error)
{
    static const char *const names[] = {"report/proof.csv",   "report/algorithms.csv",
                                        "report/triples.csv", "report/steps.csv",
                                        "report/courses.csv", "report/estimators.csv"};
    tb_status status = TB_OK;
    size_t n = sizeof names / sizeof names[0] - (theory->n_studies == 0);
    for (size_t i = 0; i < n && status == TB_OK; i++)
        status = hash_file(dir, names[i], hashes, error);
    for (size_t f = 0; f < tb__theory_n_figures(theory); f++)
        for (size_t e = 0; e < theory->suite->n_envs && status == TB_OK; e++) {
            char *data = tb__theory_data_name(theory, f, e);
            char *name = data != NULL ? tb__text("report/data/%s", data) : NULL;
            status = name == NULL ? tb_fail(error, TB_E_NOMEM, "out of memory for a path")
                                  : hash_file(dir, name, hashes, error);
            free(name);
            free(data);
        }
    return status == TB_OK ? tb__json_hash(hashes, theory->result_hash) : status;
}

static tb_status write_summary(tb_theory *theory, const char *dir, tb_error *error)
{
    json_t *hashes = json_object();
    tb_status status = hash_files(theory, dir, hashes, error);
    json_t *all = NULL;
    char *text = NULL;
    if (status == TB_OK) {
        all = json_pack(
            "{s:O, s:s, s:s, s:O, s:{s:I, s:I, s:I, s:I, s:I, s:I}}", "suite",
            theory->suite->resolved, "suite_hash", theory->suite->hash, "result_hash",
            theory->result_hash, "files", hashes, "counts", "pairs", (json_int_t)theory->n_triples,
            "lemma_1_violations", (json_int_t)theory->n_lemma, "theorem_1_violations",
            (json_int_t)theory->n_theorem, "lemma_2_violations", (json_int_t)theory->n_coupling,
            "broken_promises", (json_int_t)theory->n_monotone, "biased_estimates",
            (json_int_t)theory->n_biased);
        text = all != NULL ? json_dumps(all, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
        if (text == NULL)
            status = tb_fail(error, TB_E_NOMEM, "out of memory for theory.json");
    }
    char *path = tb__text("%s/theory.json", dir), *line = text ? tb__text("%s\n", text) : NULL;
    if (status == TB_OK && (path == NULL || line == NULL))
        status = tb_fail(error, TB_E_NOMEM, "out of memory for theory.json");
    if (status == TB_OK)
        status = tb_replace_file(path, line, strlen(line), error);
    free(line);
    free(path);
    free(text);
    json_decref(all);
    json_decref(hashes);
    return status;
}

static tb_status make_folders(const char *dir, tb_error *error)
{
    tb_status status = tb_make_folders(dir, error);
    static const char *const folders[] = {"report", "report/data", "report/fig"};
    for (size_t i = 0; i < 3 && status == TB_OK; i++)
        status = tb__make_folder(dir, folders[i], error);
    return status;
}

tb_status tb_theory_write(tb_theory *theory, const char *dir, int no_plot, tb_error *error)
{
    tb_status status = make_folders(dir, error);
    char *suite = tb__text("%s/theory.toml", dir), *folder = tb__text("%s/report/fig", dir);
    if (status == TB_OK && (suite == NULL || folder == NULL))
        status = tb_fail(error, TB_E_NOMEM, "out of memory for a path");
    if (status == TB_OK)
        status = tb_replace_file(suite, theory->suite->text, strlen(theory->suite->text), error);
    if (status == TB_OK)
        status = write_rows(theory, dir, "report/triples.csv", put_triples, error);
    if (status == TB_OK)
        status = write_rows(theory, dir, "report/steps.csv", put_steps, error);
    if (status == TB_OK)
        status = write_rows(theory, dir, "report/courses.csv", put_courses, error);
    if (status == TB_OK && theory->n_studies > 0)
        status = write_rows(theory, dir, "report/estimators.csv", tb__theory_put_studies, error);
    if (status == TB_OK)
        status = write_tables(theory, dir, error);
    if (status == TB_OK)
        status = tb__theory_figures(theory, dir, error);
    if (status == TB_OK)
        status = write_summary(theory, dir, error);
    if (status == TB_OK)
        tb__draw_scripts(folder, tb__theory_figure_names, tb__theory_n_figures(theory), no_plot,
                         &theory->figures);
    free(folder);
    free(suite);
    return status;
}
