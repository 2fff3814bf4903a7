/* SPDX-License-Identifier: MIT
 *
 * rng.h against Random123 (the authors' implementation) and against published known answers.
 */
#include <trpo-bench/rng.h>

#include <Random123/philox.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// Random123's known-answer file, philox4x32-10
static void philox_gives_the_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t out[4];
        tb_philox4x32_10(rows[i].key, rows[i].counter, out);
        assert_memory_equal(out, rows[i].out, sizeof out);
    }
}

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void philox_equals_random123(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 100000; i++) {
        philox4x32_ctr_t counter;
        philox4x32_key_t key;
        uint32_t words[6], out[4];
        for (int j = 0; j < 3; j++) {
            uint64_t bits = splitmix(&seed);
            memcpy(words + 2 * j, &bits, sizeof bits);
        }
        memcpy(counter.v, words, sizeof counter.v);
        memcpy(key.v, words + 4, sizeof key.v);
        philox4x32_ctr_t expected = philox4x32_R(10, counter, key);
        tb_philox4x32_10(words + 4, words, out);
        assert_memory_equal(out, expected.v, sizeof out);
    }
}

// key.w[0] is Philox's key, key.w[1] the high half of the counter, the index its low half
static void block_lays_key_and_index_out_as_documented(void **state)
{
    (void)state;
    tb_key key = {{UINT64_C(0x1112131415161718), UINT64_C(0x2122232425262728)}};
    philox4x32_ctr_t counter = {{0x35363738, 0x31323334, 0x25262728, 0x21222324}};
    philox4x32_key_t philox_key = {{0x15161718, 0x11121314}};
    philox4x32_ctr_t expected = philox4x32_R(10, counter, philox_key);
    uint64_t out[2];
    tb_key_block(&key, UINT64_C(0x3132333435363738), out);
    assert_int_equal(out[0], (uint64_t)expected.v[0] | (uint64_t)expected.v[1] << 32);
    assert_int_equal(out[1], (uint64_t)expected.v[2] | (uint64_t)expected.v[3] << 32);
}

static void words_are_the_halves_of_the_blocks(void **state)
{
    (void)state;
    tb_key key = {{7, 9}};
    tb_rng rng;
    tb_rng_init(&rng, key);
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t block[2];
        tb_key_block(&key, i, block);
        assert_int_equal(tb_rng_u64(&rng), block[0]);
        assert_int_equal(tb_rng_u64(&rng), block[1]);
    }
    assert_int_equal(rng.n, 2000);
}

static void a_copied_stream_goes_on_alike(void **state)
{
    (void)state;
    tb_rng rng;
    tb_rng_init(&rng, (tb_key){{1, 2}});
    for (int i = 0; i < 5; i++)
        tb_rng_u64(&rng);
    tb_rng copy = rng;
    for (int i = 0; i < 100; i++)
        assert_int_equal(tb_rng_u64(&rng), tb_rng_u64(&copy));
}

static int compare_words(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

// children of a key, of its neighbours and the words of all of them: 128-bit values, no two alike
static void children_and_words_never_meet(void **state)
{
    (void)state;
    enum { n_keys = 16, n = 2000 };
    uint64_t *words = malloc(sizeof *words * n_keys * n * 4);
    size_t used = 0;
    assert_non_null(words);
    for (uint64_t k = 0; k < n_keys; k++) {
        tb_key key = {{k & 3, k >> 2}};
        tb_rng rng;
        tb_rng_init(&rng, key);
        for (uint64_t i = 0; i < n; i++) {
            tb_key child = tb_key_child(key, i);
            words[used++] = child.w[0];
            words[used++] = child.w[1];
            words[used++] = tb_rng_u64(&rng);
            words[used++] = tb_rng_u64(&rng);
        }
    }
    qsort(words, used, sizeof *words, compare_words);
    for (size_t i = 1; i < used; i++)
        assert_int_not_equal(words[i - 1], words[i]);
    free(words);
}

static void child_takes_its_number_from_the_upper_half(void **state)
{
    (void)state;
    tb_key key = {{3, 4}};
    uint64_t block[2];
    tb_key_block(&key, UINT64_C(0x8000000000000005), block);
    tb_key child = tb_key_child(key, 5);
    assert_memory_equal(child.w, block, sizeof block);
}

static void unit_numbers_stay_below_one(void **state)
{
    (void)state;
    assert_true(tb_unit_f64(0) == 0.0);
    assert_true(tb_unit_f64(UINT64_MAX) == 1.0 - 0x1p-53);
    assert_true(tb_unit_f64(UINT64_C(1) << 11) == 0x1p-53);
}

// 64 cells, n numbers: chi^2 has 63 degrees of freedom; 130 lies beyond the 1e-6 quantile. First
// numbers of neighbouring children, because that is how episodes are keyed
static void first_numbers_of_children_are_uniform(void **state)
{
    (void)state;
    enum { n = 100000, cells = 64 };
    double count[cells] = {0}, sum = 0, lag = 0, previous = 0.5;
    for (uint64_t i = 0; i < n; i++) {
        tb_rng rng;
        tb_rng_init(&rng, tb_key_child((tb_key){{42, 0}}, i));
        double x = tb_rng_f64(&rng);
        count[(int)(x * cells)] += 1;
        sum += x;
        lag += (x - 0.5) * (previous - 0.5);
        previous = x;
    }
    double chi2 = 0, expected = (double)n / cells;
    for (int i = 0; i < cells; i++)
        chi2 += (count[i] - expected) * (count[i] - expected) / expected;
    assert_true(chi2 < 130);
    // five standard errors: sd 1/sqrt(12) of one number, 1/12 of a product
    assert_true(fabs(sum / n - 0.5) < 5 / sqrt(12.0 * n));
    assert_true(fabs(lag / n) < 5 / (12 * sqrt((double)n)));
}

static void uniform_stays_inside(void **state)
{
    (void)state;
    tb_rng rng;
    tb_rng_init(&rng, (tb_key){{5, 6}});
    double least = 1, most = -1;
    for (int i = 0; i < 10000; i++) {
        double x = tb_rng_uniform(&rng, -0.05, 0.05);
        least = fmin(least, x);
        most = fmax(most, x);
    }
    assert_true(least >= -0.05 && least < -0.0499);
    assert_true(most < 0.05 && most > 0.0499);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_known_answers),
        cmocka_unit_test(philox_equals_random123),
        cmocka_unit_test(block_lays_key_and_index_out_as_documented),
        cmocka_unit_test(words_are_the_halves_of_the_blocks),
        cmocka_unit_test(a_copied_stream_goes_on_alike),
        cmocka_unit_test(children_and_words_never_meet),
        cmocka_unit_test(child_takes_its_number_from_the_upper_half),
        cmocka_unit_test(unit_numbers_stay_below_one),
        cmocka_unit_test(first_numbers_of_children_are_uniform),
        cmocka_unit_test(uniform_stays_inside),
    };
    return cmocka_run_group_tests_name("rng.h", tests, NULL, NULL);
}
