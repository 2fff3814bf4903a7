/* SPDX-License-Identifier: MIT
 *
 * The floating-point control register of the calling thread. *Rationale:* a library linked with
 * -ffast-math switches flush-to-zero on for the thread that loads it, which changes the results of
 * everybody else's code.
 */
#ifndef HARNESS_PLUGIN_FPCONTROL_H
#define HARNESS_PLUGIN_FPCONTROL_H

#include <stdint.h>

/* Control bits only (rounding, masks, flush to zero); the sticky exception flags are left out.
 * Always 0 on a machine that is neither x86-64 nor AArch64. */
static inline uint32_t tb_fp_control_get(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_stmxcsr() & ~UINT32_C(0x3f);
#elif defined(__aarch64__)
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    return (uint32_t)fpcr;
#else
    return 0;
#endif
}

/* Puts back what tb_fp_control_get() returned; clears the sticky flags. */
static inline void tb_fp_control_set(uint32_t control)
{
#if defined(__x86_64__)
    __builtin_ia32_ldmxcsr(control);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)control));
#else
    (void)control;
#endif
}

#endif
