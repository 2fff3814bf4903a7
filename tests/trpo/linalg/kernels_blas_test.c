/* SPDX-License-Identifier: MIT
 *
 * The kernels against OpenBLAS, an implementation that shares nothing with them, and what this
 * OpenBLAS must be to be asked. Two traps: libopenblas-serial gives wrong results when threads call
 * it at the same time; and 0.3.21 takes Xeons that it does not know for a Prescott, with another
 * kernel, five times slower, unless OPENBLAS_CORETYPE is in the environment before the program
 * starts.
 */
#include <cblas.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/trpo/testing.h"
#include "trpo/linalg/kernels.h"

enum { ROWS = 96, WIDE = 1100 };

static double x[ROWS * WIDE], dy[ROWS * WIDE], w[WIDE * 200], wt[WIDE * 208 + 200 * 8];
static double found[WIDE * 200], expected[WIDE * 200], bias[WIDE];

static void blas_is_not_the_serial_package(void **state)
{
    (void)state;
    print_message("OpenBLAS core %s, %s\n", openblas_get_corename(), openblas_get_config());
    if (openblas_get_parallel() == OPENBLAS_SEQUENTIAL)
        fail_msg("this is libopenblas-serial, which is wrong under threads; install "
                 "libopenblas-pthread-dev (scripts/setup.sh does)");
}

// what the CPU has is not what a Prescott had: main() has told OpenBLAS so
static void blas_knows_the_cpu(void **state)
{
    (void)state;
    if (tb_kernels_level("v3") != NULL)
        assert_string_not_equal(openblas_get_corename(), "Prescott");
}

// the same product from eight threads at once
static void threads_may_call_blas(void **state)
{
    (void)state;
    enum { threads = 8, n = 72, repeats = 50 };
    static double a[n * n], b[n * n], alone[n * n], together[threads][n * n];
    tb_rng rng = test_rng(6);
    size_t wrong = 0;
    test_fill(&rng, a, sizeof a / sizeof *a, 1);
    test_fill(&rng, b, sizeof b / sizeof *b, 1);
    openblas_set_num_threads(1);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a, n, b, n, 0, alone, n);
#pragma omp parallel for num_threads(threads) schedule(static, 1) reduction(+ : wrong)
    for (int t = 0; t < threads; t++)
        for (int i = 0; i < repeats; i++) {
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a, n, b, n, 0,
                        together[t], n);
            wrong += memcmp(together[t], alone, sizeof alone) != 0;
        }
    assert_int_equal(wrong, 0);
}

// n terms of at most 1 each
static void assert_all_near(size_t count, size_t n)
{
    for (size_t i = 0; i < count; i++)
        assert_near(found[i], expected[i], 2.3e-16 * (double)(2 * n));
}

static void check(size_t n_in, size_t n_out)
{
    const tb_kernels *kernels;
    assert_int_equal(tb_kernels_get(&kernels, NULL), TB_OK);
    const tb_kernels_table *k = kernels->f64;
    const int rows = ROWS, in = (int)n_in, out = (int)n_out;
    const tb_dense d = {.struct_size = sizeof d,
                        .n_in = n_in,
                        .n_out = n_out,
                        .ld_x = n_in,
                        .ld_y = n_out,
                        .activation = TB_ACT_IDENTITY,
                        .in_activation = TB_ACT_IDENTITY};
    // x W
    k->forward(&d, ROWS, w, bias, x, found);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, out, in, 1, x, in, w, out, 0,
                expected, out);
    assert_all_near(ROWS * n_out, n_in);
    // dy W'
    k->transpose(&d, w, wt);
    k->input_grad(&d, ROWS, wt, dy, x, found);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, in, out, 1, dy, out, w, out, 0,
                expected, in);
    assert_all_near(ROWS * n_in, n_out);
    // x' dy
    double sums[WIDE] = {0};
    memset(found, 0, sizeof found);
    k->weight_grad(&d, ROWS, x, dy, found, sums);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, in, out, rows, 1, x, in, dy, out, 0,
                expected, out);
    assert_all_near(n_in * n_out, ROWS);
}

static void products_equal_blas(void **state)
{
    (void)state;
    tb_rng rng = test_rng(5);
    test_fill(&rng, x, sizeof x / sizeof *x, 1);
    test_fill(&rng, dy, sizeof dy / sizeof *dy, 1);
    test_fill(&rng, w, sizeof w / sizeof *w, 1);
    openblas_set_num_threads(1);
    static const size_t shapes[][2] = {{17, 64}, {64, 64}, {64, 6}, {200, WIDE}, {WIDE, 200}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check(shapes[i][0], shapes[i][1]);
}

// starts the program anew with OPENBLAS_CORETYPE when OpenBLAS has taken the CPU for a Prescott
static void tell_the_cpu(char **argv)
{
    if (strcmp(openblas_get_corename(), "Prescott") != 0 || tb_kernels_level("v3") == NULL ||
        getenv("OPENBLAS_CORETYPE") != NULL)
        return;
    const char *core = tb_kernels_level("v4") != NULL ? "SkylakeX" : "Haswell";
    print_message("OpenBLAS takes this CPU for a Prescott; once more as %s\n", core);
    (void)fflush(stdout);
    setenv("OPENBLAS_CORETYPE", core, 1);
    (void)execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    (void)argc;
    tell_the_cpu(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blas_is_not_the_serial_package),
        cmocka_unit_test(blas_knows_the_cpu),
        cmocka_unit_test(threads_may_call_blas),
        cmocka_unit_test(products_equal_blas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
