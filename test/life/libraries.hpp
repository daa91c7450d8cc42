// What the libraries of libraries_test.cpp offer to the program: the same map used by code of several images, each
// compiled with all symbols hidden but these.
#pragma once

#include <cstdint>

#include <syncmap/errors.hpp>
#include <syncmap/map.hpp>

namespace test {

/// Falls to pieces when it is destroyed.
struct brittle {
    explicit brittle(std::uint64_t n) noexcept : number(n), shadow(~n) {}
    brittle(const brittle& other) noexcept : number(other.number), shadow(other.shadow) {}
    brittle& operator=(const brittle&) = delete;
    ~brittle() { *static_cast<volatile std::uint64_t*>(&shadow) = number; }
    bool whole() const noexcept { return shadow == ~number; }
    std::uint64_t number;
    std::uint64_t shadow;
};

using shared_map = syncmap::map<std::uint64_t, brittle>;

/// What any image does with the map; returns how much it found wrong.
inline std::uint64_t work_on(shared_map& map, std::uint64_t thread, std::uint64_t rounds) {
    std::uint64_t wrong = 0;
    for (std::uint64_t i = 0; i < rounds; ++i) {
        const std::uint64_t common = i % 16;
        map.store(common, brittle(i));
        map.visit((common * 7) % 16, [&](const brittle& value) { wrong += value.whole() ? 0 : 1; });
        map.store(1000 + thread, brittle(i)); // in the end one key for each thread
        if (i % 2 == 0)
            map.erase(2000 + thread * 64 + i % 64);
        else
            map.store(2000 + thread * 64 + i % 64, brittle(i));
        if (i % 64 == 0) {
            std::uint64_t sum = 0;
            map.update(3000, [&](const brittle* old) { return brittle(sum = old == nullptr ? 1 : old->number + 1); });
        }
    }
    for (std::uint64_t i = 0; i < 64; ++i) map.erase(2000 + thread * 64 + i);
    return wrong;
}

/// Whether the value of key 1 stays what it is while `inner` replaces it.
inline bool observe(shared_map& map, void (*inner)(shared_map*)) {
    bool whole = false;
    map.visit(1, [&](const brittle& value) {
        inner(&map);
        whole = value.whole();
    });
    return whole;
}

/// Computes key 4000 and lets `inner` ask for it meanwhile.
inline void compute_with(shared_map& map, void (*inner)(shared_map*)) {
    map.update(4000, [&](const brittle*) {
        inner(&map);
        return brittle(1);
    });
}
/// Whether writing key 4000 throws `recursive_update`.
inline bool is_refused(shared_map& map) {
    try {
        map.store(4000, brittle(2));
    } catch (const syncmap::recursive_update&) {
        return true;
    }
    return false;
}

struct library {
    shared_map* (*make)();
    void (*destroy)(shared_map*);
    std::uint64_t (*work)(shared_map*, std::uint64_t, std::uint64_t);
    bool (*observe)(shared_map*, void (*)(shared_map*));
    void (*compute)(shared_map*, void (*)(shared_map*));
    bool (*refused)(shared_map*);
};

} // namespace test
