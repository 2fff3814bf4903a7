/* SPDX-License-Identifier: MIT
 *
 * Tests P4 to P7, P13 and P16: are the derivatives right? J = dy/dtheta, [B O][P].
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "harness/check/family.h"
#include "harness/check/map_fixture.h"

static double norm(const tb_check_map *m, const tb_check_buffer *a)
{
    return sqrt(tb_check_dot(m, a, a));
}

// ---- P4: <J v, w> = <v, J' w> ----

static void check_adjoint(tb_check *c, tb_check_map *m)
{
    double limit = m->spec.dtype == TB_F64 ? 1e-12 : 1e-5;
    if (!tb_check_forward(c, m))
        return;
    for (uint64_t i = 0; i < 10; i++) {
        tb_check_fill(c, m, m->v, 30 + i, 1);
        tb_check_fill(c, m, m->w, 50 + i, 1);
        if (!tb_check_jvp(c, m) || !tb_check_vjp(c, m))
            return;
        double a = tb_check_dot(m, m->jv, m->w), b = tb_check_dot(m, m->v, m->g);
        double error = fabs(a - b) / (norm(m, m->jv) * norm(m, m->w));
        if (!TB_CHECK_THAT(c, error <= limit,
                           "%s: <Jv, w> = %.17g but <v, J'w> = %.17g: relative error %.2g, limit "
                           "%.0g",
                           m->spec.dtype == TB_F64 ? "float64" : "float32", a, b, error, limit))
            return;
    }
}

void tb_check_adjoint(tb_check *c)
{
    tb_check_each_map(c, 0, 17, check_adjoint);
}

// ---- P5: J v = (y(theta + h v) - y(theta - h v)) / 2h + O(h^2) ----

static double difference_error(tb_check *c, tb_check_map *m, const tb_check_buffer *theta,
                               tb_check_buffer *y[2], double h)
{
    for (int side = 0; side < 2; side++) {
        double step = side == 0 ? h : -h;
        for (uint64_t i = 0; i < m->n_params; i++)
            tb_check_set(m, m->theta, i,
                         tb_check_get(m, theta, i) + step * tb_check_get(m, m->v, i));
        tb_check_forward(c, m);
        memcpy(y[side]->data, m->y->data, m->y->size);
    }
    double sum = 0;
    for (uint64_t i = 0; i < tb_check_count(m, m->y); i++) {
        double slope = (tb_check_get(m, y[0], i) - tb_check_get(m, y[1], i)) / (2 * h);
        double error = slope - tb_check_get(m, m->jv, i);
        sum += error * error;
    }
    return sqrt(sum) / norm(m, m->jv);
}

static void check_differences(tb_check *c, tb_check_map *m)
{
    tb_check_buffer *theta = tb_check_like(c, m->theta);
    tb_check_buffer *y[2] = {tb_check_like(c, m->y), tb_check_like(c, m->y)};
    memcpy(theta->data, m->theta->data, theta->size);
    if (!tb_check_forward(c, m) || !tb_check_jvp(c, m))
        return;
    double best = INFINITY;
    for (double h = 1e-3; h > 1e-9; h /= 10) {
        double error = difference_error(c, m, theta, y, h);
        best = error < best ? error : best;
    }
    TB_CHECK_THAT(c, best <= 1e-8,
                  "jvp() differs from central differences by %.2g (relative, best step), limit "
                  "1e-8",
                  best);
}

void tb_check_differences(tb_check *c)
{
    tb_check_each_map(c, 1, 8, check_differences);
}

// ---- P6: f(a u1 + b u2) = a f(u1) + b f(u2) ----

// `in` -> `out` by `call`
static void check_linear_call(tb_check *c, tb_check_map *m, int (*call)(tb_check *, tb_check_map *),
                              tb_check_buffer *in, const tb_check_buffer *out, const char *name)
{
    const double a = 0.75, b = -1.5; // exact in binary
    tb_check_buffer *u[2] = {tb_check_like(c, in), tb_check_like(c, in)};
    tb_check_buffer *f[2] = {tb_check_like(c, out), tb_check_like(c, out)};
    for (uint64_t i = 0; i < 2; i++) {
        tb_check_fill(c, m, u[i], 70 + i, 1);
        memcpy(in->data, u[i]->data, in->size);
        if (!call(c, m))
            return;
        memcpy(f[i]->data, out->data, out->size);
    }
    for (uint64_t i = 0; i < tb_check_count(m, in); i++)
        tb_check_set(m, in, i, a * tb_check_get(m, u[0], i) + b * tb_check_get(m, u[1], i));
    if (!call(c, m))
        return;
    double sum = 0;
    for (uint64_t i = 0; i < tb_check_count(m, out); i++) {
        double error =
            tb_check_get(m, out, i) - a * tb_check_get(m, f[0], i) - b * tb_check_get(m, f[1], i);
        sum += error * error;
    }
    double relative = sqrt(sum) / norm(m, out);
    TB_CHECK_THAT(c, relative <= 1e-12, "%s is not linear: relative error %.2g, limit 1e-12", name,
                  relative);
}

static void check_linear(tb_check *c, tb_check_map *m)
{
    if (!tb_check_forward(c, m))
        return;
    check_linear_call(c, m, tb_check_jvp, m->v, m->jv, "jvp()");
    check_linear_call(c, m, tb_check_vjp, m->w, m->g, "vjp()");
}

void tb_check_linear(tb_check *c)
{
    tb_check_each_map(c, 1, 12, check_linear);
}

// ---- P7: F = J' M J / B with a diagonal M > 0 ----

// w = M jv, g = J' w / B; m->v -> m->g. M_i = 1 + i / B O
static int fisher(tb_check *c, tb_check_map *m)
{
    uint64_t n = tb_check_count(m, m->w);
    if (!tb_check_jvp(c, m))
        return 0;
    for (uint64_t i = 0; i < n; i++)
        tb_check_set(m, m->w, i,
                     tb_check_get(m, m->jv, i) * (1 + (double)i / (double)n) / (double)m->batch);
    return tb_check_vjp(c, m);
}

static void check_fisher(tb_check *c, tb_check_map *m)
{
    tb_check_buffer *u = tb_check_like(c, m->v), *fu = tb_check_like(c, m->g);
    if (!tb_check_forward(c, m))
        return;
    for (uint64_t i = 0; i < 10; i++) {
        tb_check_fill(c, m, m->v, 90 + i, 1);
        memcpy(u->data, m->v->data, u->size);
        if (!fisher(c, m))
            return;
        memcpy(fu->data, m->g->data, fu->size);
        tb_check_fill(c, m, m->v, 120 + i, 1);
        if (!fisher(c, m))
            return;
        double ufv = tb_check_dot(m, u, m->g), vfu = tb_check_dot(m, m->v, fu);
        double vfv = tb_check_dot(m, m->v, m->g), ufu = tb_check_dot(m, u, fu);
        double scale = sqrt(fabs(vfv * ufu));
        if (!TB_CHECK_THAT(c, vfv >= 0, "v'Fv = %g is negative", vfv) ||
            !TB_CHECK_THAT(c, fabs(ufv - vfu) <= 1e-12 * scale,
                           "u'Fv = %.17g but v'Fu = %.17g: F is not symmetric", ufv, vfu))
            return;
    }
}

void tb_check_fisher(tb_check *c)
{
    tb_check_each_map(c, 1, 10, check_fisher);
}

// ---- P13: influence ----

static uint64_t count_dead(const unsigned char *alive, uint64_t offset, uint64_t count)
{
    uint64_t dead = 0;
    for (uint64_t i = offset; i < offset + count; i++)
        dead += !alive[i];
    return dead;
}

static void check_influence(tb_check *c, tb_check_map *m)
{
    tb_check_buffer *alive = tb_check_buffer_make(c, (size_t)m->n_params);
    memset(alive->data, 0, alive->size);
    for (uint64_t i = 0; i < 4; i++) {
        tb_check_fill(c, m, m->theta, 140 + i, 0.5);
        tb_check_fill(c, m, m->x, 150 + i, 2);
        tb_check_fill(c, m, m->w, 160 + i, 1);
        if (!tb_check_forward(c, m) || !tb_check_vjp(c, m))
            return;
        for (uint64_t p = 0; p < m->n_params; p++)
            alive->data[p] |= tb_check_get(m, m->g, p) != 0;
    }
    uint64_t offset, count;
    const char *name;
    for (uint32_t i = 0; m->api->block(m->map, i, &offset, &count, &name) == TB_OK; i++) {
        uint64_t dead = offset + count <= m->n_params ? count_dead(alive->data, offset, count) : 0;
        TB_CHECK_THAT(c, count == 0 || dead < count,
                      "no parameter of block \"%s\" has any influence", name);
        if (dead > 0)
            tb_check_warn(c, "%" PRIu64 " of %" PRIu64 " parameters of \"%s\" have no influence",
                          dead, count, name);
    }
}

void tb_check_influence(tb_check *c)
{
    tb_check_each_map(c, 1, 32, check_influence);
}

// ---- P16: float32 against float64 ----

static void copy_values(const tb_check_map *from, const tb_check_buffer *a, const tb_check_map *to,
                        tb_check_buffer *b)
{
    for (uint64_t i = 0; i < tb_check_count(from, a); i++)
        tb_check_set(to, b, i, tb_check_get(from, a, i));
}

static double distance(const tb_check_map *m, const tb_check_buffer *a, const tb_check_map *n,
                       const tb_check_buffer *b)
{
    double sum = 0;
    for (uint64_t i = 0; i < tb_check_count(m, a); i++) {
        double error = tb_check_get(m, a, i) - tb_check_get(n, b, i);
        sum += error * error;
    }
    return sqrt(sum) / norm(m, a);
}

static void compare_precisions(tb_check *c, tb_check_map *m, tb_check_map *n)
{
    // the same numbers in both: float32 values are exact in float64
    copy_values(n, n->theta, m, m->theta);
    copy_values(n, n->x, m, m->x);
    copy_values(n, n->v, m, m->v);
    copy_values(n, n->w, m, m->w);
    tb_check_map *maps[2] = {m, n};
    for (int i = 0; i < 2; i++)
        if (!tb_check_forward(c, maps[i]) || !tb_check_jvp(c, maps[i]) || !tb_check_vjp(c, maps[i]))
            return;
    const struct {
        const char *name;
        double error;
    } rows[] = {{"forward", distance(m, m->y, n, n->y)},
                {"jvp", distance(m, m->jv, n, n->jv)},
                {"vjp", distance(m, m->g, n, n->g)}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        TB_CHECK_THAT(c, rows[i].error <= 1e-5,
                      "%s in float32 is %.2g (relative) from float64, limit 1e-5", rows[i].name,
                      rows[i].error);
}

void tb_check_precisions(tb_check *c)
{
    if (!(c->plugin->maps->dtypes & TB_DTYPE_BIT(TB_F32))) {
        tb_check_skip(c, "float32 is not offered");
        return;
    }
    for (size_t i = 0; i < TB_CHECK_N_SHAPES; i++) {
        tb_check_map *m = tb_check_map_open(c, &tb_check_shapes[i], TB_F64, 16);
        tb_check_map *n = tb_check_map_open(c, &tb_check_shapes[i], TB_F32, 16);
        if (m != NULL && n != NULL)
            compare_precisions(c, m, n);
    }
}
