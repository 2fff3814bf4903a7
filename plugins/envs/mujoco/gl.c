/* SPDX-License-Identifier: MIT */
#include "gl.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- EGL, as declared in the headers of Khronos' registry ----

typedef void (*function)(void);

typedef struct egl_functions {
    function (*get_proc_address)(const char *name);
    void *(*get_display)(void *native);
    unsigned (*initialize)(void *display, int *major, int *minor);
    unsigned (*bind_api)(unsigned api);
    unsigned (*choose_config)(void *display, const int *attributes, void **configs, int size,
                              int *n);
    void *(*create_context)(void *display, void *config, void *share, const int *attributes);
    unsigned (*destroy_context)(void *display, void *context);
    unsigned (*make_current)(void *display, void *draw, void *read, void *context);
} egl_functions;

enum {
    EGL_OPENGL_API_ = 0x30A2,
    EGL_PLATFORM_DEVICE_ = 0x313F,
    EGL_PLATFORM_SURFACELESS_ = 0x31DD,
    EGL_SURFACE_TYPE_ = 0x3033,
    EGL_PBUFFER_BIT_ = 1,
    EGL_RENDERABLE_TYPE_ = 0x3040,
    EGL_OPENGL_BIT_ = 8,
    EGL_NONE_ = 0x3038
};

// OSMesa, as declared in GL/osmesa.h
typedef struct osmesa_functions {
    void *(*create_context)(unsigned format, int depth, int stencil, int accum, void *share);
    void (*destroy_context)(void *context);
    unsigned char (*make_current)(void *context, void *buffer, unsigned type, int width,
                                  int height);
} osmesa_functions;

enum { OSMESA_RGBA_ = 0x1908, GL_UNSIGNED_BYTE_ = 0x1401 };

struct tb_mj_gl {
    egl_functions egl;
    osmesa_functions osmesa;
    void *egl_display, *egl_context; // or
    void *osmesa_context;
    unsigned char osmesa_buffer[64]; // of a window that nothing is drawn into: 4 x 4 pixels
};

// a function of the library, through memcpy: C has no conversion between the two kinds of pointers
static int find(void *library, const char *name, void *to)
{
    void *at = dlsym(library, name);
    memcpy(to, &at, sizeof at);
    return at != NULL;
}

// the library stays: drivers do not survive being unloaded
static int load_egl(egl_functions *egl)
{
    void *library = dlopen("libEGL.so.1", RTLD_NOW | RTLD_LOCAL);
    return library != NULL && find(library, "eglGetProcAddress", &egl->get_proc_address) &&
           find(library, "eglGetDisplay", &egl->get_display) &&
           find(library, "eglInitialize", &egl->initialize) &&
           find(library, "eglBindAPI", &egl->bind_api) &&
           find(library, "eglChooseConfig", &egl->choose_config) &&
           find(library, "eglCreateContext", &egl->create_context) &&
           find(library, "eglDestroyContext", &egl->destroy_context) &&
           find(library, "eglMakeCurrent", &egl->make_current);
}

static int egl_context_on(tb_mj_gl *gl, void *display)
{
    static const int attributes[] = {EGL_SURFACE_TYPE_, EGL_PBUFFER_BIT_, EGL_RENDERABLE_TYPE_,
                                     EGL_OPENGL_BIT_, EGL_NONE_};
    static const int none[] = {EGL_NONE_};
    void *config;
    int n = 0, major, minor;
    if (display == NULL || !gl->egl.initialize(display, &major, &minor) ||
        !gl->egl.bind_api(EGL_OPENGL_API_) ||
        !gl->egl.choose_config(display, attributes, &config, 1, &n) || n < 1)
        return 0;
    void *context = gl->egl.create_context(display, config, NULL, none);
    if (context == NULL)
        return 0;
    gl->egl_display = display;
    gl->egl_context = context;
    if (tb_mj_gl_enter(gl)) {
        tb_mj_gl_leave(gl);
        return 1;
    }
    gl->egl.destroy_context(display, context);
    gl->egl_context = NULL;
    return 0;
}

// each graphics card, then Mesa without a window, then whatever is the default
static int make_egl(tb_mj_gl *gl)
{
    enum { most = 16 };
    void *(*platform_display)(unsigned platform, void *native, const int *attributes) = NULL;
    unsigned (*query_devices)(int size, void **devices, int *n) = NULL;
    void *devices[most];
    int n = 0;
    if (!load_egl(&gl->egl))
        return 0;
    function f = gl->egl.get_proc_address("eglGetPlatformDisplayEXT");
    memcpy(&platform_display, &f, sizeof f);
    f = gl->egl.get_proc_address("eglQueryDevicesEXT");
    memcpy(&query_devices, &f, sizeof f);
    if (platform_display != NULL && query_devices != NULL && query_devices(most, devices, &n))
        for (int i = 0; i < n; i++)
            if (egl_context_on(gl, platform_display(EGL_PLATFORM_DEVICE_, devices[i], NULL)))
                return 1;
    if (platform_display != NULL &&
        egl_context_on(gl, platform_display(EGL_PLATFORM_SURFACELESS_, NULL, NULL)))
        return 1;
    return egl_context_on(gl, gl->egl.get_display(NULL));
}

// ---- OSMesa ----

static int load_osmesa(osmesa_functions *osmesa)
{
    static const char *const names[] = {"libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so"};
    void *library = NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && library == NULL; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    return library != NULL && find(library, "OSMesaCreateContextExt", &osmesa->create_context) &&
           find(library, "OSMesaDestroyContext", &osmesa->destroy_context) &&
           find(library, "OSMesaMakeCurrent", &osmesa->make_current);
}

static int make_osmesa(tb_mj_gl *gl)
{
    if (!load_osmesa(&gl->osmesa))
        return 0;
    gl->osmesa_context = gl->osmesa.create_context(OSMESA_RGBA_, 24, 8, 0, NULL);
    if (gl->osmesa_context != NULL && tb_mj_gl_enter(gl)) {
        tb_mj_gl_leave(gl);
        return 1;
    }
    if (gl->osmesa_context != NULL)
        gl->osmesa.destroy_context(gl->osmesa_context);
    gl->osmesa_context = NULL;
    return 0;
}

// ---- either ----

tb_mj_gl *tb_mj_gl_create(char *err, uint64_t err_cap)
{
    const char *wanted = getenv("MUJOCO_GL");
    int only_egl = wanted != NULL && strcmp(wanted, "egl") == 0;
    int only_osmesa = wanted != NULL && strcmp(wanted, "osmesa") == 0;
    tb_mj_gl *gl = calloc(1, sizeof *gl);
    if (gl != NULL && ((!only_osmesa && make_egl(gl)) || (!only_egl && make_osmesa(gl))))
        return gl;
    free(gl);
    if (err_cap > 0)
        snprintf(err, (size_t)err_cap, "there is no OpenGL here%s%s%s; install %s",
                 wanted != NULL ? " (MUJOCO_GL=" : "", wanted != NULL ? wanted : "",
                 wanted != NULL ? ")" : "",
                 only_osmesa ? "OSMesa (Debian: apt-get install libosmesa6)"
                             : "EGL (Debian: apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri) "
                               "or OSMesa (libosmesa6)");
    return NULL;
}

void tb_mj_gl_destroy(tb_mj_gl *gl)
{
    if (gl == NULL)
        return;
    if (gl->egl_context != NULL)
        gl->egl.destroy_context(gl->egl_display, gl->egl_context);
    if (gl->osmesa_context != NULL)
        gl->osmesa.destroy_context(gl->osmesa_context);
    free(gl);
}

// which API a thread means is the thread's own setting
static int egl_make_current(const tb_mj_gl *gl, void *context)
{
    return gl->egl.bind_api(EGL_OPENGL_API_) &&
           gl->egl.make_current(gl->egl_display, NULL, NULL, context);
}

int tb_mj_gl_enter(tb_mj_gl *gl)
{
    if (gl->egl_context != NULL)
        return egl_make_current(gl, gl->egl_context);
    return gl->osmesa.make_current(gl->osmesa_context, gl->osmesa_buffer, GL_UNSIGNED_BYTE_, 4, 4);
}

void tb_mj_gl_leave(tb_mj_gl *gl)
{
    if (gl->egl_context != NULL)
        egl_make_current(gl, NULL);
    else
        gl->osmesa.make_current(NULL, NULL, 0, 0, 0);
}
