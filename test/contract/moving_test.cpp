// Maps that are moved and swapped, values that are taken out, sets, loops over snapshots, and what a map tells of itself.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <functional>
#include <iterator>
#include <list>
#include <memory>
#include <memory_resource>
#include <new>
#include <optional>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/checked_map.hpp>
#include <syncmap/fork.hpp>
#include <syncmap/set.hpp>
#include <syncmap/stats.hpp>

#include "support/maps.hpp"

namespace test {
namespace {

/// A value that is alive once for each entry, and that can only be moved.
class only_moved {
public:
    static inline std::atomic<int> alive{0};
    explicit only_moved(int n) : number(n) { ++alive; }
    only_moved(only_moved&& other) noexcept : number(std::exchange(other.number, -1)) { ++alive; }
    only_moved& operator=(only_moved&&) = delete;
    ~only_moved() { --alive; }
    int number;
};

constexpr int entries_made = 300;

template <class Map>
Map made() {
    Map map;
    for (int i = 0; i < entries_made; ++i) map.insert(i, only_moved(i));
    return map;
}

template <class Map>
void expect_full(const Map& map) {
    EXPECT_EQ(map.size(), static_cast<std::size_t>(entries_made));
    for (int i = 0; i < entries_made; ++i) EXPECT_TRUE(map.visit(i, [&](const only_moved& v) { EXPECT_EQ(v.number, i); }));
}

} // namespace

template <class Family>
class moving : public ::testing::Test {
protected:
    using map_type = typename Family::template of<int, only_moved>;
};
TYPED_TEST_SUITE(moving, families, names);

TYPED_TEST(moving, takes_the_contents_over_and_leaves_an_empty_map) {
    using map = typename TestFixture::map_type;
    static_assert(std::is_nothrow_move_constructible_v<map> && !std::is_copy_constructible_v<map>);
    static_assert(!std::is_copy_assignable_v<map> && !std::is_move_assignable_v<map>);
    {
        map first = made<map>();
        const int alive = only_moved::alive;
        map second(std::move(first));
        EXPECT_EQ(only_moved::alive, alive) << "no entry is touched";
        expect_full(second);
        EXPECT_EQ(first.size(), 0U);
        EXPECT_FALSE(first.contains(1));
        EXPECT_TRUE(first.insert(entries_made, only_moved(entries_made))) << "it is as good as new";
        EXPECT_FALSE(second.contains(entries_made));
        EXPECT_TRUE(second.erase(1));
        EXPECT_TRUE(second.insert(entries_made + 1, only_moved(1)));
        map third(std::move(second));
        map fourth(std::move(second)); // of an empty one
        EXPECT_EQ(third.size(), static_cast<std::size_t>(entries_made));
        EXPECT_EQ(fourth.size(), 0U);
    }
    EXPECT_EQ(only_moved::alive, 0);
}

TYPED_TEST(moving, lets_vectors_of_maps_grow) {
    using map = typename TestFixture::map_type;
    std::vector<map> all;
    for (int i = 0; i < 10; ++i) all.push_back(made<map>());
    for (const map& each : all) expect_full(each);
    std::optional<map> perhaps(made<map>());
    expect_full(*perhaps);
    struct holder {
        int number;
        map entries;
    };
    holder one{1, made<map>()};
    const holder other(std::move(one));
    expect_full(other.entries);
}

TYPED_TEST(moving, swaps_two_maps) {
    using map = typename TestFixture::map_type;
    map full = made<map>();
    map empty;
    full.swap(empty);
    expect_full(empty);
    EXPECT_EQ(full.size(), 0U);
    swap(full, empty);
    expect_full(full);
    full.swap(full);
    expect_full(full);
}

// The garbage of other threads names the map that it came from.
TYPED_TEST(moving, leaves_the_garbage_of_other_threads_where_it_is_destroyed) {
    using map = typename TypeParam::template of<int, only_moved, syncmap::hash<int>, std::equal_to<>,
                                                std::pmr::polymorphic_allocator<std::pair<const int, only_moved>>>;
    {
        alignas(map) std::byte room[sizeof(map)];
        map* const first = ::new (static_cast<void*>(room)) map(made<map>());
        std::optional<map> second;
        std::atomic<int> step{0};
        const auto wait_for = [&](int wanted) {
            while (step.load() < wanted) std::this_thread::yield();
        };
        std::thread writer([&] {
            for (int i = 0; i < 250; ++i) first->erase(i); // more than it keeps blocks of
            step = 1;
            wait_for(2);
            map other; // whose garbage fills the account of this thread: it collects that of both
            for (int i = 0; i < 2'000; ++i) {
                other.insert(i, only_moved(i));
                other.erase(i);
            }
            for (int i = 0; i < 2'000; ++i) {
                second->insert(entries_made, only_moved(1));
                second->erase(entries_made);
            }
        });
        wait_for(1);
        second.emplace(std::move(*first));
        std::destroy_at(first);
        std::memset(room, 0xEE, sizeof room); // a look at the former map finds no allocator there
        step = 2;
        writer.join();
        EXPECT_EQ(second->size(), static_cast<std::size_t>(entries_made - 250));
    }
    EXPECT_EQ(only_moved::alive, 0);
}

TYPED_TEST(moving, keeps_functions_and_allocator_in_both) {
    struct shifted {
        int by = 0;
        std::size_t operator()(int n) const noexcept { return static_cast<std::size_t>(n + by); }
    };
    std::pmr::monotonic_buffer_resource memory;
    using map = typename TypeParam::template of<int, int, shifted, std::equal_to<>,
                                                std::pmr::polymorphic_allocator<std::pair<const int, int>>>;
    map first(shifted{3}, {}, &memory);
    first.store(1, 2);
    map second(std::move(first));
    for (const map* each : {&first, &second}) {
        EXPECT_EQ(each->hash_function().by, 3);
        EXPECT_EQ(each->get_allocator().resource(), &memory);
    }
    map third(shifted{4});
    third.swap(second);
    EXPECT_EQ(third.load(1), 2);
    EXPECT_EQ(third.hash_function().by, 3);
    EXPECT_EQ(third.get_allocator().resource(), &memory);
    EXPECT_EQ(second.hash_function().by, 4);
    second.store(5, 6);
    EXPECT_EQ(second.take(5), 6);
    EXPECT_EQ(second.take(5), std::nullopt);
}

TYPED_TEST(moving, out_of_a_map_is_done_where_no_thread_can_look) {
    if constexpr (std::is_same_v<TypeParam, behind_mutex> || std::is_same_v<TypeParam, behind_shared_mutex>) {
        auto map = made<typename TestFixture::map_type>();
        const std::optional<only_moved> taken = map.take(7);
        ASSERT_TRUE(taken.has_value());
        EXPECT_EQ(taken->number, 7);
        EXPECT_FALSE(map.contains(7) || map.take(7).has_value());
    }
}

TYPED_TEST(moving, tells_figures_of_the_map) {
    using map = typename TestFixture::map_type;
    map entries;
    const syncmap::map_stats before = entries.stats();
    EXPECT_EQ(before.entries + before.buckets + before.places, 0U);
    EXPECT_EQ(before.load, 0);
    for (int i = 0; i < entries_made; ++i) entries.insert(i, only_moved(i));
    for (int i = 0; i < 10; ++i) entries.erase(i);
    const syncmap::map_stats after = entries.stats();
    EXPECT_EQ(after.entries, static_cast<std::size_t>(entries_made - 10));
    EXPECT_GE(after.places, after.entries / 2);
    EXPECT_GE(after.places, after.buckets);
    EXPECT_NEAR(after.load, static_cast<double>(after.entries) / static_cast<double>(after.places), 1e-9);
    constexpr bool is_flagship = std::is_same_v<TypeParam, flagship>;
    EXPECT_EQ(after.overflow_lines.has_value() && after.garbage_bytes.has_value() && after.resizes.has_value() &&
                  after.waits.has_value(),
              is_flagship);
    if (is_flagship) {
        EXPECT_GE(*after.resizes, 2U);
        EXPECT_GE(*after.garbage_bytes, 10 * sizeof(only_moved));
        if constexpr (requires { entries.flush(); }) entries.flush();
        EXPECT_EQ(entries.stats().garbage_bytes, 0U);
        EXPECT_EQ(entries.stats().waits, 0U);
    }
}

TEST(moved_maps, keep_their_pins_and_their_snapshots) {
    using map = syncmap::map<std::string, std::unique_ptr<int>>;
    auto first = std::make_unique<map>();
    for (int i = 0; i < entries_made; ++i) first->insert(std::to_string(i), std::make_unique<int>(1));
    map second;
    {
        auto pinned = first->pin("7");
        const auto before = first->snapshot();
        second.swap(*first);
        first.reset();
        for (int i = 0; i < entries_made; ++i) second.store(std::to_string(i), std::make_unique<int>(2));
        second.clear();
        second.flush(); // hands the node over to the pin
        EXPECT_EQ(**pinned, 1);
        EXPECT_EQ(before.size(), static_cast<std::size_t>(entries_made));
        EXPECT_TRUE(before.visit("8", [](const std::unique_ptr<int>& v) { EXPECT_EQ(*v, 1); }));
        std::size_t seen = 0;
        for (const auto& [key, value] : before) seen += static_cast<std::size_t>(*value);
        EXPECT_EQ(seen, static_cast<std::size_t>(entries_made));
        pinned.reset();
    }
    EXPECT_EQ(second.size(), 0U);
}

TEST(moved_maps, are_known_to_fork) {
    auto first = std::make_unique<syncmap::map<int, int>>();
    first->store(1, 2);
    syncmap::map<int, int> second(std::move(*first));
    first.reset();
    syncmap::before_fork(); // marks the root of every map
    syncmap::after_fork_in_parent();
    EXPECT_FALSE(second.store(1, 3));
    EXPECT_EQ(second.load(1), 3);
}

TEST(moved_maps, that_are_checked_keep_name_and_monitor) {
    syncmap::checked_map<int, int> first("first");
    first.store(1, 2);
    syncmap::checked_map<int, int> second(std::move(first));
    EXPECT_EQ(second.take(1), 2);
    second.insert({{1, 1}, {2, 2}});
    first.swap(second);
    EXPECT_EQ(first.size(), 2U);
    EXPECT_EQ(second.merge(first), 2U);
    EXPECT_EQ(second.insert_range(std::vector<std::pair<int, int>>{{2, 0}, {3, 0}}), 1U);
    EXPECT_EQ(second.stats().entries, 3U);
    EXPECT_EQ(second.erase_many(std::list<int>{1, 9}), 1U);
}

TEST(extracted_entries, are_held_and_not_copied) {
    syncmap::map<std::string, std::unique_ptr<int>> map;
    map.insert("a", std::make_unique<int>(1));
    auto held = map.extract("a");
    ASSERT_TRUE(held);
    EXPECT_EQ(held.key(), "a");
    EXPECT_FALSE(map.contains("a"));
    EXPECT_FALSE(map.extract("a"));
    map.insert("a", std::make_unique<int>(2));
    map.flush();
    EXPECT_EQ(**held, 1);
    syncmap::map<int, int> inside;
    inside.store(1, 2);
    EXPECT_EQ(*inside.extract(1), 2);
    EXPECT_FALSE(inside.extract(1));
    syncmap::map<std::string, int> beside;
    beside.store("a", 2);
    EXPECT_EQ(*beside.extract("a"), 2);
    EXPECT_EQ(beside.size(), 0U);
}

TEST(loops_over_snapshots, show_each_entry_once) {
    syncmap::map<int, int> inside;
    syncmap::map<std::string, std::unique_ptr<int>> nodes;
    for (int i = 0; i < entries_made; ++i) {
        inside.store(i, 2 * i);
        nodes.insert(std::to_string(i), std::make_unique<int>(i));
    }
    std::set<int> seen;
    for (auto [key, value] : inside.snapshot()) {
        EXPECT_EQ(value, 2 * key);
        EXPECT_TRUE(seen.insert(key).second);
        inside.erase(key + 1); // what comes later is not seen
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(entries_made));
    int sum = 0;
    for (const auto& [key, value] : nodes.snapshot()) {
        static_assert(std::is_same_v<decltype(key), const std::string&> || std::is_same_v<decltype(key), const std::string>);
        sum += *value;
        nodes.erase(key);
    }
    EXPECT_EQ(sum, entries_made * (entries_made - 1) / 2);
    for (const auto& entry : nodes.snapshot()) ADD_FAILURE() << entry.first;
    for (const auto& entry : syncmap::map<int, int>().snapshot()) ADD_FAILURE() << entry.first;
}

TEST(loops_over_snapshots, are_input_ranges) {
    syncmap::map<std::string, int> map{{"a", 1}, {"b", 2}};
    const auto now = map.snapshot();
    static_assert(
        std::ranges::input_range<decltype(now)> &&
        std::ranges::input_range<syncmap::snapshot<syncmap::engine::table<
            int, std::unique_ptr<int>, syncmap::hash<int>, std::equal_to<>, std::allocator<std::pair<const int, int>>>>>);
    std::vector<std::pair<std::string, int>> copies;
    std::ranges::copy(now, std::back_inserter(copies));
    std::ranges::sort(copies);
    EXPECT_EQ(copies, (std::vector<std::pair<std::string, int>>{{"a", 1}, {"b", 2}}));
    EXPECT_EQ(std::ranges::count_if(now, [](const auto& entry) { return entry.second > 1; }), 1);
}

TEST(sets, hold_keys_alone) {
    syncmap::set<std::string> set{"a", "b"};
    EXPECT_FALSE(set.insert("a"));
    EXPECT_TRUE(set.insert(std::string("c")));
    EXPECT_EQ(set.insert({"c", "d"}), 1U);
    EXPECT_EQ(set.insert_range(std::set<std::string_view>{"d", "e"}), 1U);
    EXPECT_TRUE(set.contains("e"));
    EXPECT_EQ(set.erase_if([](const std::string& key) { return key > "c"; }), 2U);
    std::string all;
    EXPECT_EQ(set.for_each([&](const std::string& key) { all += key; }), 3U);
    EXPECT_EQ(all.size(), 3U);
    syncmap::set<std::string> more{"c", "x"};
    EXPECT_EQ(set.merge(more), 1U);
    EXPECT_EQ(more.size(), 1U);
    {
        const auto now = set.snapshot();
        set.clear();
        static_assert(std::ranges::input_range<decltype(now)>);
        std::set<std::string> seen;
        for (const std::string& key : now) seen.insert(key);
        EXPECT_EQ(seen, (std::set<std::string>{"a", "b", "c", "x"}));
        EXPECT_TRUE(now.contains("a") && set.empty());
    }
    EXPECT_TRUE(more.visit("c", [](const std::string& key) { EXPECT_EQ(key, "c"); }));
    bool there[2] = {};
    EXPECT_EQ(more.contains_many(std::list<const char*>{"c", "y"}, there), 1U);
    syncmap::set<std::string> moved(std::move(more));
    moved.swap(set);
    EXPECT_EQ(set.stats().entries, 1U);
    EXPECT_TRUE(set.erase("c"));
}

TEST(sets, take_keys_of_every_kind) {
    syncmap::set<int> numbers{1, 2, 3};
    EXPECT_EQ(numbers.erase_if([](int n) { return n > 1; }), 2U);
    int sum = 0;
    for (const int n : numbers.snapshot()) sum += n;
    EXPECT_EQ(sum, 1);
    syncmap::set<std::unique_ptr<int>> unique;
    EXPECT_TRUE(unique.insert(std::make_unique<int>(1)));
    EXPECT_EQ(unique.size(), 1U);
    syncmap::any_set any;
    EXPECT_TRUE(any.insert("a") && any.insert(1) && any.insert(1L) && !any.insert(std::string("a")));
    syncmap::set<syncmap::text> texts{"a", "a"};
    EXPECT_TRUE(texts.size() == 1 && texts.contains("a"));
}

TEST(batches_of_ranges, take_any_that_can_be_walked_twice) {
    struct user {
        int id;
        std::string name;
    };
    syncmap::map<int, int> ages;
    syncmap::map<std::string, int> by_name;
    std::list<int> ids;
    std::vector<user> users;
    for (int i = 0; i < 150; ++i) { // more than one part of a list
        ids.push_back(i);
        users.push_back({i, "user" + std::to_string(i)});
    }
    EXPECT_EQ(ages.store_many(ids, ids | std::views::transform([](int id) { return id + 20; })), 150U);
    std::vector<std::optional<int>> found(150);
    EXPECT_EQ(ages.load_many(users, found, &user::id), 150U);
    for (int i = 0; i < 150; ++i) EXPECT_EQ(found[static_cast<std::size_t>(i)], i + 20);
    std::set<int> even;
    for (int i = 0; i < 300; i += 2) even.insert(i);
    EXPECT_EQ(ages.visit_many(even, [](std::size_t i, int age) { EXPECT_EQ(age, 20 + 2 * static_cast<int>(i)); }), 75U);
    EXPECT_EQ(ages.erase_many(even), 75U);
    EXPECT_EQ(by_name.store_many(users | std::views::transform(&user::name), ids), 150U);
    EXPECT_EQ(by_name.load_many(users, found, &user::name), 150U);
    EXPECT_EQ(found[149], 149);
    auto spelt = users | std::views::filter([](const user& u) { return u.id < 70; }) |
                 std::views::transform([](const user& u) { return u.name + ""; });
    EXPECT_EQ(by_name.load_many(spelt, found), 70U);
    EXPECT_EQ(found[69], 69);
}

} // namespace test
