/* SPDX-License-Identifier: MIT
 *
 * Environment kit: what the author of an environment fills in. Overview: env_kit.h.
 */
#ifndef TRPO_BENCH_ENV_KIT_DEF_H
#define TRPO_BENCH_ENV_KIT_DEF_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "env.h"
#include "rng.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- parameters ---- */

/* One key of the suite's `params` table and the member it is stored in. Made by the macros below;
 * the key is the member's name. create() and params-schema/1 read the same rows. */
typedef struct tb_kit_param {
    const char *key;
    const char *doc;          /* one sentence with the unit */
    const char *default_text; /* as written in TOML */
    const char *default_str;  /* CHOICE: the default without quotes; else NULL */
    const char *choices;      /* CHOICE: "euler|semi-implicit euler"; else NULL */
    uint64_t offset;          /* of the member in the parameter struct, bytes */
    double def;               /* default of numbers and booleans */
    double low, high;         /* inclusive range of numbers; infinite values are always refused */
    uint32_t type;            /* TB_PARAM_* */
    uint32_t text_bytes;      /* TEXT: room in the member with the closing NUL; else 0 */
} tb_kit_param;

/* The member's offset; does not compile when the member is not `bytes` long. */
#define TB__KIT_AT(P, member, bytes)                                                               \
    (offsetof(P, member) + 0 * sizeof(char[sizeof(((P *)0)->member) == (bytes) ? 1 : -1]))

/* Rows for members of type double, int64_t, uint32_t (0 or 1) and uint32_t (index into the
 * choices). P is the parameter struct. `def` of numbers is a TOML literal (9.8, 10, -1.2); of a
 * boolean 0 or 1; of a choice one of the strings in `choices`. */
#define TB_KIT_F64(P, member, def, low, high, doc)                                                 \
    {                                                                                              \
#member, doc, #def, NULL, NULL, TB__KIT_AT(P, member, 8), def, low, high, TB_PARAM_F64, 0  \
    }
#define TB_KIT_I64(P, member, def, low, high, doc)                                                 \
    {                                                                                              \
#member, doc, #def, NULL, NULL, TB__KIT_AT(P, member, 8), def, low, high, TB_PARAM_I64, 0  \
    }
#define TB_KIT_BOOL(P, member, def, doc)                                                           \
    {                                                                                              \
#member, doc, (def) ? "true" : "false", NULL, NULL, TB__KIT_AT(P, member, 4), def,         \
            -INFINITY, INFINITY, TB_PARAM_BOOL, 0                                                  \
    }
#define TB_KIT_CHOICE(P, member, def, choices, doc)                                                \
    {                                                                                              \
#member, doc, "\"" def "\"", def, choices, TB__KIT_AT(P, member, 4), 0, -INFINITY,         \
            INFINITY, TB_PARAM_STR, 0                                                              \
    }
/* A string of any content, in a member of type char[N] (up to N - 1 bytes and the NUL). */
#define TB_KIT_TEXT(P, member, def, doc)                                                           \
    {                                                                                              \
#member, doc, "\"" def "\"", def, NULL, offsetof(P, member), 0, -INFINITY, INFINITY,       \
            TB_PARAM_STR, (uint32_t)sizeof(((P *)0)->member)                                       \
    }
#define TB_KIT_END                                                                                 \
    {                                                                                              \
        NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0                                             \
    }

/* ---- spaces ---- */

/* The observation or the action: one leaf of fixed shape. */
typedef struct tb_kit_space {
    const char *name;
    uint32_t kind;  /* TB_SPACE_* */
    uint32_t dtype; /* as in tb_space. MULTI_BINARY: TB_U8 */
    uint32_t ndim;  /* 0 to 3 */
    uint32_t reserved0;
    uint64_t shape[3];   /* entries from ndim on are 0 */
    int64_t n;           /* DISCRETE: number of categories */
    const int64_t *nvec; /* MULTI_DISCRETE: category numbers; else NULL */
} tb_kit_space;

/* A vector of `count` numbers; a category 0 .. n-1. Other spaces: fill the struct. */
#define TB_KIT_BOX(name, dtype, count)                                                             \
    {                                                                                              \
        name, TB_SPACE_BOX, dtype, 1, 0, {count, 0, 0}, 0, NULL                                    \
    }
#define TB_KIT_DISCRETE(name, n)                                                                   \
    {                                                                                              \
        name, TB_SPACE_DISCRETE, TB_I32, 0, 0, {0, 0, 0}, n, NULL                                  \
    }

/* ---- the definition of an environment ---- */

/* Lanes that step_lanes() gets at most: its arrays of one number a lane can live on the stack. */
#define TB_KIT_LANES 64

/* Everything the kit must know. Constant, and alive as long as the plugin. Functions are [any]:
 * they may use nothing but their arguments. */
typedef struct tb_kit_def {
    tb_env_desc desc;           /* set desc.struct_size = sizeof(tb_env_desc) */
    const tb_kit_param *params; /* rows, the last one TB_KIT_END; NULL = no parameters */
    uint64_t params_bytes;      /* sizeof the parameter struct: the rows' members, then anything
                                   that prepare() derives from them. Zeroed before the first row */
    /* Names of the doubles that begin the state, the last one NULL: what state-vector/1 shows. */
    const char *const *state_names;
    uint64_t state_bytes; /* sizeof the state struct: those doubles, then any other bytes that the
                             next step reads: no pointers, no padding between members */
    tb_kit_space observation;
    tb_kit_space action;

    /* Optional: derives members from the rows' members, checks combinations. On failure writes a
     * reason with tb_kit_text() and returns TB_E_PARAM. */
    tb_status (*prepare)(void *params, char *err, uint64_t err_cap);
    /* Optional: what prepare() would derive if its size did not depend on parameters. Called with
     * block = NULL it returns the bytes that the tables take; called again with a zeroed block of
     * so many, aligned for doubles, it fills them and lets members of `params` point into it. The
     * block is the instance's, freed with it; a copy of an instance gets tables of its own. */
    uint64_t (*tables)(void *params, void *block);
    /* Optional: the number of categories (at least 1) of a DISCRETE space, in place of
     * tb_kit_space.n, where it depends on parameters. Called after tables(). */
    int64_t (*categories)(const void *params, uint32_t which);
    /* Optional: overwrites the bounds of a BOX (`which` is TB_SPACE_OBSERVATION or _ACTION), which
     * are -INFINITY and INFINITY on entry. The kit rounds them to float for TB_F32, as Gymnasium
     * does. Never called for other kinds of space. */
    void (*bounds)(const void *params, uint32_t which, double *low, double *high);
    /* Draws a start state. All of `state` is zero on entry. */
    void (*reset)(const void *params, void *state, tb_rng *rng);
    /* Optional: whether double i of the state may be x (finite), where step() relies on more than
     * finiteness: set() and load() refuse other states. */
    int (*valid)(const void *params, uint64_t i, double x);
    /* Moves `state` one step and returns the reward. *flags is 0 on entry; raise TB_TERMINATED or
     * TB_TRUNCATED (never for a time limit). The action is finite and, when discrete, in range; a
     * Box action may lie outside its bounds. */
    double (*step)(const void *params, void *state, const void *action, tb_rng *rng,
                   uint32_t *flags);
    /* Optional: writes the observation of `state`. Without it the observation is the state's
     * doubles in their order, rounded to the space's dtype (a BOX of TB_F32 or TB_F64). */
    void (*observe)(const void *params, const void *state, void *observation);
    /* Optional, for a state of doubles alone whose step() draws no random numbers: step() of the
     * lanes 0 .. n-1 (n <= TB_KIT_LANES) in a form that a compiler can vectorise, and with the same
     * bits (the checker compares). lanes[k][i] is double k of the state of lane i. actions: one row
     * a lane. All rewards[i] and flags[i] are to be written. Lanes that are not to be stepped are
     * computed all the same and put back afterwards: their state may be anything, NaN too, their
     * actions are valid. Share the formulas with step() by an inline function. Without it vec/1
     * calls step() lane by lane. */
    void (*step_lanes)(const void *params, uint64_t n, double *const *lanes, const void *actions,
                       double *rewards, uint32_t *flags);
    /* Optional: the table of an extension that the kit does not know, or NULL. Its functions find
     * the parameters with tb_kit_params() of env_kit_instance.h. */
    const void *(*extension)(const char *id);
} tb_kit_def;

/* ---- messages ---- */

#if defined(__GNUC__)
#define TB__KIT_FORMAT(at) __attribute__((format(printf, at, (at) + 1)))
#else
#define TB__KIT_FORMAT(at)
#endif

/* Writes a message into err (may be NULL when err_cap is 0) and returns `status`. */
TB__KIT_FORMAT(4)
static inline tb_status tb_kit_text(char *err, uint64_t err_cap, tb_status status,
                                    const char *format, ...)
{
    va_list arguments;
    if (err_cap > 0) {
        va_start(arguments, format);
        vsnprintf(err, (size_t)err_cap, format, arguments);
        va_end(arguments);
    }
    return status;
}

/* ---- what environments share ---- */

/* For prepare(): TB_OK when a < b, else TB_E_PARAM with a message that names both keys. */
static inline tb_status tb_kit_need_less(const char *a_key, double a, const char *b_key, double b,
                                         char *err, uint64_t err_cap)
{
    if (a < b)
        return TB_OK;
    return tb_kit_text(err, err_cap, TB_E_PARAM,
                       "parameter \"%s\" (%g) must be less than \"%s\" (%g)", a_key, a, b_key, b);
}

/* x limited to [low, high]; NaN stays NaN. */
static inline double tb_kit_clip(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* libm's pow(x, 2): what Python's x ** 2 computes. It may differ from x * x in the last bit; the
 * exponent is volatile so that no compiler turns one into the other. */
static inline double tb_kit_pow2(double x)
{
    volatile double two = 2;
    return pow(x, two);
}

#ifdef __cplusplus
}
#endif
#endif
