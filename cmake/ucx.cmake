# The transport ucx. What decides when messages may travel, and the words of settings, need no UCX, but nobody else does.
if(NOT ucx_FOUND)
  message(STATUS "Transport ucx: UCX 1.13 or later not found, left out")
  return()
endif()

file(GLOB busbar_ucx_sources CONFIGURE_DEPENDS src/transport/ucx.cpp src/transport/ucx/*.cpp)
target_sources(busbar-engine PRIVATE ${busbar_ucx_sources})
target_compile_definitions(busbar-engine PUBLIC BUSBAR_HAS_UCX)
target_link_libraries(busbar-engine PUBLIC PkgConfig::ucx)
