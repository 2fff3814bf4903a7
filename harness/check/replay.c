/* SPDX-License-Identifier: MIT */
#include "harness/check/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/plugin/loader.h"

// where each group of columns begins and how many it has
typedef struct layout {
    size_t kind, t;
    size_t action, n_actions;
    size_t state, n_states;
    size_t obs, n_obs;
    size_t reward, terminated, truncated;
    size_t n_compared; // columns up to here; behind it parts of the reward may follow
    size_t n_columns;
} layout;

typedef struct replay {
    const tb_replay_options *options;
    tb_replay_report *report;
    const tb_env_api *api;
    tb_env *env;
    const tb_env_state_vector *vector;
    tb_space obs, action;
    layout columns;
    uint64_t limit;         // steps; 0 = none
    double *row, *previous; // the values of this row and of the row before, by column
    double *state;          // what the environment says
    void *obs_buffer, *action_buffer;
    size_t line;
    int has_previous;
} replay;

static tb_status at_line(const replay *r, tb_error *error, tb_status status, const char *format,
                         ...) __attribute__((format(printf, 4, 5)));

static tb_status at_line(const replay *r, tb_error *error, tb_status status, const char *format,
                         ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return tb_fail(error, status, "%s:%zu: %s", r->options->trace, r->line, text);
}

// ---- the file's lines ----

// cuts the line at its commas; the number of fields, also when it is more than max
static size_t split(char *line, char **fields, size_t max)
{
    size_t n = 0;
    line[strcspn(line, "\r\n")] = '\0';
    for (char *rest = line, *field; (field = strsep(&rest, ",")) != NULL; n++)
        if (n < max)
            fields[n] = field;
    return n;
}

enum { max_columns = 4096 };

// takes the columns `name` (when `single`) or name0, name1, ... from *at on; how many there are
static size_t take_group(char **names, size_t n, size_t *at, const char *name, int single)
{
    size_t count = 0;
    char wanted[64];
    if (single && *at < n && strcmp(names[*at], name) == 0) {
        ++*at;
        return 1;
    }
    for (; *at < n; ++*at, count++) {
        snprintf(wanted, sizeof wanted, "%s%zu", name, count);
        if (strcmp(names[*at], wanted) != 0)
            break;
    }
    return count;
}

static int take_one(char **names, size_t n, size_t *at, const char *name, size_t *column)
{
    *column = *at;
    return *at < n && strcmp(names[(*at)++], name) == 0;
}

static tb_status read_header(replay *r, char *line, tb_error *error)
{
    char **names = calloc(max_columns, sizeof *names);
    if (names == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory");
    size_t n = split(line, names, max_columns), at = 0, episode;
    layout *l = &r->columns;
    int good = n <= max_columns && take_one(names, n, &at, "kind", &l->kind) &&
               take_one(names, n, &at, "episode", &episode) && take_one(names, n, &at, "t", &l->t);
    l->action = at;
    l->n_actions = good ? take_group(names, n, &at, "action", 1) : 0;
    l->state = at;
    l->n_states = good ? take_group(names, n, &at, "s", 0) : 0;
    l->obs = at;
    l->n_obs = good ? take_group(names, n, &at, "obs", 0) : 0;
    good = good && l->n_actions > 0 && l->n_states > 0 && l->n_obs > 0 &&
           take_one(names, n, &at, "reward", &l->reward) &&
           take_one(names, n, &at, "terminated", &l->terminated) &&
           take_one(names, n, &at, "truncated", &l->truncated);
    l->n_compared = at;
    while (good && at < n && strncmp(names[at], "term_", 5) == 0)
        at++;
    good = good && at == n;
    l->n_columns = n;
    free(names);
    if (good)
        return TB_OK;
    return at_line(r, error, TB_E_PARAM,
                   "not the header of a trace; expected kind,episode,t,action...,s0...,obs0...,"
                   "reward,terminated,truncated and perhaps term_...");
}

// the row's numbers by column; an empty field is NaN. The kind comes back in *kind
static tb_status read_row(replay *r, char *line, char *kind, tb_error *error)
{
    char *fields[max_columns];
    size_t n = split(line, fields, max_columns);
    if (n != r->columns.n_columns)
        return at_line(r, error, TB_E_PARAM, "%zu fields, the header has %zu", n,
                       r->columns.n_columns);
    *kind = fields[0][0];
    if ((*kind != 'R' && *kind != 'S') || fields[0][1] != '\0')
        return at_line(r, error, TB_E_PARAM, "kind \"%s\"; expected R or S", fields[0]);
    for (size_t i = 1; i < n; i++) {
        char *end = fields[i];
        r->row[i] = fields[i][0] != '\0' ? strtod(fields[i], &end) : NAN;
        if (*end != '\0')
            return at_line(r, error, TB_E_PARAM, "field %zu is \"%s\", not a number", i + 1,
                           fields[i]);
        int needed = *kind == 'S' || (i >= r->columns.state && i < r->columns.reward);
        if (needed && fields[i][0] == '\0')
            return at_line(r, error, TB_E_PARAM, "field %zu is empty", i + 1);
    }
    return TB_OK;
}

// ---- comparing ----

static double element(const void *data, uint32_t dtype, size_t i)
{
    switch (dtype) {
    case TB_F64: return ((const double *)data)[i];
    case TB_F32: return (double)((const float *)data)[i];
    case TB_I32: return (double)((const int32_t *)data)[i];
    default: return (double)((const uint8_t *)data)[i];
    }
}

// the columns of the report begin with those of the state
static void compare(replay *r, size_t column, double found, double recorded, double scale)
{
    tb_replay_column *c = &r->report->columns[column - r->columns.state];
    double deviation = fabs(found - recorded) / scale;
    if (isnan(deviation))
        deviation = isnan(found) && isnan(recorded) ? 0 : INFINITY;
    if (deviation > c->deviation) {
        c->deviation = deviation;
        c->line = r->line;
    }
}

static void compare_observation(replay *r)
{
    for (size_t i = 0; i < r->columns.n_obs; i++) {
        double recorded = r->row[r->columns.obs + i];
        // %.9g gives back the float32 that was printed
        if (r->obs.dtype == TB_F32)
            recorded = (double)(float)recorded;
        compare(r, r->columns.obs + i, element(r->obs_buffer, r->obs.dtype, i), recorded, 1);
    }
}

static tb_status compare_state(replay *r, tb_error *error)
{
    tb_status status = r->vector->get(r->env, r->state);
    if (status != TB_OK)
        return at_line(r, error, status, "the environment's state cannot be read: %s",
                       tb_status_name(status));
    for (size_t i = 0; i < r->columns.n_states; i++)
        compare(r, r->columns.state + i, r->state[i], r->row[r->columns.state + i], 1);
    return TB_OK;
}

// ---- rows ----

static tb_status set_state(replay *r, const double *row, tb_error *error)
{
    tb_status status = r->vector->set(r->env, row + r->columns.state);
    if (status == TB_OK)
        return TB_OK;
    return at_line(r, error, status, "the environment refuses the recorded state: %s (%s)",
                   tb_status_name(status), r->api->last_error(r->env));
}

// observes the recorded state, if it can be: observe() is part of snapshot/1
static tb_status replay_start(replay *r, tb_error *error)
{
    const tb_env_snapshot *snapshot = r->api->get_extension(r->env, TB_EXT_ENV_SNAPSHOT);
    tb_status status = set_state(r, r->row, error);
    if (status == TB_OK)
        status = compare_state(r, error);
    if (status != TB_OK)
        return status;
    r->report->n_resets++;
    if (snapshot == NULL)
        return TB_OK;
    status = snapshot->observe(r->env, r->obs_buffer);
    if (status != TB_OK)
        return at_line(r, error, status, "the environment cannot be observed: %s",
                       tb_status_name(status));
    compare_observation(r);
    return TB_OK;
}

static tb_status write_action(replay *r, tb_error *error)
{
    for (size_t i = 0; i < r->columns.n_actions; i++) {
        double value = r->row[r->columns.action + i];
        int is_whole = value == floor(value) && fabs(value) < 2147483648.0;
        if ((r->action.dtype == TB_I32 || r->action.dtype == TB_U8) && !is_whole)
            return at_line(r, error, TB_E_PARAM, "action %g is not an integer", value);
        switch (r->action.dtype) {
        case TB_F64: ((double *)r->action_buffer)[i] = value; break;
        case TB_F32: ((float *)r->action_buffer)[i] = (float)value; break;
        case TB_I32: ((int32_t *)r->action_buffer)[i] = (int32_t)value; break;
        default: ((uint8_t *)r->action_buffer)[i] = (uint8_t)value; break;
        }
    }
    return TB_OK;
}

static tb_status replay_step(replay *r, tb_error *error)
{
    const layout *l = &r->columns;
    if (!r->has_previous)
        return at_line(r, error, TB_E_PARAM, "a row of kind S without a row of kind R before it");
    if (r->row[l->t] != r->previous[l->t] + 1)
        return at_line(r, error, TB_E_PARAM, "t is %g, the row before has %g", r->row[l->t],
                       r->previous[l->t]);
    tb_status status = set_state(r, r->previous, error);
    if (status == TB_OK)
        status = write_action(r, error);
    if (status != TB_OK)
        return status;
    tb_step out = {.struct_size = sizeof out};
    status = r->api->step(r->env, r->action_buffer, r->obs_buffer, &out);
    if (status != TB_OK)
        return at_line(r, error, status, "step() gives %s (%s)", tb_status_name(status),
                       r->api->last_error(r->env));
    status = compare_state(r, error);
    if (status != TB_OK)
        return status;
    compare_observation(r);
    double reward = r->row[l->reward];
    compare(r, l->reward, out.reward, reward, fmax(1, fabs(reward)));
    // the host's limit counts from the episode's start
    int truncated =
        (out.flags & TB_TRUNCATED) != 0 || (r->limit > 0 && r->row[l->t] >= (double)r->limit);
    compare(r, l->terminated, (out.flags & TB_TERMINATED) != 0, r->row[l->terminated], 1);
    compare(r, l->truncated, truncated, r->row[l->truncated], 1);
    r->report->n_steps++;
    return TB_OK;
}

static tb_status replay_rows(replay *r, FILE *file, tb_error *error)
{
    char *line = NULL, kind = '?';
    size_t capacity = 0;
    tb_status status = TB_OK;
    while (status == TB_OK && getline(&line, &capacity, file) > 0) {
        r->line++;
        status = read_row(r, line, &kind, error);
        if (status == TB_OK)
            status = kind == 'R' ? replay_start(r, error) : replay_step(r, error);
        double *swap = r->previous;
        r->previous = r->row;
        r->row = swap;
        r->has_previous = 1;
    }
    free(line);
    if (status == TB_OK && ferror(file))
        return tb_fail(error, TB_E_IO, "%s: %s", r->options->trace, strerror(errno));
    if (status == TB_OK && r->report->n_resets + r->report->n_steps == 0)
        return tb_fail(error, TB_E_PARAM, "%s: no rows", r->options->trace);
    return status;
}

// ---- the environment ----

static tb_status read_space(replay *r, uint32_t which, tb_space *space, size_t columns,
                            const char *what, tb_error *error)
{
    *space = (tb_space){.struct_size = sizeof *space};
    tb_status status = r->api->space(r->env, which, 0, space);
    if (status != TB_OK || space->n_leaves != 1)
        return tb_fail(error, TB_E_UNSUPPORTED, "%s: only simple %ss can be replayed",
                       r->options->id, what);
    if (space->count != columns)
        return at_line(r, error, TB_E_PARAM, "%zu %s columns, %s has %" PRIu64, columns, what,
                       r->options->id, space->count);
    return TB_OK;
}

static tb_status fit(replay *r, tb_error *error)
{
    const layout *l = &r->columns;
    r->vector = r->api->get_extension(r->env, TB_EXT_ENV_STATE_VECTOR);
    if (r->vector == NULL)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "%s: offers no \"" TB_EXT_ENV_STATE_VECTOR
                       "\", which replay needs to set a recorded state",
                       r->options->id);
    if (r->vector->count(r->env) != l->n_states)
        return at_line(r, error, TB_E_PARAM, "%zu state columns, %s has %" PRIu64, l->n_states,
                       r->options->id, r->vector->count(r->env));
    tb_status status = read_space(r, TB_SPACE_OBSERVATION, &r->obs, l->n_obs, "observation", error);
    if (status == TB_OK)
        status = read_space(r, TB_SPACE_ACTION, &r->action, l->n_actions, "action", error);
    if (status != TB_OK)
        return status;
    r->state = tb_alloc(l->n_states, sizeof *r->state);
    r->row = tb_alloc(l->n_columns, sizeof *r->row);
    r->previous = tb_alloc(l->n_columns, sizeof *r->previous);
    r->obs_buffer = tb_alloc((size_t)r->obs.bytes, 1);
    r->action_buffer = tb_alloc((size_t)r->action.bytes, 1);
    if (r->state == NULL || r->row == NULL || r->previous == NULL || r->obs_buffer == NULL ||
        r->action_buffer == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory");
    return TB_OK;
}

// the columns of the report: state, observation, reward, flags
static tb_status name_columns(replay *r, tb_error *error)
{
    const layout *l = &r->columns;
    size_t n = l->n_compared - l->state;
    r->report->columns = tb_alloc(n, sizeof *r->report->columns);
    if (r->report->columns == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        tb_replay_column *c = &r->report->columns[r->report->n_columns++];
        size_t at = l->state + i;
        int length;
        if (at < l->obs)
            length = asprintf(&c->name, "s%zu", at - l->state);
        else if (at < l->reward)
            length = asprintf(&c->name, "obs%zu", at - l->obs);
        else
            length = asprintf(&c->name, "%s",
                              at == l->reward       ? "reward"
                              : at == l->terminated ? "terminated"
                                                    : "truncated");
        if (length < 0)
            return tb_fail(error, TB_E_NOMEM, "out of memory");
        c->tolerance = at < l->reward    ? r->options->tolerance
                       : at == l->reward ? r->options->reward_tolerance
                                         : 0;
    }
    return TB_OK;
}

static tb_status replay_file(replay *r, FILE *file, tb_error *error)
{
    char *line = NULL;
    size_t capacity = 0;
    r->line = 1;
    ssize_t length = getline(&line, &capacity, file);
    tb_status status = length > 0 ? read_header(r, line, error)
                                  : at_line(r, error, TB_E_PARAM, "the file is empty");
    free(line);
    if (status == TB_OK)
        status = fit(r, error);
    if (status == TB_OK)
        status = name_columns(r, error);
    return status == TB_OK ? replay_rows(r, file, error) : status;
}

static void judge(tb_replay_report *report)
{
    report->within = 1;
    for (size_t i = 0; i < report->n_columns; i++)
        report->within &= report->columns[i].deviation <= report->columns[i].tolerance;
}

tb_status tb_replay(const tb_replay_options *options, tb_replay_report *report, tb_error *error)
{
    replay r = {.options = options, .report = report};
    tb_plugin *plugin = NULL;
    *report = (tb_replay_report){0};
    FILE *file = fopen(options->trace, "re");
    if (file == NULL)
        return tb_fail(error, TB_E_PARAM, "%s: %s", options->trace, strerror(errno));
    tb_status status = tb_plugin_load(options->plugin, &plugin, error);
    if (status == TB_OK)
        status =
            tb_plugin_create_env(plugin, options->id, options->params, &r.api, &r.env, NULL, error);
    if (status == TB_OK) {
        const tb_env_desc *desc = tb_plugin_describe(plugin, options->id);
        r.limit =
            options->max_episode_steps > 0 ? options->max_episode_steps : desc->max_episode_steps;
        status = replay_file(&r, file, error);
        r.api->destroy(r.env);
    }
    tb_plugin_release(plugin, 0);
    fclose(file);
    free(r.state);
    free(r.row);
    free(r.previous);
    free(r.obs_buffer);
    free(r.action_buffer);
    judge(report);
    if (status != TB_OK)
        tb_replay_report_finish(report);
    return status;
}

void tb_replay_report_finish(tb_replay_report *report)
{
    for (size_t i = 0; i < report->n_columns; i++)
        free(report->columns[i].name);
    free(report->columns);
    *report = (tb_replay_report){0};
}
