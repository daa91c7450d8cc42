// Numbers as people read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace syncmap::tool {

std::string with_separators(std::uint64_t number); ///< 1,234,567
std::string in_short(std::uint64_t number);        ///< 100k, 10M, 1234
std::string in_bytes(double bytes);                ///< 1.2 GB
std::string in_millions(double number);            ///< three digits that matter, of number / 1e6

/// `text` in lines of at most `width` characters, broken at spaces.
std::string wrapped(std::string text, std::size_t width);

} // namespace syncmap::tool
