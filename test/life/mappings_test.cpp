// Tables that lie in pages of the system: how many mappings they take, and what becomes of them when the system refuses.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <gtest/gtest.h>

#include <syncmap/snapshot.hpp>

#include "life/common.hpp"
#include "support/sandbox.hpp"

#if defined(SYNCMAP_TEST_SANDBOX) && !defined(SYNCMAP_TEST_SANITIZED)

namespace test {
namespace {

std::size_t mappings() {
    std::FILE* const file = std::fopen("/proc/self/maps", "r");
    std::size_t lines = 0;
    for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) lines += c == '\n' ? 1 : 0;
    std::fclose(file);
    return lines;
}
std::size_t mapped_bytes() {
    unsigned long long pages = 0;
    std::FILE* const file = std::fopen("/proc/self/statm", "r");
    if (std::fscanf(file, "%llu", &pages) != 1) pages = 0;
    std::fclose(file);
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// A table of some 300 KiB: more than what the allocator gives.
constexpr std::size_t medium = 9'000;
std::unique_ptr<numbers> medium_map() {
    auto map = std::make_unique<numbers>();
    map->reserve(medium);
    for (std::uint64_t n = 0; n < 10; ++n) map->store(n, n);
    return map;
}
bool is_whole(const numbers& map) {
    bool whole = map.size() == 10;
    for (std::uint64_t n = 0; n < 10; ++n) whole = whole && map.load(n) == n;
    return whole;
}

constexpr std::size_t many = 1'000;

} // namespace

TEST(mappings, are_shared_by_tables_that_lie_side_by_side) {
    EXPECT_TRUE(in_child([] {
        keep_the_heap_in_one_piece();
        const std::size_t before = mappings();
        const std::size_t bytes_before = mapped_bytes();
        std::vector<std::unique_ptr<numbers>> all;
        for (std::size_t i = 0; i < many; ++i) all.push_back(medium_map());
        std::printf("[  figure  ] mappings of %zu tables: %zu, MiB: %zu\n", many, mappings() - before,
                    (mapped_bytes() - bytes_before) >> 20);
        std::fflush(stdout);
        require_in_child(mapped_bytes() - bytes_before >= many * (std::size_t{200} << 10), "the tables are not mapped");
        require_in_child(mappings() - before <= many / 10, "each table is a mapping");
        for (std::size_t i = 0; i < many; i += 2) all[i].reset(); // holes: as many mappings as tables
        for (std::size_t i = 1; i < many; i += 2) require_in_child(is_whole(*all[i]), "an entry is lost");
        all.clear();
        const std::size_t left = mapped_bytes() - std::min(mapped_bytes(), bytes_before);
        require_in_child(left <= std::size_t{4} << 20, "address space stays");
        require_in_child(mappings() <= before + 20, "mappings stay");
    }));
}

TEST(mappings, may_be_refused_where_the_allocator_has_memory) {
    EXPECT_TRUE(in_child([] {
        keep_the_heap_in_one_piece();
        require_in_child(refuse({{SYS_mmap, ENOMEM}}), "no filter");
        std::vector<std::unique_ptr<numbers>> all;
        for (std::size_t i = 0; i < 100; ++i) all.push_back(medium_map());
        for (const auto& map : all) require_in_child(is_whole(*map), "an entry is lost");
        numbers large;
        large.reserve(1'000'000);
        for (std::uint64_t n = 0; n < 10; ++n) large.store(n, n);
        require_in_child(is_whole(large), "an entry is lost");
        const auto instant = large.snapshot();
        require_in_child(instant.size() == 10, "a snapshot without mappings");
    }));
}

TEST(mappings, that_the_system_does_not_take_back_are_used_again) {
    EXPECT_TRUE(in_child([] {
        keep_the_heap_in_one_piece();
        require_in_child(refuse({{SYS_munmap, ENOMEM}}), "no filter");
        for (std::size_t i = 0; i < 10; ++i) static_cast<void>(medium_map());
        const std::size_t bytes = mapped_bytes();
        const std::uint64_t resident = resident_bytes();
        for (std::size_t i = 0; i < many; ++i) require_in_child(is_whole(*medium_map()), "an entry is lost");
        const std::size_t growth = mapped_bytes() - std::min(bytes, mapped_bytes());
        std::printf("[  figure  ] bytes of address space that stay after %zu maps: %zu\n", many, growth);
        std::fflush(stdout);
        require_in_child(growth <= std::size_t{4} << 20, "address space stays");
        require_in_child(resident_bytes() <= resident + (std::uint64_t{4} << 20), "memory stays");
        // Of other sizes, and huge ones, which are cut out of a larger range.
        for (std::size_t i = 0; i < 50; ++i) {
            numbers map;
            map.reserve(i % 2 == 0 ? 30'000 : 400'000);
            for (std::uint64_t n = 0; n < 10; ++n) map.store(n, n);
            require_in_child(is_whole(map), "an entry is lost");
        }
        require_in_child(resident_bytes() <= resident + (std::uint64_t{8} << 20), "memory stays");
    }));
}

} // namespace test

#endif
