#include "memory.hpp"

#include <algorithm>
#include <fstream>
#include <string>

namespace syncmap::bench {
namespace {

/// The number after `label` in a file of "label:  123 kB" lines, in bytes.
std::optional<std::uint64_t> kilobytes(const char* path, const std::string& label) {
    std::ifstream file(path);
    for (std::string word; file >> word;) {
        std::uint64_t value = 0;
        if (word == label && file >> value) return value * 1024;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> number(const char* path) {
    std::ifstream file(path);
    std::uint64_t value = 0;
    if (file >> value) return value;
    return std::nullopt; // no such file, or "max"
}

} // namespace

std::optional<std::uint64_t> resident_bytes() {
    return kilobytes("/proc/self/smaps_rollup", "Rss:"); // exact; the counters in statm lag behind
}

std::optional<std::uint64_t> available_bytes() {
    std::optional<std::uint64_t> available = kilobytes("/proc/meminfo", "MemAvailable:");
    const auto limit = number("/sys/fs/cgroup/memory.max");
    const auto used = number("/sys/fs/cgroup/memory.current");
    if (available && limit && used) available = std::min(*available, *limit - std::min(*limit, *used));
    return available;
}

} // namespace syncmap::bench
