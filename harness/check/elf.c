/* SPDX-License-Identifier: MIT */
#include "harness/check/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// a file in memory; everything read from it is checked against its size
typedef struct image {
    const unsigned char *data;
    size_t size;
} image;

static int inside(const image *file, uint64_t offset, uint64_t size)
{
    return offset <= file->size && size <= file->size - offset;
}

static tb_status map_file(const char *path, image *file, tb_error *error)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        tb_fail(error, TB_E_IO, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return TB_E_IO;
    }
    file->size = (size_t)info.st_size;
    void *data =
        file->size > 0 ? mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    close(fd);
    if (data == MAP_FAILED)
        return tb_fail(error, TB_E_IO, "%s: cannot be read", path);
    file->data = data;
    return TB_OK;
}

static int add_name(char ***names, size_t *n, const char *name)
{
    char **grown = realloc(*names, (*n + 1) * sizeof **names);
    if (grown == NULL)
        return 0;
    *names = grown;
    grown[*n] = strdup(name);
    return grown[(*n)++] != NULL;
}

static int add_symbol(const image *file, const Elf64_Shdr *strings, const Elf64_Sym *symbol,
                      tb_elf *out)
{
    unsigned bind = ELF64_ST_BIND(symbol->st_info),
             visibility = ELF64_ST_VISIBILITY(symbol->st_other);
    if (bind == STB_LOCAL || symbol->st_name >= strings->sh_size)
        return 1;
    const char *name = (const char *)file->data + strings->sh_offset + symbol->st_name;
    if (memchr(name, '\0', strings->sh_size - symbol->st_name) == NULL)
        return 0;
    if (symbol->st_shndx == SHN_UNDEF)
        return add_name(&out->imports, &out->n_imports, name);
    if (visibility == STV_HIDDEN || visibility == STV_INTERNAL)
        return 1;
    return add_name(&out->exports, &out->n_exports, name);
}

static int read_symbols(const image *file, const Elf64_Shdr *table, const Elf64_Shdr *strings,
                        tb_elf *out)
{
    if (!inside(file, table->sh_offset, table->sh_size) ||
        !inside(file, strings->sh_offset, strings->sh_size))
        return 0;
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= table->sh_size; at += sizeof(Elf64_Sym)) {
        Elf64_Sym symbol;
        memcpy(&symbol, file->data + table->sh_offset + at, sizeof symbol);
        if (!add_symbol(file, strings, &symbol, out))
            return 0;
    }
    return 1;
}

static int has_name(const image *file, const Elf64_Shdr *names, const Elf64_Shdr *section,
                    const char *name)
{
    size_t n = strlen(name) + 1;
    return inside(file, names->sh_offset, names->sh_size) &&
           inside(file, names->sh_offset + section->sh_name, n) &&
           memcmp(file->data + names->sh_offset + section->sh_name, name, n) == 0;
}

static int read_sections(const image *file, tb_elf *out)
{
    static const char *const writable[] = {".data", ".bss", ".tdata", ".tbss"};
    Elf64_Ehdr header;
    if (file->size < sizeof header)
        return 0;
    memcpy(&header, file->data, sizeof header);
    uint64_t bytes = (uint64_t)header.e_shnum * sizeof(Elf64_Shdr);
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shstrndx >= header.e_shnum ||
        !inside(file, header.e_shoff, bytes))
        return 0;
    Elf64_Shdr *sections = tb_alloc(header.e_shnum, sizeof *sections);
    int good = sections != NULL;
    if (good)
        memcpy(sections, file->data + header.e_shoff, bytes);
    for (uint16_t i = 0; i < header.e_shnum && good; i++) {
        if (sections[i].sh_type == SHT_DYNSYM)
            good = sections[i].sh_link < header.e_shnum &&
                   read_symbols(file, &sections[i], &sections[sections[i].sh_link], out);
        for (size_t j = 0; j < sizeof writable / sizeof writable[0]; j++)
            if (has_name(file, &sections[header.e_shstrndx], &sections[i], writable[j]))
                out->writable += sections[i].sh_size;
    }
    free(sections);
    return good;
}

tb_status tb_elf_read(const char *path, tb_elf *out, tb_error *error)
{
    image file = {0};
    *out = (tb_elf){0};
    tb_status status = map_file(path, &file, error);
    if (status != TB_OK)
        return status;
    if (!read_sections(&file, out)) {
        tb_elf_finish(out);
        status = tb_fail(error, TB_E_CORRUPT, "%s: not a 64-bit ELF shared object", path);
    }
    munmap((void *)(uintptr_t)file.data, file.size);
    return status;
}

void tb_elf_finish(tb_elf *elf)
{
    for (size_t i = 0; i < elf->n_exports; i++)
        free(elf->exports[i]);
    for (size_t i = 0; i < elf->n_imports; i++)
        free(elf->imports[i]);
    free(elf->exports);
    free(elf->imports);
    *elf = (tb_elf){0};
}
