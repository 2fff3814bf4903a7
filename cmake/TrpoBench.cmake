# SPDX-License-Identifier: MIT
# Used inside this tree and, installed, by plugins outside it.

set(TRPO_BENCH_CMAKE_DIR ${CMAKE_CURRENT_LIST_DIR})

# tb_add_plugin(<name> <sources>...): the shared object <name>.so that exports tb_plugin_entry and nothing else.
function(tb_add_plugin name)
  add_library(plugin-${name} MODULE ${ARGN})
  target_link_libraries(plugin-${name} PRIVATE trpo-bench::tb m)
  if(TARGET tb_flags)
    target_link_libraries(plugin-${name} PRIVATE tb_flags)
    set_target_properties(plugin-${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/plugins)
    install(TARGETS plugin-${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/trpo-bench/plugins)
  endif()
  target_compile_options(plugin-${name} PRIVATE -ffp-contract=off -fno-math-errno)
  target_compile_definitions(plugin-${name} PRIVATE
    TB_PLUGIN_BUILD="${name} ${PROJECT_VERSION} ${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION} ${CMAKE_BUILD_TYPE}")
  set_target_properties(plugin-${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name} C_VISIBILITY_PRESET hidden
                        LINK_DEPENDS ${TRPO_BENCH_CMAKE_DIR}/plugin.map)
  target_link_options(plugin-${name} PRIVATE LINKER:--version-script=${TRPO_BENCH_CMAKE_DIR}/plugin.map LINKER:-z,now)
  if(NOT CMAKE_C_FLAGS MATCHES "-fsanitize")
    target_link_options(plugin-${name} PRIVATE LINKER:-z,defs)
  endif()
endfunction()

# tb_add_test(<name> <sources>...): a cmocka program that CTest runs. It may use everything of the tree.
function(tb_add_test name)
  add_executable(test-${name} ${ARGN})
  target_link_libraries(test-${name} PRIVATE tb_harness tb_flags OpenMP::OpenMP_C PkgConfig::CMOCKA PkgConfig::OPENBLAS
                        PkgConfig::SODIUM ${CMAKE_DL_LIBS} m)
  target_compile_definitions(test-${name} PRIVATE
    TB_TEST_SOURCE_DIR="${trpo-bench_SOURCE_DIR}" TB_TEST_BINARY_DIR="${trpo-bench_BINARY_DIR}"
    TB_TEST_PLUGIN_DIR="${trpo-bench_BINARY_DIR}/plugins" TB_TEST_PROGRAM="$<TARGET_FILE:trpo-bench>")
  set_target_properties(test-${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${trpo-bench_BINARY_DIR}/tests ENABLE_EXPORTS ON)
  add_test(NAME ${name} COMMAND test-${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

# tb_add_plugin_test(<name> <sources>...): the test beside a plugin's source.
function(tb_add_plugin_test name)
  if(TB_TESTS)
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
    enable_testing()
    tb_add_test(plugin-${name} ${ARGN})
    add_dependencies(test-plugin-${name} plugin-${name})
    target_compile_definitions(test-plugin-${name} PRIVATE TB_TEST_PLUGIN="$<TARGET_FILE:plugin-${name}>")
  endif()
endfunction()
