/* SPDX-License-Identifier: MIT
 *
 * What the checker's tests share: guarded buffers, an environment or a map with everything needed
 * to drive it, recorded trajectories. Whatever is opened here is closed by the runner after the
 * test.
 */
#ifndef HARNESS_CHECK_FIXTURE_H
#define HARNESS_CHECK_FIXTURE_H

#include <trpo-bench/env.h>
#include <trpo-bench/policy.h>
#include <trpo-bench/rng.h>

#include "harness/check/check.h"

typedef struct tb_check_resource tb_check_resource;

/* Has `close(data)` called after the test. */
void tb_check_defer(tb_check *c, void (*close)(void *data), void *data);
void tb_check_close_all(tb_check *c);

/* ---- guarded memory ---- */

/* `size` bytes, aligned to 64, that end (but for the rounding to 64) at a page that cannot be
 * touched; what lies around them is filled with a pattern. */
typedef struct tb_check_buffer {
    unsigned char *data;
    size_t size;
    unsigned char *map; /* the whole mapping: n_map bytes and the guard page */
    size_t n_map;
} tb_check_buffer;

/* Never NULL: aborts the test process when out of memory. Filled with 0xA5. */
tb_check_buffer *tb_check_buffer_make(tb_check *c, size_t size);
/* Whether the pattern around the buffer is untouched. */
int tb_check_buffer_intact(const tb_check_buffer *buffer);
/* Makes the pages read-only or writable again. */
void tb_check_buffer_protect(tb_check_buffer *buffer, int read_only);

/* ---- environments ---- */

enum { TB_CHECK_MAX_LEAVES = 16, TB_CHECK_TRACE = 2048 };

typedef struct tb_check_env {
    const tb_env_desc *desc;
    const tb_env_api *api;
    tb_env *env;
    const tb_env_snapshot *snapshot;   /* NULL: not offered */
    const tb_env_state_vector *vector; /* NULL: not offered */
    const tb_env_tabular *tabular;     /* NULL: not offered */
    json_t *effective;                 /* parameters in force */
    uint32_t n_leaves[2];              /* by TB_SPACE_OBSERVATION, TB_SPACE_ACTION */
    tb_space leaf[2][TB_CHECK_MAX_LEAVES];
    tb_check_buffer *obs, *action;
    tb_step out; /* of the last step */
} tb_check_env;

/* The environment under test with these parameters (NULL = none); NULL when the test has failed. */
tb_check_env *tb_check_env_open(tb_check *c, const json_t *params);
void tb_check_env_close(tb_check_env *e); /* earlier than the runner would */

/* Whether this environment breaks the pure-function contract by its own account (then skipped). */
int tb_check_is_random(tb_check *c);

/* Stores `value` as element i of an array of this dtype. */
void tb_check_put(void *array, uint32_t dtype, uint64_t i, double value);

/* Writes an action drawn from the space (BOX: within the bounds, infinite ones taken as +-1). */
void tb_check_random_action(tb_check_env *e, tb_rng *rng);
tb_status tb_check_step(tb_check_env *e);

/* What happened: one digest a row. Row 0 is the first observation, row i the observation, reward
 * and flags of step i. */
typedef struct tb_check_trace {
    uint64_t digest[TB_CHECK_TRACE];
    size_t n;
    tb_status status; /* of the last call */
    uint32_t flags;   /* of the last step */
} tb_check_trace;

/* A trace that lives until the end of the test. Never NULL. */
tb_check_trace *tb_check_trace_make(tb_check *c);

/* The key number `label` of this test run. */
tb_key tb_check_key(const tb_check *c, uint64_t label);

/* Resets with `key` and plays up to `steps` random actions, to the end of the episode at most. */
void tb_check_play(tb_check_env *e, tb_key key, uint64_t action_seed, size_t steps,
                   tb_check_trace *trace);
/* Goes on from where the environment is; row 0 is then 0. */
void tb_check_continue(tb_check_env *e, uint64_t action_seed, size_t steps, tb_check_trace *trace);
/* One step with the next action of `rng`, recorded in row 1. */
void tb_check_continue_drawn(tb_check_env *e, tb_rng *rng, tb_check_trace *trace);
/* Plays whole episodes with keys `first`, `first` + 1, ... until `steps` are recorded. */
void tb_check_play_many(tb_check *c, tb_check_env *e, uint64_t first, size_t steps,
                        tb_check_trace *trace);
/* Plays with random actions, also ones held for a while, until an episode ends by itself; 0 when
 * none did. */
int tb_check_play_to_end(tb_check *c, tb_check_env *e, tb_check_trace *trace);
/* Brings the environment `steps` steps into an episode that is still running (fewer when its
 * episodes are shorter); returns the number of steps. */
size_t tb_check_prefix(tb_check *c, tb_check_env *e, size_t steps, tb_check_trace *trace);

/* Fails unless both traces are alike; `what` says what was compared. */
int tb_check_same(tb_check *c, const tb_check_trace *a, const tb_check_trace *b, const char *what);

uint64_t tb_check_digest(uint64_t digest, const void *data, size_t n);

#endif
