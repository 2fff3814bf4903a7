/* SPDX-License-Identifier: MIT
 *
 * Counts what the whole process allocates, libgomp and libc included, by standing in for malloc's
 * family; and lets one aligned_alloc fail. Under a sanitizer, which has its own malloc, counting
 * goes through its hooks and nothing can be made to fail. To be included by one source of a
 * program.
 */
#ifndef TESTS_TRPO_TESTING_MALLOC_H
#define TESTS_TRPO_TESTING_MALLOC_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

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

/* The thread sanitizer's watcher inside libomp allocates in every parallel region. */
#if defined(__SANITIZE_THREAD__)
enum { test_regions_allocate = 1 };
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
enum { test_regions_allocate = 1 };
#else
enum { test_regions_allocate = 0 };
#endif
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

#define TEST_MALLOC __attribute__((visibility("default"), used))

TEST_MALLOC void *malloc(size_t size)
{
    test_add(&test_allocations);
    return __libc_malloc(size);
}

TEST_MALLOC void *calloc(size_t n, size_t size)
{
    test_add(&test_allocations);
    return __libc_calloc(n, size);
}

TEST_MALLOC void *realloc(void *p, size_t size)
{
    if (p == NULL)
        test_add(&test_allocations);
    return __libc_realloc(p, size);
}

TEST_MALLOC void *memalign(size_t alignment, size_t size)
{
    test_add(&test_allocations);
    return __libc_memalign(alignment, size);
}

TEST_MALLOC void *aligned_alloc(size_t alignment, size_t size)
{
    if (test_fail_at > 0 && --test_fail_at == 0)
        return NULL;
    return memalign(alignment, size);
}

TEST_MALLOC int posix_memalign(void **out, size_t alignment, size_t size)
{
    *out = memalign(alignment, size);
    return *out != NULL ? 0 : ENOMEM;
}

TEST_MALLOC void free(void *p)
{
    if (p != NULL)
        test_add(&test_frees);
    __libc_free(p);
}
#endif

#endif
