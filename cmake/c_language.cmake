# The C compiler that belongs to the C++ compiler, for tests and examples of the C library: programs in C and a library
# in C++ share the run-time library of a sanitizer.
if(NOT CMAKE_C_COMPILER AND NOT DEFINED ENV{CC})
    cmake_path(GET CMAKE_CXX_COMPILER PARENT_PATH folder)
    cmake_path(GET CMAKE_CXX_COMPILER FILENAME name)
    string(REPLACE "clang++" "clang" name ${name})
    string(REPLACE "g++" "gcc" name ${name})
    string(REGEX REPLACE "^c\\+\\+$" "cc" name ${name})
    if(EXISTS ${folder}/${name})
        set(CMAKE_C_COMPILER ${folder}/${name})
    endif()
endif()
enable_language(C)
