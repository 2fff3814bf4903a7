/* SPDX-License-Identifier: MIT
 *
 * What a shared object exports, imports and keeps writable, read from the file itself.
 */
#ifndef HARNESS_CHECK_ELF_H
#define HARNESS_CHECK_ELF_H

#include "trpo/base/base.h"

typedef struct tb_elf {
    char **exports; /* names of the dynamic symbols that are defined here and visible */
    size_t n_exports;
    char **imports; /* names of the undefined ones */
    size_t n_imports;
    uint64_t writable; /* bytes of .data, .bss, .tdata and .tbss */
} tb_elf;

/* TB_E_CORRUPT when the file is no 64-bit ELF of this machine's byte order. */
tb_status tb_elf_read(const char *path, tb_elf *out, tb_error *error);
void tb_elf_finish(tb_elf *elf);

#endif
