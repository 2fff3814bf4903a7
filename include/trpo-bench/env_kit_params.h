/* SPDX-License-Identifier: MIT
 *
 * Environment kit: from the table of parameters to values, a hash and params-schema/1.
 * Overview: env_kit.h.
 */
#ifndef TRPO_BENCH_ENV_KIT_PARAMS_H
#define TRPO_BENCH_ENV_KIT_PARAMS_H

#include <string.h>

#include "env_kit_bytes.h"
#include "env_kit_def.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- reading parameters ---- */

static inline void *tb__kit_member(void *params, const tb_kit_param *row)
{
    return (unsigned char *)params + row->offset;
}

/* Index of `word` in "a|b|c", or -1. */
static inline int64_t tb__kit_choice(const char *choices, const char *word)
{
    size_t length = strlen(word);
    int64_t index = 0;
    while (choices) {
        if (strncmp(choices, word, length) == 0 &&
            (choices[length] == '|' || choices[length] == '\0'))
            return index;
        choices = strchr(choices, '|');
        choices = choices ? choices + 1 : NULL;
        index++;
    }
    return -1;
}

static inline tb_status tb__kit_read_f64(const tb_params *source, const tb_kit_param *row,
                                         void *member, char *err, uint64_t cap)
{
    double value = row->def;
    tb_status status = source->get_f64(source->ctx, row->key, &value);
    if (status != TB_OK)
        return tb_kit_text(err, cap, status, "parameter \"%s\" must be a number", row->key);
    if (!(value >= row->low && value <= row->high) || !isfinite(value))
        return tb_kit_text(err, cap, TB_E_PARAM,
                           "parameter \"%s\" must be a number from %g to %g, not %g", row->key,
                           row->low, row->high, value);
    memcpy(member, &value, sizeof value);
    return TB_OK;
}

static inline tb_status tb__kit_read_i64(const tb_params *source, const tb_kit_param *row,
                                         void *member, char *err, uint64_t cap)
{
    int64_t value = (int64_t)row->def;
    tb_status status = source->get_i64(source->ctx, row->key, &value);
    if (status != TB_OK)
        return tb_kit_text(err, cap, status, "parameter \"%s\" must be an integer", row->key);
    if (!((double)value >= row->low && (double)value <= row->high))
        return tb_kit_text(err, cap, TB_E_PARAM,
                           "parameter \"%s\" must be an integer from %.15g to %.15g, not %lld",
                           row->key, row->low, row->high, (long long)value);
    memcpy(member, &value, sizeof value);
    return TB_OK;
}

static inline tb_status tb__kit_read_bool(const tb_params *source, const tb_kit_param *row,
                                          void *member, char *err, uint64_t cap)
{
    uint32_t value = row->def != 0;
    tb_status status = source->get_bool(source->ctx, row->key, &value);
    if (status != TB_OK)
        return tb_kit_text(err, cap, status, "parameter \"%s\" must be true or false", row->key);
    value = value != 0;
    memcpy(member, &value, sizeof value);
    return TB_OK;
}

static inline tb_status tb__kit_read_choice(const tb_params *source, const tb_kit_param *row,
                                            void *member, char *err, uint64_t cap)
{
    const char *value = row->default_str;
    tb_status status = source->get_str(source->ctx, row->key, &value);
    int64_t index = status == TB_OK ? tb__kit_choice(row->choices, value) : -1;
    uint32_t stored = (uint32_t)index;
    if (status != TB_OK)
        return tb_kit_text(err, cap, status, "parameter \"%s\" must be a string, one of %s",
                           row->key, row->choices);
    if (index < 0)
        return tb_kit_text(err, cap, TB_E_PARAM, "parameter \"%s\" must be one of %s, not \"%s\"",
                           row->key, row->choices, value);
    memcpy(member, &stored, sizeof stored);
    return TB_OK;
}

static inline tb_status tb__kit_read_text(const tb_params *source, const tb_kit_param *row,
                                          void *member, char *err, uint64_t cap)
{
    const char *value = row->default_str;
    tb_status status = source->get_str(source->ctx, row->key, &value);
    uint64_t length = status == TB_OK ? (uint64_t)strlen(value) : 0;
    if (status != TB_OK)
        return tb_kit_text(err, cap, status, "parameter \"%s\" must be a string", row->key);
    if (length >= row->text_bytes)
        return tb_kit_text(err, cap, TB_E_PARAM,
                           "parameter \"%s\" must have at most %u bytes, not %llu", row->key,
                           (unsigned)(row->text_bytes - 1), (unsigned long long)length);
    memcpy(member, value, (size_t)length);
    return TB_OK;
}

static inline tb_status tb__kit_read_row(const tb_params *source, const tb_kit_param *row,
                                         void *member, char *err, uint64_t cap)
{
    switch (row->type) {
    case TB_PARAM_F64: return tb__kit_read_f64(source, row, member, err, cap);
    case TB_PARAM_I64: return tb__kit_read_i64(source, row, member, err, cap);
    case TB_PARAM_BOOL: return tb__kit_read_bool(source, row, member, err, cap);
    default:
        return row->choices ? tb__kit_read_choice(source, row, member, err, cap)
                            : tb__kit_read_text(source, row, member, err, cap);
    }
}

/* Reads every row, also behind one that is wrong: the host takes a key that was never read for a
 * typing error. The first failure counts. */
static inline tb_status tb__kit_read_params(const tb_kit_def *def, const tb_params *source,
                                            void *params, char *err, uint64_t cap)
{
    const tb_kit_param *row;
    tb_status first = TB_OK;
    for (row = def->params; row && row->key; row++) {
        uint64_t room = first == TB_OK ? cap : 0;
        tb_status status = tb__kit_read_row(source, row, tb__kit_member(params, row), err, room);
        if (first == TB_OK)
            first = status;
    }
    if (first == TB_OK && def->prepare)
        first = def->prepare(params, err, cap);
    return first;
}

/* Of the rows' values, not of the struct's bytes: padding and derived members stay out. */
static inline uint64_t tb__kit_hash_params(const tb_kit_def *def, void *params)
{
    uint64_t hash = TB__KIT_HASH_START;
    const tb_kit_param *row;
    for (row = def->params; row && row->key; row++) {
        int wide = row->type == TB_PARAM_F64 || row->type == TB_PARAM_I64;
        uint64_t word = 0;
        uint32_t half = 0;
        if (row->text_bytes > 0) {
            word = tb__kit_hash_text(TB__KIT_HASH_START, (const char *)tb__kit_member(params, row));
        } else if (wide) {
            memcpy(&word, tb__kit_member(params, row), sizeof word);
        } else {
            memcpy(&half, tb__kit_member(params, row), sizeof half);
            word = half;
        }
        hash = tb__kit_hash_word(tb__kit_hash_text(hash, row->key), word);
    }
    return hash;
}

/* ---- params-schema/1 ---- */

/* Number of keys; 0 for def = NULL. */
static inline uint32_t tb__kit_params_count(const tb_kit_def *def)
{
    uint32_t count = 0;
    while (def && def->params && def->params[count].key)
        count++;
    return count;
}

static inline tb_status tb__kit_params_get(const tb_kit_def *def, uint32_t i, tb_param_info *out)
{
    const tb_kit_param *row;
    tb_param_info full;
    if (i >= tb__kit_params_count(def))
        return TB_E_INVALID;
    row = &def->params[i];
    full.struct_size = out->struct_size;
    full.type = row->type;
    full.key = row->key;
    full.doc = row->doc;
    full.default_text = row->default_text;
    full.choices = row->choices;
    full.low = row->low;
    full.high = row->high;
    memcpy(out, &full, out->struct_size < sizeof full ? out->struct_size : sizeof full);
    return TB_OK;
}

#ifdef __cplusplus
}
#endif
#endif
