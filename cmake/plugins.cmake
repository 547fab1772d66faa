# The NCCL plugins. They need no header of CUDA's or NCCL's: src/plugins/abi declares the interfaces.
file(GLOB busbar_profiler_sources CONFIGURE_DEPENDS src/plugins/profiler/*.cpp)
file(GLOB busbar_tuner_sources CONFIGURE_DEPENDS src/plugins/tuner/*.cpp)

function(busbar_add_nccl_plugin kind)
  set(target busbar-nccl-${kind})
  add_library(${target} MODULE ${ARGN})
  # NCCL finds libnccl-<kind>-busbar.so by NCCL_<KIND>_PLUGIN=busbar.
  set_target_properties(${target} PROPERTIES PREFIX lib OUTPUT_NAME nccl-${kind}-busbar
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib LINK_DEPENDS ${PROJECT_SOURCE_DIR}/src/plugins/${kind}/exports.map)
  busbar_compile_together(${target} 16)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${target} PRIVATE busbar-options Threads::Threads)
  # nodelete: NCCL closes a plugin with its last communicator; what was recorded or set must outlive that.
  target_link_options(${target} PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/src/plugins/${kind}/exports.map
    -Wl,-z,nodelete -Wl,-z,defs)
  if(NOT BUSBAR_SANITIZERS)
    # Loads into programs whose C++ runtime is older than this compiler's; less of it asks for less of glibc.
    target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc -Wl,--gc-sections)
  else()
    target_link_options(${target} PRIVATE -Wl,-z,undefs)  # the sanitizer's runtime is the program's
  endif()
endfunction()

busbar_add_nccl_plugin(profiler ${busbar_profiler_sources} src/plugins/report_file.cpp)
target_link_libraries(busbar-nccl-profiler PRIVATE nlohmann_json::nlohmann_json)
busbar_add_nccl_plugin(tuner ${busbar_tuner_sources})

if(BUSBAR_TESTS)
  # The plugins are loaded as NCCL loads them; the parts that are plain functions are linked as well.
  add_library(busbar-tuner-rule OBJECT src/plugins/tuner/table.cpp src/plugins/tuner/decision.cpp)
  target_include_directories(busbar-tuner-rule PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(busbar-tuner-rule PRIVATE busbar-options)
  file(GLOB busbar_plugin_test_sources CONFIGURE_DEPENDS tests/cpp/plugins/*.cpp)
  add_executable(busbar-plugin-tests ${busbar_plugin_test_sources} src/plugins/tuner/index.cpp
    src/plugins/profiler/names.cpp src/plugins/profiler/record_store.cpp)
  # A million tables: worth the compiler's time.
  set_source_files_properties(tests/cpp/plugins/test_tuner_fuzz.cpp PROPERTIES
    COMPILE_OPTIONS -O1 SKIP_PRECOMPILE_HEADERS ON)
  add_dependencies(busbar-plugin-tests busbar-nccl-profiler busbar-nccl-tuner)
  target_include_directories(busbar-plugin-tests PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests/cpp)
  target_compile_definitions(busbar-plugin-tests PRIVATE
    BUSBAR_PROFILER_PLUGIN="$<TARGET_FILE:busbar-nccl-profiler>" BUSBAR_TUNER_PLUGIN="$<TARGET_FILE:busbar-nccl-tuner>")
  target_link_libraries(busbar-plugin-tests PRIVATE busbar-tuner-rule busbar-options fmt::fmt nlohmann_json::nlohmann_json GTest::gtest
    GTest::gmock GTest::gtest_main Threads::Threads ${CMAKE_DL_LIBS})
  add_test(NAME busbar-plugin-tests COMMAND busbar-plugin-tests --gtest_brief=1)
  set_tests_properties(busbar-plugin-tests PROPERTIES TIMEOUT 300)

  # A benchmark, not a test: it measures, so it needs a quiet machine.
  add_executable(tuner_decision tests/bench/tuner_decision.cpp)
  add_dependencies(tuner_decision busbar-nccl-tuner)
  target_compile_definitions(tuner_decision PRIVATE BUSBAR_TUNER_PLUGIN="$<TARGET_FILE:busbar-nccl-tuner>")
  target_link_libraries(tuner_decision PRIVATE busbar-tuner-rule busbar-engine ${CMAKE_DL_LIBS})
endif()
