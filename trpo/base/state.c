/* SPDX-License-Identifier: MIT */
#include "trpo/base/state.h"

#include <stdlib.h>
#include <string.h>

void tb_state_visit(tb_state_visitor *visitor, const char *part, const char *name, void *data,
                    size_t bytes)
{
    if (visitor->status == TB_OK)
        visitor->status = visitor->fn(visitor->ctx, part, name, data, bytes, visitor->error);
}

static tb_status count(void *ctx, const char *part, const char *name, void *data, size_t bytes,
                       tb_error *error)
{
    (void)part, (void)name, (void)data, (void)error;
    *(size_t *)ctx += bytes;
    return TB_OK;
}

// where the next piece of the image lies
static unsigned char *next_piece(tb_state_image *image, size_t bytes)
{
    TB_ASSERT(bytes <= image->size - image->at);
    image->at += bytes;
    return image->bytes + image->at - bytes;
}

static tb_status save(void *ctx, const char *part, const char *name, void *data, size_t bytes,
                      tb_error *error)
{
    (void)part, (void)name, (void)error;
    memcpy(next_piece(ctx, bytes), data, bytes);
    return TB_OK;
}

static tb_status load(void *ctx, const char *part, const char *name, void *data, size_t bytes,
                      tb_error *error)
{
    (void)part, (void)name, (void)error;
    memcpy(data, next_piece(ctx, bytes), bytes);
    return TB_OK;
}

tb_state_visitor tb_state_counter(size_t *size)
{
    return (tb_state_visitor){.fn = count, .ctx = size};
}

tb_status tb_state_image_init(tb_state_image *image, size_t size, tb_error *error)
{
    *image = (tb_state_image){.bytes = tb_alloc(size, 1), .size = size};
    return image->bytes != NULL ? TB_OK
                                : tb_fail(error, TB_E_NOMEM, "no memory to keep %zu bytes", size);
}

void tb_state_image_finish(tb_state_image *image)
{
    free(image->bytes);
    memset(image, 0, sizeof *image);
}

tb_state_visitor tb_state_saver(tb_state_image *image)
{
    image->at = 0;
    return (tb_state_visitor){.fn = save, .ctx = image};
}

tb_state_visitor tb_state_loader(tb_state_image *image)
{
    image->at = 0;
    return (tb_state_visitor){.fn = load, .ctx = image};
}
