/* SPDX-License-Identifier: MIT */
#if defined(__x86_64__)
#define TB_CONVERT_TABLE tb__convert_v3
#include "trpo/linalg/convert_body.h"
#else
typedef int tb__no_convert; // no such level here
#endif
