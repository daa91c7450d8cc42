// Loads by the loaders that a cache is made with.
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <syncmap/cache.hpp>
#include <syncmap/text.hpp>

#include <gtest/gtest.h>

namespace {

using page_cache = syncmap::cache<std::string, std::string>;

TEST(cache_loaders, bring_what_is_absent) {
    int calls = 0;
    page_cache pages({.capacity = 10, .load = [&](const std::string& url) -> std::optional<std::string> {
                          ++calls;
                          if (url.empty()) return std::nullopt;
                          return "the page of " + url;
                      }});
    EXPECT_EQ(pages.get_or_load("a"), "the page of a");
    EXPECT_EQ(pages.get_or_load(std::string_view("a")), "the page of a");
    EXPECT_EQ(pages.pin_or_load("b").value(), "the page of b");
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(pages.get_or_load(""), std::nullopt);
    EXPECT_FALSE(pages.pin_or_load(""));
    EXPECT_EQ(calls, 4) << "that there is nothing is not remembered";
    EXPECT_EQ(pages.get_or_load("c", [] { return std::string("another's"); }), "another's")
        << "a function of the call is first";
    EXPECT_EQ(pages.stats().loads, 5U);
}

TEST(cache_loaders, may_return_plain_values_and_ignore_the_key) {
    page_cache pages({.capacity = 10, .load = [] { return std::string("page"); }});
    EXPECT_EQ(pages.get_or_load("a"), "page");
    EXPECT_EQ(pages.get("a"), "page");
}

TEST(cache_loaders, may_own_what_is_only_moved) {
    syncmap::cache<int, std::unique_ptr<int>> c(
        {.capacity = 10, .load = [base = std::make_unique<int>(10)](int key) { return std::make_unique<int>(*base + key); }});
    EXPECT_EQ(*c.pin_or_load(3).value(), 13);
}

TEST(cache_loaders, of_texts_see_views) {
    syncmap::cache<syncmap::text, syncmap::text> c(
        {.capacity = 10, .load = [](std::string_view key) { return std::string(key) + "!"; }});
    EXPECT_EQ(c.get_or_load("a"), "a!");
}

TEST(cache_loaders, that_throw_or_are_missing) {
    page_cache failing({.capacity = 10, .load = [](const std::string&) -> std::string { throw std::runtime_error("no"); }});
    EXPECT_THROW(static_cast<void>(failing.get_or_load("a")), std::runtime_error);
    page_cache without({.capacity = 10});
    EXPECT_THROW(static_cast<void>(without.get_or_load("a")), syncmap::no_loader);
    EXPECT_THROW(static_cast<void>(without.pin_or_load("a")), syncmap::no_loader);
    without.put("a", "1");
    EXPECT_EQ(without.get_or_load("a"), "1");
}

TEST(cache_loaders, may_ask_for_other_keys_but_not_for_their_own) {
    syncmap::cache<std::uint64_t, std::uint64_t>* self = nullptr;
    syncmap::cache<std::uint64_t, std::uint64_t> numbers(
        {.capacity = 50, .load = [&](std::uint64_t n) -> std::uint64_t {
             if (n == 99) return *self->get_or_load(n);
             return n < 2 ? n : *self->get_or_load(n - 1) + *self->get_or_load(n - 2);
         }});
    self = &numbers;
    EXPECT_EQ(numbers.get_or_load(30), 832'040U);
    EXPECT_THROW(static_cast<void>(numbers.get_or_load(99)), syncmap::recursive_load);
}

} // namespace
