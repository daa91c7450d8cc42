// The first words of a build that is not for this library.
#pragma once

#if !defined(__cplusplus) || __cplusplus < 202002L || !defined(__cpp_concepts)
#error "syncmap needs C++20: compile with -std=c++20 (CMake: target_compile_features(... cxx_std_20))"
#include <this_file_is_not_there_so_that_the_compiler_stops_here>
#endif
