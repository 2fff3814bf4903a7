/* SPDX-License-Identifier: MIT
 *
 * What lives on from iteration to iteration, shown piece by piece. Each part has one function
 * `..._visit` that names its pieces in a fixed order; the same function saves and loads, so that
 * the two cannot drift apart. Sizes never change after a part is created.
 */
#ifndef TRPO_BASE_STATE_H
#define TRPO_BASE_STATE_H

#include "trpo/base/base.h"

/* Called once for each piece. `part` and `name` tell it apart from all others ("observations",
 * "mean"); `data` [bytes] holds its value in the machine's own byte order and may be written. */
typedef tb_status (*tb_state_fn)(void *ctx, const char *part, const char *name, void *data,
                                 size_t bytes, tb_error *error);

typedef struct tb_state_visitor {
    tb_state_fn fn;
    void *ctx;
    tb_error *error;  /* may be NULL */
    tb_status status; /* of the first failure, after which nothing more is visited */
} tb_state_visitor;

/* Shows one piece to the visitor. */
void tb_state_visit(tb_state_visitor *visitor, const char *part, const char *name, void *data,
                    size_t bytes);

/* A copy in memory of all pieces of one part. */
typedef struct tb_state_image {
    unsigned char *bytes;
    size_t size; /* room */
    size_t at;   /* where the next piece lies */
} tb_state_image;

/* Adds up the bytes of all pieces in *size, which the caller sets to 0. */
tb_state_visitor tb_state_counter(size_t *size);
tb_status tb_state_image_init(tb_state_image *image, size_t size, tb_error *error);
void tb_state_image_finish(tb_state_image *image);
/* Copies pieces into the image, or back out of it, from its beginning. The room must suffice. */
tb_state_visitor tb_state_saver(tb_state_image *image);
tb_state_visitor tb_state_loader(tb_state_image *image);

#endif
