/* SPDX-License-Identifier: MIT */
#include "engine.h"

#include <mujoco/mujoco.h>
#include <stdio.h>

typedef struct guard {
    void *where[5]; // of __builtin_setjmp
    struct guard *outer;
    char *err;
    uint64_t err_cap;
} guard;

static _Thread_local guard *innermost;
static void (*others_handler)(const char *);

static void on_error(const char *text)
{
    guard *g = innermost;
    if (g == NULL) {
        // somebody else's use of the library
        if (others_handler != NULL)
            others_handler(text);
        return;
    }
    if (g->err_cap > 0)
        snprintf(g->err, (size_t)g->err_cap, "MuJoCo: %s", text);
    __builtin_longjmp(g->where, 1);
}

// what a warning is about is counted in mjData.warning, which the lanes look at
static void on_warning(const char *text)
{
    (void)text;
}

void tb_mj_engine_start(void)
{
    if (mju_user_error != on_error)
        others_handler = mju_user_error;
    mju_user_error = on_error;
    mju_user_warning = on_warning;
}

void tb_mj_engine_stop(void)
{
    mju_user_error = others_handler;
    mju_user_warning = NULL;
}

__attribute__((noinline)) tb_status tb_mj_guarded(void (*work)(void *), void *arg, char *err,
                                                  uint64_t err_cap)
{
    guard g = {.outer = innermost, .err = err, .err_cap = err_cap};
    if (err_cap > 0)
        err[0] = '\0';
    if (__builtin_setjmp(g.where) != 0) {
        innermost = innermost->outer;
        return TB_E_FATAL;
    }
    innermost = &g;
    work(arg);
    innermost = g.outer;
    return TB_OK;
}
