/* SPDX-License-Identifier: MIT
 *
 * A map under test with all its arrays. Legend as in policy.h: B rows, I inputs, O outputs, P
 * parameters.
 */
#ifndef HARNESS_CHECK_MAP_FIXTURE_H
#define HARNESS_CHECK_MAP_FIXTURE_H

#include "harness/check/fixture.h"

/* One kind of map that the host asks for. */
typedef struct tb_check_shape {
    uint64_t n_in, n_out, n_const_out;
} tb_check_shape;

enum { TB_CHECK_N_SHAPES = 3 };
extern const tb_check_shape tb_check_shapes[TB_CHECK_N_SHAPES]; /* categorical, Gaussian, critic */

typedef struct tb_check_map {
    const tb_map_api *api;
    tb_map *map;
    tb_map_spec spec;
    uint64_t in_shape[1];
    uint64_t n_params; /* P */
    uint64_t batch;    /* B */
    /* theta, v, g [P]; x [B][I]; y, jv, w [B][O]: elements of spec.dtype */
    tb_check_buffer *theta, *v, *g, *x, *y, *jv, *w, *ws;
} tb_check_map;

/* A map of this shape and dtype for batches of `batch` rows, with random theta, x, v and w; NULL
 * when it was refused (TB_E_UNSUPPORTED: the test is skipped; else it has failed). */
tb_check_map *tb_check_map_open(tb_check *c, const tb_check_shape *shape, uint32_t dtype,
                                uint64_t batch);

double tb_check_get(const tb_check_map *m, const tb_check_buffer *array, uint64_t i);
void tb_check_set(const tb_check_map *m, tb_check_buffer *array, uint64_t i, double value);
uint64_t tb_check_count(const tb_check_map *m, const tb_check_buffer *array);
/* Fills with numbers uniform in [-scale, scale). */
void tb_check_fill(tb_check *c, const tb_check_map *m, tb_check_buffer *array, uint64_t stream,
                   double scale);
/* An array of as many elements as `like`. */
tb_check_buffer *tb_check_like(tb_check *c, const tb_check_buffer *like);

/* Each calls the map with the arrays of *m; 0 (and the test has failed) unless it gives TB_OK. */
int tb_check_forward(tb_check *c, tb_check_map *m);
int tb_check_jvp(tb_check *c, tb_check_map *m); /* v -> jv */
int tb_check_vjp(tb_check *c, tb_check_map *m); /* w -> g */

/* sum_i a_i b_i, in double */
double tb_check_dot(const tb_check_map *m, const tb_check_buffer *a, const tb_check_buffer *b);

/* Calls `body` for each shape and dtype that the map offers, until the test has failed. */
void tb_check_each_map(tb_check *c, int f64_only, uint64_t batch,
                       void (*body)(tb_check *c, tb_check_map *m));

#endif
