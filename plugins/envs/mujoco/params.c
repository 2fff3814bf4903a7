/* SPDX-License-Identifier: MIT */
#include "params.h"

#include <stdio.h>
#include <string.h>
#include <trpo-bench/env_kit_bytes.h>

static void *member(tb_mj_params *p, const tb_mj_param *row)
{
    return (unsigned char *)p + row->offset;
}

static int is_hash_row(const tb_mj_param *row)
{
    return row->offset == offsetof(tb_mj_params, model_sha256);
}

static tb_status complain(char *err, uint64_t cap, const tb_mj_param *row, const char *must)
{
    if (cap > 0)
        snprintf(err, (size_t)cap, "parameter \"%s\" must be %s", row->key, must);
    return TB_E_PARAM;
}

static tb_status read_i64(const tb_params *source, const tb_mj_param *row, void *to, char *err,
                          uint64_t cap)
{
    int64_t x = (int64_t)row->def[0];
    char must[96];
    if (source->get_i64(source->ctx, row->key, &x) != TB_OK)
        return complain(err, cap, row, "an integer");
    memcpy(to, &x, sizeof x);
    if ((double)x >= row->low && (double)x <= row->high)
        return TB_OK;
    snprintf(must, sizeof must, "an integer from %.15g to %.15g, not %lld", row->low, row->high,
             (long long)x);
    return complain(err, cap, row, must);
}

static tb_status read_f64(const tb_params *source, const tb_mj_param *row, void *to, char *err,
                          uint64_t cap)
{
    double x = row->def[0];
    char must[96];
    if (source->get_f64(source->ctx, row->key, &x) != TB_OK)
        return complain(err, cap, row, "a number");
    memcpy(to, &x, sizeof x);
    if (isfinite(x) && x >= row->low && x <= row->high)
        return TB_OK;
    snprintf(must, sizeof must, "a number from %g to %g, not %g", row->low, row->high, x);
    return complain(err, cap, row, must);
}

static tb_status read_range(const tb_params *source, const tb_mj_param *row, void *to, char *err,
                            uint64_t cap)
{
    double x[2] = {row->def[0], row->def[1]};
    uint64_t n = 2;
    if (source->get_f64_array(source->ctx, row->key, x, 2, &n) != TB_OK || n != 2)
        return complain(err, cap, row, "an array of two numbers, [low, high]");
    memcpy(to, x, sizeof x);
    if (x[0] <= x[1])
        return TB_OK;
    return complain(err, cap, row, "[low, high] with low <= high");
}

static tb_status read_bool(const tb_params *source, const tb_mj_param *row, void *to, char *err,
                           uint64_t cap)
{
    uint32_t x = row->def[0] != 0;
    if (source->get_bool(source->ctx, row->key, &x) != TB_OK)
        return complain(err, cap, row, "true or false");
    x = x != 0;
    memcpy(to, &x, sizeof x);
    return TB_OK;
}

// `def` is the default; *to stays empty when the host gave nothing and `keep_empty`
static tb_status read_text(const tb_params *source, const tb_mj_param *row, const char *def,
                           int keep_empty, char *to, char *err, uint64_t cap)
{
    const char *x = def;
    if (source->get_str(source->ctx, row->key, &x) != TB_OK)
        return complain(err, cap, row, "a string");
    if (strlen(x) >= row->text_bytes)
        return complain(err, cap, row, "shorter");
    if (x != def || !keep_empty)
        memcpy(to, x, strlen(x) + 1);
    return TB_OK;
}

static tb_status read_row(const tb_params *source, const tb_mj_param *row, void *to, char *err,
                          uint64_t cap)
{
    char def[64];
    switch (row->type) {
    case TB_PARAM_I64: return read_i64(source, row, to, err, cap);
    case TB_PARAM_F64: return read_f64(source, row, to, err, cap);
    case TB_PARAM_BOOL: return read_bool(source, row, to, err, cap);
    case TB_PARAM_F64_ARRAY: return read_range(source, row, to, err, cap);
    default:
        // the default's text without its quotes
        snprintf(def, sizeof def, "%.*s", (int)strlen(row->default_text) - 2,
                 row->default_text + 1);
        return read_text(source, row, def, 0, to, err, cap);
    }
}

tb_status tb_mj_params_read(const tb_mj_task *task, const tb_params *source,
                            const char *(*file_sha256)(void *ctx, const tb_mj_params *p), void *ctx,
                            tb_mj_params *out, char *err, uint64_t err_cap)
{
    tb_status first = TB_OK;
    memset(out, 0, sizeof *out);
    for (const tb_mj_param *row = task->params; row->key; row++) {
        uint64_t cap = first == TB_OK ? err_cap : 0;
        tb_status status;
        if (is_hash_row(row)) {
            const char *hash = file_sha256(ctx, out);
            status = read_text(source, row, hash ? hash : "", 1, out->model_sha256, err, cap);
        } else {
            status = read_row(source, row, member(out, row), err, cap);
        }
        if (first == TB_OK)
            first = status;
    }
    return first;
}

uint32_t tb_mj_params_count(const tb_mj_task *task)
{
    uint32_t n = 0;
    while (task && task->params[n].key)
        n++;
    return n;
}

tb_status tb_mj_params_get(const tb_mj_task *task, uint32_t i, tb_param_info *out)
{
    if (i >= tb_mj_params_count(task))
        return TB_E_INVALID;
    const tb_mj_param *row = &task->params[i];
    tb_param_info full = {.struct_size = out->struct_size,
                          .type = row->type,
                          .key = row->key,
                          .doc = row->doc,
                          .default_text = row->default_text,
                          .low = row->low,
                          .high = row->high};
    memcpy(out, &full, out->struct_size < sizeof full ? out->struct_size : sizeof full);
    return TB_OK;
}

uint64_t tb_mj_params_hash(const tb_mj_params *p)
{
    tb_mj_params values;
    uint64_t hash = TB__KIT_HASH_START;
    memcpy(&values, p, sizeof values);
    memset(values.xml_file, 0, sizeof values.xml_file);
    memset(values.model, 0, sizeof values.model);
    memset(values.model_sha256, 0, sizeof values.model_sha256);
    const unsigned char *bytes = (const unsigned char *)&values;
    for (size_t i = 0; i < sizeof values; i++)
        hash = tb__kit_hash_word(hash, bytes[i]);
    return hash;
}
