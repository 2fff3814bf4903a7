/* SPDX-License-Identifier: MIT
 *
 * Loading one plugin into this process and creating things from it. Every refusal names the path,
 * what the file has and what is needed.
 */
#ifndef HARNESS_PLUGIN_LOADER_H
#define HARNESS_PLUGIN_LOADER_H

#include <jansson.h>
#include <trpo-bench/env.h>
#include <trpo-bench/policy.h>

#include "trpo/base/base.h"

typedef struct tb_plugin {
    char *path;
    void *handle; /* dlopen */
    const tb_entry *entry;
    const tb_env_factory *envs;     /* NULL: none */
    const tb_map_factory *maps;     /* NULL: none */
    const tb_params_schema *schema; /* NULL: none */
} tb_plugin;

/* dlopen(RTLD_NOW | RTLD_LOCAL), the checks in the order of plugin.h, init(). Floating-point
 * control (MXCSR) is put back to what it was if loading changed it. */
tb_status tb_plugin_load(const char *path, tb_plugin **out, tb_error *error);

/* deinit(), and dlclose when `unload` (only the conformance checker does). Takes NULL. */
void tb_plugin_release(tb_plugin *plugin, int unload);

/* The host services that plugins get: log messages go to standard error (a worker's standard error
 * is its log.txt). */
const tb_host *tb_plugin_host(void);

/* Creates an environment or a map with the parameters of a JSON object (NULL = none). Keys that
 * create() never read are an error that names them. Message: `<path>: <id>: <why>`. If `effective`
 * is not NULL it gets a new object with every key that was read and the value in force, defaults
 * included. */
tb_status tb_plugin_create_env(const tb_plugin *plugin, const char *id, const json_t *params,
                               const tb_env_api **api, tb_env **env, json_t **effective,
                               tb_error *error);
tb_status tb_plugin_create_map(const tb_plugin *plugin, const char *id, const tb_map_spec *spec,
                               const json_t *params, const tb_map_api **api, tb_map **map,
                               json_t **effective, tb_error *error);

/* The description of environment `id`, or NULL. */
const tb_env_desc *tb_plugin_describe(const tb_plugin *plugin, const char *id);

#endif
