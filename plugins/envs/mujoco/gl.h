/* SPDX-License-Identifier: MIT
 *
 * An OpenGL context without a window: EGL (a graphics card, or Mesa's software), else OSMesa. Both
 * libraries are looked for when the first renderer is made, so that the plugin loads without them.
 * The variable MUJOCO_GL, "egl" or "osmesa", chooses one, as it does for MuJoCo's other users.
 */
#ifndef TB_MJ_GL_H
#define TB_MJ_GL_H

#include <stdint.h>

typedef struct tb_mj_gl tb_mj_gl;

/* NULL with a reason in err, which says what to install. */
tb_mj_gl *tb_mj_gl_create(char *err, uint64_t err_cap);
void tb_mj_gl_destroy(tb_mj_gl *gl); /* takes NULL; not between enter and leave */

/* Makes the context the calling thread's, and takes it from the thread again. 0 when that fails. */
int tb_mj_gl_enter(tb_mj_gl *gl);
void tb_mj_gl_leave(tb_mj_gl *gl);

#endif
