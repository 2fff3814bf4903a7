/* SPDX-License-Identifier: MIT
 *
 * Gymnasium's own transitions, exact snapshots, start states, and everything that can go wrong.
 * What all environments have in common is tested by `trpo-bench check`.
 *
 * Run as `test-plugin-mujoco --random-return N` the program measures the mean return of N episodes
 * of the uniform random policy of each task; as `--data FOLDER` it compares with traces of that
 * folder.
 */
#include "tests/mujoco/testing.h"

#include <sodium.h>
#include <unistd.h>

// ---- Gymnasium's transitions ----

// the columns of a trace; where each group begins follows from the sizes of the environment
typedef struct trace {
    char path[1024];
    FILE *file;
    int line;
    double *row, *before; // values by column; an empty field is NaN
    size_t n_columns;
} trace;

static int read_line(trace *t, char *kind)
{
    char *text = NULL, *rest, *field;
    size_t capacity = 0, i = 0;
    double *swap = t->before;
    t->before = t->row;
    t->row = swap;
    if (getline(&text, &capacity, t->file) <= 0) {
        free(text);
        return 0;
    }
    t->line++;
    *kind = text[0];
    text[strcspn(text, "\n")] = '\0';
    for (rest = text; (field = strsep(&rest, ",")) != NULL && i < t->n_columns; i++)
        t->row[i] = field[0] != '\0' && i > 0 ? strtod(field, NULL) : NAN;
    assert_int_equal(i, t->n_columns);
    free(text);
    return 1;
}

static void expect(const trace *t, const char *what, size_t i, double found, double recorded)
{
    if (found != recorded)
        fail_msg("%s:%d: %s %zu is %.17g, Gymnasium has %.17g", t->path, t->line, what, i, found,
                 recorded);
}

static void compare_row(instance *e, const trace *t, const tb_step *out, size_t limit, int is_step)
{
    const double *row = t->row + 3 + e->n_actions;
    double *state = tb_test_doubles(e->n_vector);
    assert_int_equal(e->vector->get(e->env, state), TB_OK);
    for (size_t i = 0; i < e->n_vector; i++)
        expect(t, e->vector->name(e->env, i), i, state[i], *row++);
    for (size_t i = 0; i < e->n_obs; i++)
        expect(t, "observation", i, e->obs[i], *row++);
    free(state);
    if (!is_step)
        return;
    expect(t, "reward", 0, out->reward, *row++);
    expect(t, "terminated", 0, (out->flags & TB_TERMINATED) != 0, *row++);
    expect(t, "truncated", 0, t->row[2] >= (double)limit, *row++);
    const tb_mj_terms *terms = e->api->get_extension(e->env, TB_MJ_EXT_TERMS);
    for (size_t i = 0; terms->name(e->env, i) != NULL; i++)
        expect(t, terms->name(e->env, i), i, terms->get(e->env, i), *row++);
    assert_int_equal(row - t->row, t->n_columns);
}

// the header must name the columns that the environment has
static void open_trace(trace *t, const instance *e)
{
    const tb_mj_terms *terms = e->api->get_extension(e->env, TB_MJ_EXT_TERMS);
    size_t n = 0, n_terms = 0;
    char *header = NULL, name[64];
    t->file = fopen(t->path, "r");
    if (t->file == NULL)
        fail_msg("cannot read %s", t->path);
    assert_true(getline(&header, &n, t->file) > 0);
    t->line = 1;
    t->n_columns = 3 + e->n_actions + e->n_vector + e->n_obs + 3;
    for (; terms->name(e->env, n_terms) != NULL; n_terms++) {
        snprintf(name, sizeof name, "term_%s", terms->name(e->env, n_terms));
        assert_non_null(strstr(header, name));
    }
    t->n_columns += n_terms;
    free(header);
    t->row = tb_test_doubles(t->n_columns);
    t->before = tb_test_doubles(t->n_columns);
}

// every step from its recorded state; returns the steps
static int compare_trace(trace *t, const char *id, const json_t *params)
{
    instance e = tb_test_make(id, params);
    size_t limit = tb_plugin_describe(e.plugin, id)->max_episode_steps;
    char kind;
    int steps = 0;
    open_trace(t, &e);
    while (read_line(t, &kind)) {
        tb_step out = {.struct_size = sizeof out};
        const double *from = kind == 'R' ? t->row : t->before;
        assert_int_equal(e.vector->set(e.env, from + 3 + e.n_actions), TB_OK);
        if (kind == 'R') {
            assert_int_equal(e.snapshot->observe(e.env, e.obs), TB_OK);
        } else {
            for (size_t i = 0; i < e.n_actions; i++)
                e.action[i] = (float)t->row[3 + i];
            assert_int_equal(e.api->step(e.env, e.action, e.obs, &out), TB_OK);
            steps++;
        }
        compare_row(&e, t, &out, limit, kind == 'S');
    }
    fclose(t->file);
    free(t->row);
    free(t->before);
    tb_test_unmake(&e);
    return steps;
}

static const char *data_folder = TB_TEST_SOURCE_DIR "/tests/data/mujoco";

static void test_transitions(void **state)
{
    char path[1024];
    size_t i;
    json_t *trace_of;
    int steps = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/traces.json", data_folder);
    json_t *index = json_load_file(path, 0, NULL);
    assert_non_null(index);
    const char *version = json_string_value(json_object_get(index, "mujoco"));
    if (strcmp(version, TB_MJ_VERSION) != 0) {
        print_message(
            "[ SKIPPED: recorded with MuJoCo %s, built with %s: another version gives other "
            "bits ]\n",
            version, TB_MJ_VERSION);
        json_decref(index);
        skip();
    }
    json_array_foreach(json_object_get(index, "traces"), i, trace_of)
    {
        trace t = {0};
        snprintf(t.path, sizeof t.path, "%s/%s", data_folder,
                 json_string_value(json_object_get(trace_of, "file")));
        steps += compare_trace(&t, json_string_value(json_object_get(trace_of, "id")),
                               json_object_get(trace_of, "params"));
    }
    print_message("%zu traces, %d steps, equal to the last bit\n", i, steps);
    assert_true(i >= 11 && steps >= 2000);
    json_decref(index);
}

// ---- snapshots ----

static void same_step(const instance *a, const tb_step *ra, const instance *b, const tb_step *rb)
{
    assert_memory_equal(a->obs, b->obs, a->n_obs * sizeof(double));
    assert_memory_equal(ra, rb, sizeof *ra);
}

// loads `from` into `into` and lane 1 of `vec`, then steps the three alike; returns the steps
// compared
static int continue_alike(instance *from, instance *into, tb_vec *vec, tb_rng *rng, int limit)
{
    const tb_env_vec *v = from->api->get_extension(from->env, TB_EXT_ENV_VEC);
    uint64_t n = from->snapshot->max_bytes(from->env), used = 0;
    unsigned char *bytes = malloc(n);
    double *rows = tb_test_doubles(2 * from->n_obs), reward[2];
    float *actions = calloc(2 * from->n_actions, sizeof *actions);
    uint8_t mask[2] = {0, 1};
    uint32_t flags[2];
    tb_status status[2];
    int steps = 0;
    assert_int_equal(from->snapshot->save(from->env, bytes, n, &used), TB_OK);
    assert_int_equal(into->snapshot->load(into->env, bytes, used), TB_OK);
    assert_int_equal(v->load(vec, 1, bytes, used), TB_OK);
    // what was observed is observed again
    assert_int_equal(into->snapshot->observe(into->env, into->obs), TB_OK);
    assert_memory_equal(into->obs, from->obs, from->n_obs * sizeof(double));
    assert_int_equal(v->observe(vec, 1, rows + from->n_obs), TB_OK);
    assert_memory_equal(rows + from->n_obs, from->obs, from->n_obs * sizeof(double));
    while (steps < limit) {
        tb_step a = {.struct_size = sizeof a}, b = a;
        tb_test_act(from, rng, 1.2);
        memcpy(actions + from->n_actions, from->action, from->n_actions * sizeof(float));
        assert_int_equal(from->api->step(from->env, from->action, from->obs, &a), TB_OK);
        assert_int_equal(into->api->step(into->env, from->action, into->obs, &b), TB_OK);
        assert_int_equal(v->step(vec, mask, actions, rows, reward, flags, status), TB_OK);
        same_step(from, &a, into, &b);
        assert_memory_equal(rows + from->n_obs, from->obs, from->n_obs * sizeof(double));
        assert_true(reward[1] == a.reward && flags[1] == a.flags);
        steps++;
        if (a.flags)
            break;
    }
    free(bytes);
    free(rows);
    free(actions);
    return steps;
}

// 500 steps after a snapshot, in another instance with another history and in a lane of a vec
static void test_snapshots_are_exact(void **state)
{
    json_t *endless = json_pack("{s:b}", "terminate_when_unhealthy", 0);
    (void)state;
    for (uint32_t k = 0; k < tb_test_n_tasks(); k++) {
        const char *id = tb_test_task(k);
        const json_t *params = tb_test_has_key(id, "terminate_when_unhealthy") ? endless : NULL;
        instance a = tb_test_make(id, params), b = tb_test_make(id, params);
        const tb_env_vec *v = a.api->get_extension(a.env, TB_EXT_ENV_VEC);
        tb_vec *vec = NULL;
        tb_rng rng;
        tb_rng_init(&rng, tb_key_child((tb_key){{1, 2}}, k));
        assert_int_equal(v->create(a.env, 2, &vec), TB_OK);
        int compared = 0, episodes = 0;
        for (; compared < 500; episodes++) {
            tb_test_play(&b, 100 + (uint64_t)episodes, &rng, 37);
            tb_test_play(&a, (uint64_t)episodes, &rng, episodes == 0 ? 20 : episodes % 4);
            if (!a.has_ended)
                compared += continue_alike(&a, &b, vec, &rng, 500);
            assert_true(episodes < 1000);
        }
        print_message("%s: %d steps after %d snapshots\n", id, compared, episodes);
        v->destroy(vec);
        tb_test_unmake(&a);
        tb_test_unmake(&b);
    }
    json_decref(endless);
}

// ---- start states ----

typedef struct start_case {
    const char *id;
    size_t nq;
    double scale;
    int is_normal; // velocities
} start_case;

// n starts: positions uniform in +-scale about the model's, velocities uniform or normal; each mean
// and variance within five standard errors
static void check_starts(const start_case *c)
{
    enum { n = 3000 };
    instance e = tb_test_make(c->id, NULL);
    double *s = tb_test_doubles(e.n_vector), *first = tb_test_doubles(e.n_vector);
    size_t n_values = 2 * c->nq - (e.n_vector > 60 || strstr(c->id, "Ant") ? 1 : 0);
    double *sum = tb_test_doubles(n_values), *square = tb_test_doubles(n_values);
    for (uint64_t k = 0; k < n; k++) {
        tb_test_start(&e, k);
        assert_int_equal(e.vector->get(e.env, s), TB_OK);
        for (size_t i = 0; i < n_values; i++) {
            if (k == 0)
                first[i] = s[1 + i];
            // version 2 normalises the quaternion of a free joint in its place
            int is_turn = TB_MJ_VERSION[0] == '2' && n_values % 2 == 1 && i >= 3 && i < 7;
            double x = is_turn ? (first[i] = 0) : s[1 + i] - first[i];
            int is_normal = c->is_normal && i >= c->nq;
            assert_true(is_normal || fabs(x) <= 2 * c->scale + 1e-12);
            sum[i] += x;
            square[i] += x * x;
        }
    }
    for (size_t i = 0; i < n_values; i++) {
        int is_normal = c->is_normal && i >= c->nq;
        if (square[i] == 0 && TB_MJ_VERSION[0] == '2')
            continue;
        double variance = square[i] / n - sum[i] / n * (sum[i] / n);
        double wanted = is_normal ? c->scale * c->scale : c->scale * c->scale / 3;
        double error = wanted * sqrt((is_normal ? 2.0 : 0.8) / n);
        if (!(fabs(variance - wanted) < 5 * error))
            fail_msg("%s: value %zu of the start state has variance %g, expected %g +- %g", c->id,
                     i, variance, wanted, error);
        // velocities start about 0, and so does what they were first
        double mean = sum[i] / n + first[i];
        if (i >= c->nq && !(fabs(mean) < 5 * sqrt(wanted / n)))
            fail_msg("%s: value %zu of the start state has mean %g, expected 0", c->id, i, mean);
    }
    free(s);
    free(first);
    free(sum);
    free(square);
    tb_test_unmake(&e);
}

static void test_starts(void **state)
{
    static const start_case cases[] = {
        {"mujoco/InvertedPendulum-v5", 2, 0.01, 0},
        {"mujoco/InvertedDoublePendulum-v5", 3, 0.1, 1},
        {"mujoco/Swimmer-v5", 5, 0.1, 0},
        {"mujoco/Hopper-v5", 6, 0.005, 0},
        {"mujoco/Walker2d-v5", 9, 0.005, 0},
        {"mujoco/HalfCheetah-v5", 9, 0.1, 1},
        {"mujoco/Ant-v5", 15, 0.1, 1},
        {"mujoco/Humanoid-v5", 24, 0.01, 0},
        {"mujoco/HumanoidStandup-v5", 24, 0.01, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_starts(&cases[i]);
}

// targets and objects: where they may be, and that they are everywhere there
static void test_goals(void **state)
{
    double s[64], far = 0, near = 1, left = 0, mean = 0;
    instance r = tb_test_make("mujoco/Reacher-v5", NULL),
             p = tb_test_make("mujoco/Pusher-v5", NULL);
    (void)state;
    for (uint64_t k = 0; k < 2000; k++) {
        tb_test_start(&r, k);
        assert_int_equal(r.vector->get(r.env, s), TB_OK);
        double radius = hypot(s[3], s[4]);
        assert_true(radius < 0.2 && s[7] == 0 && s[8] == 0);
        assert_true(fabs(s[1]) <= 0.1 && fabs(s[2]) <= 0.1);
        assert_true(fabs(s[5]) <= 0.005 && fabs(s[6]) <= 0.005);
        mean += radius / 2000;
        tb_test_start(&p, k);
        assert_int_equal(p.vector->get(p.env, s), TB_OK);
        const double *object = s + 1 + 7, *goal = object + 2, *velocity = s + 1 + 11;
        assert_true(object[0] >= -0.3 && object[0] <= 0 && fabs(object[1]) <= 0.2);
        assert_true(hypot(object[0], object[1]) > 0.17 && goal[0] == 0 && goal[1] == 0);
        for (int i = 0; i < 7; i++)
            assert_true(s[1 + i] == 0 && fabs(velocity[i]) <= 0.005);
        for (int i = 7; i < 11; i++)
            assert_true(velocity[i] == 0);
        far = fmax(far, hypot(object[0], object[1]));
        near = fmin(near, hypot(object[0], object[1]));
        left = fmin(left, object[0]);
    }
    // mean distance from the centre of a disc: 2/3 of its radius
    assert_true(fabs(mean - 0.2 * 2 / 3) < 0.003);
    assert_true(far > 0.33 && near < 0.175 && left < -0.295);
    tb_test_unmake(&r);
    tb_test_unmake(&p);
}

// ---- bad models ----

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void refused(const char *id, const char *key, const char *value, const char *first,
                    const char *second)
{
    char message[1024];
    json_t *params = json_pack("{s:s}", key, value);
    tb_status status = tb_test_try(id, params, message);
    json_decref(params);
    if (status == TB_OK || strstr(message, first) == NULL || strstr(message, second) == NULL)
        fail_msg("%s with %s = \"%s\" gives %d: \"%s\"; expected \"%s\" and \"%s\"", id, key, value,
                 (int)status, message, first, second);
}

static void test_bad_models(void **state)
{
    char path[] = "/tmp/tb-mujoco-XXXXXX", hopper[1024];
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    close(fd);
    refused("mujoco/Hopper-v5", "model", "/no/such/model.xml", "/no/such/model.xml",
            "No such file");
    refused("mujoco/Hopper-v5", "xml_file", "no_such.xml", "no_such.xml", "fetch-mujoco.sh");
    write_file(path, "<mujoco><worldbody></mujoco>");
    refused("mujoco/Hopper-v5", "model", path, path, "XML");
    write_file(path, "<mujoco><worldbody><body><joint type='ball'/></body></worldbody></mujoco>");
    refused("mujoco/Hopper-v5", "model", path, path, "mass");
    write_file(path, "no XML at all");
    refused("mujoco/Hopper-v5", "model", path, path, "XML");
    snprintf(hopper, sizeof hopper, "%s/hopper.xml", TB_MJ_MODELS);
    refused("mujoco/InvertedPendulum-v5", "model", hopper, "6 positions", "exactly 2");
    refused("mujoco/Humanoid-v5", "model", hopper, "6 positions", "at least 7");
    refused("mujoco/Reacher-v5", "model", hopper, "6 positions", "exactly 4");
    refused("mujoco/Pusher-v5", "xml_file", "humanoid.xml", "humanoid.xml", "tips_arm");
    refused("mujoco/Hopper-v5", "model_sha256", "00", "hopper.xml", "SHA-256");
    unlink(path);
}

// a cart with a pole and, 5 m away, a wall that it can run into; with this <size> and gear
static void write_cart(const char *path, const char *size, const char *gear)
{
    char text[8192], boxes[6144] = "";
    // many of them meet the wall at once: their contacts need more than what a model is loaded with
    for (int i = 0, n = 0; i < 30; i++)
        n += snprintf(boxes + n, sizeof boxes - (size_t)n,
                      "<geom type='box' size='.1 .05 .05' pos='0 %.2f 0' mass='.03'/>",
                      0.12 * i - 2);
    snprintf(
        text, sizeof text,
        "<mujoco>%s<option timestep='0.02'/><worldbody>"
        "<geom type='box' size='.1 5 5' pos='5 0 0'/>"
        "<body><joint name='slide' type='slide' axis='1 0 0'/>"
        "%s<body><joint type='hinge' axis='0 1 0'/><geom type='capsule' fromto='0 0 0 0 0 .6' "
        "size='.05'/></body></body></worldbody>"
        "<actuator><motor joint='slide' gear='%s' ctrlrange='-3 3' ctrllimited='true'/></actuator>"
        "</mujoco>",
        size, boxes, gear);
    write_file(path, text);
}

// the simulation explodes: a status, in that lane alone, and never the start state in its place
static void test_unstable_simulations(void **state)
{
    char path[] = "/tmp/tb-mujoco-XXXXXX";
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    close(fd);
    write_cart(path, "", "1e15");
    json_t *params = json_pack("{s:s}", "model", path);
    instance e = tb_test_make("mujoco/InvertedPendulum-v5", params);
    const tb_env_vec *v = e.api->get_extension(e.env, TB_EXT_ENV_VEC);
    tb_vec *vec = NULL;
    tb_key keys[3] = {{{1, 1}}, {{2, 2}}, {{3, 3}}};
    double rows[12], reward[3];
    const float actions[3] = {0, 1, 0};
    uint32_t flags[3];
    tb_status status[3];
    assert_int_equal(v->create(e.env, 3, &vec), TB_OK);
    assert_int_equal(v->reset(vec, NULL, keys, rows, status), TB_OK);
    assert_int_equal(v->step(vec, NULL, actions, rows, reward, flags, status), TB_E_NUMERIC);
    assert_non_null(strstr(v->last_error(vec), "unstable: qacc[0]"));
    assert_int_equal(status[0], TB_OK);
    assert_int_equal(status[1], TB_E_NUMERIC);
    assert_int_equal(status[2], TB_OK);
    // the lane is lost until it starts again; its neighbours never knew
    const float still[3] = {0, 0, 0};
    assert_int_equal(v->step(vec, NULL, still, rows, reward, flags, status), TB_E_STATE);
    assert_int_equal(status[0], TB_OK);
    assert_int_equal(status[1], TB_E_STATE);
    assert_int_equal(v->reset(vec, NULL, keys, rows, status), TB_OK);
    assert_int_equal(v->step(vec, NULL, still, rows, reward, flags, status), TB_OK);
    v->destroy(vec);
    // a position and a velocity beyond what MuJoCo takes
    for (int k = 1; k <= 3; k += 2) {
        double s[8] = {0};
        tb_step out = {.struct_size = sizeof out};
        s[k] = 1e11;
        assert_int_equal(e.vector->set(e.env, s), TB_OK);
        assert_int_equal(e.api->step(e.env, still, e.obs, &out), TB_E_NUMERIC);
        assert_non_null(strstr(e.api->last_error(e.env), k == 1 ? "qpos[0]" : "qvel[0]"));
    }
    json_decref(params);
    tb_test_unmake(&e);
    unlink(path);
}

// what running into the wall gives with an arena of so many bytes (version 2: numbers)
static tb_status with_arena(const char *path, int size, char message[1024])
{
    char text[64];
    json_t *params = json_pack("{s:s}", "model", path);
    tb_step out = {.struct_size = sizeof out};
    tb_key key = {{1, 2}};
    const float action[1] = {1};
    const double at_the_wall[8] = {0, 4.85};
    snprintf(text, sizeof text,
             TB_MJ_VERSION[0] == '2' ? "<size nstack='%d'/>" : "<size memory='%d'/>", size);
    write_cart(path, text, "1");
    tb_status status = tb_test_try("mujoco/InvertedPendulum-v5", params, message);
    if (status == TB_OK) {
        instance e = tb_test_make("mujoco/InvertedPendulum-v5", params);
        status = e.api->reset(e.env, &key, e.obs);
        if (status == TB_OK)
            status = e.vector->set(e.env, at_the_wall);
        if (status == TB_OK)
            status = e.api->step(e.env, action, e.obs, &out);
        snprintf(message, 1024, "%s", e.api->last_error(e.env));
        if (status != TB_OK) {
            // of no more use, but still there
            assert_int_equal(e.api->reset(e.env, &key, e.obs), TB_E_FATAL);
            assert_int_equal(e.vector->set(e.env, at_the_wall), TB_E_FATAL);
        }
        tb_test_unmake(&e);
    }
    json_decref(params);
    return status;
}

// MuJoCo's own errors, which would wait for a key and end the process, come back as text: while a
// model is loaded, and while it is simulated
static void test_errors_of_mujoco(void **state)
{
    char path[] = "/tmp/tb-mujoco-XXXXXX", message[1024];
    int fd = mkstemp(path), n_loading = 0, n_simulating = 0, n_working = 0;
    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (int size = 16; size <= 262144; size += size / 8) {
        tb_status status = with_arena(path, size, message);
        if (status == TB_OK) {
            n_working++;
            continue;
        }
        n_loading += status == TB_E_PARAM && strstr(message, path) != NULL;
        n_simulating += status == TB_E_FATAL && strstr(message, "MuJoCo: ") != NULL;
        if (strstr(message, "tack") == NULL)
            fail_msg("an arena of %d gives %d: \"%s\"", size, (int)status, message);
    }
    print_message("arenas that fail while loading %d, while simulating %d, that do %d\n", n_loading,
                  n_simulating, n_working);
    assert_true(n_loading > 0 && n_simulating > 0 && n_working > 0);
    assert_int_not_equal(access("MUJOCO_LOG.TXT", F_OK), 0);
    unlink(path);
}

// ---- parameters that change what is simulated ----

// the record of a run gets the hash of the file that was loaded, whichever it is
static void expect_recorded_hash(const char *id, const json_t *params, const char *path)
{
    enum { digest = 32 };
    unsigned char bytes[1 << 16], hash[digest];
    char hex[2 * digest + 1];
    json_t *effective = NULL;
    const tb_env_api *api;
    tb_env *env;
    tb_error error = {0};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    crypto_hash_sha256(hash, bytes, n);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    if (tb_plugin_create_env(tb_test_plugin(), id, params, &api, &env, &effective, &error) != TB_OK)
        fail_msg("%s", error.message);
    assert_string_equal(json_string_value(json_object_get(effective, "model_sha256")), hex);
    json_decref(effective);
    api->destroy(env);
}

static void test_another_model(void **state)
{
    char path[] = "/tmp/tb-mujoco-XXXXXX";
    int fd = mkstemp(path);
    tb_space space = {.struct_size = sizeof space};
    (void)state;
    assert_true(fd >= 0);
    close(fd);
    write_cart(path, "", "100");
    // runners take what a model has
    json_t *params = json_pack("{s:s}", "model", path);
    instance e = tb_test_make("mujoco/HalfCheetah-v5", params);
    assert_int_equal(e.n_obs, 3);
    assert_int_equal(e.n_actions, 1);
    assert_int_equal(e.api->space(e.env, TB_SPACE_ACTION, 0, &space), TB_OK);
    assert_true(space.low[0] == -3 && space.high[0] == 3);
    tb_test_start(&e, 1);
    expect_recorded_hash("mujoco/HalfCheetah-v5", params, path);
    expect_recorded_hash("mujoco/Humanoid-v5", NULL, TB_MJ_MODELS "/humanoid.xml");
    json_decref(params);
    tb_test_unmake(&e);
    unlink(path);
}

// ---- the paper's tasks ----

// the same motion as Gymnasium's task from the same key; what is rewarded differs
static int compare_with_paper(const char *name, size_t n_excluded)
{
    char id[64], paper_id[64];
    snprintf(id, sizeof id, "mujoco/%s-v5", name);
    snprintf(paper_id, sizeof paper_id, "paper/%s-v0", name);
    instance a = tb_test_make(id, NULL), b = tb_test_make(paper_id, NULL);
    const tb_mj_terms *terms = b.api->get_extension(b.env, TB_MJ_EXT_TERMS);
    tb_rng rng;
    int steps = 0, impacts = 0;
    tb_rng_init(&rng, (tb_key){{5, 5}});
    assert_int_equal(b.n_obs, a.n_obs + n_excluded);
    for (uint64_t episode = 0; episode < 3; episode++) {
        tb_step ra = {.struct_size = sizeof ra}, rb = ra;
        tb_test_start(&a, episode);
        tb_test_start(&b, episode);
        for (int t = 0; t < 100 && !ra.flags; t++, steps++) {
            double effort = 0, total = 0;
            tb_test_act(&a, &rng, 1);
            for (size_t i = 0; i < a.n_actions; i++)
                effort += (double)a.action[i] * (double)a.action[i];
            assert_int_equal(a.api->step(a.env, a.action, a.obs, &ra), TB_OK);
            assert_int_equal(b.api->step(b.env, a.action, b.obs, &rb), TB_OK);
            // positions are the same; velocities are not limited to 10 here
            assert_memory_equal(a.obs, b.obs + n_excluded, 3 * sizeof(double));
            assert_int_equal(ra.flags, rb.flags);
            for (size_t i = 0; terms->name(b.env, i) != NULL; i++) {
                double term = terms->get(b.env, i);
                const char *part = terms->name(b.env, i);
                if (strcmp(part, "reward_forward") == 0)
                    assert_true(term == terms->get(a.env, i));
                else if (strcmp(part, "reward_ctrl") == 0)
                    assert_true(fabs(term + 1e-5 * effort) < 1e-18);
                else if (strcmp(part, "reward_survive") == 0)
                    assert_true(term == (rb.flags ? 0 : 1));
                else
                    impacts += term < 0;
                total += term;
            }
            assert_true(fabs(total - rb.reward) < 1e-14);
        }
    }
    tb_test_unmake(&a);
    tb_test_unmake(&b);
    assert_true(steps > 30);
    return impacts;
}

static void test_paper_tasks(void **state)
{
    (void)state;
    assert_int_equal(compare_with_paper("Swimmer", 2), 0);
    assert_int_equal(compare_with_paper("Hopper", 1), 0);
    // only the walker pays for striking the ground
    assert_true(compare_with_paper("Walker2d", 1) > 10);
}

// ---- memory ----

static long resident_kilobytes(void)
{
    long pages = 0, all = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &all, &pages), 2);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void test_lanes_are_small(void **state)
{
    enum { lanes = 16 };
    instance e = tb_test_make("mujoco/HalfCheetah-v5", NULL);
    const tb_env_vec *v = e.api->get_extension(e.env, TB_EXT_ENV_VEC);
    long before = resident_kilobytes();
    tb_vec *vec = NULL;
    tb_key keys[lanes] = {{{1, 2}}};
    double *rows = tb_test_doubles(lanes * e.n_obs), reward[lanes];
    float actions[lanes * 6] = {0};
    uint32_t flags[lanes];
    tb_status status[lanes];
    (void)state;
    assert_int_equal(v->create(e.env, lanes, &vec), TB_OK);
    assert_int_equal(v->reset(vec, NULL, keys, rows, status), TB_OK);
    for (int t = 0; t < 100; t++)
        assert_int_equal(v->step(vec, NULL, actions, rows, reward, flags, status), TB_OK);
    long grown = resident_kilobytes() - before;
    print_message("16 lanes of HalfCheetah: %ld kB resident\n", grown);
    assert_true(grown < 16 * 1024);
    v->destroy(vec);
    free(rows);
    tb_test_unmake(&e);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transitions),      cmocka_unit_test(test_snapshots_are_exact),
        cmocka_unit_test(test_starts),           cmocka_unit_test(test_goals),
        cmocka_unit_test(test_bad_models),       cmocka_unit_test(test_unstable_simulations),
        cmocka_unit_test(test_errors_of_mujoco), cmocka_unit_test(test_another_model),
        cmocka_unit_test(test_paper_tasks),      cmocka_unit_test(test_lanes_are_small),
    };
    if (argc == 3 && strcmp(argv[1], "--random-return") == 0)
        return tb_test_random_returns(strtoull(argv[2], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "--data") == 0) {
        const struct CMUnitTest only[] = {cmocka_unit_test(test_transitions)};
        data_folder = argv[2];
        return cmocka_run_group_tests(only, NULL, NULL);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
