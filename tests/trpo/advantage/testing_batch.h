/* SPDX-License-Identifier: MIT
 *
 * A batch with ends of every kind in the middle and at the end, for the tests of this folder.
 */
#ifndef TESTS_TRPO_ADVANTAGE_TESTING_BATCH_H
#define TESTS_TRPO_ADVANTAGE_TESTING_BATCH_H

#include "tests/trpo/testing.h"
#include "trpo/sampling/batch.h"

enum { L = 3, T = 40, N = L * T };

static tb_batch batch;

static inline int setup(void **state)
{
    (void)state;
    tb_error error = {0};
    assert_ok(tb_batch_init(&batch, N, L, 8, 1, 1, &error), &error);
    batch.lanes = L;
    batch.steps = T;
    batch.n_rows = N;
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    tb_batch_finish(&batch);
    return 0;
}

// rewards, values and ends at random; the same marks that the sampler gives
static inline void fill(uint64_t seed)
{
    tb_rng rng = test_rng(seed);
    test_fill(&rng, batch.reward, N, 2);
    test_fill(&rng, batch.value, N, 3);
    test_fill(&rng, batch.next_value, L, 3);
    for (size_t i = 0; i < N; i++) {
        const uint8_t ends[] = {TB_ROW_TERMINATED, TB_ROW_TRUNCATED,
                                TB_ROW_TERMINATED | TB_ROW_TRUNCATED};
        size_t k = (size_t)(tb_rng_f64(&rng) * 24);
        batch.flags[i] = k < 3 ? ends[k] : 0;
        if (k == 5)
            batch.flags[i] = TB_ROW_START; // no end
        batch.final_value[i] = batch.flags[i] == TB_ROW_TRUNCATED ? tb_rng_uniform(&rng, -3, 3) : 0;
    }
}

static inline int is_end(size_t row)
{
    return (batch.flags[row] & (TB_ROW_TERMINATED | TB_ROW_TRUNCATED)) != 0;
}

// V of what came after `row`, from the definition
static inline double value_after(size_t row)
{
    if (batch.flags[row] & TB_ROW_TERMINATED)
        return 0;
    if (batch.flags[row] & TB_ROW_TRUNCATED)
        return batch.final_value[row];
    return (row + 1) % T == 0 ? batch.next_value[row / T] : batch.value[row + 1];
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
