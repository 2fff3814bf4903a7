/* SPDX-License-Identifier: MIT
 *
 * What one plugin file offers, as JSON: made by the child `trpo-bench scan-plugin FILE`, read by
 * the catalog.
 */
#ifndef HARNESS_PLUGIN_SCAN_H
#define HARNESS_PLUGIN_SCAN_H

#include <jansson.h>

#include "harness/plugin/catalog.h"

/* Loads the plugin into this process and describes it: an object with `build`, `abi` and
 * `entries`, or with `refusal` (why it cannot be used). New reference; NULL when out of memory. */
json_t *tb_scan_plugin(const char *path);

/* Reads the answer of tb_scan_plugin back into *out (malloc'd array of *n; its strings too).
 * path and sha256 stay empty. TB_E_CORRUPT when it is no such answer, TB_E_UNSUPPORTED with the
 * refusal. */
tb_status tb_scan_parse(const char *answer_text, size_t size, tb_catalog_entry **out, size_t *n,
                        tb_error *error);

/* Seconds that the scan of one file may take; 10 but for tests. */
extern double tb__scan_timeout;

/* Frees what an entry holds, not the entry. */
void tb_catalog_entry_finish(tb_catalog_entry *entry);

#endif
