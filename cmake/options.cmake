# Compiler options shared by every target of the project.
add_library(busbar-options INTERFACE)
target_compile_options(busbar-options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor)
if(BUSBAR_WARNINGS_AS_ERRORS)
  target_compile_options(busbar-options INTERFACE -Werror)
endif()
if(BUSBAR_SANITIZERS)
  target_compile_options(busbar-options INTERFACE -fsanitize=${BUSBAR_SANITIZERS} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_compile_definitions(busbar-options INTERFACE BUSBAR_SANITIZED)
  target_link_options(busbar-options INTERFACE -fsanitize=${BUSBAR_SANITIZERS})
endif()

# Files that share much are compiled some at a time as one, so that what their templates make is made once. In the debug
# build each is compiled for itself, as it is to be read: names in a target are unique even where they are not visible
# outside of their files.
function(busbar_compile_together target files)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${files})
  endif()
endfunction()
