/* SPDX-License-Identifier: MIT */
#include "harness/plugin/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/plugin/fpcontrol.h"
#include "harness/plugin/params.h"
#include "trpo/linalg/kernels.h"

// ---- host services ----

static void host_log(void *ctx, int32_t severity, const char *utf8)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    (void)ctx;
    int32_t i = severity < 0 ? 0 : severity > TB_LOG_ERROR ? TB_LOG_ERROR : severity;
    fprintf(stderr, "plugin %s: %s\n", names[i], utf8 != NULL ? utf8 : "");
}

static const void *host_extension(void *ctx, const char *id)
{
    (void)ctx;
    const tb_kernels *kernels = NULL;
    if (strcmp(id, TB_HOST_KERNELS) == 0)
        tb_kernels_get(&kernels, NULL);
    return kernels;
}

const tb_host *tb_plugin_host(void)
{
    static const tb_host host = {
        .struct_size = sizeof host,
        .abi_minor = TB_ABI_MINOR,
        .name = "trpo-bench",
        .version = TB_VERSION,
        .log = host_log,
        .get_extension = host_extension,
    };
    return &host;
}

// ---- loaded libraries: init() and deinit() once each, however often a file is loaded ----

typedef struct library {
    struct library *next;
    void *handle;
    size_t uses;
} library;

static library *libraries;
static pthread_mutex_t libraries_lock = PTHREAD_MUTEX_INITIALIZER;

static library *library_find(void *handle)
{
    library *lib = libraries;
    while (lib != NULL && lib->handle != handle)
        lib = lib->next;
    return lib;
}

static tb_status library_acquire(const tb_plugin *plugin, tb_error *error)
{
    tb_status status = TB_OK;
    pthread_mutex_lock(&libraries_lock);
    library *lib = library_find(plugin->handle);
    if (lib == NULL && (lib = calloc(1, sizeof *lib)) != NULL) {
        lib->handle = plugin->handle;
        lib->next = libraries;
        libraries = lib;
    }
    if (lib == NULL)
        status = tb_fail(error, TB_E_NOMEM, "out of memory");
    else if (lib->uses == 0 && plugin->entry->init != NULL)
        status = plugin->entry->init(tb_plugin_host());
    if (status == TB_OK)
        lib->uses++;
    else if (lib != NULL)
        tb_fail(error, status, "%s: its init() failed with %s; it must return TB_OK", plugin->path,
                tb_status_name(status));
    pthread_mutex_unlock(&libraries_lock);
    return status;
}

static void library_release(const tb_plugin *plugin)
{
    pthread_mutex_lock(&libraries_lock);
    library **place = &libraries;
    while (*place != NULL && (*place)->handle != plugin->handle)
        place = &(*place)->next;
    library *lib = *place;
    if (lib != NULL && --lib->uses == 0) {
        if (plugin->entry->deinit != NULL)
            plugin->entry->deinit();
        *place = lib->next;
        free(lib);
    }
    pthread_mutex_unlock(&libraries_lock);
}

// ---- the entry ----

static uint32_t cpu_features(void)
{
    uint32_t have = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    have |= __builtin_cpu_supports("avx2") ? TB_CPU_AVX2 : 0;
    have |= __builtin_cpu_supports("fma") ? TB_CPU_FMA : 0;
    have |= __builtin_cpu_supports("avx512f") ? TB_CPU_AVX512F : 0;
#endif
    return have;
}

static tb_status check_cpu(const char *path, uint32_t required, tb_error *error)
{
    uint32_t missing = required & ~cpu_features();
    if (missing == 0)
        return TB_OK;
    return tb_fail(error, TB_E_UNSUPPORTED,
                   "%s: needs processor features that this machine lacks:%s%s%s%s; build it for "
                   "this machine",
                   path, missing & TB_CPU_AVX2 ? " AVX2" : "", missing & TB_CPU_FMA ? " FMA" : "",
                   missing & TB_CPU_AVX512F ? " AVX512F" : "",
                   missing & ~(TB_CPU_AVX2 | TB_CPU_FMA | TB_CPU_AVX512F) ? " (unknown bits)" : "");
}

// in the order of plugin.h: nothing behind a field that is wrong is touched
static tb_status check_entry(const char *path, const tb_entry *entry, tb_error *error)
{
    if (entry == NULL)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "%s: tb_plugin_entry() returned NULL; it must return a tb_entry", path);
    if (entry->magic != TB_ABI_MAGIC)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "%s: magic 0x%016" PRIx64 ", needed 0x%016" PRIx64
                       ": not a trpo-bench plugin",
                       path, entry->magic, TB_ABI_MAGIC);
    if (entry->struct_size < sizeof(tb_entry))
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "%s: tb_entry.struct_size is %" PRIu32
                       ", needed at least %zu; build it with the headers of ABI %u",
                       path, entry->struct_size, sizeof(tb_entry), TB_ABI_MAJOR);
    if (entry->abi_major != TB_ABI_MAJOR)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "%s: speaks plugin ABI %" PRIu32 ".%" PRIu32
                       ", needed major version %u; rebuild it with this version's headers",
                       path, entry->abi_major, entry->abi_minor, TB_ABI_MAJOR);
    if (entry->min_host_minor > TB_ABI_MINOR)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "%s: needs a host of plugin ABI %u.%" PRIu32
                       " or later, this one speaks %u.%u; update trpo-bench",
                       path, TB_ABI_MAJOR, entry->min_host_minor, TB_ABI_MAJOR, TB_ABI_MINOR);
    if (entry->layout_crc != TB_ABI_LAYOUT_CRC)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "%s: ABI layout 0x%08" PRIx32 ", needed 0x%08" PRIx32
                       "; it was built with altered headers or for another data model",
                       path, entry->layout_crc, TB_ABI_LAYOUT_CRC);
    if (check_cpu(path, entry->cpu_required, error) != TB_OK)
        return TB_E_UNSUPPORTED;
    if (entry->build == NULL || entry->get_factory == NULL)
        return tb_fail(error, TB_E_UNSUPPORTED, "%s: tb_entry.%s is NULL; it must be set", path,
                       entry->build == NULL ? "build" : "get_factory");
    return TB_OK;
}

// a table of function pointers behind two 32-bit words: long enough, none NULL
static tb_status check_table(const char *name, const void *table, size_t size, tb_error *error)
{
    uint32_t struct_size;
    memcpy(&struct_size, table, sizeof struct_size);
    if (struct_size < size)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "%s.struct_size is %" PRIu32 ", needed at least %zu", name, struct_size,
                       size);
    for (size_t offset = 2 * sizeof(uint32_t); offset < size; offset += sizeof(void *)) {
        void *slot;
        memcpy(&slot, (const char *)table + offset, sizeof slot);
        if (slot == NULL)
            return tb_fail(error, TB_E_UNSUPPORTED,
                           "%s has NULL at offset %zu; every function must be there", name, offset);
    }
    return TB_OK;
}

static tb_status get_factories(tb_plugin *plugin, tb_error *error)
{
    plugin->envs = plugin->entry->get_factory(TB_ENV_FACTORY);
    plugin->maps = plugin->entry->get_factory(TB_MAP_FACTORY);
    plugin->schema = plugin->entry->get_factory(TB_PARAMS_SCHEMA);
    if (plugin->envs == NULL && plugin->maps == NULL)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "%s: offers neither \"" TB_ENV_FACTORY "\" nor \"" TB_MAP_FACTORY "\"",
                       plugin->path);
    const struct {
        const char *name;
        const void *table;
        size_t size;
    } tables[] = {
        {"tb_env_factory", plugin->envs, sizeof(tb_env_factory)},
        {"tb_map_factory", plugin->maps, sizeof(tb_map_factory)},
        {"tb_params_schema", plugin->schema, sizeof(tb_params_schema)},
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (tables[i].table != NULL &&
            check_table(tables[i].name, tables[i].table, tables[i].size, error) != TB_OK)
            return tb_fail_prefix(error, TB_E_UNSUPPORTED, "%s", plugin->path);
    return TB_OK;
}

// ---- loading ----

typedef const tb_entry *(*entry_function)(void);

static tb_status open_library(tb_plugin *plugin, tb_error *error)
{
    if (access(plugin->path, R_OK) != 0)
        return tb_fail(error, TB_E_IO, "%s: cannot be read: %s", plugin->path, strerror(errno));
    // dlopen looks a name without a slash up in the library path
    char *name = NULL;
    if (asprintf(&name, "%s%s", strchr(plugin->path, '/') != NULL ? "" : "./", plugin->path) < 0)
        return tb_fail(error, TB_E_NOMEM, "out of memory");
    uint32_t control = tb_fp_control_get();
    plugin->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    tb_fp_control_set(control);
    free(name);
    if (plugin->handle == NULL)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "%s: cannot be loaded (%s); needed: a shared object for this machine that "
                       "exports tb_plugin_entry",
                       plugin->path, dlerror());
    return TB_OK;
}

static tb_status read_entry(tb_plugin *plugin, tb_error *error)
{
    void *symbol = dlsym(plugin->handle, "tb_plugin_entry");
    if (symbol == NULL)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "%s: does not export tb_plugin_entry: not a trpo-bench plugin",
                       plugin->path);
    entry_function function;
    memcpy(&function, &symbol, sizeof function);
    plugin->entry = function();
    return check_entry(plugin->path, plugin->entry, error);
}

tb_status tb_plugin_load(const char *path, tb_plugin **out, tb_error *error)
{
    tb_plugin *plugin = calloc(1, sizeof *plugin);
    if (plugin == NULL || (plugin->path = strdup(path)) == NULL) {
        free(plugin);
        return tb_fail(error, TB_E_NOMEM, "out of memory");
    }
    tb_status status = open_library(plugin, error);
    if (status != TB_OK)
        goto fail_open;
    status = read_entry(plugin, error);
    if (status != TB_OK)
        goto fail_entry;
    uint32_t control = tb_fp_control_get();
    status = library_acquire(plugin, error);
    tb_fp_control_set(control);
    if (status != TB_OK)
        goto fail_entry;
    status = get_factories(plugin, error);
    if (status != TB_OK)
        goto fail_factories;
    *out = plugin;
    return TB_OK;

fail_factories:
    library_release(plugin);
fail_entry:
    dlclose(plugin->handle);
fail_open:
    free(plugin->path);
    free(plugin);
    return status;
}

void tb_plugin_release(tb_plugin *plugin, int unload)
{
    if (plugin == NULL)
        return;
    library_release(plugin);
    if (unload)
        dlclose(plugin->handle);
    free(plugin->path);
    free(plugin);
}

const tb_env_desc *tb_plugin_describe(const tb_plugin *plugin, const char *id)
{
    uint32_t n = plugin->envs != NULL ? plugin->envs->count() : 0;
    for (uint32_t i = 0; i < n; i++) {
        const tb_env_desc *desc = plugin->envs->describe(i);
        if (desc != NULL && desc->struct_size >= sizeof *desc && desc->id != NULL &&
            strcmp(desc->id, id) == 0)
            return desc;
    }
    return NULL;
}

// ---- creating ----

// one call of create(), of an environment or of a map
typedef struct creation {
    tb_param_reader reader;
    char why[512]; // what create() wrote
    tb_status made;
} creation;

static tb_status creation_begin(creation *c, const tb_plugin *plugin, const char *id,
                                const json_t *params, tb_error *error)
{
    c->why[0] = '\0';
    tb_status status = tb_param_reader_init(&c->reader, params, error);
    return status == TB_OK ? TB_OK : tb_fail_prefix(error, status, "%s: %s", plugin->path, id);
}

// the verdict on what create() returned; on any failure `table`'s instance must be destroyed if
// *alive
static tb_status creation_end(creation *c, const tb_plugin *plugin, const char *id,
                              const char *name, const void *table, size_t size, json_t **effective,
                              int *alive, tb_error *error)
{
    tb_error why;
    tb_status status = TB_OK;
    c->why[sizeof c->why - 1] = '\0';
    *alive = 0;
    if (c->made != TB_OK && c->reader.error.status == TB_OK)
        status = tb_fail(&why, c->made < 0 ? c->made : TB_E_INVALID, "%s",
                         c->why[0] != '\0' ? c->why : tb_status_name(c->made));
    else if (c->made == TB_OK && table == NULL)
        status = tb_fail(&why, TB_E_UNSUPPORTED, "create() gave no function table");
    else if (c->made == TB_OK)
        status = check_table(name, table, size, &why);
    *alive = c->made == TB_OK && status == TB_OK;
    // a parameter's complaint explains more than create()'s own failure
    if (status == TB_OK)
        status = tb_param_reader_check(&c->reader, &why);
    if (status == TB_OK && effective != NULL)
        *effective = tb_param_reader_effective(&c->reader);
    if (status != TB_OK)
        tb_fail(error, status, "%s: %s: %s", plugin->path, id, why.message);
    tb_param_reader_finish(&c->reader);
    return status;
}

tb_status tb_plugin_create_env(const tb_plugin *plugin, const char *id, const json_t *params,
                               const tb_env_api **api, tb_env **env, json_t **effective,
                               tb_error *error)
{
    if (plugin->envs == NULL)
        return tb_fail(error, TB_E_UNSUPPORTED, "%s: %s: this plugin offers no environments",
                       plugin->path, id);
    creation c;
    tb_status status = creation_begin(&c, plugin, id, params, error);
    if (status != TB_OK)
        return status;
    const tb_env_api *new_api = NULL;
    tb_env *new_env = NULL;
    int alive;
    c.made = plugin->envs->create(tb_plugin_host(), id, &c.reader.params, &new_api, &new_env, c.why,
                                  sizeof c.why);
    status = creation_end(&c, plugin, id, "tb_env_api", new_api, sizeof(tb_env_api), effective,
                          &alive, error);
    if (status == TB_OK) {
        *api = new_api;
        *env = new_env;
    } else if (alive) {
        new_api->destroy(new_env);
    }
    return status;
}

tb_status tb_plugin_create_map(const tb_plugin *plugin, const char *id, const tb_map_spec *spec,
                               const json_t *params, const tb_map_api **api, tb_map **map,
                               json_t **effective, tb_error *error)
{
    if (plugin->maps == NULL)
        return tb_fail(error, TB_E_UNSUPPORTED, "%s: %s: this plugin offers no policies",
                       plugin->path, id);
    const tb_kernels *kernels; // a wrong TRPO_BENCH_ISA is no reason for a plugin to do without
    creation c;
    tb_status status = tb_kernels_get(&kernels, error);
    if (status == TB_OK)
        status = creation_begin(&c, plugin, id, params, error);
    if (status != TB_OK)
        return status;
    const tb_map_api *new_api = NULL;
    tb_map *new_map = NULL;
    int alive;
    c.made = plugin->maps->create(tb_plugin_host(), id, spec, &c.reader.params, &new_api, &new_map,
                                  c.why, sizeof c.why);
    status = creation_end(&c, plugin, id, "tb_map_api", new_api, sizeof(tb_map_api), effective,
                          &alive, error);
    if (status == TB_OK) {
        *api = new_api;
        *map = new_map;
    } else if (alive) {
        new_api->destroy(new_map);
    }
    return status;
}
