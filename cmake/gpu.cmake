# GPUs: what of them is in the engine, the platform library where nvcc is found, the tests' fake ones.
target_sources(busbar-engine PRIVATE src/gpu/load.cpp src/gpu/nvml.cpp)
target_link_libraries(busbar-engine PUBLIC ${CMAKE_DL_LIBS})

# A GPU platform is loaded at run time: it holds all that it needs of the engine itself, and shows nothing but its entry.
function(busbar_add_gpu_platform target output)
  add_library(${target} MODULE ${ARGN})
  set_target_properties(${target} PROPERTIES PREFIX lib OUTPUT_NAME ${output} CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON LIBRARY_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
  target_link_libraries(${target} PRIVATE busbar-elements ${CMAKE_DL_LIBS})
endfunction()

# Code for the GPUs of data centres since the A100 that the compiler knows, and for later ones what the driver compiles.
find_program(BUSBAR_NVCC nvcc HINTS ${CUDAToolkit_BIN_DIR} /usr/local/cuda/bin)
mark_as_advanced(BUSBAR_NVCC)
set(BUSBAR_CUDA "")
if(BUSBAR_NVCC AND CUDAToolkit_FOUND AND CUDAToolkit_VERSION VERSION_GREATER_EQUAL 12 AND NOT BUSBAR_SANITIZERS)
  if(NOT DEFINED CMAKE_CUDA_COMPILER)
    set(CMAKE_CUDA_COMPILER ${BUSBAR_NVCC})
  endif()
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    if(CUDAToolkit_VERSION VERSION_GREATER_EQUAL 12.8)
      set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 100)
    else()
      set(CMAKE_CUDA_ARCHITECTURES 80-real 90)
    endif()
  endif()
  enable_language(CUDA)
  if(NOT DEFINED CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # nvcc 12 has it; CMake before 3.25.2 does not know
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
  endif()
  set(CMAKE_CUDA_STANDARD 20)
  string(REPLACE ";" ", sm_" BUSBAR_CUDA "CUDA ${CMAKE_CUDA_COMPILER_VERSION} for sm_${CMAKE_CUDA_ARCHITECTURES}")
  string(REPLACE "-real" "" BUSBAR_CUDA "${BUSBAR_CUDA}")
endif()

if(BUSBAR_CUDA)
  add_library(busbar-cuda-kernels OBJECT src/gpu/cuda/kernels.cu)
  set_target_properties(busbar-cuda-kernels PROPERTIES POSITION_INDEPENDENT_CODE ON CUDA_VISIBILITY_PRESET hidden)
  target_include_directories(busbar-cuda-kernels PRIVATE ${PROJECT_SOURCE_DIR}/src)
  # relaxed: the element functions use the standard library's constexpr ones, such as std::bit_cast
  target_compile_options(busbar-cuda-kernels PRIVATE --expt-relaxed-constexpr -Xcompiler=-Wall,-Wextra
    $<$<BOOL:${BUSBAR_WARNINGS_AS_ERRORS}>:-Werror=all-warnings>)
  busbar_add_gpu_platform(busbar-cuda busbar-cuda src/gpu/cuda/device.cpp src/gpu/cuda/error.cpp
    src/gpu/cuda/platform.cpp src/gpu/nvml.cpp $<TARGET_OBJECTS:busbar-cuda-kernels>)
  target_link_libraries(busbar-cuda PRIVATE CUDA::cudart_static)
  add_dependencies(busbar-bench busbar-cuda)
endif()

if(BUSBAR_TESTS)
  busbar_add_gpu_platform(busbar-gpu-fake busbar-gpu-fake tests/fakes/gpu/device.cpp tests/fakes/gpu/platform.cpp
    tests/fakes/gpu/settings.cpp)
  target_include_directories(busbar-gpu-fake PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  busbar_compile_as_fake(busbar-gpu-fake)
  target_precompile_headers(busbar-gpu-fake REUSE_FROM busbar-fake-headers)
  add_library(busbar-nvml-fake MODULE tests/fakes/gpu/nvml.cpp)
  target_include_directories(busbar-nvml-fake PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(busbar-nvml-fake PRIVATE busbar-options)

  add_dependencies(busbar-tests busbar-gpu-fake busbar-nvml-fake)
  target_compile_definitions(busbar-tests PRIVATE BUSBAR_GPU_FAKE="$<TARGET_FILE:busbar-gpu-fake>"
    BUSBAR_NVML_FAKE="$<TARGET_FILE:busbar-nvml-fake>")

  # Every kernel against the host's answer, on the platform beside the program; exit code 77: there is no GPU. And on the
  # fake one, to test the tests.
  file(GLOB busbar_gpu_test_sources CONFIGURE_DEPENDS tests/cpp/gpu/*.cpp)
  add_executable(busbar-gpu-tests ${busbar_gpu_test_sources})
  target_include_directories(busbar-gpu-tests PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(busbar-gpu-tests PRIVATE busbar-engine GTest::gtest)
  add_dependencies(busbar-gpu-tests busbar-gpu-fake)
  add_test(NAME busbar-gpu-tests COMMAND busbar-gpu-tests)
  set_tests_properties(busbar-gpu-tests PROPERTIES LABELS gpu SKIP_RETURN_CODE 77 TIMEOUT 600)
  add_test(NAME busbar-gpu-tests-on-fake COMMAND busbar-gpu-tests --gtest_brief=1)
  set_tests_properties(busbar-gpu-tests-on-fake PROPERTIES TIMEOUT 300
    ENVIRONMENT "BUSBAR_GPU_PLATFORM=$<TARGET_FILE:busbar-gpu-fake>")
  if(BUSBAR_CUDA)
    add_dependencies(busbar-tests busbar-cuda)
    target_compile_definitions(busbar-tests PRIVATE BUSBAR_CUDA_PLATFORM="$<TARGET_FILE:busbar-cuda>")
    add_dependencies(busbar-gpu-tests busbar-cuda)
  endif()
endif()
