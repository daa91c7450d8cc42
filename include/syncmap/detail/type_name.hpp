// The name of a type as its author wrote it, for messages: "std::string", not "std::__cxx11::basic_string<char>".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace syncmap::detail {

/// Returns the compiler's name of this function, which contains the name of `T`.
template <class T>
constexpr const char* name_of_this_function() noexcept {
#if defined(_MSC_VER) && !defined(__clang__)
    return __FUNCSIG__;
#else
    return __PRETTY_FUNCTION__;
#endif
}

/// Returns the compiler's name of `T`. It stands where the function for `void` has the name of `void`.
template <class T>
constexpr std::string_view raw_type_name() noexcept {
    constexpr std::string_view sample = name_of_this_function<void>();
    constexpr std::size_t before = sample.rfind("void");
    constexpr std::size_t after = sample.size() - before - 4;
    std::string_view name = name_of_this_function<T>();
    name.remove_prefix(before);
    name.remove_suffix(after);
    return name;
}

/// Replaces the spellings in which compilers differ, and inner names of the standard library.
inline std::string tidy_type_name(std::string_view raw) {
    static constexpr std::pair<std::string_view, std::string_view> spellings[] = {
        {"std::__cxx11::", "std::"},
        {"std::__1::", "std::"},
        {"std::basic_string<char>", "std::string"},
        {"std::basic_string_view<char>", "std::string_view"},
        {"long long unsigned int", "unsigned long long"},
        {"long unsigned int", "unsigned long"},
        {"short unsigned int", "unsigned short"},
        {"long long int", "long long"},
        {"long int", "long"},
        {"short int", "short"},
        {"{anonymous}", "(anonymous namespace)"},
        {" >", ">"},
        {" *", "*"},
    };
    std::string name(raw);
    for (const auto& [from, to] : spellings) {
        for (auto at = name.find(from); at != std::string::npos; at = name.find(from, at)) {
            name.replace(at, from.size(), to);
        }
    }
    return name;
}

template <class T>
std::string type_name() {
    return tidy_type_name(raw_type_name<T>());
}

} // namespace syncmap::detail
