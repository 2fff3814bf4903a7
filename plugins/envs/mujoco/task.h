/* SPDX-License-Identifier: MIT
 *
 * What a task is: one constant description in a file of its own, tasks/<name>.c, that defines
 * `const tb_mj_task tb_mj_<name>`. CMake lists the files; nothing else names them.
 *
 * Everything that tasks have in common (models, lanes, snapshots, errors) is not theirs: a task
 * says what is observed, what is rewarded, and when it ends. Its functions see a view of one
 * simulation and keep no state of their own.
 */
#ifndef TB_MJ_TASK_H
#define TB_MJ_TASK_H

#include <math.h>
#include <mujoco/mujoco.h>
#include <stddef.h>
#include <stdint.h>
#include <trpo-bench/env.h>
#include <trpo-bench/rng.h>

/* ---- parameters ---- */

/* All keys of all tasks; a task has those that its rows name. Ranges are [low, high]. */
typedef struct tb_mj_params {
    char xml_file[256];    /* Gymnasium's name of the model, or a path */
    char model[1024];      /* path of another model; "" = xml_file */
    char model_sha256[72]; /* of the model file: 64 hexadecimal digits */
    int64_t frame_skip;    /* simulation steps in one step of the task */
    int64_t main_body;     /* body whose position is the ant's */
    double forward_reward_weight, ctrl_cost_weight, contact_cost_weight, impact_cost_weight;
    double healthy_reward, uph_cost_weight, reset_noise_scale;
    double reward_near_weight, reward_dist_weight, reward_control_weight;
    double healthy_z_range[2], healthy_angle_range[2], healthy_state_range[2];
    double contact_force_range[2], contact_cost_range[2], impact_cost_range[2];
    uint32_t terminate_when_unhealthy, exclude_current_positions_from_observation;
    uint32_t include_cinert_in_observation, include_cvel_in_observation;
    uint32_t include_qfrc_actuator_in_observation, include_cfrc_ext_in_observation;
} tb_mj_params;

/* One key. Made by the macros below; the key is the member's name. */
typedef struct tb_mj_param {
    const char *key;
    const char *doc;          /* one sentence with the unit */
    const char *default_text; /* as written in TOML; NULL = computed */
    uint32_t type;            /* TB_PARAM_* */
    uint32_t text_bytes;      /* STR: size of the member */
    uint64_t offset;          /* of the member in tb_mj_params */
    double def[2];            /* default of numbers, booleans, ranges */
    double low, high;         /* inclusive range of numbers */
} tb_mj_param;

#define TB_MJ_ROW(key, text, type, bytes, a, b, low, high, doc)                                    \
    {                                                                                              \
#key, doc, text, type, bytes, offsetof(tb_mj_params, key), {a, b }, low, high              \
    }
#define TB_MJ_F64(key, def, doc)                                                                   \
    TB_MJ_ROW(key, #def, TB_PARAM_F64, 0, def, 0, -INFINITY, INFINITY, doc)
#define TB_MJ_BOOL(key, def, doc)                                                                  \
    TB_MJ_ROW(key, def ? "true" : "false", TB_PARAM_BOOL, 0, def, 0, -INFINITY, INFINITY, doc)
#define TB_MJ_RANGE(key, low, high, text, doc)                                                     \
    TB_MJ_ROW(key, text, TB_PARAM_F64_ARRAY, 0, low, high, -INFINITY, INFINITY, doc)
/* The rows that every task begins with. */
#define TB_MJ_MODEL(file, frames)                                                                  \
    TB_MJ_ROW(xml_file, "\"" file "\"", TB_PARAM_STR, sizeof((tb_mj_params *)0)->xml_file, 0, 0,   \
              0, 0, "Gymnasium's name of the model file; with a slash or dot in front a path."),   \
        TB_MJ_ROW(model, "\"\"", TB_PARAM_STR, sizeof((tb_mj_params *)0)->model, 0, 0, 0, 0,       \
                  "Path of any MJCF file to take instead of xml_file; empty: none."),              \
        TB_MJ_ROW(model_sha256, NULL, TB_PARAM_STR, sizeof((tb_mj_params *)0)->model_sha256, 0, 0, \
                  0, 0,                                                                            \
                  "SHA-256 that the model file must have; when not given, that of the file."),     \
        TB_MJ_ROW(frame_skip, #frames, TB_PARAM_I64, 0, frames, 0, 1, 100,                         \
                  "Simulation steps in one step of the task.")
#define TB_MJ_NOISE(def)                                                                           \
    TB_MJ_ROW(reset_noise_scale, #def, TB_PARAM_F64, 0, def, 0, 0, INFINITY,                       \
              "Scale of the noise on positions and velocities at the start.")
#define TB_MJ_EXCLUDE(what)                                                                        \
    TB_MJ_BOOL(exclude_current_positions_from_observation, 1, "Whether " what " is not observed.")
#define TB_MJ_END                                                                                  \
    {                                                                                              \
        NULL, NULL, NULL, 0, 0, 0, {0, 0}, 0, 0                                                    \
    }

/* ---- what a task's functions see ---- */

typedef struct tb_mj_view {
    const tb_mj_params *p;
    const mjModel *m;
    mjData *d; /* constant to all but reset() */
    double dt; /* time between two states, s */
} tb_mj_view;

/* The parts of a reward under the names and with the signs of Gymnasium's `info`. */
enum { TB_MJ_TERMS = 4 };
typedef struct tb_mj_outcome {
    double reward;
    double term[TB_MJ_TERMS];
    uint32_t flags; /* TB_TERMINATED */
} tb_mj_outcome;

/* ---- the description ---- */

/* Arrays of mjData that observe() reads and that mj_step() leaves from the state before its last
 * integration: they belong to a snapshot. */
enum {
    TB_MJ_NO_FIELD,
    TB_MJ_XPOS,
    TB_MJ_CINERT,
    TB_MJ_CVEL,
    TB_MJ_QFRC_ACTUATOR,
    TB_MJ_QFRC_CONSTRAINT,
    TB_MJ_CFRC_EXT
};

enum { TB_MJ_FIELDS = 4 };

typedef struct tb_mj_task {
    tb_env_desc desc;
    const tb_mj_param *params; /* rows, the first ones TB_MJ_MODEL, the last one TB_MJ_END */
    const char *term_names[TB_MJ_TERMS + 1]; /* the last one NULL */
    uint32_t shown[TB_MJ_FIELDS + 1];        /* TB_MJ_*, the last one TB_MJ_NO_FIELD */
    /* Whether contact forces (cfrc_ext) are computed after a step. */
    int has_contact_forces;
    /* Whether position() reads what mj_step() leaves from before: then it belongs to the state. */
    int carries_position;
    /* The number of observed values, or 0 with a reason in err when the model is not one of this
     * task: its sizes and names are checked here and nowhere else. d of the view is NULL. */
    uint64_t (*fit)(const tb_mj_view *v, char *err, uint64_t err_cap);
    /* Writes a start state into d->qpos and d->qvel, which hold the model's own and 0. */
    void (*reset)(const tb_mj_view *v, tb_rng *rng);
    /* Where the body is that is rewarded for moving, m. NULL: the reward looks at one state. */
    void (*position)(const tb_mj_view *v, double xy[2]);
    /* The outcome of a step: d is the state after it, `before` is position() before it. *out is
     * zero on entry. The action is what the host gave, unclipped. */
    void (*reward)(const tb_mj_view *v, const double before[2], const float *action,
                   tb_mj_outcome *out);
    void (*observe)(const tb_mj_view *v, double *observation);
    /* For pictures of a model without a camera "track": how far away one stands, m; 0 = the model's
     * extent. */
    double camera_distance;
} tb_mj_task;

#endif
