// One operation, many times over a thousand keys, for a counter of instructions (scripts/instructions.sh): what two
// runs differ in is the operation alone. Usage: instructions ROW OPERATION TIMES
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "candidates/flat.hpp"
#include "candidates/std_mutex.hpp"
#include "candidates/std_plain.hpp"
#include "candidates/syncmap_map.hpp"
#include "candidates/syncmap_text_map.hpp"

namespace {

using namespace syncmap::bench;

constexpr std::uint64_t entries = 1'000;

/// The loop alone: everything but the map.
struct nothing {
    template <class Key, class T>
    struct map {
        bool load(const Key& key, T& out) {
            keep(key);
            keep(out);
            return true;
        }
        void store(const Key& key, const T& value) {
            keep(key);
            keep(value);
        }
        bool insert(const Key& key, const T&) {
            keep(key);
            return true;
        }
        bool erase(const Key& key) {
            keep(key);
            return true;
        }

    private:
        template <class U>
        static void keep(const U& value) {
            asm volatile("" : : "r"(&value) : "memory");
        }
    };
};

template <class Key>
std::vector<Key> keys_from(std::uint64_t first) {
    std::vector<Key> keys;
    for (std::uint64_t i = 0; i < entries; ++i) keys.push_back(payload<Key>::key(first + i));
    return keys;
}

/// Returns whether all answers were right.
template <class Row, class Key>
bool repeat(std::string_view operation, std::uint64_t times) {
    using value = value_of<Key>;
    typename Row::template map<Key, value> map;
    const std::vector<Key> present = keys_from<Key>(0);
    const std::vector<Key> absent = keys_from<Key>(entries);
    for (std::size_t i = 0; i < entries; ++i) map.insert(present[i], payload<Key>::value(i));
    value out = payload<Key>::value(0);
    const value other = payload<Key>::value(1);
    std::uint64_t answered = 0;
    std::size_t at = 0;
    const auto each = [&](auto f) {
        for (std::uint64_t i = 0; i < times; ++i) {
            answered += f(at) ? 1U : 0U;
            at = at + 1 == entries ? 0 : at + 1;
        }
    };
    if (operation == "hit") {
        each([&](std::size_t i) { return map.load(present[i], out); });
    } else if (operation == "miss") {
        each([&](std::size_t i) { return map.load(absent[i], out); });
        return answered == 0 || std::is_same_v<Row, nothing>;
    } else if (operation == "overwrite") {
        each([&](std::size_t i) {
            map.store(present[i], other);
            return true;
        });
    } else if (operation == "insert+erase") {
        each([&](std::size_t i) { return map.insert(absent[i], other) && map.erase(absent[i]); });
    } else {
        return false;
    }
    return answered == times;
}

template <class Row>
bool choose_key(std::string_view operation, std::uint64_t times) {
    constexpr std::string_view strings = "string-";
    if (operation.starts_with(strings)) return repeat<Row, std::string>(operation.substr(strings.size()), times);
    if constexpr (requires { Row::strings_only; }) {
        return false;
    } else {
        return repeat<Row, std::uint64_t>(operation, times);
    }
}

bool run(std::string_view row, std::string_view operation, std::uint64_t times) {
    if (row == "loop") return choose_key<nothing>(operation, times);
    if (row == "map") return choose_key<adapters::syncmap_map>(operation, times);
    if (row == "text_map") return choose_key<adapters::syncmap_text_map>(operation, times);
    if (row == "flat") return choose_key<adapters::flat>(operation, times);
    if (row == "mutex") return choose_key<adapters::std_mutex>(operation, times);
    if (row == "plain") return choose_key<adapters::std_plain>(operation, times);
    return false;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 4 || !run(argv[1], argv[2], std::strtoull(argv[3], nullptr, 10))) {
        std::fputs("usage: instructions loop|map|text_map|flat|mutex|plain [string-]hit|miss|overwrite|insert+erase TIMES\n",
                   stderr);
        return 2;
    }
    return 0;
}
