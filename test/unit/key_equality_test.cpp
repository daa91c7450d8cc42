// Keys that look like texts and are equal in a way of their own.
#include <algorithm>
#include <cctype>
#include <cstddef>
#include <functional>
#include <new>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <syncmap/locked_map.hpp>
#include <syncmap/map.hpp>

#include "support/allocators.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"

namespace test {
namespace {

/// A name in which upper and lower case are the same. It converts to std::string_view, as std::string does.
struct name : std::string {
    using std::string::string;
    friend bool operator==(const name& a, const name& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                          [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
    }
};
struct name_hash {
    std::size_t operator()(const name& key) const {
        std::size_t sum = 0;
        for (const char c : key) sum = 31 * sum + static_cast<std::size_t>(std::tolower(static_cast<unsigned char>(c)));
        return sum;
    }
};

TEST(key_equality, of_the_type_says_who_computes_a_key) {
    syncmap::map<name, int, name_hash> map;
    const auto rounds = static_cast<int>(scaled(20'000));
    together(2, [&](std::size_t thread) {
        const name key = thread == 0 ? "KEY" : "key";
        for (int i = 0; i < rounds; ++i) map.update(key, [](const int* n) { return n == nullptr ? 1 : *n + 1; });
    });
    EXPECT_EQ(map.load("Key"), 2 * rounds);
    EXPECT_EQ(map.size(), 1U);
}

TEST(shrink_to_fit, of_a_locked_map_leaves_it_as_it_is_without_memory) {
    using allocator = refusing<std::pair<const int, int>, std::bad_alloc>;
    bool refuses = false;
    syncmap::mutex_map<int, int, syncmap::hash<int>, std::equal_to<>, allocator> map(allocator{refuses});
    for (int i = 0; i < 1000; ++i) map.store(i, i);
    for (int i = 10; i < 1000; ++i) map.erase(i);
    refuses = true;
    EXPECT_NO_THROW(map.shrink_to_fit());
    refuses = false;
    EXPECT_EQ(map.size(), 10U);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(map.load(i), i);
}

} // namespace
} // namespace test
