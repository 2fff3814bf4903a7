/* SPDX-License-Identifier: MIT */
#include "harness/store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *tb_format(const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    return n < 0 ? NULL : text;
}

static tb_status io_error(const char *path, const char *what, tb_error *error)
{
    return tb_fail(error, TB_E_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

tb_status tb_make_folders(const char *path, tb_error *error)
{
    if (path[0] == '\0')
        return tb_fail(error, TB_E_IO, "an empty path names no folder");
    char *copy = strdup(path);
    if (copy == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for a path");
    tb_status status = TB_OK;
    for (char *at = copy + 1; status == TB_OK; at++) {
        char c = *at;
        if (c != '/' && c != '\0')
            continue;
        *at = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            status = io_error(copy, "make this folder", error);
        *at = c;
        if (c == '\0')
            break;
    }
    struct stat info;
    if (status == TB_OK && (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))) {
        errno = ENOTDIR;
        status = io_error(path, "use this as a folder", error);
    }
    free(copy);
    return status;
}

tb_status tb_read_file(const char *path, char **out, size_t *size, tb_error *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return io_error(path, "open", error);
    char *data = NULL;
    size_t used = 0, room = 0;
    do {
        if (used + 1 >= room) {
            room = room == 0 ? 4096 : 2 * room;
            char *more = realloc(data, room);
            if (more == NULL) {
                free(data);
                fclose(file);
                return tb_fail(error, TB_E_NOMEM, "%s: no memory to read it", path);
            }
            data = more;
        }
        used += fread(data + used, 1, room - used - 1, file);
    } while (!feof(file) && !ferror(file));
    if (ferror(file)) {
        tb_status status = io_error(path, "read", error);
        free(data);
        fclose(file);
        return status;
    }
    fclose(file);
    data[used] = '\0';
    *out = data;
    if (size != NULL)
        *size = used;
    return TB_OK;
}

static tb_status sync_folder_of(const char *path, tb_error *error)
{
    char *copy = strdup(path);
    if (copy == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for a path");
    const char *folder = dirname(copy);
    tb_status status = TB_OK;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        status = io_error(folder, "write this folder to the disk", error);
    if (fd >= 0)
        close(fd);
    free(copy);
    return status;
}

// a temporary file beside `path`, written and on the disk; *temporary must be freed
static tb_status write_temporary(const char *path, const void *data, size_t size, char **temporary,
                                 tb_error *error)
{
    *temporary = tb_format("%s.tmp-%ld", path, (long)getpid());
    if (*temporary == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for a path");
    int fd = open(*temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return io_error(path, "write", error);
    const char *at = data;
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        at += n;
        size -= (size_t)n;
    }
    int failed = size > 0 || fsync(fd) != 0;
    failed |= close(fd) != 0;
    if (!failed)
        return TB_OK;
    tb_status status = io_error(path, "write", error);
    unlink(*temporary);
    return status;
}

tb_status tb_replace_file(const char *path, const void *data, size_t size, tb_error *error)
{
    char *temporary = NULL;
    tb_status status = write_temporary(path, data, size, &temporary, error);
    if (status == TB_OK && rename(temporary, path) != 0) {
        status = io_error(path, "replace", error);
        unlink(temporary);
    }
    free(temporary);
    return status == TB_OK ? sync_folder_of(path, error) : status;
}

tb_status tb_commit_file(const char *path, const void *data, size_t size, int *first,
                         tb_error *error)
{
    char *temporary = NULL;
    tb_status status = write_temporary(path, data, size, &temporary, error);
    if (status == TB_OK) {
        int linked = link(temporary, path) == 0;
        int why = errno;
        // NFS may do the link and still report a failure: two names tell
        struct stat info;
        if (!linked && stat(temporary, &info) == 0 && info.st_nlink == 2)
            linked = 1;
        // FAT, exFAT and some network folders have no links
        if (!linked && (why == EPERM || why == EOPNOTSUPP || why == ENOSYS)) {
            linked = renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0;
            why = errno;
        }
        errno = why;
        if (!linked && errno != EEXIST)
            status = io_error(path, "commit", error);
        if (first != NULL)
            *first = linked;
        unlink(temporary);
    }
    free(temporary);
    return status == TB_OK ? sync_folder_of(path, error) : status;
}

tb_status tb_writer_open(tb_writer *writer, const char *folder, const char *name, tb_error *error)
{
    writer->path = tb_format("%s/%s", folder, name);
    if (writer->path == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for a path");
    writer->file = fopen(writer->path, "we");
    return writer->file != NULL ? TB_OK : io_error(writer->path, "write", error);
}

tb_status tb_writer_flush(tb_writer *writer, tb_error *error)
{
    if (fflush(writer->file) != 0 || ferror(writer->file))
        return io_error(writer->path, "write", error);
    return TB_OK;
}

tb_status tb_writer_close(tb_writer *writer, tb_error *error)
{
    tb_status status = TB_OK;
    if (writer->file != NULL) {
        int failed =
            fflush(writer->file) != 0 || ferror(writer->file) || fsync(fileno(writer->file)) != 0;
        failed |= fclose(writer->file) != 0;
        if (failed)
            status = io_error(writer->path, "write", error);
    }
    free(writer->path);
    *writer = (tb_writer){0};
    return status;
}

tb_status tb_file_sha256(const char *path, char hex[65], tb_error *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return io_error(path, "open", error);
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    unsigned char buffer[65536], digest[crypto_hash_sha256_BYTES];
    size_t n;
    while ((n = fread(buffer, 1, sizeof buffer, file)) > 0)
        crypto_hash_sha256_update(&state, buffer, n);
    int failed = ferror(file);
    fclose(file);
    if (failed)
        return io_error(path, "read", error);
    crypto_hash_sha256_final(&state, digest);
    sodium_bin2hex(hex, 65, digest, sizeof digest);
    return TB_OK;
}
