/* SPDX-License-Identifier: MIT
 *
 * Counts what the whole process allocates, libgomp and libc included, by standing in for malloc's
 * family; and lets one aligned_alloc fail. Under a sanitizer, which has its own malloc, counting
 * goes through its hooks and nothing can be made to fail. To be included by one source of a
 * program.
 *
 * What libomp, clang's OpenMP runtime, asks for itself is not counted: it allocates in each
 * parallel region. Whose call it is, the stack tells: libomp's when it is met before the program's
 * own code. What runs in a region is the program's. libgomp allocates nothing in a region and is
 * counted, so that a build with gcc sees also what makes the runtime allocate.
 */
#ifndef TESTS_TRPO_TESTING_MALLOC_H
#define TESTS_TRPO_TESTING_MALLOC_H

#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static int64_t test_allocations, test_frees;
static int64_t test_fail_at; // the aligned_alloc that fails, counted down; 0 = none

static inline int64_t test_count(const int64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_SEQ_CST);
}

static inline void test_add(int64_t *counter)
{
    __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TEST_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEST_SANITIZED 1
#endif

/* Under a sanitizer libomp cannot be told apart, and the thread sanitizer's watcher inside it
 * allocates as well: each parallel region seems to. */
#if defined(__SANITIZE_THREAD__) || (defined(TEST_SANITIZED) && defined(__clang__))
enum { test_regions_allocate = 1 };
#else
enum { test_regions_allocate = 0 };
#endif

#ifdef TEST_SANITIZED
enum { test_can_fail = 0 };

int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
                                              void (*)(const volatile void *));

static void test_malloc_hook(const volatile void *p, size_t size)
{
    (void)p;
    (void)size;
    test_add(&test_allocations);
}

static void test_free_hook(const volatile void *p)
{
    (void)p;
    test_add(&test_frees);
}

static __attribute__((constructor)) void test_install_hooks(void)
{
    __sanitizer_install_malloc_and_free_hooks(test_malloc_hook, test_free_hook);
}
#else
enum { test_can_fail = 1 };

// glibc's own names
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

typedef struct test_code { // where an object's code lies; empty: it is not loaded
    uintptr_t begin, end;
} test_code;

static test_code test_libomp, test_program;

static int test_note_code(struct dl_phdr_info *object, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    test_code *code = strstr(object->dlpi_name, "/libomp") != NULL ? &test_libomp
                      : object->dlpi_name[0] == '\0'               ? &test_program
                                                                   : NULL;
    for (size_t i = 0; code != NULL && code->end == 0 && i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
            continue;
        code->begin = object->dlpi_addr + segment->p_vaddr;
        code->end = code->begin + segment->p_memsz;
    }
    return 0;
}

static __attribute__((constructor)) void test_find_code(void)
{
    void *frame;
    backtrace(&frame, 1); // the first one allocates
    dl_iterate_phdr(test_note_code, NULL);
}

static inline int test_lies_in(const void *at, const test_code *code)
{
    return (uintptr_t)at >= code->begin && (uintptr_t)at < code->end;
}

// whether libomp is nearer on the stack than the program, from the function on that called malloc
static inline int test_is_libomps(const void *caller)
{
    void *frames[64];
    int n = test_libomp.end != 0 ? backtrace(frames, 64) : 0, i = 0;
    while (i < n && frames[i] != caller)
        i++;
    while (i < n && !test_lies_in(frames[i], &test_libomp) &&
           !test_lies_in(frames[i], &test_program))
        i++;
    return i < n && test_lies_in(frames[i], &test_libomp);
}

#define TEST_MALLOC __attribute__((visibility("default"), used, noinline))
#define TEST_COUNT(counter)                                                                        \
    do {                                                                                           \
        if (!test_is_libomps(__builtin_return_address(0)))                                         \
            test_add(&(counter));                                                                  \
    } while (0)

TEST_MALLOC void *malloc(size_t size)
{
    TEST_COUNT(test_allocations);
    return __libc_malloc(size);
}

TEST_MALLOC void *calloc(size_t n, size_t size)
{
    TEST_COUNT(test_allocations);
    return __libc_calloc(n, size);
}

TEST_MALLOC void *realloc(void *p, size_t size)
{
    if (p == NULL)
        TEST_COUNT(test_allocations);
    return __libc_realloc(p, size);
}

TEST_MALLOC void *memalign(size_t alignment, size_t size)
{
    TEST_COUNT(test_allocations);
    return __libc_memalign(alignment, size);
}

TEST_MALLOC void *aligned_alloc(size_t alignment, size_t size)
{
    if (test_fail_at > 0 && --test_fail_at == 0)
        return NULL;
    TEST_COUNT(test_allocations);
    return __libc_memalign(alignment, size);
}

TEST_MALLOC int posix_memalign(void **out, size_t alignment, size_t size)
{
    TEST_COUNT(test_allocations);
    *out = __libc_memalign(alignment, size);
    return *out != NULL ? 0 : ENOMEM;
}

TEST_MALLOC void free(void *p)
{
    if (p != NULL)
        TEST_COUNT(test_frees);
    __libc_free(p);
}
#endif

#endif
