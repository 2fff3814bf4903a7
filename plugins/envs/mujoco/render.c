/* SPDX-License-Identifier: MIT */
#include "render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "gl.h"
#include "lanes_internal.h"

enum { usual_side = 480, largest_side = 16384, max_geoms = 10000 };

struct tb_render {
    tb_mj_lanes *copy; // one lane: the state that is drawn
    tb_mj_gl *gl;
    mjvScene scene;
    mjvOption option;
    mjvCamera camera;
    mjrContext context;
    mjrRect view;
    uint8_t *rows;               // what OpenGL gives: rows from the bottom
    int has_scene, has_context;  // made, so to be freed
    int is_broken;               // MuJoCo raised an error: scene and context are undefined
    char error[TB_MJ_ERROR_CAP]; // of the last frame
};

tb_status tb_mj_render_info(tb_mj_lanes *lanes, tb_render_info *out)
{
    tb_render_info full = {.struct_size = out->struct_size,
                           .width = usual_side,
                           .height = usual_side,
                           .steps_per_second = 1 / tb_mj_lanes_model(lanes)->dt};
    memcpy(out, &full, out->struct_size < sizeof full ? out->struct_size : sizeof full);
    return TB_OK;
}

// ---- the camera ----

static int ascending(const void *a, const void *b)
{
    mjtNum x = *(const mjtNum *)a, y = *(const mjtNum *)b;
    return (x > y) - (x < y);
}

// the middle of coordinate `axis` of all geoms; `sorted` has room for them
static double median(const mjModel *m, const mjData *d, int axis, mjtNum *sorted)
{
    size_t n = (size_t)m->ngeom;
    for (size_t i = 0; i < n; i++)
        sorted[i] = d->geom_xpos[3 * i + (size_t)axis];
    qsort(sorted, n, sizeof *sorted, ascending);
    return n == 0 ? 0 : (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

// as Gymnasium's: the camera "track", else a free one that looks at the middle of the model
static int aim(tb_render *render)
{
    const mjModel *m = render->copy->model->m;
    mjv_defaultCamera(&render->camera);
    int track = mj_name2id(m, mjOBJ_CAMERA, "track");
    if (track >= 0) {
        render->camera.type = mjCAMERA_FIXED;
        render->camera.fixedcamid = track;
        return 1;
    }
    mjtNum *sorted = calloc((size_t)m->ngeom + 1, sizeof *sorted);
    if (sorted == NULL)
        return 0;
    for (int axis = 0; axis < 3; axis++)
        render->camera.lookat[axis] = median(m, render->copy->d, axis, sorted);
    double distance = render->copy->model->task->camera_distance;
    render->camera.distance = distance > 0 ? distance : m->stat.extent;
    free(sorted);
    return 1;
}

// ---- create and destroy ----

// with MuJoCo's errors caught and the context current
static void make_context(void *arg)
{
    tb_render *render = arg;
    const mjModel *m = render->copy->model->m;
    mjData *d = render->copy->d;
    mj_resetData(m, d);
    mj_forward(m, d);
    mjv_defaultOption(&render->option);
    mjv_defaultScene(&render->scene);
    mjv_makeScene(m, &render->scene, max_geoms);
    render->has_scene = 1;
    // the picture's size is a number in the model, and the model is shared
    mjModel *sized = mj_copyModel(NULL, m);
    sized->vis.global.offwidth = render->view.width;
    sized->vis.global.offheight = render->view.height;
    // a map of shadows four times as fine as the picture shows no steps; finer ones cost most of
    // the time where a processor draws
    int side = render->view.width > render->view.height ? render->view.width : render->view.height;
    int fine = 4 * side > 512 ? 4 * side : 512;
    if (sized->vis.quality.shadowsize > fine)
        sized->vis.quality.shadowsize = fine;
    mjr_defaultContext(&render->context);
    mjr_makeContext(sized, &render->context, mjFONTSCALE_150);
    render->has_context = 1;
    mj_deleteModel(sized);
    mjr_setBuffer(mjFB_OFFSCREEN, &render->context);
}

static tb_status fail(char *err, tb_status status, const char *why)
{
    snprintf(err, TB_MJ_ERROR_CAP, "%s", why);
    return status;
}

// everything of a renderer whose members are still 0
static tb_status furnish(tb_render *render, const tb_mj_lanes *prototype, char *err)
{
    render->copy = tb_mj_lanes_create(prototype->model, 1, err, TB_MJ_ERROR_CAP);
    render->rows = malloc((size_t)render->view.width * (size_t)render->view.height * 3);
    if (render->copy == NULL || render->rows == NULL)
        return fail(err, TB_E_NOMEM, "out of memory for a renderer");
    render->gl = tb_mj_gl_create(err, TB_MJ_ERROR_CAP);
    if (render->gl == NULL)
        return TB_E_UNSUPPORTED;
    if (!tb_mj_gl_enter(render->gl))
        return fail(err, TB_E_UNSUPPORTED, "the OpenGL context cannot be used");
    tb_status status = tb_mj_guarded(make_context, render, err, TB_MJ_ERROR_CAP);
    int fits = status == TB_OK && render->context.currentBuffer == mjFB_OFFSCREEN;
    int is_aimed = fits && aim(render);
    tb_mj_gl_leave(render->gl);
    if (status != TB_OK) {
        render->is_broken = 1;
        return TB_E_UNSUPPORTED; // with MuJoCo's reason
    }
    if (!fits)
        return fail(err, TB_E_UNSUPPORTED, "this OpenGL has no framebuffer of that size");
    return is_aimed ? TB_OK : fail(err, TB_E_NOMEM, "out of memory for a renderer");
}

tb_status tb_mj_render_create(tb_mj_lanes *prototype, uint32_t width, uint32_t height,
                              tb_render **out)
{
    char *err = tb_mj_lanes_error(prototype);
    if (width < 1 || height < 1 || width > largest_side || height > largest_side) {
        snprintf(err, TB_MJ_ERROR_CAP, "a picture has sides from 1 to %d pixels, not %u x %u",
                 (int)largest_side, (unsigned)width, (unsigned)height);
        return TB_E_INVALID;
    }
    tb_render *render = calloc(1, sizeof *render);
    if (render == NULL)
        return fail(err, TB_E_NOMEM, "out of memory for a renderer");
    render->view = (mjrRect){0, 0, (int)width, (int)height};
    tb_status status = furnish(render, prototype, err);
    if (status != TB_OK) {
        tb_mj_render_destroy(render);
        return status;
    }
    *out = render;
    return TB_OK;
}

static void free_context(void *arg)
{
    tb_render *render = arg;
    if (render->has_context)
        mjr_freeContext(&render->context);
    if (render->has_scene)
        mjv_freeScene(&render->scene);
}

void tb_mj_render_destroy(tb_render *render)
{
    if (render == NULL)
        return;
    if (!render->is_broken && render->gl != NULL && tb_mj_gl_enter(render->gl)) {
        tb_mj_guarded(free_context, render, render->error, TB_MJ_ERROR_CAP);
        tb_mj_gl_leave(render->gl);
    }
    tb_mj_gl_destroy(render->gl);
    tb_mj_lanes_destroy(render->copy);
    free(render->rows);
    free(render);
}

// ---- pictures ----

static void draw(void *arg)
{
    tb_render *render = arg;
    mjv_updateScene(render->copy->model->m, render->copy->d, &render->option, NULL, &render->camera,
                    mjCAT_ALL, &render->scene);
    mjr_render(render->view, &render->scene, &render->context);
    mjr_readPixels(render->rows, NULL, render->view, &render->context);
}

// the state of lane 0 into the renderer's own simulation
static tb_status take_state(tb_render *render, const tb_mj_lanes *lanes)
{
    if (!tb_mj_has_state(lanes, 0))
        return fail(
            render->error, TB_E_STATE,
            "there is no state to draw: no episode has begun, or it was lost; call reset()");
    double *vector = malloc((size_t)lanes->model->n_vector * sizeof *vector);
    if (vector == NULL)
        return fail(render->error, TB_E_NOMEM, "out of memory for a picture");
    tb_status status = tb_mj_lane_get(lanes, 0, vector);
    if (status == TB_OK)
        status = tb_mj_lane_set(render->copy, 0, vector);
    free(vector);
    return status == TB_OK ? TB_OK : fail(render->error, status, tb_mj_lanes_error(render->copy));
}

tb_status tb_mj_render_frame(tb_render *render, const tb_mj_lanes *lanes, uint8_t *rgb)
{
    render->error[0] = '\0';
    if (render->is_broken)
        return fail(render->error, TB_E_FATAL, "MuJoCo raised an error in an earlier picture");
    tb_status status = take_state(render, lanes);
    if (status != TB_OK)
        return status;
    if (!tb_mj_gl_enter(render->gl))
        return fail(render->error, TB_E_FATAL, "the OpenGL context cannot be used any more");
    status = tb_mj_guarded(draw, render, render->error, TB_MJ_ERROR_CAP);
    tb_mj_gl_leave(render->gl);
    if (status != TB_OK) {
        render->is_broken = 1;
        return status;
    }
    // OpenGL's rows go up
    size_t height = (size_t)render->view.height, row = 3 * (size_t)render->view.width;
    for (size_t y = 0; y < height; y++)
        memcpy(rgb + y * row, render->rows + (height - 1 - y) * row, row);
    return TB_OK;
}

const char *tb_mj_render_error(tb_render *render)
{
    return render->error;
}
