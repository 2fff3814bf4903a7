/* SPDX-License-Identifier: MIT
 *
 * Tests L: the shared object itself.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <fenv.h>
#include <inttypes.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/check/elf.h"
#include "harness/check/fixture.h"
#include "harness/plugin/fpcontrol.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

typedef const tb_entry *(*entry_function)(void);

static void *open_raw(tb_check *c)
{
    char *name = realpath(c->path, NULL);
    void *handle = name != NULL ? dlopen(name, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (handle == NULL)
        tb_check_fail(c, "%s", name != NULL ? dlerror() : "no such file");
    free(name);
    return handle;
}

static entry_function find_entry(tb_check *c, void *handle)
{
    void *symbol = handle != NULL ? dlsym(handle, "tb_plugin_entry") : NULL;
    entry_function function = NULL;
    if (symbol != NULL)
        memcpy(&function, &symbol, sizeof function);
    else if (handle != NULL)
        tb_check_fail(c, "no symbol tb_plugin_entry");
    return function;
}

static tb_plugin *load(tb_check *c)
{
    tb_error error;
    tb_plugin *plugin = NULL;
    if (tb_plugin_load(c->path, &plugin, &error) != TB_OK)
        tb_check_fail(c, "%s", error.message);
    return plugin;
}

static int read_elf(tb_check *c, tb_elf *elf)
{
    tb_error error;
    if (tb_elf_read(c->path, elf, &error) == TB_OK)
        return 1;
    tb_check_fail(c, "%s", error.message);
    return 0;
}

static void loads(tb_check *c)
{
    find_entry(c, open_raw(c));
}

// symbols that gcov and the sanitizers put into everything
static int is_instrumentation(const char *name)
{
    static const char *const prefixes[] = {"__gcov", "__asan",      "__odr_asan", "__ubsan",
                                           "__tsan", "mangle_path", "__llvm"};
    for (size_t i = 0; i < COUNT(prefixes); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return 1;
    return 0;
}

static void exports_one_symbol(tb_check *c)
{
    tb_elf elf;
    if (!read_elf(c, &elf))
        return;
    int found = 0;
    for (size_t i = 0; i < elf.n_exports; i++) {
        if (strcmp(elf.exports[i], "tb_plugin_entry") == 0)
            found = 1;
        else if (!is_instrumentation(elf.exports[i]))
            tb_check_fail(c,
                          "exports \"%s\"; only tb_plugin_entry may be visible (hide the rest: "
                          "-fvisibility=hidden and a version script)",
                          elf.exports[i]);
    }
    TB_CHECK_THAT(c, found, "does not export tb_plugin_entry");
    tb_elf_finish(&elf);
}

// each changes the process or depends on what else runs in it
static void imports_nothing_forbidden(tb_check *c)
{
    static const char *const forbidden[] = {
        "rand",       "srand",         "rand_r",
        "random",     "srandom",       "initstate",
        "setstate",   "drand48",       "erand48",
        "lrand48",    "mrand48",       "srand48",
        "exit",       "_exit",         "_Exit",
        "quick_exit", "abort",         "setlocale",
        "printf",     "__printf_chk",  "vprintf",
        "puts",       "putchar",       "stdout",
        "perror",     "signal",        "sigaction",
        "fesetround", "fesetenv",      "feenableexcept",
        "time",       "chdir",         "umask",
        "setenv",     "putenv",        "system",
        "longjmp",    "fork",          "atexit",
        "alarm",      "__vprintf_chk", "omp_set_num_threads",
    };
    tb_elf elf;
    if (!read_elf(c, &elf))
        return;
    for (size_t i = 0; i < elf.n_imports; i++)
        for (size_t j = 0; j < COUNT(forbidden); j++)
            if (strcmp(elf.imports[i], forbidden[j]) == 0)
                tb_check_fail(c, "calls \"%s\", which changes or depends on state of the process",
                              forbidden[j]);
    tb_elf_finish(&elf);
}

static void keeps_little_writable(tb_check *c)
{
    enum { allowed = 64 };
    tb_elf elf;
    if (!read_elf(c, &elf))
        return;
    for (size_t i = 0; i < elf.n_imports; i++)
        if (is_instrumentation(elf.imports[i])) {
            tb_check_skip(c, "an instrumented build keeps counters");
            tb_elf_finish(&elf);
            return;
        }
    if (elf.writable > allowed)
        tb_check_warn(c, "%" PRIu64 " bytes of writable data; instances should share no state",
                      elf.writable);
    tb_elf_finish(&elf);
}

// ---- L5: the state of the process ----

typedef struct process_state {
    uint32_t fp_control;
    int rounding, n_files, n_threads;
    char locale[256], cwd[4096];
    mode_t mask;
    struct sigaction actions[32];
} process_state;

static int count_entries(const char *folder)
{
    DIR *dir = opendir(folder);
    int n = 0;
    while (dir != NULL && readdir(dir) != NULL)
        n++;
    if (dir != NULL)
        closedir(dir);
    return n;
}

static void look(process_state *s)
{
    memset(s, 0, sizeof *s);
    s->fp_control = tb_fp_control_get();
    s->rounding = fegetround();
    s->n_files = count_entries("/proc/self/fd");
    s->n_threads = count_entries("/proc/self/task");
    snprintf(s->locale, sizeof s->locale, "%s", setlocale(LC_ALL, NULL));
    if (getcwd(s->cwd, sizeof s->cwd) == NULL)
        s->cwd[0] = '\0';
    s->mask = umask(0);
    umask(s->mask);
    for (int i = 1; i < 32; i++)
        sigaction(i, NULL, &s->actions[i]);
}

static void leaves_the_process_alone(tb_check *c)
{
    process_state before, after;
    look(&before);
    entry_function function = find_entry(c, open_raw(c));
    const tb_entry *entry = function != NULL ? function() : NULL;
    if (entry != NULL && entry->magic == TB_ABI_MAGIC && entry->init != NULL)
        entry->init(tb_plugin_host());
    look(&after);
    TB_CHECK_THAT(c, before.fp_control == after.fp_control,
                  "loading changed the floating-point control register from 0x%" PRIx32
                  " to 0x%" PRIx32 " (linked with -ffast-math?)",
                  before.fp_control, after.fp_control);
    TB_CHECK_THAT(c, before.rounding == after.rounding, "loading changed the rounding mode");
    TB_CHECK_THAT(c, strcmp(before.locale, after.locale) == 0,
                  "loading changed the locale from \"%s\" to \"%s\"", before.locale, after.locale);
    TB_CHECK_THAT(c, strcmp(before.cwd, after.cwd) == 0, "loading changed the working directory");
    TB_CHECK_THAT(c, before.mask == after.mask, "loading changed the umask");
    TB_CHECK_THAT(c, before.n_files == after.n_files, "loading opened %d files",
                  after.n_files - before.n_files);
    TB_CHECK_THAT(c, before.n_threads == after.n_threads, "loading started %d threads",
                  after.n_threads - before.n_threads);
    for (int i = 1; i < 32; i++)
        TB_CHECK_THAT(c, before.actions[i].sa_handler == after.actions[i].sa_handler,
                      "loading changed the handler of signal %d", i);
    tb_fp_control_set(before.fp_control);
}

// ---- entry, factories, descriptions ----

static void entry_is_accepted(tb_check *c)
{
    tb_plugin_release(load(c), 0);
}

static void init_can_be_repeated(tb_check *c)
{
    entry_function function = find_entry(c, open_raw(c));
    if (function == NULL)
        return;
    const tb_entry *first = function();
    for (int i = 0; i < 3; i++)
        if (!TB_CHECK_THAT(c, function() == first,
                           "tb_plugin_entry() gives another pointer at "
                           "another call"))
            return;
    // the raw handle above keeps the library loaded: init, deinit, init again in one mapping
    for (int i = 0; i < 3; i++) {
        tb_plugin *plugin = load(c);
        if (plugin == NULL)
            return;
        tb_plugin_release(plugin, 1);
    }
}

static void unknown_ids_give_null(tb_check *c)
{
    static const char *const ids[] = {"",
                                      "tb",
                                      "tb.env-factory/",
                                      TB_ENV_FACTORY "0",
                                      TB_ENV_FACTORY " ",
                                      TB_MAP_FACTORY "x",
                                      TB_PARAMS_SCHEMA "/1",
                                      "tb.no-such-thing/1"};
    tb_plugin *plugin = load(c);
    if (plugin == NULL)
        return;
    for (size_t i = 0; i < COUNT(ids); i++)
        TB_CHECK_THAT(c, plugin->entry->get_factory(ids[i]) == NULL,
                      "get_factory(\"%s\") gives a table; unknown ids give NULL", ids[i]);
    TB_CHECK_THAT(c, plugin->entry->get_factory(TB_ENV_FACTORY) == plugin->envs,
                  "get_factory() gives another table at another call");
    tb_plugin_release(plugin, 0);
}

static int is_utf8(const char *text)
{
    json_t *json = json_string(text);
    json_decref(json);
    return json != NULL;
}

static int check_text(tb_check *c, const char *what, const char *text)
{
    return TB_CHECK_THAT(c, text != NULL && text[0] != '\0', "%s is empty", what) &&
           TB_CHECK_THAT(c, is_utf8(text), "%s is not UTF-8", what);
}

static int is_word(char x)
{
    return (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || (x >= '0' && x <= '9') || x == '_' ||
           x == '-' || x == '.';
}

// ns/Name-vN
static int is_env_id(const char *id)
{
    const char *slash = strchr(id, '/'), *version = NULL;
    if (slash == NULL || slash == id)
        return 0;
    for (const char *p = id; *p != '\0'; p++)
        if (p != slash && !is_word(*p))
            return 0;
    for (const char *p = slash + 1; (p = strstr(p, "-v")) != NULL; p++)
        version = p;
    if (version == NULL || version == slash + 1)
        return 0;
    size_t digits = strspn(version + 2, "0123456789");
    return digits > 0 && version[2 + digits] == '\0';
}

// [a-z0-9][a-z0-9_/-]*
static int is_map_id(const char *id)
{
    if (id[0] == '\0' || strchr("_/-", id[0]) != NULL)
        return 0;
    return id[strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_/-")] == '\0';
}

static void check_env_description(tb_check *c, const tb_plugin *plugin, uint32_t i)
{
    const tb_env_desc *desc = plugin->envs->describe(i);
    if (!TB_CHECK_THAT(c, desc != NULL, "describe(%" PRIu32 ") gives NULL", i) ||
        !TB_CHECK_THAT(c, desc->struct_size >= sizeof *desc, "tb_env_desc.struct_size is %" PRIu32,
                       desc->struct_size) ||
        !check_text(c, "an environment's id", desc->id) ||
        !check_text(c, "an environment's summary", desc->summary))
        return;
    TB_CHECK_THAT(c, is_env_id(desc->id), "id \"%s\" has not the form ns/Name-vN", desc->id);
    TB_CHECK_THAT(c, plugin->envs->describe(i) == desc,
                  "describe() gives another pointer at "
                  "another call");
    for (uint32_t j = 0; j < i; j++)
        TB_CHECK_THAT(c, strcmp(plugin->envs->describe(j)->id, desc->id) != 0,
                      "id \"%s\" is there twice", desc->id);
}

static void check_map_description(tb_check *c, const tb_plugin *plugin, uint32_t i)
{
    const char *id = plugin->maps->id(i);
    if (!check_text(c, "a policy's id", id) ||
        !check_text(c, "a policy's summary", plugin->maps->summary(i)))
        return;
    TB_CHECK_THAT(c, is_map_id(id), "id \"%s\" has not the form [a-z0-9][a-z0-9_/-]*", id);
    for (uint32_t j = 0; j < i; j++)
        TB_CHECK_THAT(c, strcmp(plugin->maps->id(j), id) != 0, "id \"%s\" is there twice", id);
}

static void descriptions_are_sound(tb_check *c)
{
    tb_plugin *plugin = load(c);
    if (plugin == NULL)
        return;
    uint32_t n_envs = plugin->envs != NULL ? plugin->envs->count() : 0;
    uint32_t n_maps = plugin->maps != NULL ? plugin->maps->count() : 0;
    TB_CHECK_THAT(c, n_envs + n_maps > 0, "offers nothing: no environment and no policy");
    for (uint32_t i = 0; i < n_envs; i++)
        check_env_description(c, plugin, i);
    if (n_envs > 0)
        TB_CHECK_THAT(c, plugin->envs->describe(n_envs) == NULL,
                      "describe(count()) must give NULL");
    for (uint32_t i = 0; i < n_maps; i++)
        check_map_description(c, plugin, i);
    if (n_maps > 0) {
        TB_CHECK_THAT(c, plugin->maps->id(n_maps) == NULL, "id(count()) must give NULL");
        TB_CHECK_THAT(c, plugin->maps->dtypes & TB_DTYPE_BIT(TB_F64), "float64 is mandatory");
    }
    check_text(c, "tb_entry.build", plugin->entry->build);
    tb_plugin_release(plugin, 0);
}

// the loader and the creators refuse a NULL in any table; extensions are looked at here
static void check_extension(tb_check *c, const char *id, const void *table, size_t size)
{
    for (size_t at = 8; table != NULL && at < size; at += sizeof(void *)) {
        void *slot;
        memcpy(&slot, (const char *)table + at, sizeof slot);
        TB_CHECK_THAT(c, slot != NULL, "%s has NULL at offset %zu", id, at);
    }
}

static void tables_have_no_null(tb_check *c)
{
    tb_plugin *plugin = load(c);
    uint32_t n = plugin != NULL && plugin->envs != NULL ? plugin->envs->count() : 0;
    for (uint32_t i = 0; i < n; i++) {
        const tb_env_desc *desc = plugin->envs->describe(i);
        const tb_env_api *api;
        tb_env *env;
        tb_error error;
        if (desc == NULL || desc->id == NULL)
            continue;
        if (tb_plugin_create_env(plugin, desc->id, NULL, &api, &env, NULL, &error) != TB_OK) {
            tb_check_fail(c, "%s", error.message);
            continue;
        }
        check_extension(c, TB_EXT_ENV_SNAPSHOT, api->get_extension(env, TB_EXT_ENV_SNAPSHOT),
                        sizeof(tb_env_snapshot));
        check_extension(c, TB_EXT_ENV_STATE_VECTOR,
                        api->get_extension(env, TB_EXT_ENV_STATE_VECTOR),
                        sizeof(tb_env_state_vector));
        TB_CHECK_THAT(c,
                      api->get_extension(env, TB_EXT_ENV_SNAPSHOT "x") == NULL &&
                          api->get_extension(env, "") == NULL,
                      "%s: get_extension() of an unknown id must give NULL", desc->id);
        TB_CHECK_THAT(c, api->last_error(env) != NULL, "%s: last_error() gives NULL", desc->id);
        api->destroy(env);
        api->destroy(NULL);
    }
    tb_plugin_release(plugin, 0);
}

static const tb_check_test tests[] = {
    {"L1", "loads with RTLD_NOW | RTLD_LOCAL", loads},
    {"L2", "exports tb_plugin_entry and nothing else", exports_one_symbol},
    {"L3", "imports nothing that is forbidden", imports_nothing_forbidden},
    {"L4", "keeps little writable data", keeps_little_writable},
    {"L5", "loading leaves the process alone", leaves_the_process_alone},
    {"L6", "the entry is accepted", entry_is_accepted},
    {"L7", "the entry is stable, init can be repeated", init_can_be_repeated},
    {"L8", "unknown ids give NULL", unknown_ids_give_null},
    {"L10", "descriptions are sound", descriptions_are_sound},
    {"L11", "no NULL in any table", tables_have_no_null},
};

const tb_check_family tb_check_library = {TB_CHECK_LIBRARY, tests, COUNT(tests)};
