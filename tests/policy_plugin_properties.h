/* SPDX-License-Identifier: MIT
 *
 * The properties that every policy plugin must have. The ABI asks for an adjoint
 * identity to 1e-12 in float64 and 1e-5 in float32 and central differences to 1e-8; shipped plugins
 * are held to tighter limits here.
 */
#ifndef TESTS_POLICY_PLUGIN_PROPERTIES_H
#define TESTS_POLICY_PLUGIN_PROPERTIES_H

#include "tests/policy_plugin_testing.h"

/* ---- properties of every map ---- */

/* create() allocates (so the counter sees the plugin), the compute calls do not. */
static UNUSED_OK void check_allocations(const char *id, uint32_t dtype, const test_option *options)
{
    long before = test_allocations;
    test_map m = test_make(id, test_spec(dtype, 5, 4, 1), options);
    const long create = test_allocations - before;
    const evaluation e = evaluate(&m, 130, 70);
    before = test_allocations;
    (void)m.api->forward(m.map, e.theta, e.x, 130, e.y, e.ws);
    (void)m.api->jvp(m.map, e.theta, e.x, 130, e.ws, e.v, e.jv);
    (void)m.api->vjp(m.map, e.theta, e.x, 130, e.ws, e.w, e.g);
    assert_int_equal(test_allocations, before);
    if (COUNTS_ALLOCATIONS)
        assert_true(create > 0);
    else
        print_message("not tested under a sanitizer: allocations of the compute calls\n");
    release_buffers();
    m.api->destroy(m.map);
}

/* A workspace serves one forward() after the other: nothing of the old theta stays behind. */
static UNUSED_OK void check_reuse(const test_map *m, uint64_t batch)
{
    const evaluation a = evaluate(m, batch, 80), b = evaluate(m, batch, 90);
    const uint64_t n = batch * m->n_out;
    void *y = buffer(m, n), *jv = buffer(m, n), *g = buffer(m, m->n_params);
    (void)m->api->forward(m->map, b.theta, b.x, batch, y, a.ws);
    for (int i = 0; i < 2; i++) { // in either order, again and again
        (void)m->api->vjp(m->map, b.theta, b.x, batch, a.ws, b.w, g);
        (void)m->api->jvp(m->map, b.theta, b.x, batch, a.ws, b.v, jv);
        assert_same_bits(m, jv, b.jv, n, "jv with a used workspace");
        assert_same_bits(m, g, b.g, m->n_params, "g with a used workspace");
    }
    assert_same_bits(m, y, b.y, n, "y with a used workspace");
    release_buffers();
}

/* Blocks tile [0, P) in order and have names. */
static UNUSED_OK void check_blocks(const test_map *m)
{
    uint64_t offset, count, end = 0;
    const char *name;
    uint32_t i = 0;
    for (; m->api->block(m->map, i, &offset, &count, &name) == TB_OK; i++) {
        assert_int_equal(offset, end);
        assert_true(count > 0 && *name);
        end += count;
    }
    assert_true(i > 0);
    assert_int_equal(end, m->n_params);
    assert_int_equal(m->api->block(m->map, i, &offset, &count, &name), TB_E_INVALID);
}

/* <J v, w> = <v, J' w> to rounding. */
static UNUSED_OK void check_adjoint(const test_map *m, uint64_t batch)
{
    const evaluation e = evaluate(m, batch, 1);
    const uint64_t n = batch * m->n_out;
    const double left = dot(m, e.jv, e.w, n), right = dot(m, e.v, e.g, m->n_params);
    const double scale = sqrt(dot(m, e.jv, e.jv, n) * dot(m, e.w, e.w, n));
    assert_at_most(fabs(left - right) / scale, m->spec.dtype == TB_F64 ? 1e-14 : 1e-6);
    release_buffers();
}

/* float64: jv against central differences of forward, the best step of a sweep. */
static UNUSED_OK void check_central_differences(const test_map *m, uint64_t batch)
{
    const evaluation e = evaluate(m, batch, 10);
    const uint64_t n = batch * m->n_out;
    double *theta = buffer(m, m->n_params), *up = buffer(m, n), *down = buffer(m, n);
    double best = INFINITY;
    for (int step = 0; step < 10; step++) {
        const double h = ldexp(1, -10 - 2 * step); // 1e-3 to 4e-9
        double error = 0;
        for (int sign = -1; sign <= 1; sign += 2) {
            for (uint64_t i = 0; i < m->n_params; i++)
                theta[i] = get(m, e.theta, i) + sign * h * get(m, e.v, i);
            (void)m->api->forward(m->map, theta, e.x, batch, sign > 0 ? up : down, e.ws);
        }
        for (uint64_t i = 0; i < n; i++)
            error += pow((up[i] - down[i]) / (2 * h) - get(m, e.jv, i), 2);
        best = fmin(best, sqrt(error / dot(m, e.jv, e.jv, n)));
    }
    assert_at_most(best, 1e-9);
    release_buffers();
}

/* Row b of a batch has the bits that it has alone, in y and in jv. */
static UNUSED_OK void check_batch_invariance(const test_map *m, uint64_t batch)
{
    const evaluation e = evaluate(m, batch, 20);
    void *y = buffer(m, m->n_out), *ws = workspace(m, 1);
    for (uint64_t b = 0; b < batch; b++) {
        const size_t row = b * m->n_out * real_size(m);
        const void *x = (const char *)e.x + b * m->n_in * real_size(m);
        (void)m->api->forward(m->map, e.theta, x, 1, y, ws);
        assert_same_bits(m, y, (char *)e.y + row, m->n_out, "row of y");
        (void)m->api->jvp(m->map, e.theta, x, 1, ws, e.v, y);
        assert_same_bits(m, y, (char *)e.jv + row, m->n_out, "row of jv");
    }
    release_buffers();
}

/* J (a u + c v) = a J u + c J v, and the same for J'; J' ignores what g held before. */
static UNUSED_OK void check_linearity(const test_map *m, uint64_t batch)
{
    const evaluation e = evaluate(m, batch, 30);
    const uint64_t n = batch * m->n_out, p = m->n_params;
    const double a = 0.75, c = -2, limit = m->spec.dtype == TB_F64 ? 1e-13 : 1e-4;
    void *u = random_buffer(m, p, 34), *s = random_buffer(m, n, 35);
    void *sum_p = buffer(m, p), *sum_n = buffer(m, n);
    void *ju = buffer(m, n), *jsum = buffer(m, n), *gs = buffer(m, p), *gsum = buffer(m, p);
    for (uint64_t i = 0; i < p; i++)
        set(m, sum_p, i, a * get(m, u, i) + c * get(m, e.v, i));
    for (uint64_t i = 0; i < n; i++)
        set(m, sum_n, i, a * get(m, s, i) + c * get(m, e.w, i));
    (void)m->api->jvp(m->map, e.theta, e.x, batch, e.ws, u, ju);
    (void)m->api->jvp(m->map, e.theta, e.x, batch, e.ws, sum_p, jsum);
    (void)m->api->vjp(m->map, e.theta, e.x, batch, e.ws, s, gs);
    (void)m->api->vjp(m->map, e.theta, e.x, batch, e.ws, sum_n, gsum);
    for (uint64_t i = 0; i < n; i++)
        assert_at_most(fabs(get(m, jsum, i) - a * get(m, ju, i) - c * get(m, e.jv, i)), limit);
    for (uint64_t i = 0; i < p; i++)
        assert_at_most(fabs(get(m, gsum, i) - a * get(m, gs, i) - c * get(m, e.g, i)),
                       limit * (double)batch);
    release_buffers();
}

/* F = J' M J with a positive diagonal M is symmetric and positive semidefinite (float64). */
static UNUSED_OK void check_metric(const test_map *m, uint64_t batch)
{
    const evaluation e = evaluate(m, batch, 40);
    const uint64_t n = batch * m->n_out;
    double *u = random_buffer(m, m->n_params, 44), *mjv = buffer(m, n),
           *fv = buffer(m, m->n_params);
    double *mju = buffer(m, n), *fu = buffer(m, m->n_params);
    (void)m->api->jvp(m->map, e.theta, e.x, batch, e.ws, u, mju);
    for (uint64_t i = 0; i < n; i++) {
        mjv[i] = get(m, e.jv, i) * (0.5 + (double)(i % 3));
        mju[i] *= 0.5 + (double)(i % 3);
    }
    (void)m->api->vjp(m->map, e.theta, e.x, batch, e.ws, mjv, fv);
    (void)m->api->vjp(m->map, e.theta, e.x, batch, e.ws, mju, fu);
    const double vfv = dot(m, e.v, fv, m->n_params), ufu = dot(m, u, fu, m->n_params);
    const double skew = dot(m, u, fv, m->n_params) - dot(m, e.v, fu, m->n_params);
    assert_true(vfv >= 0 && ufu >= 0);
    assert_at_most(fabs(skew) / sqrt(vfv * ufu), 1e-14);
    release_buffers();
}

/* Each parameter changes some output: |J' w| > 0 everywhere for random w. */
static UNUSED_OK void check_influence(const test_map *m, uint64_t batch)
{
    const evaluation e = evaluate(m, batch, 50);
    for (uint64_t i = 0; i < m->n_params; i++)
        if (get(m, e.g, i) == 0)
            fail_msg("parameter %lu influences nothing", (unsigned long)i);
    release_buffers();
}

/* What the last layer reads: with its weights and bias, the features give the outputs. */
static UNUSED_OK void check_features(const test_map *m, uint64_t batch)
{
    const evaluation e = evaluate(m, batch, 70);
    const tb_map_features *table = m->api->get_extension(m->map, TB_EXT_MAP_FEATURES);
    const uint64_t n = m->n_out - m->spec.n_const_out;
    const double limit = m->spec.dtype == TB_F64 ? 1e-13 : 1e-4;
    uint64_t H, offset = 0, count = 0, end;
    const char *name;
    assert_non_null(table);
    H = table->n_features(m->map);
    for (uint32_t i = 0; m->api->block(m->map, i, &end, &count, &name) == TB_OK; i++)
        if (strcmp(name, "output.weight") == 0)
            offset = end;
    void *z = buffer(m, batch * H);
    assert_int_equal(table->features(m->map, e.x, batch, e.ws, z), TB_OK);
    for (uint64_t b = 0; b < batch; b++)
        for (uint64_t j = 0; j < n; j++) {
            double sum = get(m, e.theta, offset + H * n + j);
            for (uint64_t k = 0; k < H; k++)
                sum += get(m, z, b * H + k) * get(m, e.theta, offset + k * n + j);
            assert_at_most(fabs(sum - get(m, e.y, b * m->n_out + j)), limit);
        }
    release_buffers();
}

/* No rows: nothing is read or written, and the gradient is zero. */
static UNUSED_OK void check_empty_batch(const test_map *m)
{
    const evaluation e = evaluate(m, 0, 60);
    for (uint64_t i = 0; i < m->n_params; i++)
        assert_true(get(m, e.g, i) == 0);
    release_buffers();
}

/* init is a function of the key, writes every parameter, and differs between keys. */
static UNUSED_OK void check_init(const test_map *m)
{
    void *a = buffer(m, m->n_params), *b = buffer(m, m->n_params), *c = buffer(m, m->n_params);
    assert_int_equal(m->api->init(m->map, a, &(tb_key){{1, 2}}), TB_OK);
    assert_int_equal(m->api->init(m->map, b, &(tb_key){{1, 2}}), TB_OK);
    assert_int_equal(m->api->init(m->map, c, &(tb_key){{1, 3}}), TB_OK);
    assert_same_bits(m, a, b, m->n_params, "init with equal keys");
    assert_memory_not_equal(a, c, m->n_params * real_size(m));
    for (uint64_t i = 0; i < m->n_params; i++)
        assert_true(isfinite(get(m, a, i)));
    for (uint64_t i = 0; i < m->spec.n_const_out; i++)
        assert_true(get(m, a, m->n_params - 1 - i) == m->spec.const_init);
    release_buffers();
}

/* create() refuses with `status` and a reason that holds `word` ("": the host knows the reason),
 * and leaves *out alone. */
static UNUSED_OK void check_refusal(const char *id, tb_map_spec spec, const test_option *options,
                                    tb_status status, const char *word)
{
    test_map m;
    char err[256] = "", tiny[4] = "abc";
    assert_int_equal(test_create(id, spec, options, &m, err, sizeof err), status);
    assert_null(m.map);
    if (!strstr(err, word))
        fail_msg("\"%s\" does not hold \"%s\"", err, word);
    if (!*word)
        return;
    // a short buffer is not overrun, none at all is allowed
    assert_int_equal(test_create(id, spec, options, &m, tiny, 2), status);
    assert_int_equal(tiny[1], 0);
    assert_int_equal(tiny[2], 'c');
    assert_int_equal(test_create(id, spec, options, &m, NULL, 0), status);
}

/* Everything above for one map of each dtype. */
static UNUSED_OK void check_map(const char *id, uint64_t n_in, uint64_t n_out, uint64_t n_const,
                                const test_option *options, int smooth)
{
    for (uint32_t dtype = TB_F64; dtype <= TB_F32; dtype++) {
        test_map m = test_make(id, test_spec(dtype, n_in, n_out, n_const), options);
        check_blocks(&m);
        check_init(&m);
        check_adjoint(&m, 1);
        check_adjoint(&m, 33);
        check_adjoint(&m, 192);
        check_linearity(&m, 7);
        check_batch_invariance(&m, 2);
        check_batch_invariance(&m, 64);
        check_batch_invariance(&m, 65);
        check_batch_invariance(&m, 192);
        check_empty_batch(&m);
        check_features(&m, 0);
        check_features(&m, 1);
        check_features(&m, 130);
        check_reuse(&m, 100);
        check_allocations(id, dtype, options);
        if (smooth) // a relu unit may be off for every row
            check_influence(&m, 192);
        if (dtype == TB_F64) {
            check_metric(&m, 21);
            if (smooth)
                check_central_differences(&m, 9);
        }
        assert_string_equal(m.api->explain(m.map, TB_OK), "no error");
        assert_true(strlen(m.api->explain(m.map, TB_E_NOMEM)) > 0);
        assert_true(strlen(m.api->explain(m.map, 12345)) > 0);
        assert_null(m.api->get_extension(m.map, "tb.map.nothing/1"));
        m.api->destroy(m.map);
        m.api->destroy(NULL);
    }
}

/* The schema's keys and defaults are those that create() reads, each once, and no other. */
static UNUSED_OK void check_schema(const char *id)
{
    const tb_params_schema *schema = test_entry()->get_factory(TB_PARAMS_SCHEMA);
    test_map m = test_make(id, test_spec(TB_F64, 3, 2, 1), NULL);
    assert_int_equal(n_test_reads, schema->count(id));
    for (uint32_t i = 0; i < schema->count(id); i++) {
        tb_param_info row = {.struct_size = sizeof row};
        size_t read = 0;
        assert_int_equal(schema->get(id, i, &row), TB_OK);
        while (read < n_test_reads && strcmp(test_reads[read].key, row.key) != 0)
            read++;
        if (read == n_test_reads)
            fail_msg("create() does not read \"%s\"", row.key);
        assert_string_equal(test_reads[read].default_text, row.default_text);
        assert_non_null(row.doc);
    }
    tb_param_info info = {.struct_size = offsetof(tb_param_info, doc), .doc = "untouched"};
    assert_int_equal(schema->get(id, 0, &info), TB_OK);
    assert_string_equal(info.doc, "untouched");
    assert_int_equal(schema->get(id, schema->count(id), &info), TB_E_INVALID);
    assert_int_equal(schema->get("no such id", 0, &info), TB_E_INVALID);
    assert_int_equal(schema->count("no such id"), 0);
    m.api->destroy(m.map);
}

/* The entry, the factory table and unknown ids. */
static UNUSED_OK void check_library(const char *id)
{
    const tb_entry *entry = test_entry();
    const tb_map_factory *factory = entry->get_factory(TB_MAP_FACTORY);
    assert_int_equal(entry->magic, TB_ABI_MAGIC);
    assert_int_equal(entry->struct_size, sizeof *entry);
    assert_int_equal(entry->abi_major, TB_ABI_MAJOR);
    assert_non_null(entry->build);
    assert_null(entry->get_factory("tb.map-factory/10"));
    assert_int_equal(factory->dtypes, TB_DTYPE_BIT(TB_F64) | TB_DTYPE_BIT(TB_F32));
    assert_int_equal(factory->count(), 1);
    assert_string_equal(factory->id(0), id);
    assert_null(factory->id(1));
    assert_true(strlen(factory->summary(0)) > 0);
    assert_null(factory->summary(1));
    check_refusal("no such id", test_spec(TB_F64, 3, 2, 1), NULL, TB_E_INVALID, "no such id");
    // specs that no map can serve
    tb_map_spec spec = test_spec(TB_I32, 3, 2, 1);
    check_refusal(id, spec, NULL, TB_E_UNSUPPORTED, "dtype");
    check_refusal(id, test_spec(TB_F64, 0, 2, 1), NULL, TB_E_PARAM, "n_in = 0");
    check_refusal(id, test_spec(TB_F64, 3, 0, 0), NULL, TB_E_PARAM, "n_out = 0");
    check_refusal(id, test_spec(TB_F64, 3, 2, 2), NULL, TB_E_PARAM, "n_const_out = 2");
    spec = test_spec(TB_F64, 3, 2, 1);
    spec.out_gain = NAN;
    check_refusal(id, spec, NULL, TB_E_PARAM, "out_gain");
    spec = test_spec(TB_F64, 3, 2, 1);
    spec.struct_size = offsetof(tb_map_spec, out_gain);
    check_refusal(id, spec, NULL, TB_E_INVALID, "tb_map_spec");
}

#endif
