# What our own builds add to the library: warnings, sanitizers, a compiler cache. Users of the target get none of it.
# Warnings become errors through CMAKE_COMPILE_WARNING_AS_ERROR, which every preset sets.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
    message(FATAL_ERROR "syncmap needs GCC 12 or newer, this is ${CMAKE_CXX_COMPILER_VERSION}")
elseif(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
    message(FATAL_ERROR "syncmap needs Clang 14 or newer, this is ${CMAKE_CXX_COMPILER_VERSION}")
endif()

set(SYNCMAP_SANITIZE "" CACHE STRING "Value of -fsanitize= for tests, examples and tool")

set(SYNCMAP_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND SYNCMAP_WARNINGS -Wtsan) # a fence that the thread sanitizer does not understand
    if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
        # GCC 12 sees impossible lengths in `"text" + string` (its bugs 105329 and 105651).
        list(APPEND SYNCMAP_WARNINGS -Wno-restrict -Wno-stringop-overflow)
    endif()
endif()

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # The stable_sort of older libstdc++ uses what it deprecates itself. GCC tells of deprecated uses of ours.
    list(APPEND SYNCMAP_WARNINGS -Wno-deprecated-declarations)
endif()

# Tests, examples and tool link this target; the library comes with it.
add_library(syncmap_development INTERFACE)
# See detail/leak_checker.hpp; test/life/at_exit.cpp is about maps that are never destroyed, and undoes this.
target_compile_definitions(syncmap_development INTERFACE SYNCMAP_LEAK_CHECKER_SEES_ALL)
target_link_libraries(syncmap_development INTERFACE syncmap::syncmap)
target_compile_options(syncmap_development INTERFACE ${SYNCMAP_WARNINGS})
if(SYNCMAP_SANITIZE)
    set(flags -fsanitize=${SYNCMAP_SANITIZE} -fno-sanitize-recover=all)
    target_compile_options(syncmap_development INTERFACE ${flags} -fno-omit-frame-pointer)
    target_link_options(syncmap_development INTERFACE ${flags})
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC takes the payload of an empty std::optional for a value that is read (its bug 80635). Clang checks as well.
    target_compile_options(syncmap_development INTERFACE -Wno-maybe-uninitialized)
endif()

# For what is compiled to be tested, not to be quick. What is always compiled in place elsewhere is called here like the rest: a
# fifth quicker to compile.
function(syncmap_call_what_is_inlined target)
    target_compile_definitions(${target} PRIVATE always_inline=noinline)
endfunction()
function(syncmap_do_not_optimise target)
    target_compile_options(${target} PRIVATE -O0)
    syncmap_call_what_is_inlined(${target})
endfunction()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# What most files of a program include is read once, where the build is for tests. Builds without SYNCMAP_COMPILE_QUICKLY show
# whether each file includes what it uses.
set(syncmap_standard_headers
    <algorithm> <array> <atomic> <chrono> <cstdint> <cstdio> <functional> <memory> <optional> <string> <string_view> <thread>
    <utility> <vector>)
function(syncmap_precompile target)
    if(SYNCMAP_COMPILE_QUICKLY)
        target_precompile_headers(${target} PRIVATE ${syncmap_standard_headers} <syncmap/map.hpp>)
    endif()
endfunction()
