/* SPDX-License-Identifier: MIT */
#include "trpo/linalg/convert.h"

#include <string.h>

#include "tests/trpo/testing.h"
#include "trpo/linalg/kernels.h"

enum { N = 103 };

// every level that this CPU runs, against the loop that says what is meant
static void every_level_is_the_plain_loop(void **state)
{
    (void)state;
    const struct {
        const char *isa;
        const tb_convert *convert;
    } levels[] = {
        {"baseline", &tb__convert_baseline},
#if defined(__x86_64__)
        {"v3", &tb__convert_v3},
        {"v4", &tb__convert_v4},
#endif
    };
    for (size_t l = 0; l < sizeof levels / sizeof levels[0]; l++) {
        if (tb_kernels_level(levels[l].isa) == NULL) {
            print_message("not tested: this CPU does not run level %s\n", levels[l].isa);
            continue;
        }
        double wide[N], sum[N], other[N], back[N];
        float narrow[N];
        tb_rng rng = test_rng(3);
        test_fill(&rng, wide, N, 2);
        test_fill(&rng, sum, N, 2);
        memcpy(other, sum, sizeof sum);
        levels[l].convert->to_float(wide, narrow, N);
        levels[l].convert->to_double(narrow, back, N);
        levels[l].convert->add_float(narrow, sum, N);
        levels[l].convert->add_double(wide, other, N);
        rng = test_rng(3);
        double start[N];
        test_fill(&rng, start, N, 2);
        test_fill(&rng, start, N, 2);
        for (size_t i = 0; i < N; i++) {
            assert_true(narrow[i] >= (float)wide[i] && narrow[i] <= (float)wide[i]);
            assert_true(back[i] >= (double)narrow[i] && back[i] <= (double)narrow[i]);
            const double with_float = start[i] + (double)narrow[i],
                         with_double = start[i] + wide[i];
            assert_memory_equal(&sum[i], &with_float, sizeof with_float);
            assert_memory_equal(&other[i], &with_double, sizeof with_double);
        }
    }
    assert_non_null(tb_convert_get());
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_level_is_the_plain_loop)};
    return cmocka_run_group_tests_name("conversions", tests, NULL, NULL);
}
