/* SPDX-License-Identifier: MIT
 *
 * render/1: MuJoCo's own pictures, without a window. A renderer has a simulation of its own, into
 * which the state to be drawn is copied: instances never notice.
 */
#ifndef TB_MJ_RENDER_H
#define TB_MJ_RENDER_H

#include "lanes.h"

/* The functions of tb_env_render but for the casts. create() puts its reason into the prototype's
 * tb_mj_lanes_error. The camera is the model's "track" where it has one, else a free one that sees
 * the model as Gymnasium's does. */
tb_status tb_mj_render_info(tb_mj_lanes *lanes, tb_render_info *out);
tb_status tb_mj_render_create(tb_mj_lanes *prototype, uint32_t width, uint32_t height,
                              tb_render **out);
void tb_mj_render_destroy(tb_render *render);
tb_status tb_mj_render_frame(tb_render *render, const tb_mj_lanes *lanes, uint8_t *rgb);
const char *tb_mj_render_error(tb_render *render);

#endif
