/* SPDX-License-Identifier: MIT
 *
 * tb_params over a JSON object, with read tracking: afterwards the host knows which keys create()
 * never looked at (typing errors) and which values are in force (defaults included).
 */
#ifndef HARNESS_PLUGIN_PARAMS_H
#define HARNESS_PLUGIN_PARAMS_H

#include <jansson.h>

#include "trpo/base/base.h"

typedef struct tb_param_reader {
    tb_params params;     /* what create() gets; points back to this struct: do not move it */
    const json_t *object; /* borrowed; NULL = no parameters */
    json_t *read;         /* key -> value in force, of every key that was asked for */
    tb_error error;       /* of the first getter that failed; status TB_OK when none did */
} tb_param_reader;

/* `object` (NULL = empty) must outlive the reader. TB_E_PARAM when it is no JSON object. */
tb_status tb_param_reader_init(tb_param_reader *reader, const json_t *object, tb_error *error);
void tb_param_reader_finish(tb_param_reader *reader);

/* To be called after create(): TB_E_PARAM when a getter failed or when keys were never read; the
 * message names them and the nearest key that was. */
tb_status tb_param_reader_check(const tb_param_reader *reader, tb_error *error);

/* New object: every key that was read and the value in force. Values that JSON cannot hold are
 * strings ("nan", "inf", "-inf"). */
json_t *tb_param_reader_effective(const tb_param_reader *reader);

/* A short rendering of a JSON value for messages: `"fast"`, `[64, 64]`. Returns `buffer`. */
const char *tb_json_brief(const json_t *value, char *buffer, size_t size);

#endif
