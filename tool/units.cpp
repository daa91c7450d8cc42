#include "units.hpp"

#include <array>

#include <fmt/core.h>

namespace syncmap::tool {

std::string with_separators(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t end = text.size(); end > 3; end -= 3) text.insert(end - 3, 1, ',');
    return text;
}

std::string in_short(std::uint64_t number) {
    if (number >= 1'000'000 && number % 1'000'000 == 0) return fmt::format("{}M", number / 1'000'000);
    if (number >= 1'000 && number % 1'000 == 0) return fmt::format("{}k", number / 1'000);
    return std::to_string(number);
}

std::string in_bytes(double bytes) {
    constexpr std::array units{"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    std::size_t unit = 0;
    for (; bytes >= 1000 && unit + 1 < units.size(); ++unit) bytes /= 1000;
    return fmt::format("{:.3g} {}", bytes, units[unit]);
}

std::string in_millions(double number) {
    const double millions = number / 1e6;
    return millions >= 100  ? fmt::format("{:.0f}", millions)
           : millions >= 10 ? fmt::format("{:.1f}", millions)
                            : fmt::format("{:.2f}", millions);
}

std::string wrapped(std::string text, std::size_t width) {
    for (std::size_t line = 0; text.size() - line > width;) {
        const std::size_t space = text.rfind(' ', line + width);
        if (space == std::string::npos || space <= line) break;
        text[space] = '\n';
        line = space + 1;
    }
    return text;
}

} // namespace syncmap::tool
