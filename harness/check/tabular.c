/* SPDX-License-Identifier: MIT
 *
 * Tests T: tabular/1. What the model says is compared with what the environment does, with the
 * default parameters and with each switch and each choice set otherwise.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/check/family.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

// an environment with its model
typedef struct subject {
    tb_check *c;
    tb_check_env *e;
    tb_tabular m;
} subject;

// what a call left
typedef struct view {
    uint64_t state;
    int32_t seen;
} view;

// ---- the table ----

static int sums_to_one(tb_check *c, const double *p, uint64_t n, const char *what)
{
    double sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        if (!TB_CHECK_THAT(c, p[i] >= 0 && p[i] <= 1, "%s: probability %g", what, p[i]))
            return 0;
        sum += p[i];
    }
    return TB_CHECK_THAT(c, fabs(sum - 1) <= 1e-12, "%s: the probabilities add up to %.15g", what,
                         sum);
}

static int sound_space(tb_check *c, const tb_check_env *e, uint32_t which, uint64_t at_least)
{
    static const char *const names[] = {"observation", "action"};
    const tb_space *leaf = &e->leaf[which][0];
    return TB_CHECK_THAT(
        c,
        e->n_leaves[which] == 1 && leaf->kind == TB_SPACE_DISCRETE && leaf->nvec != NULL &&
            (leaf->start == NULL || leaf->start[0] == 0) && (uint64_t)leaf->nvec[0] >= at_least,
        "with tabular/1 the %s is one DISCRETE leaf from 0 on, of at least %" PRIu64 " categories",
        names[which], at_least);
}

static int sound_outcome(tb_check *c, const tb_tabular *m, uint64_t o)
{
    return TB_CHECK_THAT(c, m->next[o] < m->n_states,
                         "outcome %" PRIu64 " leads to state %" PRIu32 " of %" PRIu64, o,
                         m->next[o], m->n_states) &&
           TB_CHECK_THAT(c, isfinite(m->reward[o]), "outcome %" PRIu64 " has the reward %g", o,
                         m->reward[o]) &&
           TB_CHECK_THAT(c, m->terminated[o] <= 1, "outcome %" PRIu64 ": terminated is %u", o,
                         m->terminated[o]);
}

static int sound_pair(tb_check *c, const tb_tabular *m, uint64_t pair)
{
    uint64_t first = m->first[pair], end = m->first[pair + 1];
    char what[64];
    if (!TB_CHECK_THAT(c, first < end && end <= m->n_outcomes,
                       "the outcomes of pair %" PRIu64 " are %" PRIu64 " to before %" PRIu64, pair,
                       first, end))
        return 0;
    for (uint64_t o = first; o < end; o++)
        if (!sound_outcome(c, m, o))
            return 0;
    snprintf(what, sizeof what, "state %" PRIu64 ", action %" PRIu64, pair / m->n_actions,
             pair % m->n_actions);
    return sums_to_one(c, m->probability + first, end - first, what);
}

static int sound_model(tb_check *c, const tb_check_env *e, const tb_tabular *m)
{
    uint64_t pairs = m->n_states * m->n_actions;
    if (!TB_CHECK_THAT(c, m->n_states >= 1 && m->n_states <= UINT64_C(1) << 31,
                       "%" PRIu64 " states", m->n_states) ||
        !TB_CHECK_THAT(c,
                       m->first != NULL && m->next != NULL && m->probability != NULL &&
                           m->reward != NULL && m->terminated != NULL && m->start != NULL &&
                           m->observation != NULL,
                       "the model has a NULL") ||
        !sound_space(c, e, TB_SPACE_OBSERVATION, 1) ||
        !sound_space(c, e, TB_SPACE_ACTION, m->n_actions) ||
        !TB_CHECK_THAT(c, (uint64_t)e->leaf[TB_SPACE_ACTION][0].nvec[0] == m->n_actions,
                       "the model has %" PRIu64 " actions, the space %" PRId64, m->n_actions,
                       e->leaf[TB_SPACE_ACTION][0].nvec[0]) ||
        !TB_CHECK_THAT(c, m->first[0] == 0 && m->first[pairs] == m->n_outcomes,
                       "first[] does not go from 0 to %" PRIu64, m->n_outcomes))
        return 0;
    for (uint64_t pair = 0; pair < pairs; pair++)
        if (!sound_pair(c, m, pair))
            return 0;
    int64_t categories = e->leaf[TB_SPACE_OBSERVATION][0].nvec[0];
    for (uint64_t s = 0; s < m->n_states; s++)
        if (!TB_CHECK_THAT(c, m->observation[s] >= 0 && m->observation[s] < categories,
                           "state %" PRIu64 " is observed as %" PRId32 " of %" PRId64, s,
                           m->observation[s], categories))
            return 0;
    return sums_to_one(c, m->start, m->n_states, "the first state");
}

static tb_tabular ask(const tb_check_env *e, tb_status *status)
{
    tb_tabular m = {.struct_size = sizeof m};
    *status = e->tabular->model(e->env, &m);
    return m;
}

// opens the environment and reads its model; 0 when there is none (skipped) or it is wrong (failed)
static int open_subject(tb_check *c, const json_t *params, subject *out)
{
    tb_status status;
    out->c = c;
    out->e = tb_check_env_open(c, params);
    if (out->e == NULL)
        return 0;
    if (out->e->tabular == NULL) {
        tb_check_skip(c, "no tabular/1");
        return 0;
    }
    const tb_env_tabular *api = out->e->tabular;
    if (!TB_CHECK_THAT(c, api->model != NULL && api->get != NULL && api->set != NULL,
                       "tabular/1 has a NULL"))
        return 0;
    out->m = ask(out->e, &status);
    return TB_CHECK_THAT(c, status == TB_OK, "model() gives %s", tb_status_name(status)) &&
           sound_model(c, out->e, &out->m);
}

int tb_check_steps_are_fixed(const tb_check_env *e)
{
    tb_status status;
    if (e->tabular == NULL)
        return 0;
    tb_tabular m = ask(e, &status);
    if (status != TB_OK || m.probability == NULL)
        return 0;
    for (uint64_t o = 0; o < m.n_outcomes; o++)
        if (m.probability[o] != 0 && m.probability[o] != 1)
            return 0;
    return 1;
}

// ---- with other parameters ----

// calls `test` with the default parameters, each BOOL the other way and each choice of a STR
static void with_variants(tb_check *c, void (*test)(subject *s))
{
    const tb_params_schema *schema = c->plugin->schema;
    subject s;
    if (!open_subject(c, NULL, &s))
        return;
    test(&s);
    tb_check_env_close(s.e);
    for (uint32_t i = 0; schema != NULL && i < schema->count(c->id); i++) {
        tb_param_info info = {.struct_size = sizeof info};
        if (schema->get(c->id, i, &info) != TB_OK)
            return;
        char *choices = strdup(info.type == TB_PARAM_BOOL                          ? "true|false"
                               : info.type == TB_PARAM_STR && info.choices != NULL ? info.choices
                                                                                   : "");
        char *rest = choices, *choice;
        TB_ASSERT(choices != NULL);
        while ((choice = strsep(&rest, "|")) != NULL && choice[0] != '\0') {
            json_t *params = info.type == TB_PARAM_BOOL
                                 ? json_pack("{s:b}", info.key, strcmp(choice, "true") == 0)
                                 : json_pack("{s:s}", info.key, choice);
            if (c->outcome != TB_CHECK_FAIL && open_subject(c, params, &s)) {
                test(&s);
                tb_check_env_close(s.e);
            }
            json_decref(params);
        }
        free(choices);
    }
}

// ---- T1, T2: the model itself ----

static void look_at_model(subject *s)
{
    (void)s; // opening has looked
}

static void model_is_well_formed(tb_check *c)
{
    with_variants(c, look_at_model);
}

static uint64_t digest_model(const tb_tabular *m)
{
    uint64_t d = 0, n = m->n_outcomes;
    d = tb_check_digest(d, m->first, (m->n_states * m->n_actions + 1) * sizeof *m->first);
    d = tb_check_digest(d, m->next, n * sizeof *m->next);
    d = tb_check_digest(d, m->probability, n * sizeof *m->probability);
    d = tb_check_digest(d, m->reward, n * sizeof *m->reward);
    d = tb_check_digest(d, m->terminated, n * sizeof *m->terminated);
    d = tb_check_digest(d, m->start, m->n_states * sizeof *m->start);
    return tb_check_digest(d, m->observation, m->n_states * sizeof *m->observation);
}

static void model_is_constant(tb_check *c)
{
    subject s, other;
    tb_status status;
    if (!open_subject(c, NULL, &s))
        return;
    uint64_t digest = digest_model(&s.m);
    tb_check_play_many(c, s.e, 0, 500, tb_check_trace_make(c));
    TB_CHECK_THAT(c, digest_model(&s.m) == digest, "the model's arrays change while it plays");
    s.m = ask(s.e, &status);
    TB_CHECK_THAT(c, digest_model(&s.m) == digest, "model() gives something else later");
    if (open_subject(c, NULL, &other))
        TB_CHECK_THAT(c, digest_model(&other.m) == digest, "two instances have different models");
}

// ---- T3: what a step does is listed ----

// the state after reset() or step(); 0 when get() failed
static int look(subject *s, view *out)
{
    tb_status status = s->e->tabular->get(s->e->env, &out->state);
    memcpy(&out->seen, s->e->obs->data, sizeof out->seen);
    return TB_CHECK_THAT(s->c, status == TB_OK, "get() gives %s", tb_status_name(status)) &&
           TB_CHECK_THAT(s->c, out->state < s->m.n_states,
                         "get() gives state %" PRIu64 " of %" PRIu64, out->state, s->m.n_states) &&
           TB_CHECK_THAT(s->c, out->seen == s->m.observation[out->state],
                         "state %" PRIu64 " is observed as %" PRId32 ", the model says %" PRId32,
                         out->state, out->seen, s->m.observation[out->state]);
}

static int alike(const tb_tabular *m, uint64_t o, uint64_t next, double reward, int ends)
{
    return m->next[o] == next && m->reward[o] == reward && m->terminated[o] == ends;
}

// steps from `from` with `action`; the first outcome that is like what happened, or -1 when failed
static int64_t step_listed(subject *s, const view *from, uint64_t action, view *to)
{
    uint64_t pair = from->state * s->m.n_actions + action;
    int32_t a = (int32_t)action;
    memcpy(s->e->action->data, &a, sizeof a);
    tb_status status = tb_check_step(s->e);
    if (!TB_CHECK_THAT(s->c, status == TB_OK, "step() gives %s", tb_status_name(status)) ||
        !look(s, to))
        return -1;
    int ends = s->e->out.flags == TB_TERMINATED;
    for (uint64_t o = s->m.first[pair]; o < s->m.first[pair + 1]; o++)
        if (s->m.probability[o] > 0 && alike(&s->m, o, to->state, s->e->out.reward, ends) &&
            (ends || s->e->out.flags == 0))
            return (int64_t)o;
    tb_check_fail(s->c,
                  "state %" PRIu64 ", action %" PRIu64 " led to state %" PRIu64
                  " with reward %.17g and flags %" PRIu32 ", which the model does not list",
                  from->state, action, to->state, s->e->out.reward, s->e->out.flags);
    return -1;
}

static uint64_t draw_below(tb_rng *rng, uint64_t n)
{
    return (uint64_t)(tb_rng_f64(rng) * (double)n);
}

// whole episodes with random actions, at most 100 steps each
static void walk(subject *s)
{
    view here, next;
    tb_rng rng;
    tb_rng_init(&rng, tb_check_key(s->c, 21));
    for (uint64_t episode = 0; episode < 50; episode++) {
        tb_key key = tb_check_key(s->c, episode);
        tb_status status = s->e->api->reset(s->e->env, &key, s->e->obs->data);
        if (!TB_CHECK_THAT(s->c, status == TB_OK, "reset() gives %s", tb_status_name(status)) ||
            !look(s, &here) ||
            !TB_CHECK_THAT(s->c, s->m.start[here.state] > 0,
                           "an episode begins in state %" PRIu64 ", whose start[] is 0",
                           here.state))
            return;
        s->e->out.flags = 0;
        for (int t = 0; t < 100 && s->e->out.flags == 0; t++, here = next)
            if (step_listed(s, &here, draw_below(&rng, s->m.n_actions), &next) < 0)
                return;
    }
}

static void steps_are_listed(tb_check *c)
{
    with_variants(c, walk);
}

// ---- T4: how often ----

enum { samples = 20000, most_pairs = 64 };

// Whether k of `samples` is a believable count at probability p. Chernoff's bound on the binomial
// tails, P(k or further from n p) <= 2 exp(-n KL(k/n || p)), holds exactly for every n: a right
// environment fails one of a million comparisons with probability below 1e-9.
static int believable(uint64_t k, double p)
{
    const double limit = 36; // > log(2e6 / 1e-9)
    double q = (double)k / samples, kl = 0;
    if (p > 1)
        p = 1; // a sum's rounding
    if (k > 0)
        kl += p > 0 ? q * log(q / p) : INFINITY;
    if (k < samples)
        kl += p < 1 ? (1 - q) * log((1 - q) / (1 - p)) : INFINITY;
    return samples * kl <= limit;
}

static void count_pair(subject *s, uint64_t pair, uint64_t *count)
{
    const tb_tabular *m = &s->m;
    uint64_t first = m->first[pair], n = m->first[pair + 1] - first;
    view here = {.state = pair / m->n_actions}, next;
    memset(count, 0, n * sizeof *count);
    for (int i = 0; i < samples; i++) {
        tb_status status = s->e->tabular->set(s->e->env, here.state);
        if (!TB_CHECK_THAT(s->c, status == TB_OK, "set() gives %s", tb_status_name(status)))
            return;
        int64_t o = step_listed(s, &here, pair % m->n_actions, &next);
        if (o < 0)
            return;
        count[(uint64_t)o - first]++;
    }
    // outcomes that are alike count together, once
    for (uint64_t i = 0; i < n; i++) {
        uint64_t o = first + i, k = 0;
        double p = 0;
        int again = 0;
        for (uint64_t j = 0; j < n; j++)
            if (alike(m, first + j, m->next[o], m->reward[o], m->terminated[o])) {
                again |= j < i;
                p += m->probability[first + j];
                k += count[j];
            }
        TB_CHECK_THAT(s->c, again || believable(k, p),
                      "state %" PRIu64 ", action %" PRIu64 " led to state %" PRIu32 " in %" PRIu64
                      " of %d steps; the model's probability is %.6g",
                      here.state, pair % m->n_actions, m->next[o], k, samples, p);
    }
}

static void count_starts(subject *s, uint64_t *count)
{
    view here;
    memset(count, 0, s->m.n_states * sizeof *count);
    for (uint64_t i = 0; i < samples; i++) {
        tb_key key = tb_check_key(s->c, 1000 + i);
        tb_status status = s->e->api->reset(s->e->env, &key, s->e->obs->data);
        if (!TB_CHECK_THAT(s->c, status == TB_OK, "reset() gives %s", tb_status_name(status)) ||
            !look(s, &here))
            return;
        count[here.state]++;
    }
    for (uint64_t i = 0; i < s->m.n_states; i++)
        TB_CHECK_THAT(s->c, believable(count[i], s->m.start[i]),
                      "%" PRIu64 " of %d episodes began in state %" PRIu64
                      "; the model's probability is %.6g",
                      count[i], samples, i, s->m.start[i]);
}

static void count_outcomes(subject *s)
{
    uint64_t pairs = s->m.n_states * s->m.n_actions;
    uint64_t room = s->m.n_states > s->m.n_outcomes ? s->m.n_states : s->m.n_outcomes;
    uint64_t *count = tb_alloc(room, sizeof *count);
    TB_ASSERT(count != NULL);
    count_starts(s, count);
    tb_rng rng;
    tb_rng_init(&rng, tb_check_key(s->c, 22));
    for (uint64_t i = 0; i < pairs && i < most_pairs && s->c->outcome != TB_CHECK_FAIL; i++)
        count_pair(s, pairs <= most_pairs ? i : draw_below(&rng, pairs), count);
    free(count);
}

static void frequencies_agree(tb_check *c)
{
    with_variants(c, count_outcomes);
}

// ---- T5: get and set ----

static void states_can_be_set(tb_check *c)
{
    subject s;
    uint64_t state = 0;
    if (!open_subject(c, NULL, &s))
        return;
    tb_status status = s.e->tabular->get(s.e->env, &state);
    TB_CHECK_THAT(c, status == TB_E_STATE, "get() before reset() gives %s, not TB_E_STATE",
                  tb_status_name(status));
    tb_check_play(s.e, tb_check_key(c, 0), 0, 0, tb_check_trace_make(c));
    for (uint64_t i = 0; i < s.m.n_states; i++) {
        status = s.e->tabular->set(s.e->env, i);
        if (!TB_CHECK_THAT(c, status == TB_OK, "set(%" PRIu64 ") gives %s", i,
                           tb_status_name(status)))
            return;
        // a state that is not there is refused and changes nothing
        const uint64_t beyond[] = {s.m.n_states, UINT64_MAX};
        for (size_t k = 0; k < COUNT(beyond); k++) {
            status = s.e->tabular->set(s.e->env, beyond[k]);
            TB_CHECK_THAT(c, status == TB_E_INVALID, "set(%" PRIu64 ") gives %s, not TB_E_INVALID",
                          beyond[k], tb_status_name(status));
        }
        status = s.e->tabular->get(s.e->env, &state);
        TB_CHECK_THAT(c, status == TB_OK && state == i,
                      "get() gives %" PRIu64 " after set(%" PRIu64 ")", state, i);
    }
    // an ended episode runs again
    if (tb_check_play_to_end(c, s.e, tb_check_trace_make(c)) &&
        s.e->tabular->set(s.e->env, 0) == TB_OK) {
        status = tb_check_step(s.e);
        TB_CHECK_THAT(c, status == TB_OK, "step() after an end and set() gives %s",
                      tb_status_name(status));
    }
}

static const tb_check_test tests[] = {
    {"T1", "the tabular model is well-formed", model_is_well_formed},
    {"T2", "the tabular model is constant", model_is_constant},
    {"T3", "what steps do is in the tabular model", steps_are_listed},
    {"T4", "frequencies agree with the tabular model", frequencies_agree},
    {"T5", "tabular states are got and set", states_can_be_set},
};

const tb_check_family tb_check_tabular = {TB_CHECK_ENVIRONMENTS, tests, COUNT(tests)};
