/* SPDX-License-Identifier: MIT
 *
 * The kernels of every level against the reference, bit by bit, in odd shapes and at the end of
 * readable memory; tanh, exp and log against libm's long double.
 */
#include "trpo/linalg/kernels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs the four above
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <trpo-bench/kernels_reference.h>
#include <trpo-bench/rng.h>
#include <unistd.h>

static const char *const levels[] = {"baseline", "v3", "v4"};
enum { LEVELS = 3 };

// the kernels of a level; says so aloud when this CPU does not run it
static const tb_kernels *level(size_t i)
{
    const tb_kernels *k = tb_kernels_level(levels[i]);
    if (k == NULL)
        print_message("not tested: this CPU does not run level %s\n", levels[i]);
    return k;
}

// ---- arrays ----

static size_t real_size(uint32_t dtype)
{
    return dtype == TB_F64 ? 8 : 4;
}

// memory that ends where a page ends that cannot be touched
typedef struct guarded {
    char *start, *data;
    size_t body, bytes;
} guarded;

static guarded guarded_alloc(size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guarded g = {.body = (bytes + page - 1) / page * page, .bytes = bytes};
    g.start = mmap(NULL, g.body + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(g.start, MAP_FAILED);
    assert_int_equal(mprotect(g.start + g.body, page, PROT_NONE), 0);
    g.data = g.start + g.body - bytes;
    return g;
}

static void guarded_free(guarded *g)
{
    assert_int_equal(munmap(g->start, g->body + (size_t)sysconf(_SC_PAGESIZE)), 0);
}

// n numbers in [-1, 1), a function of the seed; some are 0
static guarded numbers(uint32_t dtype, uint64_t n, uint64_t seed)
{
    guarded g = guarded_alloc(n * real_size(dtype));
    tb_rng rng;
    tb_rng_init(&rng, (tb_key){{seed, 5}});
    for (uint64_t i = 0; i < n; i++) {
        const double u = tb_rng_uniform(&rng, -1, 1);
        tb_kernels_ref_set(dtype, g.data, i, fabs(u) < 0.05 ? 0 : u);
    }
    return g;
}

// ---- one layer ----

typedef struct layer_case {
    uint32_t dtype;
    uint64_t rows;
    tb_dense dense;
} layer_case;

// what the calls of a layer give
typedef struct layer_results {
    guarded y, dy, dy_still, wt, dx, gw, gb;
} layer_results;

static layer_results evaluate(const tb_kernels *kernels, const layer_case *c)
{
    const tb_kernels_table *k = tb_kernels_of(kernels, c->dtype);
    const tb_dense *d = &c->dense;
    const uint64_t x_n = c->rows * d->ld_x, y_n = c->rows * d->ld_y, w_n = d->n_in * d->n_out;
    guarded w = numbers(c->dtype, w_n, 1), b = numbers(c->dtype, d->n_out, 2);
    guarded v = numbers(c->dtype, w_n, 3), vb = numbers(c->dtype, d->n_out, 4);
    guarded x = numbers(c->dtype, x_n, 5), in = numbers(c->dtype, x_n, 6);
    guarded dz = numbers(c->dtype, y_n, 7);
    // what the kernels leave alone must be the same in all results: start from equal numbers
    layer_results r = {
        .y = numbers(c->dtype, y_n, 8),
        .dy = numbers(c->dtype, y_n, 9),
        .dy_still = numbers(c->dtype, y_n, 10),
        .wt = numbers(c->dtype, d->n_out * tb_kernels_ld(c->dtype, d->n_in), 11),
        .dx = numbers(c->dtype, x_n, 12),
        .gw = numbers(c->dtype, w_n, 13),
        .gb = numbers(c->dtype, d->n_out, 14),
    };
    k->forward(d, c->rows, w.data, b.data, x.data, r.y.data);
    k->jvp(d, c->rows, w.data, v.data, vb.data, x.data, in.data, r.y.data, r.dy.data);
    k->jvp(d, c->rows, w.data, v.data, vb.data, x.data, NULL, r.y.data, r.dy_still.data);
    k->transpose(d, w.data, r.wt.data);
    k->input_grad(d, c->rows, r.wt.data, dz.data, x.data, r.dx.data);
    k->weight_grad(d, c->rows, x.data, dz.data, r.gw.data, r.gb.data);
    guarded *inputs[] = {&w, &b, &v, &vb, &x, &in, &dz};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        guarded_free(inputs[i]);
    return r;
}

static void free_results(layer_results *r)
{
    guarded *all[] = {&r->y, &r->dy, &r->dy_still, &r->wt, &r->dx, &r->gw, &r->gb};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        guarded_free(all[i]);
}

// equal bits, or, for limit > 0, close; whole arrays, but for the room beyond n of ld columns where
// rows are padded
static void assert_equal(const layer_case *c, const char *what, const guarded *found,
                         const guarded *expected, uint64_t n, uint64_t ld, double limit)
{
    for (uint64_t i = 0; i < found->bytes / real_size(c->dtype); i++) {
        const double a = tb_kernels_ref_get(c->dtype, found->data, i);
        const double b = tb_kernels_ref_get(c->dtype, expected->data, i);
        if (i % ld >= n && i % ld < tb_kernels_ld(c->dtype, n))
            continue;
        if (limit > 0 ? !(fabs(a - b) <= limit) : memcmp(&a, &b, sizeof a) != 0)
            fail_msg("%s[%lu] of %lux%lu, %lu rows, dtype %u, act %u, flags %u: %.17g, not %.17g",
                     what, (unsigned long)i, (unsigned long)c->dense.n_in,
                     (unsigned long)c->dense.n_out, (unsigned long)c->rows, c->dtype,
                     c->dense.activation, c->dense.flags, a, b);
    }
}

static void compare(const tb_kernels *kernels, const layer_case *c)
{
    layer_results found = evaluate(kernels, c), expected = evaluate(tb_kernels_reference(), c);
    const double limit = kernels->fused ? 0 : c->dtype == TB_F64 ? 1e-12 : 1e-4;
    const tb_dense *d = &c->dense;
    // no room, nothing to leave out: n is then the whole row
    const uint64_t y_n = d->flags & TB_DENSE_PAD_Y ? d->n_out : d->ld_y;
    const uint64_t x_n = d->flags & TB_DENSE_PAD_X ? d->n_in : d->ld_x;
    const uint64_t wt_n = tb_kernels_ld(c->dtype, d->n_in), w_n = d->n_in * d->n_out;
    assert_equal(c, "y", &found.y, &expected.y, y_n, d->ld_y, limit);
    assert_equal(c, "dy", &found.dy, &expected.dy, y_n, d->ld_y, limit);
    assert_equal(c, "dy without dx", &found.dy_still, &expected.dy_still, y_n, d->ld_y, limit);
    assert_equal(c, "wt", &found.wt, &expected.wt, wt_n, wt_n, 0);
    assert_equal(c, "dx", &found.dx, &expected.dx, x_n, d->ld_x, limit);
    assert_equal(c, "gw", &found.gw, &expected.gw, w_n, w_n, limit);
    assert_equal(c, "gb", &found.gb, &expected.gb, d->n_out, d->n_out, 0);
    free_results(&found);
    free_results(&expected);
}

/* Widths on both sides of vectors, tiles and panels; rows on both sides of tiles; padded and not;
 * rows with a gap; every activation on either side. */
static void layers_equal_the_reference(void **state)
{
    (void)state;
    static const uint64_t in[] = {1, 4, 17, 64, 70, 33, 0},
                          out[] = {1, 2, 6, 7, 16, 33, 64, 67, 130};
    static const uint64_t rows[] = {1, 5, 6, 13, 29};
    enum { IN = 7, OUT = 9, ROWS = 5 };
    for (size_t l = 0; l < LEVELS; l++) {
        const tb_kernels *k = level(l);
        for (size_t i = 0; k != NULL && i < (size_t)IN * OUT * ROWS; i++) {
            const uint32_t n = (uint32_t)(i + i / IN + i / IN / OUT); // walks all combinations
            layer_case c = {.dtype = n & 1 ? TB_F64 : TB_F32, .rows = rows[i / IN / OUT]};
            tb_dense *d = &c.dense;
            *d = (tb_dense){.struct_size = sizeof *d,
                            .flags = n >> 1 & 3,
                            .n_in = in[i % IN],
                            .n_out = out[i / IN % OUT],
                            .activation = n % 3,
                            .in_activation = n / 3 % 3};
            d->ld_x = d->flags & TB_DENSE_PAD_X ? tb_kernels_ld(c.dtype, d->n_in) : d->n_in;
            d->ld_y = d->flags & TB_DENSE_PAD_Y ? tb_kernels_ld(c.dtype, d->n_out) : d->n_out;
            d->ld_x += n % 5 == 0 ? 3 : 0;
            d->ld_y += n % 7 == 0 ? 16 : 0;
            compare(k, &c);
        }
    }
}

/* Rows of W 4 KiB apart and more are copied in pieces; more rows than one piece, ragged columns. */
static void wide_layers_equal_the_reference(void **state)
{
    (void)state;
    static const uint64_t shapes[][3] = {{140, 1030, 29}, {1030, 140, 25}, {20, 1030, 23}};
    for (size_t l = 0; l < LEVELS; l++) {
        const tb_kernels *k = level(l);
        for (uint32_t i = 0; k != NULL && i < 12; i++) {
            const uint64_t *shape = shapes[i / 4];
            layer_case c = {.dtype = i & 1 ? TB_F64 : TB_F32, .rows = shape[2]};
            c.dense = (tb_dense){.struct_size = sizeof c.dense,
                                 .flags = i & 2 ? TB_DENSE_PAD_X | TB_DENSE_PAD_Y : 0,
                                 .n_in = shape[0],
                                 .n_out = shape[1],
                                 .ld_x = shape[0] + (i & 2 ? 14 : 0),
                                 .ld_y = shape[1] + (i & 2 ? 14 : 0),
                                 .activation = i % 3,
                                 .in_activation = i / 3 % 3};
            compare(k, &c);
        }
    }
}

/* Row r of many has the bits that it has alone. */
static void rows_do_not_depend_on_the_batch(void **state)
{
    (void)state;
    enum { ROWS = 40, IN = 19, OUT = 37 };
    const tb_dense d = {sizeof d, 0, IN, OUT, IN, OUT, TB_ACT_TANH, TB_ACT_IDENTITY};
    for (size_t l = 0; l < LEVELS; l++) {
        const tb_kernels *k = level(l);
        if (k == NULL)
            continue;
        guarded w = numbers(TB_F32, IN * OUT, 1), b = numbers(TB_F32, OUT, 2);
        guarded x = numbers(TB_F32, ROWS * IN, 3), y = numbers(TB_F32, ROWS * OUT, 4);
        float alone[OUT];
        k->f32->forward(&d, ROWS, w.data, b.data, x.data, y.data);
        for (size_t r = 0; r < ROWS; r++) {
            k->f32->forward(&d, 1, w.data, b.data, x.data + r * IN * 4, alone);
            assert_memory_equal(alone, y.data + r * OUT * 4, sizeof alone);
        }
        guarded_free(&w);
        guarded_free(&b);
        guarded_free(&x);
        guarded_free(&y);
    }
}

// ---- tanh, exp, log ----

typedef struct function {
    const char *name;
    size_t offset; // in tb_kernels_table
    long double (*exact)(long double);
    double low[2], high[2]; // of the arguments, float and double
    double limit;           // ulp
} function;

typedef void vector_call(uint64_t n, const void *x, void *y);

static const function functions[] = {
    {"tanh", offsetof(tb_kernels_table, tanh), tanhl, {1e-6, 1e-6}, {20, 20}, 2.6},
    {"exp", offsetof(tb_kernels_table, exp), expl, {1e-6, 1e-6}, {87, 708}, 1.0},
    {"log", offsetof(tb_kernels_table, log), logl, {1e-45, 5e-324}, {3e38, 1.7e308}, 1.3},
};
enum { FUNCTIONS = 3, POINTS = 100003 };

static vector_call *call_of(const function *f, const tb_kernels *k, uint32_t dtype)
{
    vector_call *call;
    memcpy(&call, (const char *)tb_kernels_of(k, dtype) + f->offset, sizeof call);
    return call;
}

/* POINTS arguments over all magnitudes; tanh and exp: of both signs; log: half of them around 1. */
static void arguments(const function *f, uint32_t dtype, void *x)
{
    const int wide = dtype == TB_F64, is_log = f->exact == logl;
    const double low = log(f->low[wide]), high = log(f->high[wide]);
    for (uint64_t i = 0; i < POINTS; i++) {
        const double t = (double)i / POINTS;
        double value = exp(low + t * (high - low));
        if (is_log && i % 2)
            value = 0.5 + 1.5 * t;
        else if (i % 2)
            value = -value;
        tb_kernels_ref_set(dtype, x, i, value);
    }
}

static void functions_are_accurate(void **state)
{
    (void)state;
    for (size_t i = 0; i < (size_t)LEVELS * FUNCTIONS * 2; i++) {
        const tb_kernels *k = level(i / 6);
        const function *f = &functions[i / 2 % FUNCTIONS];
        const uint32_t dtype = i % 2 ? TB_F64 : TB_F32;
        if (k == NULL)
            continue;
        guarded x = guarded_alloc(POINTS * real_size(dtype));
        guarded y = guarded_alloc(POINTS * real_size(dtype));
        guarded expected = guarded_alloc(POINTS * real_size(dtype));
        arguments(f, dtype, x.data);
        call_of(f, k, dtype)(POINTS, x.data, y.data);
        double worst = 0;
        for (uint64_t j = 0; j < POINTS; j++) {
            const long double exact = f->exact((long double)tb_kernels_ref_get(dtype, x.data, j));
            int exponent;
            (void)frexpl(exact, &exponent);
            const long double error =
                fabsl(exact - (long double)tb_kernels_ref_get(dtype, y.data, j));
            worst = fmax(worst, (double)ldexpl(error, (dtype == TB_F64 ? 53 : 24) - exponent));
        }
        print_message("%s, %s, float%d: %.3f ulp\n", f->name, k->isa, dtype == TB_F64 ? 64 : 32,
                      worst);
        assert_true(worst <= f->limit);
        // and bit by bit
        call_of(f, tb_kernels_reference(), dtype)(POINTS, x.data, expected.data);
        if (k->fused)
            assert_memory_equal(y.data, expected.data, POINTS * real_size(dtype));
        guarded_free(&x);
        guarded_free(&y);
        guarded_free(&expected);
    }
}

static void functions_at_the_edges(void **state)
{
    (void)state;
    const double inf = INFINITY;
    const struct {
        size_t f;
        double x, y[2]; // float, double
    } points[] = {
        {0, 0, {0, 0}},
        {0, 1e-40, {(double)1e-40f, 1e-40}},
        {0, 30, {1, 1}},
        {0, -30, {-1, -1}},
        {0, inf, {1, 1}},
        {0, -inf, {-1, -1}},
        {0, NAN, {NAN, NAN}},
        {1, 0, {1, 1}},
        {1, -inf, {0, 0}},
        {1, inf, {inf, inf}},
        {1, 800, {inf, inf}},
        {1, -800, {0, 0}},
        {1, -103, {(double)0x1p-149f, 1.8521167695179754e-45}}, // denormal
        {1, NAN, {NAN, NAN}},
        {2, 1, {0, 0}},
        {2, 0, {-inf, -inf}},
        {2, -0.0, {-inf, -inf}},
        {2, inf, {inf, inf}},
        {2, -1, {NAN, NAN}},
        {2, -inf, {NAN, NAN}},
        {2, NAN, {NAN, NAN}},
    };
    for (size_t l = 0; l <= LEVELS; l++) {
        const tb_kernels *k = l == LEVELS ? tb_kernels_reference() : level(l);
        for (size_t i = 0; k != NULL && i < 2 * sizeof points / sizeof *points; i++) {
            const uint32_t dtype = i % 2 ? TB_F64 : TB_F32;
            const function *f = &functions[points[i / 2].f];
            double x[1], y[1];
            tb_kernels_ref_set(dtype, x, 0, points[i / 2].x);
            call_of(f, k, dtype)(1, x, y);
            const double found = tb_kernels_ref_get(dtype, y, 0);
            const double expected = points[i / 2].y[i % 2];
            if (isnan(expected) ? !isnan(found) : !(found <= expected && found >= expected))
                fail_msg("%s, float%d: %s(%g) = %.17g, not %.17g", k->isa, i % 2 ? 64 : 32, f->name,
                         points[i / 2].x, found, expected);
        }
    }
}

// ---- the choice ----

static void the_best_level_is_chosen_once(void **state)
{
    (void)state;
    const tb_kernels *k, *again, *best = NULL;
    for (size_t i = 0; i < LEVELS; i++)
        if (tb_kernels_level(levels[i]) != NULL)
            best = tb_kernels_level(levels[i]);
    assert_int_equal(tb_kernels_get(&k, NULL), TB_OK);
    assert_ptr_equal(k, best);
    assert_int_equal(setenv("TRPO_BENCH_ISA", "baseline", 1), 0);
    assert_int_equal(tb_kernels_get(&again, NULL), TB_OK);
    assert_ptr_equal(k, again);
    assert_int_equal(unsetenv("TRPO_BENCH_ISA"), 0);
    assert_null(tb_kernels_level("v5"));
    assert_null(tb_kernels_level("reference"));
}

// in a process of its own, before the choice: what tb_kernels_get says; 0 when it is right
static int chosen_for(const char *isa)
{
    const tb_kernels *k;
    tb_error error;
    (void)setenv("TRPO_BENCH_ISA", isa, 1);
    const tb_status status = tb_kernels_get(&k, &error);
    if (tb_kernels_level(isa) != NULL)
        return !(status == TB_OK && strcmp(k->isa, isa) == 0);
    return !(status == TB_E_UNSUPPORTED && k == NULL &&
             strstr(error.message, "TRPO_BENCH_ISA = \"") != NULL);
}

static void the_environment_chooses(void **state)
{
    (void)state;
    const char *const names[] = {"baseline", "v3", "v4", "v5", "", "reference"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int wrong = 1;
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(chosen_for(names[i]));
        assert_int_equal(waitpid(child, &wrong, 0), child);
        if (wrong != 0)
            fail_msg("TRPO_BENCH_ISA = \"%s\"", names[i]);
    }
}

int main(void)
{
    (void)unsetenv("TRPO_BENCH_ISA");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_chooses), // first: no level is chosen yet
        cmocka_unit_test(the_best_level_is_chosen_once),
        cmocka_unit_test(layers_equal_the_reference),
        cmocka_unit_test(wide_layers_equal_the_reference),
        cmocka_unit_test(rows_do_not_depend_on_the_batch),
        cmocka_unit_test(functions_are_accurate),
        cmocka_unit_test(functions_at_the_edges),
    };
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
