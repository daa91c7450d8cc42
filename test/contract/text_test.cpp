// Maps of `syncmap::text`: every operation, with texts as keys, as values and as both.
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/concepts.hpp>
#include <syncmap/map.hpp>
#include <syncmap/text.hpp>

#include "support/allocations.hpp"
#include "support/allocators.hpp"
#include "support/threads.hpp"
#include "support/types.hpp"

namespace test {
namespace {

using syncmap::text;
using syncmap::update_result;
using std::string_view_literals::operator""sv;

/// Lengths around those where the form changes, and where the block grows by a bucket.
const std::vector<std::size_t> lengths{0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 64, 253, 254, 255, 256, 257, 1000, 70'000};

std::string of_length(std::size_t length, char first = 'a') {
    std::string s(length, '.');
    for (std::size_t i = 0; i < length; ++i) s[i] = static_cast<char>(first + static_cast<int>(i % 23));
    return s;
}

static_assert(!std::is_copy_constructible_v<text> && !std::is_move_constructible_v<text> &&
              !std::is_default_constructible_v<text> && !std::is_copy_assignable_v<text> && !std::is_move_assignable_v<text>);
static_assert(std::is_convertible_v<const text&, std::string_view>);

struct hash_of_pair {
    std::size_t operator()(const std::pair<int, std::string>& p) const {
        return std::hash<std::string>{}(p.second) + static_cast<std::size_t>(p.first);
    }
};

template <class Map>
inline constexpr bool has_all =
    syncmap::copyable_value_map<Map> && syncmap::comparable_value_map<Map> && syncmap::exact_size_map<Map> &&
    syncmap::lock_free_read_map<Map> && syncmap::pinnable_map<Map> && syncmap::multi_key_map<Map>;
static_assert(has_all<syncmap::map<text, text>> && has_all<syncmap::map<text, std::uint64_t>> &&
              has_all<syncmap::map<std::uint64_t, text>>);

/// A key or a value by number, as the caller has it: strings for texts.
template <class T>
auto sample(std::uint64_t n) {
    if constexpr (std::is_same_v<T, text>) {
        return of_length(n % 40, static_cast<char>('a' + n % 3)) + "#" + std::to_string(n);
    } else {
        return static_cast<T>(n);
    }
}

template <class Map>
class text_map : public ::testing::Test {
protected:
    using key_type = typename Map::key_type;
    using mapped = typename Map::mapped_type;
    using plain_key = syncmap::detail::copied_out_t<key_type>;
    using plain = syncmap::detail::copied_out_t<mapped>;
    using contents = std::map<plain_key, plain>;

    static plain_key key(std::uint64_t n) { return sample<key_type>(n); }
    static plain value(std::uint64_t n) { return sample<mapped>(n); }
    template <class M>
    static contents content(const M& map) {
        contents all;
        map.for_each([&](const key_type& k, const mapped& v) { EXPECT_TRUE(all.emplace(plain_key(k), plain(v)).second); });
        return all;
    }
    Map map{};
};

struct text_map_names {
    template <class Map>
    static std::string GetName(int) {
        const auto word = [](bool is_text) { return is_text ? "text" : "u64"; };
        return std::string(word(std::is_same_v<typename Map::key_type, text>)) + "_" +
               word(std::is_same_v<typename Map::mapped_type, text>);
    }
};
using kinds = ::testing::Types<syncmap::map<text, text>, syncmap::map<text, std::uint64_t>, syncmap::map<std::uint64_t, text>>;
TYPED_TEST_SUITE(text_map, kinds, text_map_names);

TYPED_TEST(text_map, reads_what_was_stored) {
    EXPECT_TRUE(this->map.store(this->key(1), this->value(10)));
    EXPECT_EQ(this->map.load(this->key(1)), this->value(10));
    EXPECT_EQ(this->map.load(this->key(2)), std::nullopt);
    EXPECT_TRUE(this->map.contains(this->key(1)));
    EXPECT_FALSE(this->map.store(this->key(1), this->value(11)));
    EXPECT_TRUE(
        this->map.visit(this->key(1), [&](const typename TypeParam::mapped_type& v) { EXPECT_EQ(v, this->value(11)); }));
    EXPECT_EQ(this->map.size(), 1U);
}

TYPED_TEST(text_map, has_the_other_writes) {
    EXPECT_TRUE(this->map.insert(this->key(1), this->value(1)));
    EXPECT_FALSE(this->map.insert(this->key(1), this->value(2)));
    EXPECT_TRUE(this->map.load_or_store(this->key(1), this->value(3)).loaded);
    EXPECT_EQ(this->map.load_or_store(this->key(1), this->value(3)).value, this->value(1));
    const auto fresh = this->map.load_or_store(this->key(2), this->value(3));
    EXPECT_FALSE(fresh.loaded);
    EXPECT_EQ(fresh.value, this->value(3));
    EXPECT_EQ(this->map.exchange(this->key(2), this->value(4)), this->value(3));
    EXPECT_EQ(this->map.exchange(this->key(3), this->value(5)), std::nullopt);
    EXPECT_EQ(this->map.load_and_erase(this->key(3)), this->value(5));
    EXPECT_EQ(this->map.load_and_erase(this->key(3)), std::nullopt);
    EXPECT_TRUE(this->map.erase(this->key(2)));
    EXPECT_FALSE(this->map.erase(this->key(2)));
    EXPECT_EQ(this->content(this->map), (typename TestFixture::contents{{this->key(1), this->value(1)}}));
}

TYPED_TEST(text_map, compares) {
    this->map.store(this->key(1), this->value(1));
    auto expected = this->value(2);
    EXPECT_FALSE(this->map.compare_exchange(this->key(1), expected, this->value(3)));
    EXPECT_EQ(expected, this->value(1));
    EXPECT_TRUE(this->map.compare_exchange(this->key(1), expected, this->value(3)));
    EXPECT_EQ(this->map.load(this->key(1)), this->value(3));
    EXPECT_FALSE(this->map.compare_erase(this->key(1), expected));
    EXPECT_EQ(expected, this->value(3));
    EXPECT_TRUE(this->map.compare_erase(this->key(1), expected));
    std::optional<std::remove_cvref_t<decltype(expected)>> none;
    EXPECT_TRUE(this->map.compare_exchange(this->key(1), none, this->value(4)));
    EXPECT_FALSE(this->map.compare_exchange(this->key(1), none, this->value(5)));
    EXPECT_EQ(none, this->value(4));
    EXPECT_FALSE(this->map.compare_erase(this->key(9), expected));
}

TYPED_TEST(text_map, computes_and_updates) {
    using shown = typename TypeParam::mapped_type;
    int runs = 0;
    const auto compute = [&] { return ++runs, this->value(7); };
    EXPECT_EQ(this->map.load_or_compute(this->key(1), compute).value, this->value(7));
    EXPECT_TRUE(this->map.load_or_compute(this->key(1), compute).loaded);
    EXPECT_EQ(runs, 1);
    const auto seen = [&](const shown* v) {
        return v == nullptr ? std::nullopt : std::optional(typename TestFixture::plain(*v));
    };
    EXPECT_EQ(this->map.update(this->key(1),
                               [&](const shown* v) { return *seen(v) == this->value(7) ? this->value(8) : this->value(0); }),
              update_result::assigned);
    EXPECT_EQ(this->map.update(this->key(2), [&](const shown* v) { return seen(v) ? this->value(0) : this->value(9); }),
              update_result::inserted);
    EXPECT_EQ(this->map.load(this->key(2)), this->value(9));
    EXPECT_EQ(this->map.update(this->key(2), [&](const shown*) { return syncmap::keep; }), update_result::kept);
    EXPECT_EQ(this->map.update(this->key(2), [&](const shown*) { return std::nullopt; }), update_result::erased);
    EXPECT_EQ(this->content(this->map), (typename TestFixture::contents{{this->key(1), this->value(8)}}));
}

TYPED_TEST(text_map, updates_several_keys) {
    this->map.store(this->key(1), this->value(1));
    const std::vector<typename TestFixture::plain_key> keys{this->key(1), this->key(2), this->key(3)};
    EXPECT_TRUE(this->map.update(keys, [&](auto slots) {
        ASSERT_NE(slots[0].current(), nullptr);
        EXPECT_EQ(*slots[0].current(), this->value(1));
        EXPECT_EQ(slots[1].current(), nullptr);
        slots[1].assign(*slots[0].current());
        slots[2].assign(this->value(3));
        slots[0].erase();
    }));
    EXPECT_EQ(this->content(this->map),
              (typename TestFixture::contents{{this->key(2), this->value(1)}, {this->key(3), this->value(3)}}));
    EXPECT_FALSE(this->map.update({keys[0], keys[1]}, [&](auto slots) {
        slots[0].assign(this->value(5));
        return false;
    }));
    EXPECT_THROW(this->map.update({keys[0], keys[0]}, [](auto) {}), std::invalid_argument);
    EXPECT_EQ(this->map.size(), 2U);
}

TYPED_TEST(text_map, takes_many_at_once) {
    std::vector<typename TestFixture::plain_key> keys;
    std::vector<typename TestFixture::plain> values;
    for (std::uint64_t i = 0; i < 100; ++i) {
        keys.push_back(this->key(i));
        values.push_back(this->value(i + 1));
    }
    EXPECT_EQ(this->map.store_many(keys, values), 100U);
    keys.push_back(this->key(1000));
    std::vector<std::optional<typename TestFixture::plain>> results(keys.size());
    EXPECT_EQ(this->map.load_many(keys, std::span(results)), 100U);
    for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(results[i], this->value(i + 1));
    EXPECT_EQ(results.back(), std::nullopt);
    EXPECT_EQ(
        this->map.visit_many(keys, [&](std::size_t i, const typename TypeParam::mapped_type& v) { EXPECT_EQ(v, values[i]); }),
        100U);
    EXPECT_EQ(this->map.erase_many(keys), 100U);
    EXPECT_TRUE(this->map.empty());
}

TYPED_TEST(text_map, walks_while_it_grows_and_shrinks) {
    typename TestFixture::contents model;
    for (std::uint64_t i = 0; i < 3000; ++i) {
        this->map.store(this->key(i), this->value(i));
        model[this->key(i)] = this->value(i);
    }
    EXPECT_EQ(this->content(this->map), model);
    const auto taken = this->map.snapshot();
    const auto bound = this->value(7);
    const std::size_t erased = this->map.erase_if([&](const auto&, const auto& v) { return v < bound; });
    EXPECT_EQ(std::erase_if(model, [&](const auto& e) { return e.second < bound; }), erased);
    for (std::uint64_t i = 0; i < 3000; i += 2) {
        EXPECT_EQ(this->map.erase(this->key(i)), model.erase(this->key(i)) == 1);
        this->map.store(this->key(i + 1), this->value(i + 7));
        model[this->key(i + 1)] = this->value(i + 7);
    }
    EXPECT_EQ(this->content(this->map), model);
    EXPECT_EQ(taken.size(), 3000U);
    EXPECT_EQ(this->content(taken).size(), 3000U);
    for (std::uint64_t i = 0; i < 3000; ++i) ASSERT_EQ(taken.load(this->key(i)), this->value(i));
    this->map.clear();
    EXPECT_TRUE(this->map.empty());
    EXPECT_EQ(taken.load(this->key(5)), this->value(5));
}

TYPED_TEST(text_map, pins) {
    this->map.store(this->key(1), this->value(1));
    auto held = this->map.pin(this->key(1));
    ASSERT_TRUE(held);
    this->map.store(this->key(1), this->value(2));
    this->map.erase(this->key(1));
    this->map.flush();
    EXPECT_EQ(*held, this->value(1));
    EXPECT_EQ(held.key(), this->key(1));
    EXPECT_FALSE(this->map.pin(this->key(1)));
}

TYPED_TEST(text_map, is_replaced_as_a_whole) {
    TypeParam next;
    for (std::uint64_t i = 0; i < 300; ++i) {
        this->map.store(this->key(i), this->value(i));
        next.store(this->key(i + 100), this->value(i));
    }
    const auto expected = this->content(next);
    this->map.replace(std::move(next));
    EXPECT_EQ(this->content(this->map), expected);
    EXPECT_TRUE(next.empty());
}

TYPED_TEST(text_map, is_made_from_a_list_and_from_a_range) {
    const typename TestFixture::contents model{{this->key(1), this->value(2)}, {this->key(3), this->value(4)}};
    const TypeParam listed{{this->key(1), this->value(2)}, {this->key(3), this->value(4)}};
    const TypeParam ranged(model.begin(), model.end());
    EXPECT_EQ(this->content(listed), model);
    EXPECT_EQ(this->content(ranged), model);
}

TYPED_TEST(text_map, agrees_with_a_model) {
    typename TestFixture::contents model;
    random draw(1);
    for (int i = 0; i < 20'000; ++i) {
        const auto k = this->key(draw.below(300));
        const auto v = this->value(draw.below(100));
        switch (draw.below(6)) {
        case 0: ASSERT_EQ(this->map.erase(k), model.erase(k) == 1); break;
        case 1: {
            const auto old = this->map.exchange(k, v);
            ASSERT_EQ(old.has_value(), model.contains(k));
            if (old) {
                ASSERT_EQ(*old, model[k]);
            }
            model[k] = v;
            break;
        }
        case 2: ASSERT_EQ(this->map.insert(k, v), model.emplace(k, v).second); break;
        default: {
            const auto seen = this->map.load(k);
            ASSERT_EQ(seen.has_value(), model.contains(k));
            if (seen) {
                ASSERT_EQ(*seen, model[k]);
            }
        }
        }
    }
    EXPECT_EQ(this->content(this->map), model);
}

/// All that is allocated is given back, with the size that it was asked for; and where memory is lacking nothing changes.
template <class Key, class T>
void is_whole_after_every_failed_allocation() {
    using map_type = syncmap::map<Key, T, syncmap::hash<Key>, std::equal_to<>, booked<std::pair<const Key, T>>>;
    for (std::size_t budget = 0;; ++budget) {
        ledger books;
        bool failed = false;
        {
            map_type map{booked<std::pair<const Key, T>>(books)};
            map.store(sample<Key>(0), sample<T>(0));
            books.budget = budget;
            for (std::uint64_t i = 1; i < 200 && !failed; ++i) {
                try {
                    map.store(sample<Key>(i % 90), sample<T>(i));
                } catch (const std::bad_alloc&) {
                    failed = true;
                    books.budget = std::numeric_limits<std::size_t>::max();
                    EXPECT_EQ(map.load(sample<Key>(i % 90)), i < 90 ? std::nullopt : std::optional(sample<T>(i - 90)));
                }
            }
            for (std::uint64_t i = 0; i < 90; i += 2) map.erase(sample<Key>(i));
        }
        EXPECT_EQ(books.live_blocks.load(), 0U);
        EXPECT_EQ(books.live_bytes.load(), 0U);
        if (!failed) break;
    }
}

TEST(text_maps, give_back_what_they_allocate) {
    is_whole_after_every_failed_allocation<text, text>();
    is_whole_after_every_failed_allocation<text, std::uint64_t>();
    is_whole_after_every_failed_allocation<std::uint64_t, text>();
}

TEST(text_maps, hold_texts_of_every_length) {
    syncmap::map<text, text> map;
    for (const std::size_t k : lengths) {
        for (const std::size_t v : lengths) {
            map.store(of_length(k), of_length(v, 'b'));
            map.visit(of_length(k), [&](const text& value) {
                EXPECT_EQ(value.size(), v);
                EXPECT_EQ(value.empty(), v == 0);
                EXPECT_EQ(value.view(), of_length(v, 'b'));
                EXPECT_EQ(value.str(), of_length(v, 'b'));
            });
        }
    }
    EXPECT_EQ(map.size(), lengths.size());
    map.for_each([](const text& key, const text&) { EXPECT_EQ(key, of_length(key.size())); });
}

TEST(text_maps, hold_any_bytes) {
    syncmap::map<text, text> map;
    map.store("a\0b"sv, "\0\xFF\0"sv);
    EXPECT_EQ(map.load("a\0b"sv), std::string("\0\xFF\0", 3));
    EXPECT_EQ(map.load("a"), std::nullopt);
}

TEST(text_maps, take_whatever_converts_to_a_view) {
    struct named {
        std::string name;
        operator std::string_view() const { return name; }
    };
    syncmap::map<text, text> map;
    const char* const pointer = "pointer";
    map.store("literal", pointer);
    map.store(pointer, std::string("string"));
    map.store(std::string("string"), "view"sv);
    map.store("view"sv, named{"named"});
    map.store(named{"named"}, "literal");
    for (const char* const key : {"literal", "pointer", "string", "view", "named"}) EXPECT_TRUE(map.contains(key)) << key;
    EXPECT_EQ(map.load(named{"view"}), "named");
    map.visit("view", [&](std::string_view v) { map.store(v, "from a callback"); });
    EXPECT_EQ(map.load("named"), "from a callback");
    map.visit("named", [&](const text& own) { map.store("copy", own); });
    EXPECT_EQ(map.load("copy"), "from a callback");
}

TEST(text_maps, compare_texts_with_views) {
    syncmap::map<text, text> map{{"a", "b"}};
    const auto held = map.pin("a");
    const text& key = held.key();
    EXPECT_TRUE(key == "a" && "a" == key && key == std::string("a") && key == "a"sv && key != "b" && key == key);
    EXPECT_TRUE(key < "b" && "b" > key && key < *held && key <= "a"sv && std::string("A") < key);
}

TEST(text_maps, hand_an_update_a_view_of_the_present_value) {
    syncmap::map<text, text> map{{"a", "first"}};
    map.update("a", [](const text* now) { return now->view().substr(1); });
    EXPECT_EQ(map.load("a"), "irst");
    map.update("a", [](const text* now) -> syncmap::update_action<text> { return *now; });
    EXPECT_EQ(map.load("a"), "irst");
    map.update("a", [](const text* now) -> std::optional<std::string> { return now->str() + "!"; });
    EXPECT_EQ(map.load("a"), "irst!");
}

TEST(text_maps, count) {
    syncmap::map<text, std::uint64_t> map;
    EXPECT_EQ(map.fetch_add("a", 2), 0U);
    EXPECT_EQ(map.fetch_add(std::string("a"), 3), 2U);
    EXPECT_EQ(map.load("a"), 5U);
}

TEST(text_maps, have_other_keys_and_values_beside_texts) {
    syncmap::map<text, std::vector<int>> lists;
    lists.store("a", std::vector<int>{1, 2, 3});
    lists.update("a", [](const std::vector<int>* v) { return std::vector<int>(v->size() + 1); });
    EXPECT_EQ(lists.load("a")->size(), 4U);

    syncmap::map<std::pair<int, std::string>, text, hash_of_pair> of_pairs;
    of_pairs.store(std::pair(1, std::string("one")), "1");
    EXPECT_EQ(of_pairs.load(std::pair(1, std::string("one"))), "1");

    syncmap::map<text, over_aligned<64>> aligned;
    aligned.store("a", over_aligned<64>(7));
    aligned.visit("a", [](const over_aligned<64>& v) {
        EXPECT_TRUE(v.well_placed());
        EXPECT_EQ(v.number, 7);
    });
}

TEST(text_maps, change_nothing_when_the_other_member_throws) {
    const std::ptrdiff_t alive = fragile::alive;
    {
        syncmap::map<text, fragile> values;
        syncmap::map<fragile, text, fragile_hash> keys;
        for (std::size_t steps = 0; steps < 30; ++steps) {
            const auto tried = [&](auto&& f) {
                fuse::steps = steps;
                try {
                    f();
                } catch (const thrown_on_purpose&) {}
                fuse::disarm();
            };
            tried([&] { values.store(std::to_string(steps), fragile(1)); });
            tried([&] { keys.store(fragile(static_cast<int>(steps)), "value"); });
        }
        EXPECT_LE(values.size(), 30U);
        values.for_each([](const text&, const fragile& v) { EXPECT_EQ(v.number(), 1); });
        keys.for_each([](const fragile&, const text& v) { EXPECT_EQ(v, "value"); });
        EXPECT_GT(keys.size(), 0U);
    }
    EXPECT_EQ(fragile::alive, alive);
}

TEST(text_maps, allocate_once_for_an_entry) {
    syncmap::map<text, text> map;
    map.reserve(100);
    map.store("warm", "up");
    const std::string key(40, 'k');
    const std::string value(200, 'v');
    EXPECT_EQ(allocations_of([&] { map.store(key, value); }), 1U);
    EXPECT_EQ(allocations_of([&] { map.visit(key, [](const text&) {}); }), 0U);
}

TEST(text_maps, are_read_while_others_write) {
    syncmap::map<text, text> map;
    constexpr std::uint64_t keys = 64;
    for (std::uint64_t k = 0; k < keys; ++k) map.store(std::to_string(k), of_length(k));
    together(4, [&](std::size_t me) {
        random draw(me + 1);
        for (int i = 0; i < 20'000; ++i) {
            const std::string key = std::to_string(draw.below(keys));
            if (me % 2 == 0) {
                map.visit(key, [](const text& v) { EXPECT_EQ(v, of_length(v.size())); });
            } else if (draw.below(3) == 0) {
                map.erase(key);
            } else {
                map.store(key, of_length(draw.below(300)));
            }
        }
    });
}

} // namespace
} // namespace test
