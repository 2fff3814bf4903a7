/* SPDX-License-Identifier: MIT
 *
 * Tests R: render/1. Where the machine cannot draw they are skipped with the plugin's own reason.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/check/family.h"
#include "harness/plugin/fpcontrol.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

// a renderer with a picture of its size
typedef struct studio {
    tb_check *c;
    const tb_env_render *api;
    tb_render *render;
    tb_check_buffer *rgb;
} studio;

static void close_studio(void *data)
{
    studio *s = data;
    if (s->render != NULL)
        s->api->destroy(s->render);
    free(s);
}

// what a plugin says instead of drawing
static void refuse_to_draw(tb_check *c, const tb_check_env *e, tb_status status)
{
    const char *why = e->api->last_error(e->env);
    if (status != TB_E_UNSUPPORTED)
        tb_check_fail(c, "create() gives %s: %s", tb_status_name(status), why);
    else if (why[0] == '\0')
        tb_check_fail(c, "create() gives TB_E_UNSUPPORTED, and last_error() does not say why");
    else
        tb_check_skip(c, "%s", why);
}

static int sound_info(tb_check *c, const tb_render_info *info)
{
    return TB_CHECK_THAT(c, info->width >= 1 && info->height >= 1,
                         "info() gives a size of %" PRIu32 " x %" PRIu32, info->width,
                         info->height) &&
           // NaN passes
           TB_CHECK_THAT(c, !(info->steps_per_second <= 0), "info() gives %g steps a second",
                         info->steps_per_second);
}

// a renderer for `e`, 0 x 0 = of the size that suits it; NULL when skipped or failed
static studio *open_studio(tb_check *c, const tb_check_env *e, uint32_t width, uint32_t height)
{
    studio *s = tb_alloc(1, sizeof *s);
    TB_ASSERT(s != NULL);
    *s = (studio){.c = c, .api = e->api->get_extension(e->env, TB_EXT_ENV_RENDER)};
    tb_check_defer(c, close_studio, s);
    if (s->api == NULL) {
        tb_check_skip(c, "no render/1");
        return NULL;
    }
    if (!TB_CHECK_THAT(c,
                       TB_HAS(tb_env_render, s->api, last_error) && s->api->info != NULL &&
                           s->api->create != NULL && s->api->destroy != NULL &&
                           s->api->frame != NULL && s->api->last_error != NULL,
                       "render/1 is short or has a NULL"))
        return NULL;
    tb_render_info info = {.struct_size = sizeof info};
    tb_status status = s->api->info(e->env, &info);
    if (!TB_CHECK_THAT(c, status == TB_OK, "info() gives %s", tb_status_name(status)) ||
        !sound_info(c, &info))
        return NULL;
    width = width > 0 ? width : info.width;
    height = height > 0 ? height : info.height;
    status = s->api->create(e->env, width, height, &s->render);
    if (status != TB_OK) {
        refuse_to_draw(c, e, status);
        return NULL;
    }
    s->rgb = tb_check_buffer_make(c, (size_t)width * height * 3);
    return s;
}

// draws into the buffer, which held `before` everywhere
static int draw(studio *s, const tb_check_env *e, unsigned char before)
{
    memset(s->rgb->data, before, s->rgb->size);
    tb_status status = s->api->frame(s->render, e->env, s->rgb->data);
    return TB_CHECK_THAT(s->c, status == TB_OK, "frame() gives %s: %s", tb_status_name(status),
                         s->api->last_error(s->render)) &&
           TB_CHECK_THAT(s->c, tb_check_buffer_intact(s->rgb),
                         "frame() writes outside its picture");
}

// ---- R1: the picture and its buffer ----

static void look_at_size(tb_check *c, uint32_t width, uint32_t height)
{
    tb_check_env *e = tb_check_env_open(c, NULL);
    studio *s = e != NULL ? open_studio(c, e, width, height) : NULL;
    if (s == NULL)
        return;
    tb_status status = s->api->frame(s->render, e->env, s->rgb->data);
    TB_CHECK_THAT(c, status == TB_E_STATE, "frame() before reset() gives %s, not TB_E_STATE",
                  tb_status_name(status));
    TB_CHECK_THAT(c, s->api->last_error(s->render)[0] != '\0',
                  "frame() fails and last_error() says nothing");
    tb_key key = tb_check_key(c, 0);
    if (e->api->reset(e->env, &key, e->obs->data) != TB_OK || !draw(s, e, 0x00))
        return;
    unsigned char *first = malloc(s->rgb->size);
    TB_ASSERT(first != NULL);
    memcpy(first, s->rgb->data, s->rgb->size);
    if (draw(s, e, 0xFF))
        TB_CHECK_THAT(c, memcmp(first, s->rgb->data, s->rgb->size) == 0,
                      "two pictures of one state differ, or not every byte is written");
    free(first);
}

static void pictures_fill_their_buffer(tb_check *c)
{
    static const uint32_t sizes[][2] = {{0, 0}, {64, 48}, {33, 17}, {1, 1}};
    for (size_t i = 0; i < COUNT(sizes) && c->outcome == TB_CHECK_PASS; i++)
        look_at_size(c, sizes[i][0], sizes[i][1]);
    if (c->outcome != TB_CHECK_PASS)
        return;
    tb_check_env *e = tb_check_env_open(c, NULL);
    if (e == NULL)
        return;
    const tb_env_render *api = e->api->get_extension(e->env, TB_EXT_ENV_RENDER);
    tb_render *none = NULL;
    tb_status status = api->create(e->env, 0, 16, &none);
    TB_CHECK_THAT(c, status == TB_E_INVALID && none == NULL,
                  "create() of 0 x 16 pixels gives %s, not TB_E_INVALID", tb_status_name(status));
    api->destroy(NULL);
}

// ---- R2: what a picture shows ----

static void pictures_show_the_state(tb_check *c)
{
    if (tb_check_is_random(c))
        return;
    tb_check_env *e = tb_check_env_open(c, NULL), *other = tb_check_env_open(c, NULL);
    tb_check_trace *trace = tb_check_trace_make(c);
    studio *s = e != NULL && other != NULL ? open_studio(c, e, 96, 96) : NULL;
    studio *same = s != NULL ? open_studio(c, other, 96, 96) : NULL;
    if (same == NULL)
        return;
    // an instance and a renderer that have seen other things before
    tb_check_prefix(c, other, 7, trace);
    if (!draw(same, other, 0))
        return;
    tb_check_play(e, tb_check_key(c, 1), 2, 20, trace);
    tb_check_play(other, tb_check_key(c, 1), 2, 20, trace);
    if (!draw(s, e, 0) || !draw(same, other, 0))
        return;
    TB_CHECK_THAT(c, memcmp(s->rgb->data, same->rgb->data, s->rgb->size) == 0,
                  "two instances in one state have different pictures: something of before shows");
    if (draw(same, e, 0))
        TB_CHECK_THAT(c, memcmp(s->rgb->data, same->rgb->data, s->rgb->size) == 0,
                      "a renderer draws another instance than its prototype differently");
    // the prototype may go
    tb_check_env_close(other);
    draw(same, e, 0);
}

// ---- R3: what a picture leaves ----

// the same episode, `n` pictures after each step
static void play_and_draw(studio *s, tb_check_env *e, size_t n, tb_check_trace *trace)
{
    tb_rng rng;
    tb_key key = tb_check_key(s->c, 3);
    tb_rng_init(&rng, (tb_key){{4, 1}});
    memset(trace, 0, sizeof *trace);
    if (e->api->reset(e->env, &key, e->obs->data) != TB_OK)
        return;
    while (trace->status == TB_OK && trace->flags == 0 && trace->n < 20) {
        for (size_t i = 0; i < n; i++)
            if (!draw(s, e, 0))
                return;
        tb_check_trace row = {0};
        tb_check_continue_drawn(e, &rng, &row);
        trace->status = row.status;
        trace->flags = row.flags;
        trace->digest[trace->n++] = row.digest[row.n - 1];
    }
}

static void same_snapshot(studio *s, const tb_check_env *e)
{
    if (e->snapshot == NULL)
        return;
    size_t cap = (size_t)e->snapshot->max_bytes(e->env);
    tb_check_buffer *before = tb_check_buffer_make(s->c, cap),
                    *after = tb_check_buffer_make(s->c, cap);
    uint64_t n_before = 0, n_after = 0;
    if (e->snapshot->save(e->env, before->data, cap, &n_before) != TB_OK || !draw(s, e, 0) ||
        e->snapshot->save(e->env, after->data, cap, &n_after) != TB_OK)
        return;
    TB_CHECK_THAT(s->c,
                  n_before == n_after && memcmp(before->data, after->data, (size_t)n_before) == 0,
                  "a picture changes the snapshot");
}

static void drawing_does_not_disturb(tb_check *c)
{
    if (tb_check_is_random(c))
        return;
    tb_check_env *e = tb_check_env_open(c, NULL);
    tb_check_trace *without = tb_check_trace_make(c), *with = tb_check_trace_make(c);
    studio *s = e != NULL ? open_studio(c, e, 48, 32) : NULL;
    if (s == NULL)
        return;
    uint32_t control = tb_fp_control_get();
    play_and_draw(s, e, 0, without);
    play_and_draw(s, e, 2, with);
    tb_check_same(c, without, with, "the same episode with pictures in between");
    same_snapshot(s, e);
    TB_CHECK_THAT(c, tb_fp_control_get() == control,
                  "drawing changes the floating-point control register: 0x%" PRIx32
                  ", it was 0x%" PRIx32,
                  tb_fp_control_get(), control);
}

static const tb_check_test tests[] = {
    {"R1", "pictures fill their buffer", pictures_fill_their_buffer},
    {"R2", "pictures show the state alone", pictures_show_the_state},
    {"R3", "drawing does not disturb", drawing_does_not_disturb},
};

const tb_check_family tb_check_render = {TB_CHECK_ENVIRONMENTS, tests, COUNT(tests)};
