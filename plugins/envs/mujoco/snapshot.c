/* SPDX-License-Identifier: MIT
 *
 * Snapshots of a lane: 64-bit words in the machine's order,
 *   magic, id hash, model hash, total bytes, phase, key[2], rng.n, the row, checksum of all before.
 */
#include <string.h>
#include <trpo-bench/env_kit_bytes.h>

#include "lanes_internal.h"

enum { head = 8, magic_at = 0, id_at, model_at, total_at, phase_at, key_at, drawn_at = 7 };

static const uint64_t magic = UINT64_C(0x31504e534f4a554d); // "MUJOSNP1"

uint64_t tb_mj_lane_bytes(const tb_mj_lanes *lanes)
{
    return 8 * (head + lanes->model->n_row + 1);
}

static uint64_t word(const void *bytes, uint64_t i)
{
    uint64_t w;
    memcpy(&w, (const unsigned char *)bytes + 8 * i, sizeof w);
    return w;
}

// four sums side by side: one would wait for its multiplication at each word
static uint64_t checksum(const void *bytes, uint64_t n)
{
    uint64_t sum[4] = {TB__KIT_HASH_START, 1, 2, 3}, i = 0;
    for (; i + 4 <= n; i += 4)
        for (uint64_t k = 0; k < 4; k++)
            sum[k] = tb__kit_hash_word(sum[k], word(bytes, i + k));
    for (; i < n; i++)
        sum[0] = tb__kit_hash_word(sum[0], word(bytes, i));
    for (uint64_t k = 1; k < 4; k++)
        sum[0] = tb__kit_hash_word(sum[0], sum[k]);
    return sum[0];
}

tb_status tb_mj_lane_save(const tb_mj_lanes *lanes, uint64_t i, void *buf, uint64_t cap,
                          uint64_t *used)
{
    const tb_mj_model *model = lanes->model;
    uint64_t total = tb_mj_lane_bytes(lanes);
    unsigned char *to = buf;
    if (!tb_mj_has_state(lanes, i))
        return tb_mj_lanes_state_error(lanes, i, "save");
    if (cap < total)
        return tb_mj_lanes_fail(lanes, TB_E_INVALID, "save() needs %llu bytes, the buffer has %llu",
                                (unsigned long long)total, (unsigned long long)cap);
    const tb_rng *rng = &lanes->rng[i];
    const uint64_t words[head] = {magic,           model->id_hash, model->model_hash, total,
                                  lanes->phase[i], rng->key.w[0],  rng->key.w[1],     rng->n};
    memcpy(to, words, sizeof words);
    memcpy(to + sizeof words, lanes->rows + i * lanes->stride, (size_t)model->n_row * 8);
    uint64_t sum = checksum(to, total / 8 - 1);
    memcpy(to + total - 8, &sum, sizeof sum);
    *used = total;
    return TB_OK;
}

// NULL when the bytes are a snapshot of such a lane, else what is wrong with them
static const char *corrupt(const tb_mj_lanes *lanes, const void *buf, uint64_t used)
{
    uint64_t total = tb_mj_lane_bytes(lanes);
    if (used < 8 * head || word(buf, magic_at) != magic)
        return "they do not begin like a snapshot of a MuJoCo task";
    if (word(buf, id_at) != lanes->model->id_hash)
        return "they are of another environment";
    if (word(buf, model_at) != lanes->model->model_hash)
        return "they were saved with other parameters, another model or another MuJoCo";
    if (used != total || word(buf, total_at) != total)
        return "their length is wrong";
    if (word(buf, total / 8 - 1) != checksum(buf, total / 8 - 1))
        return "their checksum is wrong";
    if (word(buf, phase_at) != TB_MJ_RUNNING && word(buf, phase_at) != TB_MJ_ENDED)
        return "they hold no state";
    return NULL;
}

tb_status tb_mj_lane_load(tb_mj_lanes *lanes, uint64_t i, const void *buf, uint64_t used)
{
    const char *why = corrupt(lanes, buf, used);
    if (why != NULL)
        return tb_mj_lanes_fail(lanes, TB_E_CORRUPT, "load() refused %llu bytes: %s",
                                (unsigned long long)used, why);
    lanes->phase[i] = (uint8_t)word(buf, phase_at);
    lanes->rng[i].key.w[0] = word(buf, key_at);
    lanes->rng[i].key.w[1] = word(buf, key_at + 1);
    lanes->rng[i].n = word(buf, drawn_at);
    memcpy(lanes->rows + i * lanes->stride, (const unsigned char *)buf + 8 * (uint64_t)head,
           (size_t)lanes->model->n_row * 8);
    return TB_OK;
}

tb_status tb_mj_lane_rekey(tb_mj_lanes *lanes, uint64_t i, const tb_key *key)
{
    if (!tb_mj_has_state(lanes, i))
        return tb_mj_lanes_state_error(lanes, i, "rekey");
    tb_rng_init(&lanes->rng[i], *key);
    return TB_OK;
}
