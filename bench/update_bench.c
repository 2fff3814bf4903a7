/* SPDX-License-Identifier: MIT
 *
 * The policy update on whole batches, through trpo/ and the mlp plugin as a run does it: the
 * Fisher-vector product (activations cached), and a full TRPO update with where its time goes.
 * Network 17-64-64-6 (and 6 log standard deviations), float32.
 *
 * Useful operations a row: forward 2 (17 64 + 64 64 + 64 6); a product is a jvp and a vjp, each
 * twice as much but for the first layer, which has no input derivative. tanh, heads and sums count
 * as nothing: the bound is matrix products at the peak.
 */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <trpo-bench/rng.h>

#include "bench/measure.h"
#include "harness/plugin/loader.h"
#include "trpo/update/algorithm.h"
#include "trpo/update/policy.h"

enum { INPUTS = 17, HIDDEN = 64, ACTIONS = 6, CG_ITERATIONS = 10 };

static const double first_flops = 2.0 * INPUTS * HIDDEN;
static const double rest_flops = 2.0 * (HIDDEN * HIDDEN + HIDDEN * ACTIONS);
#define FORWARD_FLOPS (first_flops + rest_flops)
#define REVERSE_FLOPS (first_flops + 2 * rest_flops)
#define PRODUCT_FLOPS (2 * REVERSE_FLOPS)

typedef struct subject {
    tb_policy policy;
    tb_batch batch;
    size_t rows;
    double *v, *fv, *theta;
    unsigned char config[256];
    const tb_algorithm *trpo;
    tb_iteration log;
} subject;

static void check(tb_status status, const tb_error *error)
{
    if (status != TB_OK)
        bench_stop("update-bench", error->message);
}

static void make_policy(subject *s)
{
    tb_error error;
    tb_plugin *plugin;
    const tb_map_api *api;
    tb_map *map;
    const uint64_t shape[] = {INPUTS};
    const tb_map_spec spec = {.struct_size = sizeof spec,
                              .dtype = TB_F32,
                              .n_in = INPUTS,
                              .n_out = 2 * ACTIONS,
                              .n_const_out = ACTIONS,
                              .in_shape = shape,
                              .in_ndim = 1,
                              .const_init = -0.5,
                              .out_gain = 0.01};
    const tb_head head = {.api = &tb_head_gaussian,
                          .n = ACTIONS,
                          .n_params = 2 * ACTIONS,
                          .n_const = ACTIONS,
                          .n_action = ACTIONS,
                          .n_unif = ACTIONS};
    check(tb_plugin_load(TB_BENCH_PLUGIN_DIR "/mlp.so", &plugin, &error), &error);
    check(tb_plugin_create_map(plugin, "mlp", &spec, NULL, &api, &map, NULL, &error), &error);
    check(tb_policy_init(&s->policy, api, map, &spec, &head, s->rows, 1, &error), &error);
}

// inputs and advantages are uniform, actions are drawn from the policy
static void sample(subject *s)
{
    tb_error error;
    tb_policy *policy = &s->policy;
    tb_batch *batch = &s->batch;
    const tb_head *head = &policy->head;
    tb_surrogate ignored;
    tb_rng rng;
    tb_rng_init(&rng, (tb_key){{3, 4}});
    check(tb_batch_init(batch, s->rows, 1, INPUTS * sizeof(float), ACTIONS, head->n_params, &error),
          &error);
    batch->lanes = 1;
    batch->steps = batch->n_rows = s->rows;
    for (size_t i = 0; i < s->rows * INPUTS; i++)
        ((float *)batch->x)[i] = (float)tb_rng_uniform(&rng, -1.7, 1.7);
    for (size_t i = 0; i < s->rows; i++)
        batch->advantage[i] = tb_rng_uniform(&rng, -1.7, 1.7);
    check(tb_policy_evaluate(policy, batch, &ignored, &error), &error);
    memcpy(batch->y_old, policy->y, s->rows * head->n_params * sizeof(double));
    for (size_t i = 0; i < s->rows; i++) {
        double u[ACTIONS], *a = batch->action + i * ACTIONS;
        for (size_t k = 0; k < ACTIONS; k++)
            u[k] = tb_rng_f64(&rng);
        head->api->sample(head, policy->y + i * head->n_params, u, a);
        batch->log_prob_old[i] = head->api->log_prob(head, policy->y + i * head->n_params, a);
    }
}

static void set_option(subject *s, const char *key, tb_value value)
{
    tb_error error;
    const tb_option *option = tb_option_find(s->trpo->options, key);
    if (option == NULL)
        bench_stop("update-bench: no option", key);
    check(tb_option_set(option, s->config, &value, &error), &error);
}

static subject *make_subject(size_t rows)
{
    subject *s = bench_alloc(1, sizeof *s);
    s->rows = rows;
    make_policy(s);
    sample(s);
    const size_t n = s->policy.net.n_params;
    s->v = bench_alloc(n, sizeof(double));
    s->fv = bench_alloc(n, sizeof(double));
    s->theta = bench_alloc(n, sizeof(double));
    memcpy(s->theta, s->policy.net.theta, n * sizeof(double));
    tb_rng rng;
    tb_rng_init(&rng, (tb_key){{5, 6}});
    for (size_t i = 0; i < n; i++)
        s->v[i] = tb_rng_uniform(&rng, -1, 1);
    s->trpo = tb_algorithm_find("trpo");
    if (s->trpo->config_size > sizeof s->config)
        bench_stop("update-bench", "the configuration of trpo has outgrown its place");
    tb_options_default(s->trpo->options, s->config);
    set_option(s, "cg_iterations", (tb_value){.type = TB_VALUE_I64, .i64 = CG_ITERATIONS});
    set_option(s, "cg_tolerance", (tb_value){.type = TB_VALUE_F64, .f64 = 0});
    tb_error error;
    check(s->trpo->prepare(s->config, &s->policy, &error), &error);
    return s;
}

// ---- what is measured ----

static void run_evaluate(void *arg)
{
    subject *s = arg;
    tb_surrogate at;
    tb_error error;
    check(tb_policy_evaluate(&s->policy, &s->batch, &at, &error), &error);
}

static void run_gradient(void *arg)
{
    subject *s = arg;
    tb_error error;
    check(tb_policy_gradient(&s->policy, &s->batch, s->fv, &error), &error);
}

static void run_product(void *arg)
{
    subject *s = arg;
    tb_error error;
    check(tb_policy_fisher(&s->policy, 0.1, s->v, s->fv, &error), &error);
}

// from the same parameters each time
static void run_update(void *arg)
{
    subject *s = arg;
    tb_error error;
    tb_net_set(&s->policy.net, s->theta);
    tb_iteration_clear(&s->log);
    check(s->trpo->update(s->config, &s->policy, &s->batch, NULL, &s->log, &error), &error);
}

static void reset(subject *s)
{
    tb_net_set(&s->policy.net, s->theta);
    run_evaluate(s);
}

// the product's bits must not depend on the number of threads
static void check_threads(subject *s)
{
    const size_t bytes = s->policy.net.n_params * sizeof(double);
    double *one = bench_alloc(1, bytes);
    for (int threads = 1; threads <= 4; threads++) {
        omp_set_num_threads(threads);
        reset(s);
        run_product(s);
        if (threads == 1)
            memcpy(one, s->fv, bytes);
        else if (memcmp(one, s->fv, bytes) != 0)
            bench_stop("update-bench", "the product's bits depend on the number of threads");
    }
    free(one);
}

int main(int argc, char **argv)
{
    static bench_figure figures[16];
    static const size_t sizes[] = {5000, 50000};
    const bench_options options = bench_parse(
        argc, argv, "Times of a policy update, 17-64-64-6 in float32, as shares of the peak.");
    size_t n = 0;
    for (size_t i = 0; i < 2; i++) {
        subject *s = make_subject(sizes[i]);
        const double rows = (double)sizes[i];
        check_threads(s);
        run_update(s);
        const double update_flops = FORWARD_FLOPS + REVERSE_FLOPS +
                                    (CG_ITERATIONS + 1) * PRODUCT_FLOPS +
                                    (double)s->log.line_search_steps * FORWARD_FLOPS;
        const struct {
            const char *name;
            void (*call)(void *);
            double flops;
        } calls[] = {{"Fisher product", run_product, PRODUCT_FLOPS},
                     {"evaluation", run_evaluate, FORWARD_FLOPS},
                     {"gradient", run_gradient, REVERSE_FLOPS},
                     {"TRPO update", run_update, update_flops}};
        reset(s);
        for (size_t c = 0; c < 4; c++)
            for (int threads = 1; threads <= 2; threads++) {
                bench_figure *f = &figures[n++];
                (void)snprintf(f->name, sizeof f->name, "%s, %zu rows, %d thread%s", calls[c].name,
                               sizes[i], threads, threads > 1 ? "s" : "");
                f->unit = "row";
                f->items = rows;
                f->flops = calls[c].flops * rows;
                f->threads = threads;
                f->call = calls[c].call;
                f->arg = s;
            }
    }
    bench_run("update-bench", "multiply-add peak", &options, figures, n);
    if (!options.json)
        printf("Fisher products have the same bits for 1 to 4 threads.\n");
    return 0;
}
