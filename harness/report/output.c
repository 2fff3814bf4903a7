/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/report/data.h"
#include "harness/report/format.h"

tb_status tb__output_open(tb__output *output, tb_error *error)
{
    *output = (tb__output){.file = NULL};
    output->file = open_memstream(&output->text, &output->size);
    return output->file != NULL ? TB_OK
                                : tb_fail(error, TB_E_NOMEM, "out of memory for the report");
}

static int write_durably(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return 0;
    int ok = fwrite(text, 1, size, file) == size && fflush(file) == 0 && fsync(fileno(file)) == 0;
    int kept = errno;
    ok = fclose(file) == 0 && ok;
    errno = ok ? errno : kept != 0 ? kept : errno;
    return ok;
}

static tb_status write_file(const char *dir, const char *name, const char *text, size_t size,
                            tb_error *error)
{
    char *path = tb__text("%s/%s", dir, name), *temporary = tb__text("%s/%s.tmp", dir, name);
    tb_status status = TB_OK;
    if (path == NULL || temporary == NULL) {
        status = tb_fail(error, TB_E_NOMEM, "out of memory for the report");
    } else if (!write_durably(temporary, text, size) || rename(temporary, path) != 0) {
        status = tb_fail(error, TB_E_IO, "%s: cannot be written: %s", path, strerror(errno));
        unlink(temporary);
    }
    free(temporary);
    free(path);
    return status;
}

tb_status tb__output_commit(tb__output *output, tb_status status, const char *dir, const char *name,
                            tb_error *error)
{
    if (output->file != NULL) {
        int ok = !ferror(output->file);
        ok = fclose(output->file) == 0 && ok;
        if (!ok && status == TB_OK)
            status = tb_fail(error, TB_E_NOMEM, "out of memory for %s/%s", dir, name);
    }
    if (status == TB_OK)
        status = write_file(dir, name, output->text, output->size, error);
    free(output->text);
    *output = (tb__output){.file = NULL};
    return status;
}

tb_status tb__make_folder(const char *dir, const char *name, tb_error *error)
{
    char *path = tb__text("%s/%s", dir, name);
    if (path == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory for the report");
    struct stat info;
    tb_status status = TB_OK;
    if (mkdir(path, 0777) != 0 &&
        (errno != EEXIST || stat(path, &info) != 0 || !S_ISDIR(info.st_mode)))
        status =
            tb_fail(error, TB_E_IO, "%s: the folder cannot be made: %s", path, strerror(errno));
    free(path);
    return status;
}
