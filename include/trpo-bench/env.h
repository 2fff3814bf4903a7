/* SPDX-License-Identifier: MIT
 *
 * trpo-bench plugin ABI 1.2: environments ("tb.env-factory/1") and their extensions. Rules:
 * plugin.h.
 *
 * Contract of an environment:
 *  - a trajectory is a pure function of (id, parameters, episode key, actions): not of the thread,
 * the instance, the order of episodes, or what was played before;
 *  - step() never resets by itself and always writes the true successor observation, also at the
 * end of an episode;
 *  - TERMINATED (the task ended) and TRUNCATED (the episode was cut) are independent. The time
 * limit belongs to the HOST (max_episode_steps); an environment raises TRUNCATED only for cuts of
 * its own;
 *  - the host clips Box actions to their bounds before step() (suite key clip_actions, recorded);
 * likelihoods use the unclipped action, `replay` never clips. An environment treats any finite
 * value as its reference does;
 *  - buffers belong to the host, are 64-byte aligned, never alias, and are valid only during the
 * call. Writing one by hand is rarely needed: env_kit.h builds everything below from four
 * functions.
 */
#ifndef TRPO_BENCH_ENV_H
#define TRPO_BENCH_ENV_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- spaces ---- */

#define TB_SPACE_BOX 1u
#define TB_SPACE_DISCRETE 2u       /* one category index */
#define TB_SPACE_MULTI_DISCRETE 3u /* several category indices */
#define TB_SPACE_MULTI_BINARY 4u   /* several 0/1 values */

#define TB_SPACE_OBSERVATION 0u /* `which` of tb_env_api.space */
#define TB_SPACE_ACTION 1u

/* One leaf of the observation or action. Host allocates and sets struct_size; plugin fills what
 * fits. Composite observations are packed leaves: leaf i lies at `offset` in the buffer and takes
 * `bytes` bytes. */
typedef struct tb_space {
    uint32_t struct_size;
    uint32_t kind;        /* TB_SPACE_BOX ... */
    uint32_t dtype;       /* TB_F64, TB_F32, TB_I32 or TB_U8; DISCRETE and MULTI_DISCRETE: TB_I32 */
    uint32_t ndim;        /* 0 to 8; 0 = scalar */
    uint64_t shape[8];    /* entries from ndim on are 0 */
    uint64_t count;       /* product of shape: number of elements, at least 1 */
    const double *low;    /* BOX: count entries, may be -INFINITY; until destroy. Else NULL */
    const double *high;   /* BOX: count entries, low <= high */
    const int64_t *nvec;  /* DISCRETE, MULTI_DISCRETE: count category numbers, each >= 1; until
                             destroy. Else NULL */
    const int64_t *start; /* DISCRETE, MULTI_DISCRETE: first index of each; NULL = all 0 */
    const char *name;     /* "observation", "image"; until destroy. Never NULL */
    uint64_t n_leaves;    /* leaves of this observation or action, at least 1 */
    uint64_t offset;      /* of this leaf in the packed buffer, bytes, multiple of 8 */
    uint64_t bytes;       /* size of this leaf, bytes */
} tb_space;

/* ---- description ---- */

#define TB_ENV_NONDETERMINISTIC                                                                    \
    1u                            /* breaks the pure-function contract; its results carry a mark   \
                                   */
#define TB_ENV_ONE_PER_PROCESS 2u /* uses process-global state: the host isolates it */
#define TB_ENV_STOCHASTIC_STEP                                                                     \
    4u /* step() consumes randomness (matters for vine's common random numbers) */

typedef struct tb_env_desc { /* owned by the plugin until deinit */
    uint32_t struct_size;
    uint32_t flags;        /* TB_ENV_* */
    const char *id;        /* "classic/CartPole-v1", pattern ns/Name-vN; new N = new behaviour */
    const char *summary;   /* one sentence */
    const char *reference; /* what it must match: "Gymnasium 1.0.0 CartPole-v1"; NULL = nothing */
    uint64_t max_episode_steps; /* time limit, steps; 0 = none. The HOST enforces it and raises
                                   truncated */
    double reward_threshold;    /* return from which the task counts as solved; NaN = none */
    double return_random; /* mean return of the uniform random policy; NaN = unknown. For normalised
                             scores: */
    double return_ref; /* return of a good policy; NaN = unknown. (x - random) / (ref - random) */
} tb_env_desc;

/* ---- the environment ---- */

#define TB_TERMINATED 1u
#define TB_TRUNCATED 2u /* a cut of the environment's own; both bits may be set */

typedef struct tb_step { /* host allocates and sets struct_size */
    uint32_t struct_size;
    uint32_t flags; /* TB_TERMINATED | TB_TRUNCATED */
    double reward;
} tb_step;

typedef struct tb_env tb_env; /* opaque instance */

typedef struct tb_env_api { /* [instance] unless it says otherwise; no entry may be NULL */
    uint32_t struct_size;
    uint32_t reserved0;
    void (*destroy)(tb_env *); /* takes NULL */
    /* Fills *out for leaf `leaf` of space `which`. Constant after create. TB_E_INVALID for an
     * unknown which or leaf. */
    tb_status (*space)(tb_env *, uint32_t which, uint32_t leaf, tb_space *out);
    /* Starts the episode of this key and writes its first observation. */
    tb_status (*reset)(tb_env *, const tb_key *episode_key, void *obs_out);
    /* One step. TB_E_STATE before reset or after an end; TB_E_INVALID for a non-finite or
     * out-of-range action (nothing changed); TB_E_NUMERIC when the state left the finite numbers.
     * On TB_OK obs_out and *out are written. */
    tb_status (*step)(tb_env *, const void *action, void *obs_out, tb_step *out);
    /* Text of the last failure of this instance ("" if none), valid until the next call on it.
     * Never NULL. */
    const char *(*last_error)(tb_env *);
    /* [any] Extension table (valid until destroy) or NULL. Ids are compared whole. */
    const void *(*get_extension)(tb_env *, const char *id);
} tb_env_api;

#define TB_ENV_FACTORY "tb.env-factory/1"
typedef struct tb_env_factory { /* [any] */
    uint32_t struct_size;
    uint32_t reserved0;
    uint32_t (*count)(void);                    /* environments in this library */
    const tb_env_desc *(*describe)(uint32_t i); /* NULL for i >= count() */
    /* Creates an instance. On failure *out stays untouched and `err` gets the reason (UTF-8,
     * truncated to err_cap bytes with the NUL; may be NULL when err_cap is 0). `params` is never
     * NULL and dies with the call. */
    tb_status (*create)(const tb_host *, const char *id, const tb_params *params,
                        const tb_env_api **api, tb_env **out, char *err, uint64_t err_cap);
} tb_env_factory;

/* ---- extension snapshot/1: save and restore, what vine needs ---- */

#define TB_EXT_ENV_SNAPSHOT "tb.env.snapshot/1"
#define TB_SNAP_SAME_PROCESS 1u /* bytes may hold pointers */
#define TB_SNAP_SAME_BINARY 2u  /* bytes are valid for another process of this very library */
#define TB_SNAP_PORTABLE 4u     /* bytes are valid for any build of this environment version */

/* A snapshot holds everything the next step and its reward read, the random stream included, and
 * `load` recomputes nothing. The host keeps its own step counter beside it, and frames and
 * checksums what goes to disk. */
typedef struct tb_env_snapshot {
    uint32_t struct_size;
    uint32_t scope;                  /* one of TB_SNAP_* */
    uint64_t (*max_bytes)(tb_env *); /* constant after create */
    /* Writes the state, at most max_bytes; TB_E_INVALID when cap is too small (nothing written).
     * Equal states give equal bytes. TB_E_STATE before the first reset. */
    tb_status (*save)(const tb_env *, void *buf, uint64_t cap, uint64_t *used);
    /* Restores into ANY instance of the same id and parameters, whatever it did before.
     * TB_E_CORRUPT when the bytes are not a snapshot of such an instance (nothing changed). Does
     * not modify the bytes. */
    tb_status (*load)(tb_env *, const void *buf, uint64_t used);
    /* Replaces the random stream only: common random numbers, or fresh noise. */
    tb_status (*rekey)(tb_env *, const tb_key *);
    /* Writes the observation of the current state. TB_E_STATE before the first reset. */
    tb_status (*observe)(tb_env *, void *obs_out);
} tb_env_snapshot;

/* ---- extension state-vector/1: the physical state as float64, for replay and debugging ---- */

#define TB_EXT_ENV_STATE_VECTOR "tb.env.state-vector/1"
typedef struct tb_env_state_vector {
    uint32_t struct_size;
    uint32_t reserved0;
    uint64_t (*count)(tb_env *);               /* constant after create */
    const char *(*name)(tb_env *, uint64_t i); /* "theta", until destroy; NULL for i >= count */
    tb_status (*get)(const tb_env *,
                     double *out); /* count values. TB_E_STATE before the first reset or set */
    /* count values; afterwards the episode is running (step() works), whatever it was before.
     * TB_E_INVALID: non-finite. */
    tb_status (*set)(tb_env *, const double *in);
} tb_env_state_vector;

/* ---- extension vec/1: many lanes stepped by one call ---- */

/* n lanes of one environment, each with the same bits as an instance of its own: the trajectory of
 * a lane is the pure function of (id, parameters, key, actions) that it is in tb_env_api, whatever
 * the other lanes do and however many there are.
 *
 * Arrays have one entry or row a lane, lane 0 first. Rows of actions and observations are packed
 * ones as in tb_env_api.step; from one row to the next it is as many bytes as such a row takes,
 * rounded up to a multiple of 8 when the space has several leaves. Buffers belong to the host,
 * begin 64-byte aligned, never alias, and are valid only during the call.
 *
 * `mask` (n bytes) says which lanes a call is about: those whose byte is not 0; NULL = all. Of
 * other lanes nothing is read and nothing is written, in no array.
 *
 * Lanes fail one by one: status[i] is what the scalar call would have returned, the lanes that did
 * not fail have done their step, and of a lane that failed the row, the reward and the flags hold
 * nothing of use. The call returns TB_OK when all its lanes did, else the status of the first that
 * failed. *Rationale:* one lane's failure must not depend on who its neighbours are. */
#define TB_EXT_ENV_VEC "tb.env.vec/1"

typedef struct tb_vec tb_vec; /* opaque: n lanes */

/* The functions are [instance] with respect to their tb_vec; no entry may be NULL. Nothing between
 * create and destroy allocates memory. */
typedef struct tb_env_vec {
    uint32_t struct_size;
    uint32_t scope; /* of a lane's snapshots, TB_SNAP_*; 0 = none: max_bytes is 0, and save, load,
                       rekey and observe give TB_E_UNSUPPORTED */
    /* n >= 1 lanes with the parameters of `prototype`, all before their first reset. They do not
     * look at the prototype again: it may be stepped or destroyed. TB_E_INVALID for n = 0,
     * TB_E_NOMEM; *out then stays untouched. [instance] with respect to the prototype. */
    tb_status (*create)(tb_env *prototype, uint64_t n, tb_vec **out);
    void (*destroy)(tb_vec *); /* takes NULL */
    /* Starts the episode keys[i] in each lane of the mask and writes its first observation; the
     * other entries of keys are not read (tb_key's layout is frozen: an array of it is safe). */
    tb_status (*reset)(tb_vec *, const uint8_t *mask, const tb_key *keys, void *obs_out,
                       tb_status *status);
    /* One step of each lane of the mask: reads actions, writes obs_out, rewards, and flags
     * (TB_TERMINATED | TB_TRUNCATED). Never resets by itself: a lane that ended gives TB_E_STATE
     * until it is reset or loaded. */
    tb_status (*step)(tb_vec *, const uint8_t *mask, const void *actions, void *obs_out,
                      double *rewards, uint32_t *flags, tb_status *status);
    /* Text of the failure that the last failed call on this tb_vec returned: its first lane's (""
     * if none), valid until the next call. Never NULL. */
    const char *(*last_error)(tb_vec *);
    /* As in snapshot/1, for one lane. The bytes are those of a scalar instance: either side loads
     * what the other saved. TB_E_INVALID for lane >= n. */
    uint64_t (*max_bytes)(tb_vec *);
    tb_status (*save)(const tb_vec *, uint64_t lane, void *buf, uint64_t cap, uint64_t *used);
    tb_status (*load)(tb_vec *, uint64_t lane, const void *buf, uint64_t used);
    tb_status (*rekey)(tb_vec *, uint64_t lane, const tb_key *);
    /* obs_out is one row. */
    tb_status (*observe)(tb_vec *, uint64_t lane, void *obs_out);
} tb_env_vec;

/* ---- extension tabular/1 (since 1.1): the model of a finite Markov decision process ---- */

/* An environment whose state is one of S numbers and whose dynamics are known tells them: what
 * exact values, visitation frequencies and bounds are computed from. The environment has one
 * DISCRETE action and one DISCRETE observation, both with categories from 0 on.
 *
 * Outcomes are what a step can lead to. Those of the pair (s, a) have the numbers
 * first[s * A + a] to first[s * A + a + 1] - 1: with probability[o] the state becomes next[o], the
 * reward is reward[o], and the episode ends if terminated[o] is 1 (then nothing follows: the value
 * of next[o] counts as 0). An outcome may have probability 0, and several outcomes of a pair may be
 * alike; what it is worth to ask for is their sum. The expected reward of a pair is the sum of
 * probability * reward. States that only follow an end, or none, are listed like others. Time
 * limits are the host's and not part of the model.
 *
 * *Rationale:* outcomes, not matrices P [S][A][S] and r [S][A]: a step touches few states, and
 * reward and end may depend on where it leads. */
#define TB_EXT_ENV_TABULAR "tb.env.tabular/1"

/* Host allocates and sets struct_size; plugin fills what fits. The arrays belong to the plugin, are
 * constant, and live until destroy. */
typedef struct tb_tabular {
    uint32_t struct_size;
    uint32_t reserved0;
    uint64_t n_states;          /* S, 1 to 2^31 */
    uint64_t n_actions;         /* A, the categories of the action */
    uint64_t n_outcomes;        /* O, of all pairs together */
    const uint64_t *first;      /* [S * A + 1], ascending by at least 1, from 0 to O */
    const uint32_t *next;       /* [O], below S */
    const double *probability;  /* [O], 0 to 1; those of a pair add up to 1 but for rounding */
    const double *reward;       /* [O], finite */
    const uint8_t *terminated;  /* [O], 0 or 1 */
    const double *start;        /* [S], the distribution of the first state; adds up to 1 */
    const int32_t *observation; /* [S], what is observed in a state. Several states may look alike:
                                   then the process is only partially observed */
} tb_tabular;

typedef struct tb_env_tabular {
    uint32_t struct_size;
    uint32_t reserved0;
    /* Constant after create. */
    tb_status (*model)(tb_env *, tb_tabular *out);
    /* The state that the instance is in. TB_E_STATE before the first reset or set. */
    tb_status (*get)(const tb_env *, uint64_t *state);
    /* Puts the instance into a state; afterwards the episode is running, whatever it was before,
     * and the random stream goes on where it was. TB_E_INVALID for state >= S. */
    tb_status (*set)(tb_env *, uint64_t state);
} tb_env_tabular;

/* ---- extension render/1 (since 1.2): pictures of a state ---- */

/* A renderer is an object of its own, made from a prototype; it draws any instance of the same id
 * and parameters. The instance is const: a picture never moves a trajectory, whether and when it is
 * drawn, and what drawing needs (a graphics context, a canvas) costs instances that are never drawn
 * nothing.
 *
 * A picture is width x height pixels of 3 bytes, red, green, blue; rows from the top, packed. It is
 * a function of the state and the size on one machine with one driver; its bits are part of no
 * result. */
#define TB_EXT_ENV_RENDER "tb.env.render/1"

typedef struct tb_render tb_render; /* opaque: a renderer */

typedef struct tb_render_info { /* host allocates and sets struct_size; plugin fills what fits */
    uint32_t struct_size;
    uint32_t reserved0;
    uint32_t width, height;  /* the size that suits the environment, pixels, each at least 1 */
    double steps_per_second; /* of the task's own time: a picture a step at this rate shows real
                                time; NaN = the task has no time */
} tb_render_info;

/* The functions are [instance] with respect to their tb_render: any thread, one at a time. No entry
 * may be NULL. */
typedef struct tb_env_render {
    uint32_t struct_size;
    uint32_t reserved0;
    tb_status (*info)(tb_env *, tb_render_info *out); /* constant after the environment's create */
    /* A renderer of this size; it does not look at the prototype again. TB_E_UNSUPPORTED when this
     * machine cannot draw: last_error() of the prototype then says what is missing and how to get
     * it, in words for a user. TB_E_INVALID for a size of 0 or one that is too large for it,
     * TB_E_NOMEM. *out then stays untouched. [instance] with respect to the prototype. */
    tb_status (*create)(tb_env *prototype, uint32_t width, uint32_t height, tb_render **out);
    void (*destroy)(tb_render *); /* takes NULL */
    /* Writes the picture of the instance's state: height * width * 3 bytes. TB_E_STATE before the
     * first reset, or when a state was lost; an episode that has ended shows its last state.
     * [instance] with respect to both. */
    tb_status (*frame)(tb_render *, const tb_env *, uint8_t *rgb);
    /* Text of the last failure of frame() ("" if none), valid until the next call. Never NULL. */
    const char *(*last_error)(tb_render *);
} tb_env_render;

#ifdef __cplusplus
}
#endif
#endif
