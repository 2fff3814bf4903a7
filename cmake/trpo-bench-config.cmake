# SPDX-License-Identifier: MIT
include(${CMAKE_CURRENT_LIST_DIR}/trpo-bench-targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/TrpoBench.cmake)
