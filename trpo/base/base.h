/* SPDX-License-Identifier: MIT
 *
 * What every file of the core and the harness uses: errors, assertions, checked allocation.
 */
#ifndef TRPO_BASE_BASE_H
#define TRPO_BASE_BASE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <trpo-bench/plugin.h>

#ifdef __cplusplus /* harness/suite/toml.cpp */
extern "C" {
#endif

/* A failure told to a person. The message names subject, place, what was found, what was expected,
 * what to do next: `suites/a.toml:12:9: unknown key "max_lk" in [[algorithm]]; did you mean
 * "max_kl"?`. */
typedef struct tb_error {
    tb_status status;
    char message[1024];
} tb_error;

/* Fills *error (may be NULL) and returns `status`, so that a caller can `return tb_fail(...)`. */
tb_status tb_fail(tb_error *error, tb_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __clang_analyzer__
/* The analyser does not look into base.c: tell it that `status` comes back as it was given. */
#define tb_fail(error, status, ...) ((void)(tb_fail)((error), (status), __VA_ARGS__), (status))
#endif

/* Puts "prefix: " in front of the message that *error (may be NULL) holds; returns error's status
 * or `status`. */
tb_status tb_fail_prefix(tb_error *error, tb_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "TB_E_PARAM" for a status code; "unknown status" for others. Static. */
const char *tb_status_name(tb_status status);

/* A programmer's error: prints expression, file and line to standard error and aborts. Stays on in
 * release builds. */
#define TB_ASSERT(expression)                                                                      \
    ((expression) ? (void)0 : tb_assert_failed(#expression, __FILE__, __LINE__))
void tb_assert_failed(const char *expression, const char *file, int line) __attribute__((noreturn));

/* Zeroed memory for count * size bytes, aligned to 64 bytes; NULL when out of memory or on
 * overflow. Freed with free(). count * size == 0 gives a valid pointer. */
void *tb_alloc(size_t count, size_t size);

/* The same, not zeroed: what is never written costs addresses, not memory. For room that only the
 * rarest batch fills. */
void *tb_reserve(size_t count, size_t size);

/* Number of edits (insert, delete, replace, swap of neighbours) that turn a into b: for "did you
 * mean". */
size_t tb_edit_distance(const char *a, const char *b);

/* The nearest of n candidates, or NULL when none is near enough to be a typo. */
const char *tb_nearest(const char *word, const char *const *candidates, size_t n);

/* Seconds of a clock that only goes forward; its zero means nothing. */
double tb_seconds(void);

#ifdef __cplusplus
}
#endif
#endif
