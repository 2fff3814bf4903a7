/* SPDX-License-Identifier: MIT */
#define TB_CONVERT_TABLE tb__convert_baseline
#include "trpo/linalg/convert_body.h"
