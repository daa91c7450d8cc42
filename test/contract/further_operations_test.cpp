// Operations of the caller's own, and those that were added beside the ones of std::atomic.
#include <atomic>
#include <limits>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/operation/write_operation.hpp>

#include "support/maps.hpp"

namespace test {

namespace {

/// Stores the text if it is longer than the one there; a text of no characters erases.
struct longer_of_two : syncmap::operation_base {
    explicit longer_of_two(std::string_view t) : text(t) {}
    syncmap::decision decide(const std::string* now) {
        before = now == nullptr ? "none" : *now;
        if (text.empty()) return syncmap::decision::erase;
        return now != nullptr && now->size() >= text.size() ? syncmap::decision::keep : syncmap::decision::assign;
    }
    std::string_view make() const noexcept { return text; }
    std::string_view text;
    std::string before{};
};

/// Stores the text whatever is there, so that a map may make it before it looks. Counts how often that was.
struct any_by : syncmap::operation_base {
    static constexpr bool always_assigns = true;
    explicit any_by(std::string_view t) : text(t) {}
    syncmap::decision decide(const std::string* now) {
        before = now == nullptr ? "none" : *now;
        return syncmap::decision::assign;
    }
    std::string_view make() {
        ++made;
        if (text == "refused") throw std::runtime_error("refused");
        return text;
    }
    std::string_view text;
    std::string before{};
    int made = 0;
};

/// The next number, up to a limit, from which it goes: what it publishes depends on what it was shown.
struct next_below : syncmap::operation_base {
    static constexpr bool depends_on_current = true;
    explicit next_below(int l) : limit(l) {}
    syncmap::decision decide(const int* now) {
        next = now == nullptr ? 0 : *now + 1;
        return next < limit ? syncmap::decision::assign : syncmap::decision::erase;
    }
    int make() const noexcept { return next; }
    int limit;
    int next = 0;
};
static_assert(syncmap::write_operation<longer_of_two, std::string> && syncmap::write_operation<next_below, int> &&
              !syncmap::write_operation<next_below, std::string>);

/// A key that can only be moved.
struct ticket {
    std::unique_ptr<int> number;
    explicit ticket(int n) : number(std::make_unique<int>(n)) {}
    friend bool operator==(const ticket& a, const ticket& b) noexcept { return *a.number == *b.number; }
};
struct ticket_hash {
    std::size_t operator()(const ticket& t) const noexcept { return static_cast<std::size_t>(*t.number % 4); } // some are alike
};

} // namespace

template <class Family>
class further_operations : public ::testing::Test {
protected:
    using numbers = typename Family::template of<int, int>;
    using texts = typename Family::template of<std::string, std::string>;
};
TYPED_TEST_SUITE(further_operations, families, names);

TYPED_TEST(further_operations, of_the_callers_own_are_applied) {
    typename TestFixture::texts map;
    longer_of_two first("abc");
    map.apply("a", first);
    EXPECT_EQ(first.before, "none");
    map.apply(std::string("a"), longer_of_two("ab"));
    EXPECT_EQ(map.load("a"), "abc");
    map.apply("a", longer_of_two("abcd"));
    EXPECT_EQ(map.load("a"), "abcd");
    longer_of_two last("");
    map.apply("a", last);
    EXPECT_EQ(last.before, "abcd");
    EXPECT_FALSE(map.contains("a"));
    map.apply("a", last);
    EXPECT_EQ(last.before, "none");
}

TYPED_TEST(further_operations, that_always_assign_make_once) {
    typename TestFixture::texts map;
    any_by first("abc");
    map.apply("a", first);
    EXPECT_EQ(first.before, "none");
    EXPECT_EQ(first.made, 1);
    any_by second("abcd");
    map.apply(std::string("a"), second);
    EXPECT_EQ(second.before, "abc");
    EXPECT_EQ(second.made, 1);
    EXPECT_EQ(map.load("a"), "abcd");

    std::string key(40, 'k');
    map.store(key, "there");
    EXPECT_THROW(map.apply(std::move(key), any_by("refused")), std::runtime_error);
    EXPECT_EQ(key, std::string(40, 'k')); // NOLINT(bugprone-use-after-move): nothing was moved from it
    EXPECT_EQ(map.load(key), "there");
    EXPECT_THROW(map.apply("absent", any_by("refused")), std::runtime_error);
    EXPECT_FALSE(map.contains("absent"));
}

TYPED_TEST(further_operations, that_always_assign_make_once_beside_others) {
    typename TestFixture::texts map;
    const std::string key(40, 'k');
    std::atomic<int> more_than_once{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
            const std::string text(static_cast<std::size_t>(30 + t), static_cast<char>('a' + t));
            for (int i = 0; i < 500; ++i) {
                any_by op(text);
                map.apply(std::string(key), op);
                if (op.made != 1) ++more_than_once;
                if (i % 3 == t) map.erase(key);
            }
        });
    }
    for (auto& each : threads) each.join();
    EXPECT_EQ(more_than_once, 0);
    map.visit(key, [](const std::string& text) {
        EXPECT_EQ(text, std::string(text.size(), static_cast<char>('a' + (text.size() - 30))));
    });
}

TYPED_TEST(further_operations, of_the_callers_own_are_atomic) {
    typename TestFixture::numbers map;
    int key = 1; // with a name
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 333; ++i) map.apply(key, next_below(1'000));
        });
    }
    for (auto& each : threads) each.join();
    EXPECT_EQ(map.load(1), 998);
    map.apply(1, next_below(1'000));
    EXPECT_EQ(map.load(1), 999);
    map.apply(1, next_below(1'000));
    EXPECT_FALSE(map.contains(1));
}

TYPED_TEST(further_operations, insert_or_visit_does_one_of_both) {
    typename TestFixture::texts map;
    EXPECT_TRUE(map.insert_or_visit("a", "first", [](const std::string&) { FAIL(); }));
    int calls = 0;
    EXPECT_FALSE(map.insert_or_visit("a", "second", [&](const std::string& there) {
        ++calls;
        EXPECT_EQ(there, "first");
    }));
    EXPECT_EQ(calls, 1);
    typename TestFixture::numbers in_place;
    EXPECT_TRUE(in_place.insert_or_visit(1, 2, [](int) { FAIL(); }));
    EXPECT_FALSE(in_place.insert_or_visit(1, 3, [&](int there) { EXPECT_EQ(there, 2); }));
}

TYPED_TEST(further_operations, erase_if_of_a_key_erases_what_is_wanted) {
    typename TestFixture::texts map;
    map.store("a", "one");
    EXPECT_FALSE(map.erase_if("b", [](const std::string&) { return true; }));
    EXPECT_FALSE(map.erase_if("a", [](const std::string& v) { return v == "two"; }));
    EXPECT_TRUE(map.contains("a"));
    EXPECT_TRUE(map.erase_if("a", [](const std::string& v) { return v == "one"; }));
    EXPECT_FALSE(map.contains("a"));
    typename TestFixture::numbers in_place;
    in_place.store(1, 2);
    EXPECT_FALSE(in_place.erase_if(1, [](int v) { return v > 2; }));
    EXPECT_TRUE(in_place.erase_if(1, [](int v) { return v == 2; }, std::memory_order_release));
}

TYPED_TEST(further_operations, visit_shows_the_key_of_the_entry) {
    typename TestFixture::texts map;
    map.store("a", "one");
    EXPECT_TRUE(map.visit("a", [](const std::string& key, const std::string& value) { EXPECT_EQ(key + value, "aone"); }));
    EXPECT_FALSE(map.visit("b", [](const std::string&, const std::string&) { FAIL(); }));
    typename TestFixture::numbers in_place;
    in_place.store(1, 2);
    EXPECT_TRUE(in_place.visit(1, [](int key, int value) { EXPECT_EQ(key + value, 3); }));
}

TYPED_TEST(further_operations, fetch_works_on_numbers_of_all_kinds) {
    typename TestFixture::numbers map;
    EXPECT_EQ(map.fetch_max(1, -5), 0);
    EXPECT_EQ(map.fetch_max(1, -7), -5);
    EXPECT_EQ(map.fetch_max(1, 3), -5);
    EXPECT_EQ(map.fetch_min(1, 4), 3);
    EXPECT_EQ(map.fetch_min(1, 2), 3);
    EXPECT_EQ(map.load(1), 2);
    EXPECT_EQ(map.fetch_min(2, 9), 0);
    EXPECT_EQ(map.load(2), 9);
    EXPECT_EQ(map.fetch_or(3, 6), 0);
    EXPECT_EQ(map.fetch_or(3, 1), 6);
    EXPECT_EQ(map.fetch_and(3, 5), 7);
    EXPECT_EQ(map.load(3), 5);
    EXPECT_EQ(map.fetch_and(4, 5), 0);
    EXPECT_EQ(map.load(4), 0);
    typename TypeParam::template of<std::string, double> reals;
    EXPECT_EQ(reals.fetch_add("a", 0.5), 0.0);
    EXPECT_EQ(reals.fetch_add("a", 0.25), 0.5);
    EXPECT_EQ(reals.fetch_max("a", 2.5), 0.75);
    EXPECT_EQ(reals.fetch_min("a", 1.0), 2.5);
    EXPECT_EQ(reals.load("a"), 1.0);
}

TYPED_TEST(further_operations, insert_takes_lists_and_ranges) {
    typename TestFixture::texts map;
    map.store("a", "there");
    EXPECT_EQ(map.insert({{"a", "1"}, {"b", "2"}, {"b", "3"}, {"c", "4"}}), 2U);
    EXPECT_EQ(map.load("a"), "there");
    EXPECT_EQ(map.load("b"), "2");
    const std::map<std::string, std::string> more{{"c", "5"}, {"d", "6"}};
    EXPECT_EQ(map.insert_range(more), 1U);
    EXPECT_EQ(map.load("d"), "6");
    EXPECT_EQ(map.size(), 4U);
}

TYPED_TEST(further_operations, merge_moves_what_is_absent) {
    typename TestFixture::texts map{{"a", "1"}, {"b", "2"}};
    typename TestFixture::texts other{{"b", "3"}, {"c", "4"}, {"d", "5"}};
    EXPECT_EQ(map.merge(other), 2U);
    EXPECT_EQ(map.size(), 4U);
    EXPECT_EQ(map.load("b"), "2");
    EXPECT_EQ(map.load("d"), "5");
    EXPECT_EQ(other.size(), 1U);
    EXPECT_EQ(other.load("b"), "3");
    EXPECT_EQ(map.merge(map), 0U);
    EXPECT_EQ(map.size(), 4U);
}

TYPED_TEST(further_operations, update_takes_keys_that_can_only_be_moved) {
    typename TypeParam::template of<ticket, std::string, ticket_hash, std::equal_to<>> map;
    EXPECT_EQ(map.update(ticket(1), [](const std::string*) { return "one"; }), syncmap::update_result::inserted);
    EXPECT_EQ(map.update(ticket(1), [](const std::string* now) { return *now + " more"; }), syncmap::update_result::assigned);
    EXPECT_EQ(map.update(ticket(5), [](const std::string* now) { return now == nullptr ? "five" : "?"; }),
              syncmap::update_result::inserted);
    EXPECT_EQ(map.load(ticket(1)), "one more");
    EXPECT_EQ(map.load(ticket(5)), "five");
    EXPECT_EQ(map.load_or_compute(ticket(9), [] { return "nine"; }).value, "nine");
    EXPECT_TRUE(map.load_or_compute(ticket(9), [] { return "?"; }).loaded);
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 100; ++i) {
                map.update(ticket(i % 8 + 100),
                           [](const std::string* now) { return now == nullptr ? std::string("x") : *now + "x"; });
            }
        });
    }
    for (auto& each : threads) each.join();
    std::size_t sum = 0;
    map.for_each([&](const ticket& key, const std::string& value) { sum += *key.number >= 100 ? value.size() : 0; });
    EXPECT_EQ(sum, 300U);
    EXPECT_EQ(map.update(ticket(1), [](const std::string*) { return std::nullopt; }), syncmap::update_result::erased);
}

} // namespace test
