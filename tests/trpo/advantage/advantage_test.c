/* SPDX-License-Identifier: MIT */
#include "trpo/advantage/advantage.h"

#include "tests/trpo/advantage/testing_batch.h"
#include "trpo/advantage/gae.h"
#include "trpo/advantage/returns.h"
#include "trpo/advantage/vtrace.h"

static void test_the_configuration_chooses(void **state)
{
    (void)state;
    tb_learner_config config;
    tb_options_default(tb_learner_options, &config);
    assert_int_equal(config.advantage, TB_ADVANTAGE_GAE);
    config.vtrace_rho_bar = 0.75;
    config.vtrace_c_bar = 0.5;
    const char *const names[] = {"gae", "returns", "vtrace"};
    for (int i = 0; i < 3; i++)
        for (int normalize = 0; normalize < 2; normalize++) {
            tb_error error = {0};
            double target[N], advantage[N];
            fill(7);
            if (i == TB_ADVANTAGE_GAE)
                tb_gae(&batch, config.gamma, config.lambda);
            else if (i == TB_ADVANTAGE_RETURNS)
                tb_returns(&batch, config.gamma);
            else
                tb_vtrace(&batch, NULL, config.gamma, 0.75, 0.5);
            if (normalize)
                tb_normalize_advantages(&batch);
            memcpy(target, batch.target, sizeof target);
            memcpy(advantage, batch.advantage, sizeof advantage);
            memset(batch.target, 0, sizeof target);
            const tb_value value = {.type = TB_VALUE_STRING, .string = names[i]};
            assert_ok(tb_option_set(tb_option_find(tb_learner_options, "advantage"), &config,
                                    &value, &error),
                      &error);
            config.normalize_advantages = normalize;
            tb_estimate_advantages(&config, &batch);
            assert_memory_equal(target, batch.target, sizeof target);
            assert_memory_equal(advantage, batch.advantage, sizeof advantage);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_configuration_chooses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
