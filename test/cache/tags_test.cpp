// invalidate_tag, and the tags of entries.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <syncmap/cache.hpp>
#include <syncmap/cache/warm_restart.hpp>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using tagged_cache =
    syncmap::cache<std::string, std::string, syncmap::hash<std::string>, std::equal_to<>, syncmap::manual_clock>;
using tagged_options = tagged_cache::options_type;

/// The part of a value in front of a colon is its tag.
tagged_options tagged_by_prefix() {
    return {.capacity = 100, .tags_of = [](const std::string&, const std::string& value) -> syncmap::entry_tags {
                const std::size_t colon = value.find(':');
                if (colon == std::string::npos) return {};
                return {value.substr(0, colon)};
            }};
}

TEST(cache_tags, invalidate_the_entries_that_have_them) {
    tagged_cache c({.capacity = 100});
    c.put("1", "a", {.tags = {"red", 7}});
    c.put("2", "b", {.tags = {"red"}});
    c.put("3", "c", {.tags = {7, 8, 9, "blue"}});
    c.put("4", "d");
    c.invalidate_tag("green");
    EXPECT_EQ(c.get("1"), "a");
    c.invalidate_tag("red");
    EXPECT_EQ(c.get("1"), std::nullopt);
    EXPECT_EQ(c.peek("2"), std::nullopt);
    EXPECT_FALSE(c.contains("2"));
    EXPECT_EQ(c.get("3"), "c");
    EXPECT_EQ(c.for_each([](const std::string& key, const std::string&) { EXPECT_TRUE(key == "3" || key == "4"); }), 2U);
    EXPECT_FALSE(c.replace("1", "x"));
    EXPECT_EQ(c.take("1"), std::nullopt);
    EXPECT_TRUE(c.put_if_absent("2", "again"));
    EXPECT_EQ(c.get("2"), "again");
    c.invalidate_tag("red"); // the new value has no tag
    EXPECT_EQ(c.get("2"), "again");
    c.put("1", "new", {.tags = {"red"}});
    EXPECT_EQ(c.get("1"), "new");
    c.invalidate_tag(8);
    EXPECT_EQ(c.get("3"), std::nullopt);
    EXPECT_EQ(c.get("4"), "d");
    EXPECT_THROW((syncmap::entry_tags{1, 2, 3, 4, 5}), std::length_error);
    const std::string name = "red";
    EXPECT_EQ(syncmap::tag(name).number(), syncmap::tag("red").number());
    EXPECT_EQ(syncmap::tag(-1).number(), syncmap::tag(-1L).number());
}

TEST(cache_tags, come_from_the_options_for_puts_and_loads) {
    tagged_cache c(tagged_by_prefix());
    c.put("1", "red:a");
    c.put("2", "red:b", {.ttl = 1h, .tags = {"blue"}}); // instead
    EXPECT_EQ(c.get_or_load("3", [] { return std::string("red:c"); }), "red:c");
    c.put("4", "plain");
    c.update("4", [](const std::string* current) { return "red:" + *current; });
    c.invalidate_tag("red");
    EXPECT_FALSE(c.contains("1"));
    EXPECT_TRUE(c.contains("2"));
    EXPECT_EQ(c.get_or_load("3", [] { return std::string("red:again"); }), "red:again");
    EXPECT_EQ(c.get("3"), "red:again");
    EXPECT_FALSE(c.contains("4"));
    c.invalidate_tag("blue");
    EXPECT_FALSE(c.contains("2"));
}

TEST(cache_tags, beat_loads_that_began_before) {
    tagged_cache c(tagged_by_prefix());
    EXPECT_EQ(c.get_or_load("1",
                            [&] {
                                c.invalidate_tag("red");
                                return std::string("red:old");
                            }),
              "red:old");
    EXPECT_FALSE(c.contains("1"));
    const auto found = c.get_all_or_load(std::vector<std::string>{"1", "2"}, [&](const std::vector<std::string>& keys) {
        c.invalidate_tag("red");
        std::vector<std::pair<std::string, std::string>> loaded;
        for (const std::string& key : keys) loaded.emplace_back(key, key == "1" ? "red:old" : "blue:old");
        return loaded;
    });
    EXPECT_EQ(found[0].value(), "red:old");
    EXPECT_FALSE(c.contains("1"));
    EXPECT_TRUE(c.contains("2"));

    // A renewal that began before, too; and a value that is invalidated answers no load that fails.
    tagged_options options = tagged_by_prefix();
    options.stale_if_error = 1h;
    options.expire_after_write = 1h;
    tagged_cache stale(options);
    stale.put("1", "red:old");
    EXPECT_TRUE(stale.refresh("1", [&] {
        stale.invalidate_tag("red");
        return std::string("red:also old");
    }));
    EXPECT_FALSE(stale.contains("1"));
    stale.put("1", "red:old");
    stale.invalidate_tag("red");
    EXPECT_THROW(static_cast<void>(stale.get_or_load("1", []() -> std::string { throw std::runtime_error("no"); })),
                 std::runtime_error);
}

/// One thread loads; the tag is invalidated; another thread asks, and waits for the first one.
template <class Ask>
void expect_loaded_anew(tagged_cache& c, Ask ask) {
    std::atomic<bool> is_loading{false};
    std::atomic<bool> goes_on{false};
    std::string first;
    std::string second;
    std::thread loads([&] {
        first = c.get_or_load("1", [&] {
            is_loading = true;
            while (!goes_on) std::this_thread::yield();
            return std::string("red:old");
        });
    });
    while (!is_loading) std::this_thread::yield();
    c.invalidate_tag("red");
    std::thread waits([&] { second = ask(); });
    while (c.stats().misses != 2) std::this_thread::yield();
    std::this_thread::sleep_for(10ms); // so that it waits, most likely
    goes_on = true;
    loads.join();
    waits.join();
    EXPECT_EQ(first, "red:old");
    EXPECT_EQ(second, "red:new");
    EXPECT_EQ(c.get("1"), "red:new");
}
TEST(cache_tags, calls_that_begin_later_are_not_given_what_a_beaten_load_brings) {
    tagged_cache one(tagged_by_prefix());
    expect_loaded_anew(one, [&] { return one.get_or_load("1", [] { return std::string("red:new"); }); });
    tagged_cache many(tagged_by_prefix());
    expect_loaded_anew(many, [&] {
        return many
            .get_all_or_load(std::vector<std::string>{"1"},
                             [](const std::vector<std::string>& keys) {
                                 return std::vector<std::pair<std::string, std::string>>{{keys.at(0), "red:new"}};
                             })
            .at(0)
            .value();
    });
}

TEST(cache_tags, give_back_places_and_tell_the_listener) {
    std::vector<std::pair<std::string, syncmap::removal>> told;
    tagged_cache c({.capacity = 4, .on_removal = [&](const std::string& key, const std::string&, syncmap::removal why) {
                        told.emplace_back(key, why);
                    }});
    for (const char* key : {"1", "2", "3"}) c.put(key, "a", {.tags = {"red"}});
    c.put("4", "b", {.tags = {"blue"}});
    c.invalidate_tag("red");
    EXPECT_TRUE(told.empty());
    c.put("1", "again"); // may take others out, too
    ASSERT_GE(told.size(), 1U);
    EXPECT_EQ(told[0].first, "1");
    const std::size_t others = 3 - told.size();
    EXPECT_EQ(c.expire_now(), others);
    EXPECT_EQ(told.size(), 3U);
    for (const auto& each : told) EXPECT_EQ(each.second, syncmap::removal::invalidated);
    EXPECT_EQ(c.size(), 2U);
    EXPECT_EQ(c.expire_now(), 0U);
}

TEST(cache_tags, take_room_only_where_they_are_used) {
    const auto weight_of = [](const tagged_options& from, const syncmap::put_options& with) {
        tagged_options options = from;
        options.weigh = syncmap::bytes_of;
        options.capacity = 10'000;
        tagged_cache c(options);
        c.put("1", "a", with);
        return c.weight();
    };
    const tagged_options plain{.capacity = 1};
    const std::size_t alone = weight_of(plain, {});
    EXPECT_EQ(weight_of(plain, {.ttl = 1h}), alone + 16);
    EXPECT_EQ(weight_of(plain, {.tags = {"red"}}), alone + 32);
    EXPECT_EQ(weight_of(plain, {.ttl = 1h, .tags = {"red"}}), alone + 32);
    EXPECT_EQ(weight_of({.capacity = 1, .expire_after_write = 1h}, {}), alone + 16);

    // What invalidations need is bounded, whatever their number.
    tagged_cache c(plain);
    const std::size_t before = c.bytes_used();
    for (int i = 0; i < 300'000; ++i) c.invalidate_tag(i);
    EXPECT_LE(c.bytes_used(), before + 70'000U * 8);
}

TEST(cache_tags, with_one_number_cost_misses_and_show_nothing_wrong) {
    std::unordered_map<std::uint16_t, int> numbers;
    int one = 0;
    int other = 0;
    for (int i = 0; other == 0; ++i) {
        const auto [at, is_new] = numbers.emplace(syncmap::tag(i).number(), i);
        if (!is_new) one = at->second, other = i;
    }
    ASSERT_LT(other, 5'000);
    tagged_cache c({.capacity = 10});
    c.put("1", "a", {.tags = {one}});
    c.put("2", "b", {.tags = {other}});
    c.invalidate_tag(one);
    EXPECT_FALSE(c.contains("1"));
    EXPECT_FALSE(c.contains("2"));
    c.put("2", "c", {.tags = {other}});
    EXPECT_EQ(c.get("2"), "c");
}

TEST(cache_tags, are_saved_and_loaded) {
    tagged_cache before({.capacity = 10});
    before.put("1", "a", {.tags = {"red", "blue"}});
    before.put("2", "b", {.tags = {"green"}});
    before.put("3", "c", {.tags = {"red"}});
    before.invalidate_tag("green");
    std::string bytes;
    EXPECT_EQ(before.save([&](const char* from, std::size_t size) { bytes.append(from, size); }), 2U);
    tagged_cache after({.capacity = 10});
    std::size_t at = 0;
    bool invalidates = false;
    const auto source = [&](char* to, std::size_t size) {
        if (invalidates) after.invalidate_tag("red");
        const std::size_t n = bytes.copy(to, size, at);
        at += n;
        return n;
    };
    EXPECT_EQ(after.load(source), 2U);
    after.invalidate_tag("blue");
    EXPECT_FALSE(after.contains("1"));
    EXPECT_TRUE(after.contains("3"));
    after.invalidate_all();
    at = 0;
    invalidates = true; // while the file is read
    after.load(source);
    EXPECT_FALSE(after.contains("3"));
}

TEST(cache_tags, no_thread_is_shown_what_was_invalidated_before) {
    syncmap::cache<int, int> c(
        {.capacity = 50, .tags_of = [](const int& key, const int&) { return syncmap::entry_tags{key % 2}; }});
    std::atomic<int> version[2] = {}; // of what the loaders ask
    std::atomic<int> invalidated[2] = {}; // what is older was invalidated by a call that has returned
    std::atomic<bool> is_over{false};
    std::thread changes([&] {
        for (int i = 0; !is_over; ++i) {
            const int newer = version[i % 2].fetch_add(1) + 1;
            c.invalidate_tag(i % 2);
            invalidated[i % 2] = newer;
        }
    });
    const auto asks = [&](int first) {
        for (int i = first; i < 20'000; ++i) {
            const int key = i * 7 % 100;
            const int known = invalidated[key % 2].load();
            const int got = c.get_or_load(key, [&] { return version[key % 2].load(); });
            if (got < known) return ADD_FAILURE() << key << ": " << got << " after " << known;
        }
    };
    std::thread other([&] { asks(1); });
    asks(0);
    other.join();
    is_over = true;
    changes.join();
}

} // namespace
