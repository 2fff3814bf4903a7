/* SPDX-License-Identifier: MIT
 *
 * The source of one plugin, TB_LOOP_SOURCE, with a plain loop around its functions in place of the
 * ABI: they are static and constant here, so the compiler inlines what is worth it.
 */
#include "bench/env_loop.h"

#include <trpo-bench/env_kit.h>

#undef TB_KIT_PLUGIN
#define TB_KIT_PLUGIN(definition) static const tb_kit_def *const plugin = (definition)

// the plugin itself is what is measured: NOLINTNEXTLINE(bugprone-suspicious-include)
#include TB_LOOP_SOURCE

// no key is set: every parameter keeps its default
static tb_status keep_i64(void *ctx, const char *key, int64_t *inout)
{
    (void)ctx, (void)key, (void)inout;
    return TB_OK;
}

static tb_status keep_f64(void *ctx, const char *key, double *inout)
{
    (void)ctx, (void)key, (void)inout;
    return TB_OK;
}

static tb_status keep_bool(void *ctx, const char *key, uint32_t *inout)
{
    (void)ctx, (void)key, (void)inout;
    return TB_OK;
}

static tb_status keep_str(void *ctx, const char *key, const char **inout)
{
    (void)ctx, (void)key, (void)inout;
    return TB_OK;
}

enum { n_names = sizeof names / sizeof names[0] - 1 };

typedef struct one_lane {
    state s;
    tb_rng rng;
    uint64_t length, episode;
    float observation[8];
} one_lane;

static inline void start(const params *p, one_lane *lane, uint64_t i)
{
    const tb_key key = {{i, lane->episode++}};
    memset(&lane->s, 0, sizeof lane->s);
    tb_rng_init(&lane->rng, key);
    plugin->reset(p, &lane->s, &lane->rng);
    lane->length = 0;
}

static inline void show(const params *p, one_lane *lane)
{
    const double *x = (const double *)&lane->s;
    if (plugin->observe != NULL)
        plugin->observe(p, &lane->s, lane->observation);
    else
        for (int i = 0; i < n_names; i++)
            lane->observation[i] = (float)x[i];
}

static double run(uint64_t steps, const void *table, uint64_t n_rows, uint64_t limit)
{
    static one_lane lanes[tb_loop_lanes];
    tb_params source = {.struct_size = sizeof source,
                        .get_i64 = keep_i64,
                        .get_f64 = keep_f64,
                        .get_bool = keep_bool,
                        .get_str = keep_str};
    char why[64];
    params p;
    double sum = 0;
    memset(&p, 0, sizeof p);
    if (tb__kit_read_params(plugin, &source, &p, why, sizeof why) != TB_OK)
        return NAN;
    for (uint64_t i = 0; i < tb_loop_lanes; i++)
        start(&p, &lanes[i], i);
    for (uint64_t t = 0; t < steps; t++) {
        const char *actions = (const char *)table + t % n_rows * tb_loop_lanes * 4;
        for (uint64_t i = 0; i < tb_loop_lanes; i++) {
            uint32_t flags = 0;
            sum += plugin->step(&p, &lanes[i].s, actions + 4 * i, &lanes[i].rng, &flags);
            show(&p, &lanes[i]);
            if (flags || ++lanes[i].length == limit) {
                start(&p, &lanes[i], i);
                show(&p, &lanes[i]);
            }
        }
    }
    return sum;
}

const tb_loop *TB_LOOP(void);
const tb_loop *TB_LOOP(void)
{
    static tb_loop loop = {.run = run};
    loop.id = plugin->desc.id;
    return &loop;
}
