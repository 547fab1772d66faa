# What nearly every file reads, read once for all targets that are compiled alike: they say
# target_precompile_headers(TARGET REUSE_FROM busbar-...-headers). The debug build reads every file's own includes instead,
# and tests/python/test_includes.py says which file lacks one.
set(busbar_headers <algorithm> <array> <cstdint> <fmt/format.h> <fmt/ranges.h> <functional> <map> <memory> <optional>
  <random> <string> <string_view> <thread> <vector>)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  # GCC instantiates its templates again in every file that reads them precompiled, which takes a second each.
  list(APPEND busbar_headers <nlohmann/json.hpp>)
endif()
function(busbar_add_headers name)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/headers.cpp CONTENT "")
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/headers.cpp)
  target_link_libraries(${name} PRIVATE busbar-options fmt::fmt nlohmann_json::nlohmann_json)
  target_precompile_headers(${name} PRIVATE ${busbar_headers} ${ARGN})
endfunction()

busbar_add_headers(busbar-headers)
# The engine is also a part of what smpirun loads. Hidden, so that calls within it cost what they cost in a program.
function(busbar_compile_as_engine target)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
endfunction()
busbar_compile_as_engine(busbar-headers)
if(NOT BUSBAR_TESTS)
  return()
endif()

# Nothing in tests is measured, so the compiler need not spend its time on making them fast.
find_package(GTest REQUIRED)
busbar_add_headers(busbar-test-headers <gmock/gmock.h> <gtest/gtest.h>)
target_link_libraries(busbar-test-headers PRIVATE GTest::gtest GTest::gmock)
function(busbar_compile_as_test target)
  target_compile_options(${target} PRIVATE -O0)
endfunction()
busbar_compile_as_test(busbar-test-headers)

# Fakes are modules, as what they stand for; their work on buffers is done by busbar-elements.
busbar_add_headers(busbar-fake-headers)
function(busbar_compile_as_fake target)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(${target} PRIVATE -O0)
endfunction()
busbar_compile_as_fake(busbar-fake-headers)
