/* SPDX-License-Identifier: MIT
 *
 * SHA-256 (FIPS 180-4), for the hash of a model file in the run record.
 */
#ifndef TB_MJ_SHA256_H
#define TB_MJ_SHA256_H

#include <stdint.h>

/* Writes the 64 hexadecimal digits of the hash of n bytes and a NUL. */
void tb_mj_sha256(const unsigned char *bytes, uint64_t n, char hex[65]);

#endif
