/* SPDX-License-Identifier: MIT */
#include "harness/cli/progress.h"

#include <math.h>
#include <stdio.h>
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
        const char *terminal = getenv("TERM");
        int dumb = terminal == NULL || strcmp(terminal, "dumb") == 0;
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

static int terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
        return size.ws_col;
    return 80;
}

static void put_slot(const tb_slot *slot, int width)
{
    double seconds = now() - slot->started;
    char text[256], numbers[128] = "starting";
    if (slot->steps > 0) {
        double fraction = slot->steps_all > 0 ? (double)slot->steps / (double)slot->steps_all : 0;
        snprintf(numbers, sizeof numbers, "%3.0f %%  %6.0f steps/s  return %8.4g", 100 * fraction,
                 (double)slot->steps / seconds, slot->recent_return);
    }
    snprintf(text, sizeof text, "  %-48s %s", slot->cell->label, numbers);
    // never wider than the screen: a wrapped line could not be erased
    fprintf(stderr, "%.*s\n", width - 1, text);
}

void tb_progress_on_progress(void *ctx, const tb_slot *slots, size_t n_slots)
{
    tb_progress *progress = ctx;
    if (progress->style != TB_PROGRESS_FULL)
        return;
    erase(progress);
    int width = terminal_width();
    uint64_t done = progress->steps_ended;
    for (size_t i = 0; i < n_slots; i++)
        if (slots[i].pid != 0)
            done += slots[i].steps;
    double fraction = progress->steps_all > 0 ? (double)done / (double)progress->steps_all : 1;
    double seconds = now() - progress->started;
    char left[32], eta[48] = "";
    if (fraction > 0) {
        tb_format_duration(seconds / fraction - seconds, left);
        snprintf(eta, sizeof eta, "ETA %s", left);
    }
    put_bar(fraction, width > 100 ? 30 : 16);
    fprintf(stderr, " %zu/%zu cells", progress->n_ended, progress->n_cells);
    if (progress->n_failed > 0)
        fprintf(stderr, ", %zu failed", progress->n_failed);
    fprintf(stderr, "  %.0f steps/s  %s\n", (double)done / seconds, eta);
    progress->lines = 1;
    for (size_t i = 0; i < n_slots; i++) {
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
