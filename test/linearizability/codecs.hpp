// How the numbers of a history become keys and values of a map under real threads, and come back.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>

#include <syncmap/map.hpp>

namespace linearizability {

/// Key and value in the table.
struct numbers_in_table {
    using map = syncmap::map<std::uint64_t, std::uint64_t>;
    static constexpr const char* name = "numbers";

    std::uint64_t key(std::uint64_t number) const noexcept { return number; }
    std::uint64_t value(std::uint64_t number) const noexcept { return number; }
    std::uint64_t number_of_key(std::uint64_t key) const noexcept { return key; }
    std::uint64_t number_of_value(std::uint64_t value) const noexcept { return value; }
};

/// Both in a node, which each write makes anew.
struct texts_in_nodes {
    using map = syncmap::map<std::string, std::string>;
    static constexpr const char* name = "texts";

    std::string key(std::uint64_t number) const { return std::to_string(number); }
    std::string value(std::uint64_t number) const { return std::to_string(number) + " in a text that is long"; }
    std::uint64_t number_of_key(const std::string& key) const { return first_number(key); }
    std::uint64_t number_of_value(const std::string& value) const { return first_number(value); }

private:
    static std::uint64_t first_number(const std::string& text) {
        std::uint64_t number = 0;
        std::from_chars(text.data(), text.data() + text.size(), number);
        return number;
    }
};

} // namespace linearizability
