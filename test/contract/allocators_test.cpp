#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory_resource>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

#include "support/allocators.hpp"
#include "support/maps.hpp"

namespace test {

template <class Family>
class allocators : public ::testing::Test {
protected:
    template <class Key, class T>
    using allocator = booked<std::pair<const Key, T>>;
    template <class Key, class T>
    using booked_map = typename Family::template of<Key, T, syncmap::hash<Key>, std::equal_to<>, allocator<Key, T>>;

    template <class Map>
    static void use(Map& map) {
        for (int round = 0; round < 3; ++round) {
            for (int i = 0; i < 2000; ++i) map.store(key<Map>(i), value<Map>(i));
            for (int i = 0; i < 2000; ++i) map.store(key<Map>(i), value<Map>(i + 1));
            for (int i = 0; i < 1500; ++i) map.erase(key<Map>(i));
            if (round == 1) map.clear();
        }
    }
};
TYPED_TEST_SUITE(allocators, families, names);

TYPED_TEST(allocators, get_back_all_memory_of_small_entries) {
    ledger books;
    {
        using map_type = typename TestFixture::template booked_map<int, int>;
        map_type map(typename map_type::allocator_type{books});
        this->use(map);
        EXPECT_GT(books.live_bytes.load(), 0U);
    }
    EXPECT_GT(books.allocations.load(), 0U);
    EXPECT_EQ(books.live_blocks.load(), 0U);
    EXPECT_EQ(books.live_bytes.load(), 0U);
}

TYPED_TEST(allocators, get_back_all_memory_of_large_entries) {
    ledger books;
    {
        using map_type = typename TestFixture::template booked_map<std::string, std::string>;
        map_type map(typename map_type::allocator_type{books});
        this->use(map);
        EXPECT_GT(books.live_bytes.load(), 0U);
    }
    EXPECT_EQ(books.live_blocks.load(), 0U);
    EXPECT_EQ(books.live_bytes.load(), 0U);
}

namespace {

struct alignas(128) wide {
    int number = 0;
    friend bool operator==(const wide&, const wide&) = default;
};
bool is_aligned(const wide& w) { return reinterpret_cast<std::uintptr_t>(&w) % alignof(wide) == 0; }

template <class Map, class MakeKey>
void use_crudely(ledger& books, MakeKey make_key) {
    Map map(typename Map::allocator_type{books});
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 2000; ++i) map.store(make_key(i), typename Map::mapped_type{});
        for (int i = 0; i < 2000; ++i) map.store(make_key(i), typename Map::mapped_type{});
        for (int i = 0; i < 1900; ++i) map.erase(make_key(i));
        EXPECT_EQ(map.size(), 100U);
        if constexpr (std::is_same_v<typename Map::mapped_type, wide>) {
            map.for_each([](const auto&, const wide& value) { EXPECT_TRUE(is_aligned(value)); });
        }
        map.clear();
    }
}

} // namespace

TYPED_TEST(allocators, may_know_no_alignment_but_the_usual_ones) {
    ledger books;
    const auto number = [](int i) { return i; };
    const auto name = [](int i) { return "a name that is long enough, " + std::to_string(i); };
    using equal = std::equal_to<>;
    using numbers = typename TypeParam::template of<int, int, syncmap::hash<int>, equal, crude<std::pair<const int, int>>>;
    using texts = typename TypeParam::template of<std::string, std::string, syncmap::hash<std::string>, equal,
                                                  crude<std::pair<const std::string, std::string>>>;
    using wide_values = typename TypeParam::template of<std::string, wide, syncmap::hash<std::string>, equal,
                                                        crude<std::pair<const std::string, wide>>>;
    use_crudely<numbers>(books, number);
    use_crudely<texts>(books, name);
    use_crudely<wide_values>(books, name);
    EXPECT_EQ(books.live_blocks.load(), 0U);
    EXPECT_EQ(books.live_bytes.load(), 0U);
}

TYPED_TEST(allocators, are_asked_for_nothing_by_an_empty_map) {
    ledger books;
    using map_type = typename TestFixture::template booked_map<std::string, int>;
    const map_type map(typename map_type::allocator_type{books});
    EXPECT_FALSE(map.contains("key"));
    EXPECT_EQ(books.allocations.load(), 0U);
}

TYPED_TEST(allocators, are_returned_as_given) {
    ledger books;
    using map_type = typename TestFixture::template booked_map<std::string, int>;
    const map_type map(typename map_type::allocator_type{books});
    EXPECT_EQ(map.get_allocator(), typename map_type::allocator_type{books});
}

TYPED_TEST(allocators, of_one_map_serve_that_map_alone) {
    ledger books_of_one;
    ledger books_of_two;
    using map_type = typename TestFixture::template booked_map<int, std::string>;
    map_type one(typename map_type::allocator_type{books_of_one});
    map_type two(typename map_type::allocator_type{books_of_two});
    one.store(1, "one");
    EXPECT_GT(books_of_one.live_bytes.load(), 0U);
    EXPECT_EQ(books_of_two.allocations.load(), 0U);
}

TYPED_TEST(allocators, take_part_in_construction_from_ranges) {
    ledger books;
    using map_type = typename TestFixture::template booked_map<int, int>;
    const std::array<std::pair<int, int>, 3> entries{{{1, 2}, {3, 4}, {5, 6}}};
    {
        const map_type map(entries.begin(), entries.end(), syncmap::hash<int>{}, std::equal_to<>{},
                           typename map_type::allocator_type{books});
        EXPECT_EQ(map.size(), 3U);
        EXPECT_GT(books.live_bytes.load(), 0U);
    }
    EXPECT_EQ(books.live_blocks.load(), 0U);
}

/// Runs a growing map with an allocator that fails at its n-th allocation, for every n until none fails any more.
template <class Map>
void fail_each_allocation_once() {
    constexpr int count = 300;
    bool failed = true;
    for (std::size_t n = 0; failed; ++n) {
        failed = false;
        ledger books;
        {
            Map map(typename Map::allocator_type{books});
            books.budget = n;
            for (int i = 0; i < count; ++i) {
                const std::size_t before = map.size();
                try {
                    map.store(key<Map>(i), value<Map>(i));
                } catch (const std::bad_alloc&) {
                    failed = true;
                    books.budget = std::numeric_limits<std::size_t>::max();
                    ASSERT_EQ(map.size(), before) << n;
                    ASSERT_FALSE(map.contains(key<Map>(i))) << n;
                    map.store(key<Map>(i), value<Map>(i));
                }
            }
            books.budget = std::numeric_limits<std::size_t>::max();
            ASSERT_EQ(map.size(), static_cast<std::size_t>(count));
            for (int i = 0; i < count; ++i) ASSERT_EQ(map.load(key<Map>(i)), value<Map>(i)) << n;
        }
        ASSERT_EQ(books.live_blocks.load(), 0U) << n;
    }
}

TYPED_TEST(allocators, may_fail_at_any_time_and_nothing_is_lost_of_small_entries) {
    fail_each_allocation_once<typename TestFixture::template booked_map<int, int>>();
}

TYPED_TEST(allocators, may_fail_at_any_time_and_nothing_is_lost_of_large_entries) {
    fail_each_allocation_once<typename TestFixture::template booked_map<std::string, std::string>>();
}

TYPED_TEST(allocators, of_polymorphic_memory_resources_work) {
    std::pmr::unsynchronized_pool_resource pool; // one thread, so the plain one will do
    using map_type = typename TypeParam::template of<int, std::string, syncmap::hash<int>, std::equal_to<>,
                                                     std::pmr::polymorphic_allocator<std::pair<const int, std::string>>>;
    map_type map{typename map_type::allocator_type(&pool)};
    EXPECT_EQ(map.get_allocator().resource(), &pool);
    for (int i = 0; i < 1000; ++i) map.store(i, std::to_string(i));
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(map.load(i), std::to_string(i));
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(map.erase(i));
}

namespace {

/// While it exists, memory that is not the map's own is refused to objects that know memory resources.
class no_other_memory {
public:
    no_other_memory() : before_(std::pmr::set_default_resource(std::pmr::null_memory_resource())) {}
    no_other_memory(const no_other_memory&) = delete;
    no_other_memory& operator=(const no_other_memory&) = delete;
    ~no_other_memory() { std::pmr::set_default_resource(before_); }

private:
    std::pmr::memory_resource* before_;
};

} // namespace

TYPED_TEST(allocators, of_polymorphic_memory_resources_are_those_of_keys_and_values) {
    std::pmr::unsynchronized_pool_resource pool;
    using text = std::pmr::string;
    using map_type = typename TypeParam::template of<text, text, syncmap::hash<text>, std::equal_to<>,
                                                     std::pmr::polymorphic_allocator<std::pair<const text, text>>>;
    const char* const long_key = "a key that is longer than what a string has room for";
    const char* const long_value = "a value that is longer than what a string has room for";
    const text key(long_key, &pool);
    const text value(long_value, &pool);
    text expected(long_value, &pool);
    const text other("another value that is longer than what a string has room for", &pool);
    const std::array<std::string_view, 2> keys{"the first of many keys, which are long ones",
                                               "the second of many keys, which are long"};
    const no_other_memory from_here_on;
    {
        map_type map{typename map_type::allocator_type(&pool)};
        const auto expect_own_memory = [&] {
            map.for_each([&](const text& k, const text& v) {
                EXPECT_EQ(k.get_allocator().resource(), &pool);
                EXPECT_EQ(v.get_allocator().resource(), &pool);
            });
        };
        for (int round = 0; round < 300; ++round) { // nodes that were freed are used again
            EXPECT_EQ(map.store(key, value), round == 0);
            EXPECT_FALSE(map.store(long_key, other));
            EXPECT_FALSE(map.store(std::string_view(long_key), long_value));
            EXPECT_TRUE(map.compare_exchange(key, expected, other));
            map.store(key, long_value);
            map.update(key, [&](const text*) { return long_value; });
            map.update(long_key, [&](const text*) -> const text& { return other; });
            map.store(key, long_value);
            expect_own_memory();
        }
        EXPECT_TRUE(map.insert("another key that is longer than what a string has room for", value));
        EXPECT_TRUE(map.update("a third key that is longer than what a string has room for",
                               [&](const text*) { return long_value; }) == syncmap::update_result::inserted);
        EXPECT_EQ(map.store_many(keys, keys), 2U);
        EXPECT_TRUE(map.erase(std::string_view(long_key)));
        expect_own_memory();
        EXPECT_EQ(map.size(), 4U);
    }
}

} // namespace test
