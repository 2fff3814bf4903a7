/* SPDX-License-Identifier: MIT */
#include "harness/worker/logs.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/store/csv.h"
#include "harness/store/results.h"

tb_status tb_run_logs_open(tb_run_logs *logs, const char *folder, const char *env_id,
                           tb_error *error)
{
    *logs = (tb_run_logs){.folder = folder, .started = tb_wall_clock()};
    tb_status status = tb_writer_open(&logs->progress, folder, "progress.csv", error);
    if (status == TB_OK)
        status = tb_writer_open(&logs->episodes, folder, "episodes.csv", error);
    if (status == TB_OK)
        status = tb_writer_open(&logs->monitor, folder, "episodes.monitor.csv", error);
    if (status == TB_OK)
        status = tb_writer_open(&logs->evals, folder, "evals.csv", error);
    if (status == TB_OK)
        status = tb_writer_open(&logs->timing, folder, "timing.csv", error);
    if (status != TB_OK)
        return status;
    const char *separator = "";
#define TB_HEADER(kind, name, meaning)                                                             \
    fprintf(logs->progress.file, "%s%s", separator, #name);                                        \
    separator = ",";
    TB_ITERATION_COLUMNS(TB_HEADER)
    fprintf(logs->progress.file, "\n");
    fprintf(logs->episodes.file, "step,lane,episode,return,length\n");
    // the format of Stable-Baselines3's Monitor
    fprintf(logs->monitor.file, "#{\"t_start\": %.6f, \"env_id\": \"%s\"}\nr,l,t\n", logs->started,
            env_id);
    fprintf(logs->evals.file, "step,episode,return,length,success\n");
    fprintf(logs->timing.file, "iteration,step,sample_s,advantage_s,update_s,cg_s,line_search_s,"
                               "critic_s,eval_s,total_s\n");
    return TB_OK;
}

tb_status tb_run_logs_close(tb_run_logs *logs, tb_error *error)
{
    tb_writer *writers[] = {&logs->progress, &logs->episodes, &logs->monitor, &logs->evals,
                            &logs->timing};
    tb_status first = TB_OK;
    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        tb_status status = tb_writer_close(writers[i], first == TB_OK ? error : NULL);
        if (first == TB_OK)
            first = status;
    }
    return first;
}

// NaN prints as "nan" whatever its sign
static void put_f64(FILE *file, double value)
{
    if (isnan(value))
        fputs("nan", file);
    else
        fprintf(file, "%.17g", value);
}

static void put_row(FILE *file, const tb_iteration *log)
{
    const char *separator = "";
#define TB_PUT_I(name) fprintf(file, "%" PRId64, log->name);
#define TB_PUT_F(name) put_f64(file, log->name);
#define TB_PUT_E(name) fputs(tb_update_end_name(log->name), file);
#define TB_PUT(kind, name, meaning)                                                                \
    fputs(separator, file);                                                                        \
    TB_PUT_##kind(name) separator = ",";
    TB_ITERATION_COLUMNS(TB_PUT)
    fputc('\n', file);
}

tb_status tb_run_logs_iteration(tb_run_logs *logs, const tb_iteration *log, const tb_timing *timing,
                                double eval_s, const tb_episode *episodes, size_t n_episodes,
                                tb_error *error)
{
    double total = tb_wall_clock() - logs->started;
    put_row(logs->progress.file, log);
    for (size_t i = 0; i < n_episodes; i++) {
        const tb_episode *e = &episodes[i];
        fprintf(logs->episodes.file, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",", e->step, e->lane,
                e->index);
        put_f64(logs->episodes.file, e->reward_sum);
        fprintf(logs->episodes.file, ",%" PRIu64 "\n", e->length);
        fprintf(logs->monitor.file, "%.6f,%" PRIu64 ",%.6f\n", e->reward_sum, e->length, total);
    }
    fprintf(logs->timing.file, "%" PRId64 ",%" PRId64 ",%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f\n",
            log->iteration, log->step, timing->sample_s, timing->advantage_s, timing->update_s,
            timing->cg_s, timing->line_search_s, timing->critic_s, eval_s, total);
    tb_status status = tb_writer_flush(&logs->progress, error);
    if (status == TB_OK)
        status = tb_writer_flush(&logs->episodes, error);
    if (status == TB_OK)
        status = tb_writer_flush(&logs->monitor, error);
    return status == TB_OK ? tb_writer_flush(&logs->timing, error) : status;
}

tb_status tb_run_logs_evaluation(tb_run_logs *logs, const tb_episode *episodes, size_t n,
                                 double threshold, tb_error *error)
{
    for (size_t i = 0; i < n; i++) {
        const tb_episode *e = &episodes[i];
        fprintf(logs->evals.file, "%" PRIu64 ",%" PRIu64 ",", e->step, e->index);
        put_f64(logs->evals.file, e->reward_sum);
        fprintf(logs->evals.file, ",%" PRIu64 ",%s\n", e->length,
                isnan(threshold)             ? ""
                : e->reward_sum >= threshold ? "1"
                                             : "0");
    }
    return tb_writer_flush(&logs->evals, error);
}

tb_status tb_run_write_parameters(const char *folder, const char *name, const double *theta,
                                  size_t n, tb_error *error)
{
    char *path = tb_format("%s/%s", folder, name);
    unsigned char *bytes = malloc(8 * n + 1);
    tb_status status = path == NULL || bytes == NULL
                           ? tb_fail(error, TB_E_NOMEM, "no memory for %s", name)
                           : TB_OK;
    for (size_t i = 0; status == TB_OK && i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &theta[i], sizeof bits);
        for (int k = 0; k < 8; k++)
            bytes[8 * i + (size_t)k] = (unsigned char)(bits >> (8 * k));
    }
    if (status == TB_OK)
        status = tb_replace_file(path, bytes, 8 * n, error);
    free(path);
    free(bytes);
    return status;
}

tb_status tb_run_read_parameters(const char *folder, const char *name, double **theta, size_t *n,
                                 tb_error *error)
{
    char *path = tb_format("%s/%s", folder, name), *bytes = NULL;
    size_t size = 0;
    tb_status status = path != NULL ? tb_read_file(path, &bytes, &size, error)
                                    : tb_fail(error, TB_E_NOMEM, "no memory for %s", name);
    if (status == TB_OK && size % 8 != 0)
        status = tb_fail(error, TB_E_CORRUPT,
                         "%s has %zu bytes, no multiple of 8: it is damaged; delete %s and run the "
                         "suite again",
                         path, size, folder);
    double *values = status == TB_OK ? tb_alloc(size / 8 + 1, sizeof *values) : NULL;
    if (status == TB_OK && values == NULL)
        status = tb_fail(error, TB_E_NOMEM, "no memory for %s", name);
    for (size_t i = 0; status == TB_OK && i < size / 8; i++) {
        uint64_t bits = 0;
        for (int k = 0; k < 8; k++)
            bits |= (uint64_t)(unsigned char)bytes[8 * i + (size_t)k] << (8 * k);
        memcpy(&values[i], &bits, sizeof bits);
    }
    free(bytes);
    free(path);
    if (status != TB_OK)
        return status;
    *theta = values;
    *n = size / 8;
    return TB_OK;
}

// ---- observations.csv ----

tb_status tb_run_write_scaler(const char *folder, const tb_scaler *scaler, tb_error *error)
{
    tb_writer writer;
    tb_status status = tb_writer_open(&writer, folder, "observations.csv", error);
    if (status != TB_OK)
        return status;
    fprintf(writer.file, "input,shift,scale,clip\n");
    for (size_t i = 0; i < scaler->n; i++) {
        fprintf(writer.file, "%zu,", i);
        put_f64(writer.file, scaler->shift[i]);
        fputc(',', writer.file);
        put_f64(writer.file, scaler->scale[i]);
        fputc(',', writer.file);
        put_f64(writer.file, scaler->clip);
        fputc('\n', writer.file);
    }
    return tb_writer_close(&writer, error);
}

tb_status tb_run_read_scaler(const char *folder, tb_scaler *out, tb_error *error)
{
    static const char *const columns[] = {"shift", "scale", "clip"};
    *out = (tb_scaler){0};
    char *path = tb_format("%s/observations.csv", folder);
    if (path == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for a path");
    tb_csv csv = {0};
    tb_status status = access(path, F_OK) == 0 ? tb_csv_read(path, columns, 3, &csv, error)
                                               : tb_fail(error, TB_DISCARD, "there is no %s", path);
    free(path);
    if (status == TB_OK)
        status = tb_scaler_init(out, csv.n_rows, error);
    for (size_t i = 0; status == TB_OK && i < csv.n_rows; i++) {
        out->shift[i] = csv.values[3 * i];
        out->scale[i] = csv.values[3 * i + 1];
        out->clip = csv.values[3 * i + 2];
    }
    tb_csv_finish(&csv);
    return status;
}
