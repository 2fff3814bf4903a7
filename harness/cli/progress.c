/* SPDX-License-Identifier: MIT */
#include "harness/cli/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void tb_format_duration(double seconds, char out[32])
{
    long s = seconds < 0 || !isfinite(seconds) ? 0 : (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(out, 32, "%ld h %02ld min", s / 3600, s / 60 % 60);
    else if (s >= 60)
        snprintf(out, 32, "%ld min %02ld s", s / 60, s % 60);
    else
        snprintf(out, 32, "%ld s", s);
}

static uint64_t steps_of(const tb_progress *progress, const tb_cell *cell)
{
    return (uint64_t)progress->suite->envs[cell->env].run.steps;
}

void tb_progress_begin(tb_progress *progress, tb_progress_style style, const tb_suite *suite,
                       const tb_cell *const *cells, size_t n_cells)
{
    if (style == TB_PROGRESS_AUTO) {
        const char *terminal = getenv("TERM"), *no_color = getenv("NO_COLOR");
        int dumb = terminal == NULL || strcmp(terminal, "dumb") == 0 ||
                   (no_color != NULL && no_color[0] != '\0');
        style = isatty(STDERR_FILENO) && !dumb ? TB_PROGRESS_FULL : TB_PROGRESS_PLAIN;
    }
    *progress = (tb_progress){.style = style, .n_cells = n_cells, .suite = suite, .started = now()};
    for (size_t i = 0; i < n_cells; i++)
        progress->steps_all += steps_of(progress, cells[i]);
}

static void erase(tb_progress *progress)
{
    for (; progress->lines > 0; progress->lines--)
        fputs("\033[1A\033[2K", stderr);
}

// "[ 12/150]"
static void put_count(const tb_progress *progress)
{
    int width = snprintf(NULL, 0, "%zu", progress->n_cells);
    fprintf(stderr, "[%*zu/%zu]", width, progress->n_ended, progress->n_cells);
}

void tb_progress_on_start(void *ctx, const tb_slot *slot)
{
    const tb_progress *progress = ctx;
    if (progress->style != TB_PROGRESS_PLAIN)
        return;
    put_count(progress);
    fprintf(stderr, " start %s%s\n", slot->cell->label, slot->attempt > 1 ? " (again)" : "");
}

void tb_progress_on_end(void *ctx, const tb_slot *slot, tb_cell_end end, const char *message)
{
    tb_progress *progress = ctx;
    double seconds = now() - slot->started;
    progress->n_ended++;
    progress->n_failed += end != TB_CELL_OK && end != TB_CELL_STOPPED;
    progress->steps_ended += steps_of(progress, slot->cell);
    int bad = end != TB_CELL_OK && end != TB_CELL_STOPPED;
    if (progress->style == TB_PROGRESS_NONE || (progress->style == TB_PROGRESS_FULL && !bad))
        return;
    erase(progress);
    put_count(progress);
    fprintf(stderr, " %-5s %s", end == TB_CELL_OK ? "done" : tb_cell_end_name(end),
            slot->cell->label);
    if (end == TB_CELL_OK)
        fprintf(stderr, "  %.1f s, %.0f steps/s, last return %.4g", seconds,
                (double)steps_of(progress, slot->cell) / seconds, slot->recent_return);
    if (message[0] != '\0')
        fprintf(stderr, ": %s", message);
    fputc('\n', stderr);
}

static void put_bar(double fraction, int width)
{
    static const char *const parts[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    double filled = fraction * width;
    int whole = (int)filled;
    for (int i = 0; i < width; i++)
        fputs(i < whole ? "█" : i == whole ? parts[(int)((filled - whole) * 8)] : " ", stderr);
}

static void terminal_size(int *width, int *height)
{
    struct winsize size = {0};
    int known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;
    *width = known && size.ws_col > 20 ? size.ws_col : 80;
    *height = known && size.ws_row > 2 ? size.ws_row : 24;
}

// "  classic/CartPole-v1 mlp trpo s3    86 %   40000 steps/s  return    482.1"
static void put_slot(const tb_slot *slot, int width)
{
    // the numbers come first when room is short: a label that is cut can still be told apart
    enum { numbers_width = 42, widest_label = 56 };
    int label_width = width - 1 - numbers_width;
    label_width = label_width < 12 ? 12 : label_width > widest_label ? widest_label : label_width;
    double seconds = now() - slot->started;
    char text[256], numbers[128] = "starting";
    if (slot->steps > 0) {
        double fraction = slot->steps_all > 0 ? (double)slot->steps / (double)slot->steps_all : 0;
        snprintf(numbers, sizeof numbers, "%3.0f %%  %6.0f steps/s  return %8.4g", 100 * fraction,
                 (double)slot->steps / seconds, slot->recent_return);
    }
    const char *label = slot->cell->label;
    size_t length = strlen(label);
    // its end says algorithm and seed
    if (length > (size_t)label_width - 2)
        label += length - ((size_t)label_width - 2);
    snprintf(text, sizeof text, "  %-*s %s", label_width - 2, label, numbers);
    // never wider than the screen: a wrapped line could not be erased
    fprintf(stderr, "%.*s\n", width - 1, text);
}

// "[bar] 12/150 cells, 3 failed  40000 steps/s  ETA 2 min 05 s"
static void put_summary(const tb_progress *progress, uint64_t done, int width)
{
    double fraction = progress->steps_all > 0 ? (double)done / (double)progress->steps_all : 1;
    double seconds = now() - progress->started;
    char text[160], failed[48] = "", left[32], eta[48] = "";
    if (progress->n_failed > 0)
        snprintf(failed, sizeof failed, ", %zu failed", progress->n_failed);
    if (progress->told_stop) {
        snprintf(eta, sizeof eta, "stopping");
    } else if (fraction > 0) {
        tb_format_duration(seconds / fraction - seconds, left);
        snprintf(eta, sizeof eta, "ETA %s", left);
    }
    snprintf(text, sizeof text, " %zu/%zu cells%s  %.0f steps/s  %s", progress->n_ended,
             progress->n_cells, failed, (double)done / seconds, eta);
    int bar = width > 100 ? 30 : width >= 80 ? 16 : 0;
    put_bar(fraction, bar);
    fprintf(stderr, "%.*s\n", width - bar - 1, text);
}

// the pool waits for its workers for some seconds: silence would look like a hang
static void tell_stop(tb_progress *progress)
{
    if (progress->told_stop || progress->stop == NULL || *progress->stop == 0)
        return;
    progress->told_stop = 1;
    if (progress->style == TB_PROGRESS_PLAIN)
        fputs("stopping: waiting a few seconds for the running cells\n", stderr);
}

void tb_progress_on_progress(void *ctx, const tb_slot *slots, size_t n_slots)
{
    tb_progress *progress = ctx;
    tell_stop(progress);
    if (progress->style != TB_PROGRESS_FULL)
        return;
    erase(progress);
    int width, height;
    terminal_size(&width, &height);
    uint64_t done = progress->steps_ended;
    for (size_t i = 0; i < n_slots; i++)
        if (slots[i].pid != 0)
            done += slots[i].steps;
    put_summary(progress, done, width);
    progress->lines = 1;
    // what has scrolled off the screen could not be erased
    for (size_t i = 0; i < n_slots && progress->lines < height - 1; i++) {
        if (slots[i].pid == 0)
            continue;
        put_slot(&slots[i], width);
        progress->lines++;
    }
    fflush(stderr);
}

void tb_progress_end(tb_progress *progress)
{
    erase(progress);
    fflush(stderr);
}
