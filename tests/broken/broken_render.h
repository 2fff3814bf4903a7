/* SPDX-License-Identifier: MIT
 *
 * render/1 of broken_env.c, of the kinds whose name begins with render_: a dark picture with a
 * bright column where the walker is, and one mistake each. Part of that file.
 */
#ifndef TESTS_BROKEN_RENDER_H
#define TESTS_BROKEN_RENDER_H

struct tb_render {
    uint32_t width, height;
    const char *why; // of the last failure
    double seen;     // a leftover of earlier pictures
};

static const char *last_error(tb_env *env)
{
    return env->cannot_draw && !IS(render_silent) ? "no paint here; install a paint box" : "";
}

static tb_status render_info(tb_env *env, tb_render_info *out)
{
    (void)env;
    tb_render_info info = {.struct_size = out->struct_size,
                           .width = IS(render_no_size) ? 0 : 120,
                           .height = 80,
                           .steps_per_second = 25};
    *out = info;
    return TB_OK;
}

static tb_status render_create(tb_env *env, uint32_t width, uint32_t height, tb_render **out)
{
    if (IS(render_absent) || IS(render_silent)) {
        env->cannot_draw = 1;
        return TB_E_UNSUPPORTED;
    }
    if ((width == 0 && !IS(render_any_size)) || height == 0)
        return TB_E_INVALID;
    tb_render *render = calloc(1, sizeof *render);
    if (render == NULL)
        return TB_E_NOMEM;
    *render = (tb_render){.width = width, .height = height, .why = ""};
    *out = render;
    return TB_OK;
}

static void render_destroy(tb_render *render)
{
    free(render);
}

static void paint(tb_render *render, double x, uint8_t *rgb)
{
    double at = (x + 1) / 2 * (double)render->width;
    uint32_t column = at < 0 ? 0 : at >= render->width ? render->width - 1 : (uint32_t)at;
    size_t pixels = (size_t)render->width * render->height;
    memset(rgb, 0x20, 3 * pixels - (IS(render_partial) ? 1 : 0));
    for (uint32_t y = 0; y < render->height; y++)
        memset(rgb + 3 * ((size_t)y * render->width + column), 0xe0,
               IS(render_partial) && y + 1 == render->height ? 2 : 3);
    if (IS(render_overrun))
        rgb[3 * pixels] = 0;
    if (IS(render_leftover))
        rgb[0] = (uint8_t)(render->seen += 1);
}

static tb_status render_frame(tb_render *render, const tb_env *env, uint8_t *rgb)
{
    if (!env->started && !IS(render_early)) {
        render->why = "no episode has begun: call reset() first";
        return TB_E_STATE;
    }
    render->why = "";
    paint(render, env->x, rgb);
    tb_env *moved = (tb_env *)(uintptr_t)env;
    if (IS(render_moves))
        moved->x += 1e-9;
    if (IS(render_draws))
        tb_rng_f64(&moved->rng);
#if defined(__x86_64__)
    if (IS(render_mxcsr))
        _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
    return TB_OK;
}

static const char *render_error(tb_render *render)
{
    return render->why;
}

static const tb_env_render render_table = {
    sizeof render_table, 0, render_info, render_create, render_destroy, render_frame, render_error};

#endif
