/* SPDX-License-Identifier: MIT
 *
 * Every random number of a run comes from a stream named by (run seed, purpose, index, index):
 * never from a shared generator, so that nothing depends on threads, order or interruptions.
 */
#ifndef TRPO_RNG_STREAMS_H
#define TRPO_RNG_STREAMS_H

#include <trpo-bench/rng.h>

/* Purposes are part of every result hash: never renumber, only append. */
enum {
    TB_STREAM_POLICY_INIT = 1,  /* (0, 0) */
    TB_STREAM_CRITIC_INIT = 2,  /* (0, 0) */
    TB_STREAM_EPISODE = 3,      /* (lane, episode of the lane): the environment's key */
    TB_STREAM_ACTION = 4,       /* (lane, episode of the lane): the policy's noise */
    TB_STREAM_CRITIC_FIT = 5,   /* (iteration, epoch): minibatch order */
    TB_STREAM_EVAL = 6,         /* (0, episode): evaluations under way; the same starts each time */
    TB_STREAM_EVAL_FINAL = 7,   /* (0, episode): the evaluation at the end */
    TB_STREAM_FISHER_ROWS = 8,  /* (iteration, 0): rows of the batch that Fisher products use */
    TB_STREAM_VINE_STATES = 9,  /* (iteration, 0): the rollout set */
    TB_STREAM_VINE_ACTION = 10, /* (iteration, state): its actions */
    TB_STREAM_VINE_NOISE = 11,  /* (iteration, state), then the branch: the policy's noise */
    TB_STREAM_VINE_ENV = 12,    /* the same: the environment's random stream */
    TB_STREAM_THEORY = 100      /* (what, number): random policies; of no training run */
};

/* The key of stream (purpose, i, j) of run `seed`. */
static inline tb_key tb_stream_key(uint64_t seed, uint64_t purpose, uint64_t i, uint64_t j)
{
    // "trpo-bench" as numbers: the root of all streams
    tb_key root = {{UINT64_C(0x7472706f2d62656e), UINT64_C(0x6368000000000001)}};
    tb_key run = tb_key_child(root, seed & UINT64_C(0x7fffffffffffffff));
    return tb_key_child(tb_key_child(tb_key_child(run, purpose), i), j);
}

#endif
