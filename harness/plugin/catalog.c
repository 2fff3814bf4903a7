/* SPDX-License-Identifier: MIT */
#include "harness/plugin/catalog.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/plugin/child.h"
#include "harness/plugin/scan.h"

double tb__scan_timeout = 10;

static tb_status no_memory(tb_error *error)
{
    return tb_fail(error, TB_E_NOMEM, "out of memory");
}

// ---- growing lists ----

// one more slot of `size` bytes at the end of the array that `list` points to the pointer of; NULL
// when out of memory
static void *push(void *list, size_t *n, size_t size)
{
    void *items;
    memcpy(&items, list, sizeof items);
    void *grown = realloc(items, (*n + 1) * size);
    if (grown == NULL)
        return NULL;
    memcpy(list, &grown, sizeof grown);
    void *slot = (char *)grown + *n * size;
    memset(slot, 0, size);
    ++*n;
    return slot;
}

static tb_status add_refusal(tb_catalog *catalog, const char *message, tb_error *error)
{
    char **slot = push(&catalog->refusals, &catalog->n_refusals, sizeof *slot);
    if (slot == NULL || (*slot = strdup(message)) == NULL)
        return no_memory(error);
    return TB_OK;
}

// ---- one file ----

static tb_status hash_file(const char *path, char hex[65], tb_error *error)
{
    unsigned char digest[crypto_hash_sha256_BYTES], block[65536];
    crypto_hash_sha256_state state;
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return tb_fail(error, TB_E_IO, "%s: cannot be read: %s", path, strerror(errno));
    crypto_hash_sha256_init(&state);
    size_t n;
    while ((n = fread(block, 1, sizeof block, file)) > 0)
        crypto_hash_sha256_update(&state, block, n);
    int failed = ferror(file);
    fclose(file);
    if (failed)
        return tb_fail(error, TB_E_IO, "%s: cannot be read", path);
    crypto_hash_sha256_final(&state, digest);
    sodium_bin2hex(hex, 65, digest, sizeof digest);
    return TB_OK;
}

// asks a child what the plugin offers
static tb_status scan_file(const char *path, tb_catalog_entry **entries, size_t *n, tb_error *error)
{
    const char *argv[] = {tb_program_path(), "scan-plugin", path, NULL};
    tb_child_result child;
    tb_status status = tb_child_run(argv, tb__scan_timeout, &child, error);
    if (status != TB_OK)
        return status;
    char how[128];
    tb_child_describe(&child, tb__scan_timeout, how, sizeof how);
    const char *colon = child.complaint[0] != '\0' ? ": " : "";
    if (child.end == TB_CHILD_TIMED_OUT)
        status = tb_fail(error, TB_E_UNSUPPORTED, "%s: %s while being loaded", path, how);
    else if (child.end == TB_CHILD_SIGNALLED || child.code != 0)
        status = tb_fail(error, TB_E_UNSUPPORTED, "%s: %s while being loaded%s%s", path, how, colon,
                         child.complaint);
    else if ((status = tb_scan_parse(child.out, child.out_size, entries, n, error)) == TB_E_CORRUPT)
        status = tb_fail(error, TB_E_UNSUPPORTED,
                         "%s: ended the scanning process while being loaded (exit code 0)%s%s",
                         path, colon, child.complaint);
    tb_child_finish(&child);
    return status;
}

static int is_listed(const tb_catalog *catalog, const char *path)
{
    char wanted[PATH_MAX], have[PATH_MAX];
    if (realpath(path, wanted) == NULL)
        return 0;
    for (size_t i = 0; i < catalog->n_entries; i++)
        if (realpath(catalog->entries[i].path, have) != NULL && strcmp(wanted, have) == 0)
            return 1;
    return 0;
}

// puts the entry into the catalog, which takes over what it holds
static tb_status add_entry(tb_catalog *catalog, tb_catalog_entry *entry, const char *path,
                           const char *sha256, tb_error *error)
{
    const tb_catalog_entry *same = tb_catalog_find(catalog, entry->kind, entry->id);
    if (same != NULL)
        return tb_fail(error, TB_E_PARAM, "%s \"%s\" is in two plugins, %s and %s; remove one",
                       entry->kind == TB_CATALOG_ENV ? "environment" : "policy", entry->id,
                       same->path, path);
    entry->path = strdup(path);
    memcpy(entry->sha256, sha256, sizeof entry->sha256);
    tb_catalog_entry *slot = push(&catalog->entries, &catalog->n_entries, sizeof *slot);
    if (slot == NULL || entry->path == NULL)
        return no_memory(error);
    *slot = *entry;
    *entry = (tb_catalog_entry){0};
    return TB_OK;
}

// adds what the file offers. TB_E_UNSUPPORTED and TB_E_IO: the file was refused
static tb_status add_file(tb_catalog *catalog, const char *path, tb_error *error)
{
    char sha256[65];
    tb_catalog_entry *entries = NULL;
    size_t n = 0;
    if (is_listed(catalog, path))
        return TB_OK;
    tb_status status = hash_file(path, sha256, error);
    if (status == TB_OK)
        status = scan_file(path, &entries, &n, error);
    for (size_t i = 0; i < n; i++) {
        if (status == TB_OK)
            status = add_entry(catalog, &entries[i], path, sha256, error);
        tb_catalog_entry_finish(&entries[i]);
    }
    free(entries);
    return status;
}

// ---- folders ----

static int is_library(const struct dirent *item)
{
    size_t n = strlen(item->d_name);
    return item->d_name[0] != '.' && n > 3 && strcmp(item->d_name + n - 3, ".so") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static tb_status add_found(tb_catalog *catalog, const char *folder, const char *name,
                           tb_error *error)
{
    char path[PATH_MAX];
    tb_error why;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return tb_fail(error, TB_E_IO, "%s/%s: path too long", folder, name);
    tb_status status = add_file(catalog, path, &why);
    if (status == TB_E_UNSUPPORTED || status == TB_E_IO)
        return add_refusal(catalog, why.message, error);
    return status == TB_OK ? TB_OK : tb_fail(error, status, "%s", why.message);
}

static tb_status add_folder(tb_catalog *catalog, const char *folder, tb_error *error)
{
    struct dirent **items;
    int n = scandir(folder, &items, is_library, by_name);
    if (n < 0)
        return tb_fail(error, TB_E_IO, "%s: cannot look for plugins here: %s", folder,
                       strerror(errno));
    tb_status status = TB_OK;
    for (int i = 0; i < n; i++) {
        if (status == TB_OK)
            status = add_found(catalog, folder, items[i]->d_name, error);
        free(items[i]);
    }
    free(items);
    return status;
}

static int is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static tb_status add_path(tb_catalog *catalog, const char *path, tb_error *error)
{
    if (is_folder(path))
        return add_folder(catalog, path, error);
    return add_file(catalog, path, error);
}

static tb_status add_environment_paths(tb_catalog *catalog, tb_error *error)
{
    const char *list = getenv("TRPO_BENCH_PLUGIN_PATH");
    char *copy = strdup(list != NULL ? list : ""), *rest = copy, *path;
    tb_status status = copy != NULL ? TB_OK : no_memory(error);
    while (status == TB_OK && (path = strsep(&rest, ":")) != NULL)
        if (path[0] != '\0' && add_path(catalog, path, error) != TB_OK)
            status = tb_fail_prefix(error, TB_E_IO, "TRPO_BENCH_PLUGIN_PATH");
    free(copy);
    return status;
}

// <program>/plugins in the build tree, else <program>/../<installed folder>; a program without
// either has no built-in plugins
static tb_status add_builtin(tb_catalog *catalog, tb_error *error)
{
    char program[PATH_MAX], folder[2 * PATH_MAX];
    tb_status status = tb_program_folder(program, sizeof program, error);
    if (status != TB_OK)
        return status;
    snprintf(folder, sizeof folder, "%s/plugins", program);
    if (!is_folder(folder))
        snprintf(folder, sizeof folder, "%s/../" TB_INSTALL_PLUGIN_DIR, program);
    return is_folder(folder) ? add_folder(catalog, folder, error) : TB_OK;
}

// ---- the catalog ----

static int by_kind_and_id(const void *a, const void *b)
{
    const tb_catalog_entry *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return strcmp(x->id, y->id);
}

tb_status tb_catalog_make(const char *const *paths, size_t n_paths, tb_catalog **out,
                          tb_error *error)
{
    tb_catalog *catalog = calloc(1, sizeof *catalog);
    if (catalog == NULL)
        return no_memory(error);
    tb_status status = TB_OK;
    for (size_t i = 0; i < n_paths && status == TB_OK; i++)
        status = add_path(catalog, paths[i], error);
    if (status == TB_OK)
        status = add_environment_paths(catalog, error);
    if (status == TB_OK)
        status = add_builtin(catalog, error);
    if (status != TB_OK) {
        tb_catalog_free(catalog);
        return status;
    }
    if (catalog->n_entries > 0)
        qsort(catalog->entries, catalog->n_entries, sizeof *catalog->entries, by_kind_and_id);
    *out = catalog;
    return TB_OK;
}

void tb_catalog_free(tb_catalog *catalog)
{
    if (catalog == NULL)
        return;
    for (size_t i = 0; i < catalog->n_entries; i++)
        tb_catalog_entry_finish(&catalog->entries[i]);
    for (size_t i = 0; i < catalog->n_refusals; i++)
        free(catalog->refusals[i]);
    free(catalog->entries);
    free(catalog->refusals);
    free(catalog);
}

const tb_catalog_entry *tb_catalog_find(const tb_catalog *catalog, tb_catalog_kind kind,
                                        const char *id)
{
    for (size_t i = 0; i < catalog->n_entries; i++)
        if (catalog->entries[i].kind == kind && strcmp(catalog->entries[i].id, id) == 0)
            return &catalog->entries[i];
    return NULL;
}

static const char *nearest_id(const tb_catalog *catalog, tb_catalog_kind kind, const char *id)
{
    const char **ids = calloc(catalog->n_entries + 1, sizeof *ids);
    size_t n = 0;
    for (size_t i = 0; i < catalog->n_entries && ids != NULL; i++)
        if (catalog->entries[i].kind == kind)
            ids[n++] = catalog->entries[i].id;
    const char *nearest = ids != NULL ? tb_nearest(id, ids, n) : NULL;
    free(ids);
    return nearest;
}

tb_status tb_catalog_require(const tb_catalog *catalog, tb_catalog_kind kind, const char *id,
                             const tb_catalog_entry **out, tb_error *error)
{
    static const char *const names[][2] = {{"environment", "envs"}, {"policy", "policies"}};
    *out = tb_catalog_find(catalog, kind, id);
    if (*out != NULL)
        return TB_OK;
    const char *nearest = nearest_id(catalog, kind, id);
    if (nearest != NULL)
        return tb_fail(error, TB_E_PARAM,
                       "no %s \"%s\"; did you mean \"%s\"? (trpo-bench list %s shows all)",
                       names[kind][0], id, nearest, names[kind][1]);
    return tb_fail(error, TB_E_PARAM, "no %s \"%s\" (trpo-bench list %s shows all)", names[kind][0],
                   id, names[kind][1]);
}
