/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/suite/reader.h"

static int compare_seeds(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// Sorts; returns the index of a seed that equals the one before it, or 0.
static size_t sort_seeds(tb_suite *suite)
{
    qsort(suite->seeds, suite->n_seeds, sizeof *suite->seeds, compare_seeds);
    for (size_t i = 1; i < suite->n_seeds; i++)
        if (suite->seeds[i] == suite->seeds[i - 1])
            return i;
    return 0;
}

// Appends first..last; fails (0) when there would be too many or memory is short.
static int add_range(tb_suite *suite, int64_t first, int64_t last)
{
    if (last - first >= TB__MAX_SEEDS - (int64_t)suite->n_seeds)
        return 0;
    size_t n = (size_t)(last - first) + 1;
    int64_t *seeds = realloc(suite->seeds, (suite->n_seeds + n) * sizeof *seeds);
    if (seeds == NULL)
        return 0;
    suite->seeds = seeds;
    for (size_t i = 0; i < n; i++)
        seeds[suite->n_seeds++] = first + (int64_t)i;
    return 1;
}

static const tb_toml *second_occurrence(const tb_toml *array, int64_t seed)
{
    int seen = 0;
    for (const tb_toml *value = array->children; value != NULL; value = value->next)
        if (value->i64 == seed && seen++ > 0)
            return value;
    return array;
}

static tb_status from_list(tb__reader *reader, const tb_toml *array)
{
    tb_suite *suite = reader->suite;
    for (const tb_toml *value = array->children; value != NULL; value = value->next) {
        if (value->type != TB_TOML_I64)
            return tb_toml_fail(value, reader->error, "a seed must be an integer, not %s",
                                tb_toml_type_name(value->type));
        if (value->i64 < 0)
            return tb_toml_fail(value, reader->error, "a seed must be at least 0, not %lld",
                                (long long)value->i64);
        if (!add_range(suite, value->i64, value->i64))
            return tb_toml_fail(value, reader->error, "too many seeds; at most %d",
                                (int)TB__MAX_SEEDS);
    }
    if (suite->n_seeds == 0)
        return tb_toml_fail(array, reader->error, "\"seeds\" is empty; a suite needs at least one");
    size_t twice = sort_seeds(suite);
    if (twice != 0)
        return tb_toml_fail(second_occurrence(array, suite->seeds[twice]), reader->error,
                            "seed %lld is there twice", (long long)suite->seeds[twice]);
    return TB_OK;
}

tb_status tb__seeds_from_toml(tb__reader *reader, const tb_toml *value)
{
    if (value == NULL)
        return tb_toml_fail(
            tb_toml_get(reader->root, "suite"), reader->error,
            "[suite] needs seeds: a count (seeds = 10) or a list (seeds = [0, 3, 7])");
    if (value->type == TB_TOML_ARRAY)
        return from_list(reader, value);
    if (value->type != TB_TOML_I64)
        return tb_toml_fail(value, reader->error,
                            "\"seeds\" must be a count (10) or a list ([0, 3, 7]), not %s",
                            tb_toml_type_name(value->type));
    if (value->i64 < 1 || value->i64 > TB__MAX_SEEDS)
        return tb_toml_fail(value, reader->error,
                            "\"seeds\" must be a count from 1 to %d, not %lld; a single seed is a "
                            "list of one",
                            (int)TB__MAX_SEEDS, (long long)value->i64);
    return add_range(reader->suite, 0, value->i64 - 1) ? TB_OK : tb__no_memory(reader->error);
}

// ---- --seeds ----

static tb_status bad_text(const char *text, const char *why, tb_error *error)
{
    return tb_fail(error, TB_E_PARAM,
                   "--seeds %s: %s; expected a count (10), a range (0-9) or a list (0,3,5-7)", text,
                   why);
}

// Decimal digits at *at; moves *at behind them.
static int read_number(const char **at, int64_t *out)
{
    if (!isdigit((unsigned char)**at))
        return 0;
    char *end;
    errno = 0;
    *out = strtoll(*at, &end, 10);
    *at = end;
    return errno == 0;
}

static tb_status read_item(tb_suite *suite, const char *text, const char **at, tb_error *error)
{
    int64_t first, last;
    if (!read_number(at, &first))
        return bad_text(text, "no seed where one is expected", error);
    last = first;
    if (**at == '-') {
        (*at)++;
        if (!read_number(at, &last))
            return bad_text(text, "a range needs a last seed", error);
    }
    if (last < first)
        return bad_text(text, "a range must not go down", error);
    return add_range(suite, first, last) ? TB_OK : bad_text(text, "too many seeds", error);
}

tb_status tb__seeds_from_text(tb_suite *suite, const char *text, tb_error *error)
{
    free(suite->seeds);
    suite->seeds = NULL;
    suite->n_seeds = 0;
    // a number alone is a count
    const char *at = text;
    int64_t count;
    if (read_number(&at, &count) && *at == '\0') {
        if (count < 1 || count > TB__MAX_SEEDS)
            return bad_text(text, "the count must be from 1 to 1000000", error);
        return add_range(suite, 0, count - 1) ? TB_OK : tb__no_memory(error);
    }
    at = text;
    for (;;) {
        tb_status status = read_item(suite, text, &at, error);
        if (status != TB_OK)
            return status;
        if (*at == '\0')
            break;
        if (*at++ != ',')
            return bad_text(text, "unexpected character", error);
    }
    if (sort_seeds(suite) != 0)
        return bad_text(text, "a seed is there twice", error);
    return TB_OK;
}
