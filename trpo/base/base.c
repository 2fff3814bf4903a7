/* SPDX-License-Identifier: MIT */
#include "trpo/base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef tb_fail // the analyser's view of it

tb_status tb_fail(tb_error *error, tb_status status, const char *format, ...)
{
    if (error != NULL) {
        va_list args;
        va_start(args, format);
        error->status = status;
        vsnprintf(error->message, sizeof error->message, format, args);
        va_end(args);
    }
    return status;
}

tb_status tb_fail_prefix(tb_error *error, tb_status status, const char *format, ...)
{
    if (error == NULL)
        return status;
    char old[sizeof error->message];
    memcpy(old, error->message, sizeof old);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    // what no longer fits is cut at the end
    if (n >= 0 && (size_t)n + 2 < sizeof error->message) {
        size_t at = (size_t)n + 2;
        memcpy(error->message + n, ": ", 2);
        memcpy(error->message + at, old, sizeof old - at);
        error->message[sizeof error->message - 1] = '\0';
    }
    return error->status != TB_OK ? error->status : status;
}

const char *tb_status_name(tb_status status)
{
    switch (status) {
    case TB_OK: return "TB_OK";
    case TB_DISCARD: return "TB_DISCARD";
    case TB_E_INVALID: return "TB_E_INVALID";
    case TB_E_STATE: return "TB_E_STATE";
    case TB_E_NOMEM: return "TB_E_NOMEM";
    case TB_E_UNSUPPORTED: return "TB_E_UNSUPPORTED";
    case TB_E_PARAM: return "TB_E_PARAM";
    case TB_E_NUMERIC: return "TB_E_NUMERIC";
    case TB_E_CORRUPT: return "TB_E_CORRUPT";
    case TB_E_IO: return "TB_E_IO";
    case TB_E_FATAL: return "TB_E_FATAL";
    default: return "unknown status";
    }
}

void tb_assert_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
    abort();
}

// the bytes of an allocation, a multiple of the alignment as aligned_alloc wants it; 0 = too many
static size_t allocation_bytes(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - 64)
        return 0;
    return bytes == 0 ? 64 : (bytes + 63) / 64 * 64;
}

void *tb_reserve(size_t count, size_t size)
{
    size_t bytes = allocation_bytes(count, size);
    return bytes > 0 ? aligned_alloc(64, bytes) : NULL;
}

void *tb_alloc(size_t count, size_t size)
{
    void *memory = tb_reserve(count, size);
    if (memory != NULL)
        memset(memory, 0, allocation_bytes(count, size));
    return memory;
}

size_t tb_edit_distance(const char *a, const char *b)
{
    enum { max_length = 63 };
    size_t n = strlen(a), m = strlen(b);
    if (n > max_length || m > max_length)
        return n > m ? n : m;
    // three rows of the dynamic-programming table: i-2, i-1 and i
    size_t row[3][max_length + 1];
    for (size_t j = 0; j <= m; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3];
        const size_t *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = up[j - 1] + (a[i - 1] != b[j - 1]);
            if (up[j] + 1 < best)
                best = up[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                up2[j - 2] + 1 < best)
                best = up2[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[n % 3][m];
}

double tb_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

const char *tb_nearest(const char *word, const char *const *candidates, size_t n)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 3 + 2;
    for (size_t i = 0; i < n; i++) {
        size_t distance = tb_edit_distance(word, candidates[i]);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidates[i];
        }
    }
    return best;
}
