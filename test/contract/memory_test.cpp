// Memory is given back while the map lives, and steady work takes no more of it. Sanitizers keep freed memory and have
// bookkeeping of their own: there is nothing to be measured beside them.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include <malloc.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "support/maps.hpp"
#include "support/scale.hpp"

namespace test {

/// What the process has in memory of its own, without the pages of its program and libraries; and what is allocated from
/// the heap.
struct bytes_now {
    long resident;
    long heap;

    static bytes_now measure() {
        std::ifstream statm("/proc/self/statm");
        long all = 0;
        long pages = 0;
        long of_files = 0;
        statm >> all >> pages >> of_files;
        return {(pages - of_files) * ::sysconf(_SC_PAGESIZE), static_cast<long>(::mallinfo2().uordblks + ::mallinfo2().hblkhd)};
    }
    friend bytes_now operator-(const bytes_now& a, const bytes_now& b) { return {a.resident - b.resident, a.heap - b.heap}; }
};

constexpr long mebibyte = 1 << 20;

template <class M>
class memory : public ::testing::Test {
protected:
    using mapped = typename M::mapped_type;
    static constexpr bool in_nodes = std::is_same_v<mapped, std::string>;

    void SetUp() override {
        if (sanitized) GTEST_SKIP() << "a sanitizer keeps what is freed";
        ::malloc_trim(0);
    }
    static bool full() { return scaled(1) > 1; }
    static typename M::key_type key(std::uint64_t i) {
        if constexpr (std::is_same_v<typename M::key_type, std::string>) {
            return std::to_string(i) + " is a key that is not short";
        } else {
            return i;
        }
    }
    static mapped value(std::uint64_t i) {
        if constexpr (in_nodes) {
            return std::to_string(i) + " is a value that is not short";
        } else {
            return i;
        }
    }
    /// Nodes are the heap's, which gives only whole pages back to the system: there what is allocated counts.
    static long of_map(const bytes_now& b) { return in_nodes ? b.heap : b.resident; }
};
using measured = ::testing::Types<flagship::of<std::uint64_t, std::uint64_t>, flagship::of<std::string, std::string>>;
TYPED_TEST_SUITE(memory, measured, names);

TYPED_TEST(memory, is_given_back_after_99_of_100_entries_were_erased) {
    const std::uint64_t entries = this->full() ? 10'000'000 : 1'000'000;
    const long small_tables = this->full() ? 0 : 2 * mebibyte; // they stay for the next resize, at most so much
    const auto before_fresh = bytes_now::measure();
    auto fresh = std::make_unique<TypeParam>();
    for (std::uint64_t i = 0; i < entries; i += 100) fresh->store(this->key(i), this->value(i));
    const long of_fresh = this->of_map(bytes_now::measure() - before_fresh);
    fresh.reset();
    ::malloc_trim(0);

    const auto before = bytes_now::measure();
    TypeParam map;
    for (std::uint64_t i = 0; i < entries; ++i) map.store(this->key(i), this->value(i));
    const long of_full = this->of_map(bytes_now::measure() - before);
    for (std::uint64_t i = 0; i < entries; ++i) {
        if (i % 100 != 0) map.erase(this->key(i));
    }
    for (std::uint64_t i = 0; i < 2000; ++i) map.store(this->key(i * 100 % entries), this->value(i)); // further operations
    const long of_rest = this->of_map(bytes_now::measure() - before);
    std::printf("%ld KiB full, %ld KiB after erasing 99 %%, %ld KiB of a fresh map of that: ratio %.2f\n", of_full / 1024,
                of_rest / 1024, of_fresh / 1024, static_cast<double>(of_rest) / static_cast<double>(of_fresh));
    EXPECT_LE(of_rest, of_fresh + of_fresh / 4 + small_tables);
}

TYPED_TEST(memory, is_flat_under_steady_churn) {
    const std::uint64_t size = 10'000;
    const std::uint64_t replacements = this->full() ? 100'000'000 : 2'000'000;
    TypeParam map;
    std::uint64_t next = 0;
    const auto replace_some = [&](std::uint64_t n) {
        for (; n != 0; --n, ++next) {
            map.store(this->key(next), this->value(next));
            if (next >= size) map.erase(this->key(next - size));
        }
    };
    replace_some(500'000);
    map.flush();
    const auto before = bytes_now::measure();
    replace_some(replacements);
    map.flush();
    const auto grown = bytes_now::measure() - before;
    std::printf("%llu replacements: %ld KiB more resident, %ld KiB more of the heap\n",
                static_cast<unsigned long long>(replacements), grown.resident / 1024, grown.heap / 1024);
    EXPECT_LE(grown.resident, mebibyte);
    EXPECT_LE(grown.heap, mebibyte);
    EXPECT_EQ(map.size(), size);
}

TYPED_TEST(memory, of_tables_that_were_outgrown_or_cleared_is_given_back_by_ordinary_writes) {
    if (this->in_nodes) GTEST_SKIP() << "tables are the same for all";
    const std::uint64_t entries = this->full() ? 10'000'000 : 1'000'000;
    TypeParam map;
    for (std::uint64_t i = 0; i < entries; ++i) map.store(this->key(i), this->value(i));
    for (std::uint64_t i = 0; i < 5000; ++i) map.store(this->key(i), this->value(i));
    const auto one = bytes_now::measure();
    for (int round = 0; round < 3; ++round) {
        map.clear();
        EXPECT_LE((bytes_now::measure() - one).resident, -static_cast<long>(entries * 16));
        for (std::uint64_t i = 0; i < entries; ++i) map.store(this->key(i), this->value(i));
        for (std::uint64_t i = 0; i < 5000; ++i) map.store(this->key(i), this->value(i));
    }
    EXPECT_LE((bytes_now::measure() - one).resident, 4 * mebibyte);
}

TYPED_TEST(memory, shrinks_to_fit_at_once) {
    TypeParam map;
    map.shrink_to_fit();
    const auto before = bytes_now::measure(); // what was reserved takes no memory until it is touched
    map.reserve(1'000'000);
    for (std::uint64_t i = 0; i < 1000; ++i) map.store(this->key(i), this->value(i));
    map.shrink_to_fit();
    for (std::uint64_t i = 0; i < 1000; ++i) ASSERT_EQ(map.load(this->key(i)), this->value(i));
    EXPECT_EQ(map.size(), 1000U);
    EXPECT_LE((bytes_now::measure() - before).resident, mebibyte); // a quarter of it are the entries
}

TEST(memory_of_large_entries, waits_for_its_destruction_by_the_mebibyte) {
    struct large {
        char bytes[100'000];
    };
    if (sanitized) GTEST_SKIP() << "a sanitizer keeps what is freed";
    syncmap::map<int, large> map;
    const auto before = bytes_now::measure();
    for (int i = 0; i < 1000; ++i) map.store(1, large{});
    EXPECT_LE((bytes_now::measure() - before).heap, 3 * mebibyte);
}

} // namespace test
