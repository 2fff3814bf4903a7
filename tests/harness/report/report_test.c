/* SPDX-License-Identifier: MIT
 *
 * Reports of made-up results: what counts, what is listed, which numbers come out.
 */
#include "tests/harness/report/synthetic.h"

#include "harness/store/csv.h"

#define SCALES                                                                                     \
    "{\"env:a/One-v0\": {\"return_random\": 0, \"return_ref\": 100, \"reward_threshold\": 90},"    \
    " \"env:a/Two-v0\": {\"return_random\": -200, \"return_ref\": -100, "                          \
    "\"reward_threshold\": null}}"

static const synthetic_def two_envs = {.envs = {"a/One-v0", "a/Two-v0"},
                                       .policies = {"mlp"},
                                       .algorithms = {"trpo", "vpg"},
                                       .seeds = "5"};
static const synthetic_def one_cell = {
    .envs = {"a/One-v0"}, .policies = {"mlp"}, .algorithms = {"trpo"}, .seeds = "[0, 1, 2]"};

static tb_report_options quick(void)
{
    tb_report_options options = tb_report_default();
    options.resamples = 2000;
    options.curve_resamples = 200;
    options.no_plot = 1;
    return options;
}

static tb_report_summary report_with(const synthetic *s, const tb_report_options *options)
{
    tb_report_summary summary;
    tb_error error = {.message = ""};
    if (tb_report_write(s->dir, options, &summary, &error) != TB_OK)
        fail_msg("%s", error.message);
    return summary;
}

static tb_report_summary report(const synthetic *s)
{
    tb_report_options options = quick();
    return report_with(s, &options);
}

static void says(const synthetic *s, const char *name, const char *words)
{
    char *text = read_text(s->dir, name);
    assert_non_null(text);
    if (strstr(text, words) == NULL)
        fail_msg("%s does not say \"%s\":\n%s", name, words, text);
    free(text);
}

static void remove_file(const synthetic *s, const char *name)
{
    char *path = text_of("%s/%s", s->dir, name);
    assert_int_equal(unlink(path), 0);
    free(path);
}

// a number of table.csv: the row is the number of the line after the header
static double table_number(const synthetic *s, size_t row, const char *column)
{
    char *path = text_of("%s/report/table.csv", s->dir);
    tb_csv csv;
    tb_error error = {.message = ""};
    if (tb_csv_read(path, &column, 1, &csv, &error) != TB_OK)
        fail_msg("%s", error.message);
    assert_true(row < csv.n_rows);
    double value = csv.values[row];
    tb_csv_finish(&csv);
    free(path);
    return value;
}

#define TABLE_IS(row, column, expected) assert_near(table_number(&s, row, column), expected, 1e-9)

// One: trpo 10 20 30 40 100; vpg 1 2 3, one crashed, one missing. Two: trpo all -150; vpg all -200
static void fill_two_envs(const synthetic *s)
{
    const double scores[] = {100, 10, 40, 20, 30};
    write_text(s->dir, "plugins.json", SCALES);
    for (int seed = 0; seed < 5; seed++) {
        synthetic_ok(s, 0, 0, 0, seed, scores[seed]);
        synthetic_ok(s, 1, 0, 0, seed, -150);
        synthetic_ok(s, 1, 0, 1, seed, -200);
    }
    for (int seed = 0; seed < 3; seed++)
        synthetic_ok(s, 0, 0, 1, seed, seed + 1);
    synthetic_attempt(s, 0, 0, 1, 3, 1, "{\"state\": \"stopped\", \"message\": \"\"}");
    synthetic_attempt(s, 0, 0, 1, 3, 10, "{\"state\": \"crashed\", \"message\": \"signal 11\"}");
    synthetic_attempt(s, 0, 0, 1, 3, 9, "{\"state\": \"running\"}");
}

static void numbers_of_the_tables(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &two_envs);
    fill_two_envs(&s);
    tb_report_options options = quick();
    options.level = 0.8;
    options.resamples = 20000;
    tb_report_summary summary = report_with(&s, &options);
    assert_int_equal(summary.n_ok, 18);
    assert_int_equal(summary.n_failed, 1);
    assert_int_equal(summary.n_missing, 1);
    assert_int_equal(summary.n_damaged, 0);
    TABLE_IS(0, "mean", 40);
    TABLE_IS(0, "sd", sqrt(1250));
    TABLE_IS(0, "median", 30);
    TABLE_IS(0, "iqm", 30); // k = 1: (20 + 30 + 40) / 3
    TABLE_IS(0, "n_runs", 5);
    // inside flat steps of the exact distribution over all 5^5 resamples
    TABLE_IS(0, "iqm_low", 20);
    TABLE_IS(0, "iqm_high", 170. / 3);
    TABLE_IS(0, "level", 0.8);
    says(&s, "report/table.md", "80 % interval");
    assert_true(isnan(table_number(&s, 0, "optimality_gap")));
    TABLE_IS(1, "mean", 2);
    TABLE_IS(1, "sd", 1);
    TABLE_IS(1, "n_runs", 3);
    TABLE_IS(1, "n_failed", 1);
    TABLE_IS(1, "n_missing", 1);
    TABLE_IS(2, "iqm", -150);
    TABLE_IS(2, "iqm_low", -150);
    // over all environments, normalised: One .1 .2 .3 .4 1, Two five times .5
    TABLE_IS(4, "mean", .45);
    TABLE_IS(4, "median", .45);
    TABLE_IS(4, "iqm", (.3 + .4 + 4 * .5) / 6);
    TABLE_IS(4, "optimality_gap", .55);
    TABLE_IS(4, "n_runs", 10);
    TABLE_IS(5, "n_failed", 1);
    TABLE_IS(5, "mean", .01); // tasks weigh the same, not runs: (0.02 + 0) / 2
    assert_true(isnan(table_number(&s, 4, "sd")));
    synthetic_finish(&s);
}

static void scores_are_tidy(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &two_envs);
    fill_two_envs(&s);
    report(&s);
    says(&s, "report/scores.csv",
         "suite,env,policy,algorithm,seed,step,metric,raw,normalised,state\n"
         "made_up,a/One-v0,mlp,trpo,0,100000,final,100,1,ok\n"
         "made_up,a/One-v0,mlp,trpo,1,100000,final,10,0.10000000000000001,ok\n");
    says(&s, "report/scores.csv",
         "made_up,a/One-v0,mlp,vpg,3,nan,final,nan,nan,failed\n"
         "made_up,a/One-v0,mlp,vpg,4,nan,final,nan,nan,missing\n");
    // the newest attempt decides, by number and not by name
    says(&s, "report/table.md", "- a/One-v0 mlp vpg, seed 3: crashed: signal 11\n");
    says(&s, "report/table.md", "- a/One-v0 mlp vpg, seed 4: not started\n");
    says(&s, "report/table.md", "different numbers of complete runs");
    says(&s, "report/table.md", "the runs that survived");
    synthetic_finish(&s);
}

static void curves_hold_every_run(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &one_cell);
    const char *const evals[] = {
        "step,episode,return,length,success\n10,0,1,1,\n10,1,3,1,\n20,0,5,1,\n",
        "step,episode,return,length,success\n10,0,4,1,\n20,0,nan,1,\n30,0,7,1,\n",
        "step,episode,return,length,success\n20,0,9,1,\n10,0,6,1,\n"};
    for (int seed = 0; seed < 3; seed++)
        synthetic_ok_with(&s, 0, 0, 0, seed, evals[seed]);
    report(&s);
    char *text = read_text(s.dir, "report/data/a__One-v0.mlp.trpo.tsv");
    assert_string_equal(text, "step\truns\tiqm\tlow\thigh\ts0000\ts0001\ts0002\n"
                              "10\t3\t4\t2\t6\t2\t4\t6\n"
                              "20\t2\t7\tnan\tnan\t5\tnan\t9\n"
                              "30\t1\t7\tnan\tnan\tnan\t7\tnan\n");
    free(text);
    says(&s, "report/captions.md", "1 evaluations with a return that is not finite");
    // the score is of the rows with the largest step, wherever they stand
    says(&s, "report/scores.csv", ",2,20,final,9,nan,ok\n");
    synthetic_finish(&s);
}

// runs whose iterations have no fixed length pass a multiple of eval_every (10,000 of 100,000) at
// steps of their own: one point each, and one of the last evaluations
static void curves_of_uneven_steps(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &one_cell);
    const char *const evals[] = {
        "step,episode,return,length,success\n0,0,0,1,\n10200,0,1,1,\n20100,0,2,1,\n99500,0,9,1,\n",
        "step,episode,return,length,success\n0,0,0,1,\n10700,0,4,1,\n31000,0,5,1,\n99800,0,9,1,\n",
        ("step,episode,return,length,success\n0,0,0,1,\n10300,0,7,1,\n20400,0,8,1,\n30500,0,7,1,"
         "\n100000,0,6,1,\n")};
    for (int seed = 0; seed < 3; seed++)
        synthetic_ok_with(&s, 0, 0, 0, seed, evals[seed]);
    report(&s);
    char *text = read_text(s.dir, "report/data/a__One-v0.mlp.trpo.tsv");
    assert_string_equal(text, "step\truns\tiqm\tlow\thigh\ts0000\ts0001\ts0002\n"
                              "0\t3\t0\t0\t0\t0\t0\t0\n"
                              "10400\t3\t4\t1\t7\t1\t4\t7\n"
                              "20250\t2\t5\tnan\tnan\t2\tnan\t8\n"
                              "30750\t2\t6\tnan\tnan\tnan\t5\t7\n"
                              "99766.666666666672\t3\t8\t6\t9\t9\t9\t6\n");
    free(text);
    // a run that ends before another's last but one: steps ascend all the same
    synthetic_ok_with(&s, 0, 0, 0, 0,
                      "step,episode,return,length,success\n0,0,0,1,\n80200,0,1,1,\n91000,0,9,1,\n");
    synthetic_ok_with(&s, 0, 0, 0, 1,
                      "step,episode,return,length,success\n0,0,0,1,\n99000,0,5,1,\n99500,0,7,1,\n");
    synthetic_ok_with(&s, 0, 0, 0, 2,
                      "step,episode,return,length,success\n0,0,0,1,\n92000,0,3,1,\n");
    report(&s);
    text = read_text(s.dir, "report/data/a__One-v0.mlp.trpo.tsv");
    assert_string_equal(text, "step\truns\tiqm\tlow\thigh\ts0000\ts0001\ts0002\n"
                              "0\t3\t0\t0\t0\t0\t0\t0\n"
                              "80200\t1\t1\tnan\tnan\t1\tnan\tnan\n"
                              "94166.666666666672\t3\t6.333333333333333\t3\t9\t9\t7\t3\n"
                              "99000\t1\t5\tnan\tnan\tnan\t5\tnan\n");
    free(text);
    synthetic_finish(&s);
}

// a suite that was started with more seeds: what is there counts, what is not is not missed
static void seeds_on_disk_count_too(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &one_cell);
    for (int seed = 0; seed < 3; seed++)
        synthetic_ok(&s, 0, 0, 0, seed, 10);
    synthetic_ok(&s, 0, 0, 0, 7, 50);
    synthetic_attempt(&s, 0, 0, 0, 8, 1, "{\"state\": \"timeout\", \"message\": \"after 5 s\"}");
    synthetic_attempt(&s, 0, 0, 0, 9, 1, "{\"state\": \"running\"}");
    write_text(s.dir, "runs/a__One-v0/mlp/trpo/s12/run.json", "{}");       // not a seed's name
    write_text(s.dir, "runs/a__One-v0/mlp/trpo/s0003.old/run.json", "{}"); // nor this
    tb_report_summary summary = report(&s);
    assert_int_equal(summary.n_ok, 4);
    assert_int_equal(summary.n_failed, 1);
    assert_int_equal(summary.n_missing, 0);
    TABLE_IS(0, "mean", 20);
    says(&s, "report/table.md", "seed 8: timeout: after 5 s");
    synthetic_finish(&s);
}

static void scores_that_are_not_finite_are_failures(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &one_cell);
    const char head[] = "step,episode,return,length,success\n";
    const char *const last[] = {"100,0,nan,1,\n", "100,0,1,1,\n100,1,-inf,1,\n", "100,0,5,1,\n"};
    for (int seed = 0; seed < 3; seed++) {
        char *evals = text_of("%s50,0,1,1,\n%s", head, last[seed]);
        synthetic_ok_with(&s, 0, 0, 0, seed, evals);
        free(evals);
    }
    tb_report_summary summary = report(&s);
    assert_int_equal(summary.n_ok, 1);
    assert_int_equal(summary.n_failed, 2);
    assert_int_equal(summary.n_damaged, 0);
    says(&s, "report/table.md", "seed 0: final return is nan");
    says(&s, "report/table.md", "seed 1: final return is -inf");
    says(&s, "report/scores.csv", ",0,100,final,nan,nan,failed\n");
    says(&s, "report/scores.csv", ",1,100,final,-inf,nan,failed\n");
    TABLE_IS(0, "mean", 5);
    says(&s, "report/table.md", "too few runs");
    says(&s, "report/table.md", "No interval is given for fewer than 3 runs.");
    assert_true(isnan(table_number(&s, 0, "iqm_low")));
    synthetic_finish(&s);
}

static void check_damage(const char *evals, const char *place)
{
    synthetic s;
    synthetic_init(&s, &one_cell);
    for (int seed = 0; seed < 2; seed++)
        synthetic_ok(&s, 0, 0, 0, seed, 10);
    synthetic_ok_with(&s, 0, 0, 0, 2, evals);
    tb_report_summary summary = report(&s);
    assert_int_equal(summary.n_ok, 2);
    assert_int_equal(summary.n_failed, 1);
    assert_int_equal(summary.n_damaged, 1);
    if (strstr(summary.damage.message, place) == NULL)
        fail_msg("\"%s\" does not name \"%s\"", summary.damage.message, place);
    says(&s, "report/table.md", "seed 2: damaged: ");
    says(&s, "report/table.md", place);
    synthetic_finish(&s);
}

static void damaged_runs_are_named(void **state)
{
    (void)state;
    check_damage("step,episode,return\n10,0,1\n10,1,oops\n", "s0002/evals.csv:3: \"oops\"");
    check_damage("step,episode,return\n10,0,1", "s0002/evals.csv:2: the file ends inside");
    check_damage("step,episode,return\n", "s0002/evals.csv:2: no evaluation");
    check_damage("step,episode,return\n10,0,1\nnan,1,1\n", "s0002/evals.csv:3: \"step\"");
}

static void check_run_json(const char *json, const char *words)
{
    synthetic s;
    synthetic_init(&s, &one_cell);
    synthetic_ok(&s, 0, 0, 0, 0, 10);
    write_text(s.dir, "runs/a__One-v0/mlp/trpo/s0000/run.json", json);
    tb_report_summary summary = report(&s);
    assert_int_equal(summary.n_damaged, 1);
    assert_int_equal(summary.n_ok, 0);
    assert_int_equal(summary.n_missing, 2);
    if (strstr(summary.damage.message, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", summary.damage.message, words);
    synthetic_finish(&s);
}

static void a_run_must_belong_to_its_cell(void **state)
{
    (void)state;
    check_run_json("{\"schema_version\": 1, \"state\": \"ok\",\n oops", "s0000/run.json:2:");
    check_run_json("{\"schema_version\": 1, \"state\": \"ok\", \"cell\": {\"id\": \"0123\"}}",
                   "the run is of cell \"0123\"");
    check_run_json("{\"schema_version\": 99, \"state\": \"ok\"}", "\"schema_version\" is 99");
    check_run_json("{\"schema_version\": 1, \"state\": \"done\"}", "\"state\" is \"done\"");
}

static void fails_with(const synthetic *s, const tb_report_options *options, tb_status status,
                       const char *words)
{
    tb_error error = {.message = ""};
    assert_int_equal(tb_report_write(s->dir, options, NULL, &error), status);
    if (strstr(error.message, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, words);
}

static void what_cannot_be_reported(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &one_cell);
    tb_report_options options = quick();
    options.filter = "nothing like it";
    fails_with(&s, &options, TB_E_PARAM, "nothing like it");
    options.filter = "(";
    fails_with(&s, &options, TB_E_PARAM, "(");
    options = quick();
    options.resamples = 0;
    fails_with(&s, &options, TB_E_PARAM, "resamples must be at least 1, not 0");
    options = quick();
    options.level = 95;
    fails_with(&s, &options, TB_E_PARAM, "between 0 and 1, not 95");
    options = quick();
    assert_false(exists(&s, "report"));
    write_text(s.dir, "plugins.json", "{\n\"env\": oops}");
    fails_with(&s, &options, TB_E_CORRUPT, "plugins.json:2:");
    write_text(s.dir, "plugins.json", "{}");
    write_text(s.dir, "report", "a file where the folder should be");
    fails_with(&s, &options, TB_E_IO, "/report: the folder cannot be made");
    char *suite = read_text(s.dir, "suite.resolved.json");
    strstr(suite, "100000")[0] = '2';
    write_text(s.dir, "suite.resolved.json", suite);
    fails_with(&s, &options, TB_E_CORRUPT, "suite.resolved.json:1: ");
    write_text(s.dir, "suite.resolved.json", "[");
    fails_with(&s, &options, TB_E_CORRUPT, "suite.resolved.json:1:");
    remove_file(&s, "suite.resolved.json");
    fails_with(&s, &options, TB_E_IO, "is not a results folder");
    free(suite);
    synthetic_finish(&s);
}

static void filter_leaves_a_part(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &two_envs);
    fill_two_envs(&s);
    tb_report_options options = quick();
    options.filter = "Two.* vpg";
    tb_report_summary summary = report_with(&s, &options);
    assert_int_equal(summary.n_ok, 5);
    assert_int_equal(summary.n_failed + summary.n_missing, 0);
    TABLE_IS(0, "mean", -200);
    assert_true(exists(&s, "report/fig/a__Two-v0.gp"));
    assert_false(exists(&s, "report/fig/a__One-v0.gp"));
    synthetic_finish(&s);
}

static void without_scales_there_is_no_sum(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &two_envs);
    fill_two_envs(&s);
    remove_file(&s, "plugins.json");
    report(&s);
    char *table = read_text(s.dir, "report/table.csv");
    assert_null(strstr(table, "(all)"));
    free(table);
    table = read_text(s.dir, "report/table.md");
    assert_null(strstr(table, "All environments"));
    free(table);
    says(&s, "report/scores.csv", "made_up,a/One-v0,mlp,trpo,0,100000,final,100,nan,ok\n");
    synthetic_finish(&s);
}

// an algorithm without a run on one environment has no number over all
static void a_hole_leaves_a_dash(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &two_envs);
    write_text(s.dir, "plugins.json", SCALES);
    for (int seed = 0; seed < 5; seed++) {
        synthetic_ok(&s, 0, 0, 0, seed, seed);
        synthetic_ok(&s, 1, 0, 0, seed, seed);
        synthetic_ok(&s, 0, 0, 1, seed, seed);
    }
    report(&s);
    assert_true(isnan(table_number(&s, 3, "mean")));
    assert_true(table_number(&s, 4, "iqm_low") > 0);
    assert_true(isnan(table_number(&s, 5, "iqm")));
    TABLE_IS(5, "n_missing", 5);
    synthetic_finish(&s);
}

static void awkward_names_stay_what_they_are(void **state)
{
    (void)state;
    synthetic s;
    const synthetic_def def = {.envs = {"odd/It's_50%_#1 & {x}, \"q\"", "odd/$HOME `id` \\n|z"},
                               .policies = {"mlp"},
                               .algorithms = {"trpo"},
                               .seeds = "3"};
    synthetic_init(&s, &def);
    for (int seed = 0; seed < 3; seed++)
        synthetic_ok(&s, 0, 0, 0, seed, seed);
    report(&s);
    says(&s, "report/scores.csv", "made_up,\"odd/It's_50%_#1 & {x}, \"\"q\"\"\",mlp");
    says(&s, "report/table.md", "odd/$HOME \\`id\\` \\\\n\\|z");
    says(&s, "report/table.tex", "odd/It's\\_50\\%\\_\\#1 \\& \\{x\\}, \\textquotedbl{}q");
    says(&s, "report/table.tex", "odd/\\$HOME `id` \\textbackslash{}n\\textbar{}z");
    says(&s, "report/fig/curves.gp", "set title 'It''s_50%_#1 & {x}, \"q\"' noenhanced");
    says(&s, "report/fig/curves.gp", "set title '$HOME `id` \\n|z' noenhanced");
    synthetic_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_the_tables),
        cmocka_unit_test(scores_are_tidy),
        cmocka_unit_test(curves_hold_every_run),
        cmocka_unit_test(curves_of_uneven_steps),
        cmocka_unit_test(seeds_on_disk_count_too),
        cmocka_unit_test(scores_that_are_not_finite_are_failures),
        cmocka_unit_test(damaged_runs_are_named),
        cmocka_unit_test(a_run_must_belong_to_its_cell),
        cmocka_unit_test(what_cannot_be_reported),
        cmocka_unit_test(filter_leaves_a_part),
        cmocka_unit_test(without_scales_there_is_no_sum),
        cmocka_unit_test(a_hole_leaves_a_dash),
        cmocka_unit_test(awkward_names_stay_what_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
