/* SPDX-License-Identifier: MIT
 *
 * The hard gate of the ABI: a header whose layout differs from the frozen one does not compile
 * here, and the checksum that plugins carry is the checksum of the frozen layout.
 */
#include <trpo-bench/env.h>
#include <trpo-bench/policy.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/abi/layout_1_0.h"
#include "tests/abi/layout_1_1.h"
#include "tests/abi/layout_1_2.h"

// a struct may grow at its end within the major version, never shrink
#define CHECK_STRUCT(type, bytes)                                                                  \
    _Static_assert(sizeof(type) >= (bytes), #type " became shorter than it was frozen");
TB_LAYOUT_1_0_STRUCTS(CHECK_STRUCT)
TB_LAYOUT_1_1_STRUCTS(CHECK_STRUCT)
TB_LAYOUT_1_2_STRUCTS(CHECK_STRUCT)

#define CHECK_FIELD(type, field, offset, bytes)                                                    \
    _Static_assert(offsetof(type, field) == (offset), #type "." #field " moved");                  \
    _Static_assert(sizeof(((type *)0)->field) == (bytes), #type "." #field " changed its size");
TB_LAYOUT_1_0_FIELDS(CHECK_FIELD)
TB_LAYOUT_1_1_FIELDS(CHECK_FIELD)
TB_LAYOUT_1_2_FIELDS(CHECK_FIELD)

_Static_assert(sizeof(tb_key) == 16, "tb_key is frozen");
_Static_assert(TB_ABI_MAJOR == 1, "a new major version needs a new frozen layout");

typedef struct field {
    const char *name; // "tb_key.w"
    uint32_t offset, size;
} field;

#define LIST_FIELD(type, member, offset, bytes)                                                    \
    {#type "." #member, (uint32_t)offsetof(type, member), (uint32_t)sizeof(((type *)0)->member)},
static const field fields[] = {TB_LAYOUT_1_0_FIELDS(LIST_FIELD)};
static const field later_fields[] = {TB_LAYOUT_1_1_FIELDS(LIST_FIELD)
                                         TB_LAYOUT_1_2_FIELDS(LIST_FIELD)};

// CRC-32 (IEEE 802.3, reflected, polynomial 0xedb88320) of more bytes
static uint32_t crc32_add(uint32_t crc, const void *data, size_t n)
{
    const unsigned char *bytes = data;
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return ~crc;
}

static uint32_t crc32_add_u32(uint32_t crc, uint32_t value)
{
    unsigned char bytes[4];
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
    return crc32_add(crc, bytes, sizeof bytes);
}

static void crc_is_the_standard_one(void **state)
{
    (void)state;
    assert_int_equal(crc32_add(0, "123456789", 9), 0xcbf43926);
}

// over (name with its NUL, offset and size as 32-bit little endian) of every field, in order
static void header_states_the_layout_crc(void **state)
{
    (void)state;
    uint32_t crc = 0;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        crc = crc32_add(crc, fields[i].name, strlen(fields[i].name) + 1);
        crc = crc32_add_u32(crc, fields[i].offset);
        crc = crc32_add_u32(crc, fields[i].size);
    }
    assert_int_equal(crc, TB_ABI_LAYOUT_CRC);
}

// no padding: the fields of a struct follow each other without a gap
static void expect_no_holes(const field *f, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (f[i].offset != 0)
            assert_int_equal(f[i].offset, f[i - 1].offset + f[i - 1].size);
}

static void structs_have_no_holes(void **state)
{
    (void)state;
    expect_no_holes(fields, sizeof fields / sizeof fields[0]);
    expect_no_holes(later_fields, sizeof later_fields / sizeof later_fields[0]);
}

static void expect_sizes_first(const field *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (f[i].offset != 0 || strncmp(f[i].name, "tb_key.", 7) == 0)
            continue;
        size_t at = strncmp(f[i].name, "tb_entry.", 9) == 0 ? i + 1 : i;
        assert_string_equal(strchr(f[at].name, '.'), ".struct_size");
    }
}

static void every_struct_begins_with_its_size(void **state)
{
    (void)state;
    expect_sizes_first(fields, sizeof fields / sizeof fields[0]);
    expect_sizes_first(later_fields, sizeof later_fields / sizeof later_fields[0]);
}

static void has_compares_with_the_allocated_size(void **state)
{
    (void)state;
    tb_step step = {.struct_size = (uint32_t)offsetof(tb_step, reward)};
    assert_false(TB_HAS(tb_step, &step, reward));
    step.struct_size += 7;
    assert_false(TB_HAS(tb_step, &step, reward));
    step.struct_size += 1;
    assert_true(TB_HAS(tb_step, &step, reward));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_is_the_standard_one),
        cmocka_unit_test(header_states_the_layout_crc),
        cmocka_unit_test(structs_have_no_holes),
        cmocka_unit_test(every_struct_begins_with_its_size),
        cmocka_unit_test(has_compares_with_the_allocated_size),
    };
    return cmocka_run_group_tests_name("frozen ABI", tests, NULL, NULL);
}
