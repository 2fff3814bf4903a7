/* SPDX-License-Identifier: MIT
 *
 * MuJoCo's errors and warnings, caught. Left alone, an error of MuJoCo waits for a key and ends the
 * process, and a warning writes a log file into the working folder.
 *
 * MuJoCo's error handler must not return: behind it MuJoCo goes on with an array that it does not
 * have. So every call into MuJoCo runs inside tb_mj_guarded(), and the handler jumps out of it,
 * over frames of MuJoCo's C code alone and never over the host's. Each thread has its own way out.
 */
#ifndef TB_MJ_ENGINE_H
#define TB_MJ_ENGINE_H

#include <stdint.h>
#include <trpo-bench/plugin.h>

/* Puts the handlers in and takes them out: the plugin's init() and deinit(). */
void tb_mj_engine_start(void);
void tb_mj_engine_stop(void);

/* Runs work(arg). TB_E_FATAL when MuJoCo raised an error, with its text in err ("" otherwise).
 * What `work` was in the middle of is then undefined: its mjData can only be deleted. */
tb_status tb_mj_guarded(void (*work)(void *), void *arg, char *err, uint64_t err_cap);

#endif
