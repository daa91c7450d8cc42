// A traced execution as text: one line an event, in the order in which they took effect.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <explore/arena.hpp>
#include <explore/scheduler.hpp>

namespace explore {

namespace detail {

/// "block 7+16": the sixteenth byte of the seventh block of the execution; "outside": no memory of the arena.
inline std::string place_of(const void* address) {
    const arena& memory = arena::instance();
    std::uint32_t number = 0;
    if (const arena::block* block = memory.find(address, number)) {
        return "block " + std::to_string(number) + "+" + std::to_string(memory.offset_of(address) - block->offset);
    }
    char text[32];
    std::snprintf(text, sizeof text, "%p", address);
    return text;
}

inline std::string value_text(std::uint64_t value) {
    const auto* const address = reinterpret_cast<const void*>(value & 0xFFFF'FFFF'FFFFU);
    std::uint32_t number = 0;
    if (arena::instance().find(address, number) != nullptr) {
        const std::string tag = value >> 48 == 0 ? "" : std::to_string(value >> 48) + "|";
        return "&" + tag + place_of(address);
    }
    char text[32];
    std::snprintf(text, sizeof text, value < 4096 ? "%llu" : "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

inline const char* file_name(const char* path) {
    const char* const slash = std::strrchr(path, '/');
    return slash == nullptr ? path : slash + 1;
}

} // namespace detail

inline std::string picture_of(const std::vector<scheduler::traced>& trace) {
    std::string text;
    char line[256];
    unsigned last = 0;
    for (const scheduler::traced& each : trace) {
        if (each.fiber == 0) continue; // set-up and checks
        if (last != 0 && each.fiber != last) text += "    ------\n";
        last = each.fiber;
        std::string effect;
        if (each.address != nullptr) {
            effect = detail::place_of(each.address) + ": ";
            const bool pair =
                each.what == event::load_pair || each.what == event::store_pair || each.what == event::change_pair;
            effect += detail::value_text(each.before);
            if (pair)
                effect += ", " + detail::value_text(each.after);
            else if (each.before != each.after)
                effect += " -> " + detail::value_text(each.after);
            if (each.behind != 0) effect += " (" + std::to_string(each.behind) + " behind)";
        }
        std::snprintf(line, sizeof line, "  %c %5u  %-16s %-52s %s:%u\n", scheduler::thread_name(each.fiber), each.step,
                      name_of(each.what), effect.c_str(), detail::file_name(each.where.file), each.where.line);
        text += line;
    }
    return text;
}

} // namespace explore
