// A schedule, written down: which choices differed from the plain course of things.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace explore {

/// At its `step`-th event an execution had `count` ways to go on and took the one numbered `taken`.
/// Zero is the plain one: the running thread goes on, or the first that can when it cannot.
struct choice {
    std::uint32_t step;
    std::uint16_t taken;
    std::uint16_t count;
};

/// "12:1.40:2": option 1 at step 12, option 2 at step 40, else always the plain one. "plain": no choice at all.
inline std::string to_text(const std::vector<choice>& path) {
    std::string text;
    for (const choice& each : path) {
        if (each.taken == 0) continue;
        if (!text.empty()) text += '.';
        text += std::to_string(each.step) + ':' + std::to_string(each.taken);
    }
    return text.empty() ? "plain" : text;
}

inline std::vector<choice> from_text(std::string_view text) {
    std::vector<choice> path;
    if (text == "plain") return path;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        choice next{};
        at = std::from_chars(at, end, next.step).ptr;
        if (at < end && *at == ':') at = std::from_chars(at + 1, end, next.taken).ptr;
        if (at < end && *at == '.')
            ++at;
        else if (at < end)
            break;
        path.push_back(next);
    }
    return path;
}

} // namespace explore
