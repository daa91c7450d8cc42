// What the tests of this folder share.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif
#include <unistd.h>

#include <syncmap/map.hpp>

#include "support/proof.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"

namespace test {

/// Entries in place; everything in nodes.
using numbers = syncmap::map<std::uint64_t, std::uint64_t>;
using texts = syncmap::map<std::string, wide_proof>;

/// The keys of a test, made beforehand: looking one up shall not allocate.
template <class Map>
const std::vector<typename Map::key_type>& keys() {
    static const auto all = [] {
        std::vector<typename Map::key_type> made;
        for (std::uint64_t i = 0; i < 4000; ++i) made.push_back(key_of<typename Map::key_type>(i));
        return made;
    }();
    return all;
}

template <class Map>
typename Map::mapped_type proven(std::uint64_t number, std::uint64_t generation) {
    return proof<typename Map::mapped_type>::of({number, generation, 0});
}

/// Looks a key up in all ways that copy nothing. False: what was found cannot be. Safe in a signal handler.
template <class Map>
bool read_one(const Map& map, std::uint64_t number) {
    const auto& key = keys<Map>()[number];
    bool right = true;
    map.visit(key, [&](const auto& value) { right = proof<typename Map::mapped_type>::holds(value, number); });
    if (const auto loaded = map.load(key)) right = right && proof<typename Map::mapped_type>::holds(*loaded, number);
    static_cast<void>(map.contains(key));
    return right;
}

/// A writer without end: overwrites, inserts and erases, grows and shrinks; `goes_on` is asked now and then.
template <class Map, class GoesOn>
void write_while(Map& map, std::uint64_t seed, GoesOn goes_on) {
    random draw(seed);
    const auto& all = keys<Map>();
    for (std::uint64_t generation = 0; goes_on(); ++generation) {
        const std::uint64_t span = generation % 3 == 0 ? all.size() : 200; // growing and shrinking
        for (int i = 0; i < 200; ++i) {
            const std::uint64_t n = draw.below(span);
            switch (draw.below(8)) {
            case 0: map.update(all[n], [&](const auto*) { return proven<Map>(n, generation & 0xFFFF); }); break;
            case 1:
            case 2: map.erase(all[n]); break;
            default: map.store(all[n], proven<Map>(n, generation & 0xFFFF));
            }
        }
        if (generation % 3 == 2) {
            for (std::uint64_t n = 200; n < all.size(); n += 2) map.erase(all[n]);
        }
        if (generation % 64 == 63) map.clear();
    }
}

/// A figure for the record, among the output of the test.
inline void report(std::string_view what, std::uint64_t figure) {
    std::printf("[  figure  ] %.*s: %llu\n", static_cast<int>(what.size()), what.data(),
                static_cast<unsigned long long>(figure));
}

inline bool long_form() { return scaled(sanitizer_cost) > sanitizer_cost || (sanitized && scaled(sanitizer_cost) > 1); }

/// Bytes of the process that are in memory, without what the heap has free.
inline std::uint64_t resident_bytes() {
#if defined(__GLIBC__)
    ::malloc_trim(0);
#endif
    unsigned long long pages = 0;
    unsigned long long resident = 0;
    std::FILE* const file = std::fopen("/proc/self/statm", "r");
    if (file == nullptr) return 0;
    if (std::fscanf(file, "%llu %llu", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace test
