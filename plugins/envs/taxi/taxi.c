/* SPDX-License-Identifier: MIT
 *
 * Taxi (Dietterich 2000), as in Gymnasium 1.2.3 "Taxi-v3" and Gymnasium 1.4.0 "Taxi-v4". They
 * differ when it rains: README.md.
 *
 * A state is ((row * 5 + column) * 5 + passenger) * 4 + destination, where passenger 4 sits in the
 * taxi, and 500 more while a fickle passenger is yet to change his mind, which cannot be seen.
 */
#include <trpo-bench/tabular_kit.h>

enum { SOUTH, NORTH, EAST, WEST, PICKUP, DROPOFF, N_ACTIONS };
enum { SIZE = 5, N_STANDS = 4, IN_TAXI = 4, N_VISIBLE = SIZE * SIZE * 5 * N_STANDS };

typedef struct place {
    int row, column;
} place;

/* what is decoded of a state */
typedef struct ride {
    place taxi;
    int passenger, destination, undecided;
} ride;

typedef struct params {
    tb_tab_model model;
    double rainy_probability, fickle_probability; /* keys of v4, constants of v3 */
    double side;                                  /* derived: probability of either side */
    uint32_t is_rainy, fickle_passenger;          /* 0 or 1 */
    uint32_t version;                             /* derived: 3 or 4 */
    uint32_t reserved0;
} params;

#define COMMON_ROWS                                                                                \
    TB_KIT_BOOL(params, is_rainy, 0, "Whether a move may go to either side instead."),             \
        TB_KIT_BOOL(params, fickle_passenger, 0,                                                   \
                    "Whether passengers may change their destination once, when the taxi first "   \
                    "moves with them.")

static const tb_kit_param rows_v3[] = {COMMON_ROWS, TB_KIT_END};

static const tb_kit_param rows_v4[] = {
    COMMON_ROWS,
    TB_KIT_F64(params, rainy_probability, 0.8, 0, 1,
               "Probability of the intended direction in the rain; both sides share the rest."),
    TB_KIT_F64(params, fickle_probability, 0.3, 0, 1,
               "Probability that a fickle passenger changes the destination."),
    TB_KIT_END};

/* Red, green, yellow, blue. */
static const place stands[N_STANDS] = {{0, 0}, {0, 4}, {4, 0}, {4, 3}};

static const place moves[4] = {
    [SOUTH] = {1, 0}, [NORTH] = {-1, 0}, [EAST] = {0, 1}, [WEST] = {0, -1}};

static uint64_t encode(const ride *r)
{
    int at = (r->taxi.row * SIZE + r->taxi.column) * 5 + r->passenger;
    int state = at * N_STANDS + r->destination + (r->undecided ? N_VISIBLE : 0);
    return (uint64_t)state;
}

static ride decode(uint64_t state)
{
    int s = (int)(state % N_VISIBLE);
    ride r = {{s / (4 * 5 * SIZE), s / (4 * 5) % SIZE}, s / 4 % 5, s % 4, state >= N_VISIBLE};
    return r;
}

/* Whether there is a way from this column to the next one east; none leads out of the town. */
static int open_to_east(int row, int column)
{
    static const char *const way[SIZE] = {".|..", ".|..", "....", "|.|.", "|.|."};
    return column >= 0 && column < SIZE - 1 && way[row][column] == '.';
}

static int inside(place at)
{
    return at.row >= 0 && at.row < SIZE && at.column >= 0 && at.column < SIZE;
}

/* Where a move leads; where it is blocked the taxi stays. */
static place moved(place from, uint64_t direction)
{
    place to = {from.row + moves[direction].row, from.column + moves[direction].column};
    int open = direction == EAST   ? open_to_east(from.row, from.column)
               : direction == WEST ? open_to_east(from.row, to.column)
                                   : inside(to);
    return open ? to : from;
}

/* Where v3 is blown in the rain: not past what stands on one side of the place that it would come
 * to, east of it (`far_side` 1) or west, whatever the direction of the move. */
static place blown_v3(place from, uint64_t direction, int far_side)
{
    place to = {from.row + moves[direction].row, from.column + moves[direction].column};
    if (!inside(to))
        to = from;
    return open_to_east(to.row, far_side ? to.column : to.column - 1) ? to : from;
}

/* Where the taxi comes to in the rain: ahead, on the left, on the right. */
static void rainy_moves(const params *p, place from, uint64_t a, place to[3])
{
    static const uint64_t sides_v3[4][2] = {[SOUTH] = {WEST, EAST},
                                            [NORTH] = {WEST, EAST},
                                            [EAST] = {SOUTH, NORTH},
                                            [WEST] = {SOUTH, NORTH}};
    static const uint64_t sides_v4[4][2] = {[SOUTH] = {EAST, WEST},
                                            [NORTH] = {WEST, EAST},
                                            [EAST] = {NORTH, SOUTH},
                                            [WEST] = {SOUTH, NORTH}};
    int blocked;
    to[0] = to[1] = to[2] = moved(from, a);
    blocked = to[0].row == from.row && to[0].column == from.column;
    if (p->version == 4 && !blocked) {
        to[1] = moved(from, sides_v4[a][0]);
        to[2] = moved(from, sides_v4[a][1]);
    } else if (p->version == 3 && (!blocked || a == SOUTH || a == NORTH)) {
        to[1] = blown_v3(from, sides_v3[a][0], 1);
        to[2] = blown_v3(from, sides_v3[a][1], 0);
    }
}

/* The taxi comes to `to`; a passenger in it who is undecided may now name another destination. */
static void add_move(const ride *from, place to, double probability, tb_tab_outcomes *out)
{
    ride r = *from;
    int moves_on = to.row != from->taxi.row || to.column != from->taxi.column;
    r.taxi = to;
    if (!from->undecided || from->passenger != IN_TAXI || !moves_on) {
        tb_tab_add(out, probability, encode(&r), -1, 0);
        return;
    }
    r.undecided = 0;
    for (r.destination = 0; r.destination < N_STANDS; r.destination++)
        if (r.destination != from->destination)
            tb_tab_add(out, probability / 3, encode(&r), -1, 0);
}

/* The stand that the taxi is at, or -1. */
static int stand_at(place at)
{
    int i;
    for (i = 0; i < N_STANDS; i++)
        if (stands[i].row == at.row && stands[i].column == at.column)
            return i;
    return -1;
}

static void add_pickup(ride r, tb_tab_outcomes *out)
{
    int there = r.passenger != IN_TAXI && stand_at(r.taxi) == r.passenger;
    if (there)
        r.passenger = IN_TAXI;
    tb_tab_add(out, 1, encode(&r), there ? -1 : -10, 0);
}

static void add_dropoff(ride r, tb_tab_outcomes *out)
{
    int stand = stand_at(r.taxi), allowed = r.passenger == IN_TAXI && stand >= 0;
    int arrived = allowed && stand == r.destination;
    if (allowed)
        r.passenger = stand;
    tb_tab_add(out, 1, encode(&r), arrived ? 20 : allowed ? -1 : -10, arrived);
}

static void outcomes(const void *params_, uint64_t s, uint64_t a, tb_tab_outcomes *out)
{
    const params *p = params_;
    ride r = decode(s);
    place to[3];
    if (a == PICKUP) {
        add_pickup(r, out);
    } else if (a == DROPOFF) {
        add_dropoff(r, out);
    } else if (p->is_rainy) {
        rainy_moves(p, r.taxi, a, to);
        add_move(&r, to[0], p->rainy_probability, out);
        add_move(&r, to[1], p->side, out);
        add_move(&r, to[2], p->side, out);
    } else {
        add_move(&r, moved(r.taxi, a), 1, out);
    }
}

static double start(const void *params_, uint64_t s)
{
    const params *p = params_;
    ride r = decode(s);
    if (r.passenger == IN_TAXI || r.passenger == r.destination)
        return 0;
    if (!p->fickle_passenger)
        return 1;
    return r.undecided ? p->fickle_probability : 1 - p->fickle_probability;
}

static uint64_t observe(const void *params_, uint64_t s)
{
    (void)params_;
    return s % N_VISIBLE;
}

static void begin(params *p, uint32_t version)
{
    p->version = version;
    tb_tab_begin(p, p->fickle_passenger ? 2 * N_VISIBLE : N_VISIBLE, N_ACTIONS, outcomes, start);
    p->model.n_observations = N_VISIBLE;
    p->model.observe = observe;
}

static tb_status prepare_v3(void *params_, char *err, uint64_t err_cap)
{
    params *p = params_;
    (void)err;
    (void)err_cap;
    p->rainy_probability = 0.8;
    p->side = 0.1;
    p->fickle_probability = 0.3;
    begin(p, 3);
    return TB_OK;
}

static tb_status prepare_v4(void *params_, char *err, uint64_t err_cap)
{
    params *p = params_;
    (void)err;
    (void)err_cap;
    p->side = (1 - p->rainy_probability) / 2;
    begin(p, 4);
    return TB_OK;
}

static const tb_kit_def taxi_v3 = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .flags = TB_ENV_STOCHASTIC_STEP,
             .id = "tabular/Taxi-v3",
             .summary = "Fetch a passenger and take him to where he wants to go.",
             .reference = "Gymnasium 1.2.3 Taxi-v3",
             .max_episode_steps = 200,
             .reward_threshold = 8,
             .return_random = -771.1,
             .return_ref = 7.93},
    .params = rows_v3,
    .params_bytes = sizeof(params),
    .prepare = prepare_v3,
    TB_TABULAR,
};

static const tb_kit_def taxi_v4 = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .flags = TB_ENV_STOCHASTIC_STEP,
             .id = "tabular/Taxi-v4",
             .summary = "Fetch a passenger and take him to where he wants to go.",
             .reference = "Gymnasium 1.4.0 Taxi-v4",
             .max_episode_steps = 200,
             .reward_threshold = 8,
             .return_random = -771.1,
             .return_ref = 7.93},
    .params = rows_v4,
    .params_bytes = sizeof(params),
    .prepare = prepare_v4,
    TB_TABULAR,
};
TB_KIT_PLUGIN(&taxi_v3, &taxi_v4);
