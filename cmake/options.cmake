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
