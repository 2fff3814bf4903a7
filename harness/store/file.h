/* SPDX-License-Identifier: MIT
 *
 * Files that survive: written whole or not at all, and on the disk when the call returns.
 */
#ifndef HARNESS_STORE_FILE_H
#define HARNESS_STORE_FILE_H

#include <stdio.h>

#include "trpo/base/base.h"

/* printf into new memory; NULL when out of memory. Freed by the caller. */
char *tb_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* mkdir -p. TB_E_IO names the part that could not be made. */
tb_status tb_make_folders(const char *path, tb_error *error);

/* The whole file, NUL-terminated; *size (may be NULL) without the NUL. Freed by the caller. */
tb_status tb_read_file(const char *path, char **out, size_t *size, tb_error *error);

/* Temporary file in the same folder, fsync, rename over `path`, fsync of the folder. */
tb_status tb_replace_file(const char *path, const void *data, size_t size, tb_error *error);

/* Temporary file, fsync, link to `path`, fsync of the folder: the first to come wins. TB_OK with
 * *first = 0 when `path` existed already (it stays as it is); `first` may be NULL. */
tb_status tb_commit_file(const char *path, const void *data, size_t size, int *first,
                         tb_error *error);

/* A file that is written from start to end by stdio; errors are remembered and told at
 * tb_writer_close. */
typedef struct tb_writer {
    FILE *file;
    char *path;
} tb_writer;

tb_status tb_writer_open(tb_writer *writer, const char *folder, const char *name,
                         tb_error *error); /* truncates */
/* Flushes what was written so far to the kernel. */
tb_status tb_writer_flush(tb_writer *writer, tb_error *error);
/* fsync and close. Takes a zeroed or closed writer. */
tb_status tb_writer_close(tb_writer *writer, tb_error *error);

/* SHA-256 of a file in hex. */
tb_status tb_file_sha256(const char *path, char hex[65], tb_error *error);

#endif
