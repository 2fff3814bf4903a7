/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sha256.h"

// ---- the folder of this shared object ----

typedef struct whereabouts {
    uintptr_t address; // something inside
    char folder[3072];
} whereabouts;

static int look_at_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    whereabouts *w = arg;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        if (info->dlpi_phdr[i].p_type != PT_LOAD || w->address < start ||
            w->address - start >= info->dlpi_phdr[i].p_memsz)
            continue;
        const char *slash = strrchr(info->dlpi_name, '/');
        if (slash != NULL)
            snprintf(w->folder, sizeof w->folder, "%.*s", (int)(slash - info->dlpi_name),
                     info->dlpi_name);
        return 1;
    }
    return 0;
}

// "" when it is not known
static void find_own_folder(whereabouts *w)
{
    static const char here = 0;
    w->address = (uintptr_t)&here;
    w->folder[0] = '\0';
    dl_iterate_phdr(look_at_object, w);
}

// ---- finding and hashing ----

static int is_path(const char *name)
{
    return name[0] == '/' || name[0] == '.' || name[0] == '~';
}

static void find_shipped(tb_mj_file *file, const char *name)
{
    whereabouts w;
    find_own_folder(&w);
    snprintf(file->path, sizeof file->path, "%s/mujoco/%s", w.folder, name);
    if (w.folder[0] == '\0' || access(file->path, R_OK) != 0)
        snprintf(file->path, sizeof file->path, "%s/%s", TB_MJ_MODELS, name);
    if (access(file->path, R_OK) != 0)
        snprintf(file->err, sizeof file->err,
                 "model \"%s\" is neither in %s/mujoco nor in " TB_MJ_MODELS
                 "; give a path, or run scripts/fetch-mujoco.sh and build again",
                 name, w.folder);
}

static void expand(tb_mj_file *file, const char *path)
{
    const char *home =
        path[0] == '~' && (path[1] == '/' || path[1] == '\0') ? getenv("HOME") : NULL;
    if (home != NULL)
        snprintf(file->path, sizeof file->path, "%s%s", home, path + 1);
    else
        snprintf(file->path, sizeof file->path, "%s", path);
}

static void hash_file(tb_mj_file *file)
{
    enum { largest = 64 << 20 };
    FILE *stream = fopen(file->path, "rbe");
    unsigned char *bytes = stream != NULL ? malloc(largest) : NULL;
    size_t n = bytes != NULL ? fread(bytes, 1, largest, stream) : 0;
    if (stream == NULL || ferror(stream))
        snprintf(file->err, sizeof file->err, "model %s cannot be read: %s", file->path,
                 strerror(errno));
    else if (bytes == NULL || n == largest)
        snprintf(file->err, sizeof file->err, "model %s is too large", file->path);
    else
        tb_mj_sha256(bytes, n, file->sha256);
    free(bytes);
    if (stream != NULL)
        fclose(stream);
}

void tb_mj_file_find(tb_mj_file *file, const char *xml_file, const char *model)
{
    *file = (tb_mj_file){.sha256 = ""};
    if (model[0] != '\0')
        expand(file, model);
    else if (is_path(xml_file))
        expand(file, xml_file);
    else
        find_shipped(file, xml_file);
    if (file->err[0] == '\0')
        hash_file(file);
}
