// The child of a fork that no hook prepared: what it may do with maps of its own, and with those that were there before.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <syncmap/fork.hpp>
#include <syncmap/map.hpp>
#include <syncmap/snapshot.hpp>
#include <syncmap/snapshot_map.hpp>

namespace orphans_test {

/// Runs `f` in a child, which an alarm ends if it hangs: 0 when it returned true.
template <class F>
int status_of_child(F f) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        ::_exit(f() ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return status;
}

using numbers = syncmap::map<int, int>;
using texts = syncmap::map<std::string, std::string>;
using snapshots = syncmap::snapshot_map<int, std::string>;

template <class Map>
class orphans : public testing::Test {
protected:
    static auto key(int n) {
        if constexpr (std::is_same_v<typename Map::key_type, int>)
            return n;
        else
            return "the key " + std::to_string(n);
    }
    static auto value(int n) {
        if constexpr (std::is_same_v<typename Map::mapped_type, int>)
            return n;
        else
            return "a value that lies on the heap " + std::to_string(n);
    }
    static void fill(Map& map, int entries, int of) {
        for (int n = 0; n < entries; ++n) map.store(key(n), value(n + of));
    }
    static bool is_filled(const Map& map, int entries, int of) {
        for (int n = 0; n < entries; ++n) {
            if (map.load(key(n)) != value(n + of)) return false;
        }
        return map.load(key(entries)) == std::nullopt;
    }
    /// Grows, overwrites until garbage is collected, erases, computes and clears.
    static bool serves(Map& map, int entries) {
        for (int of = 0; of < 3; ++of) fill(map, entries, of);
        if (!is_filled(map, entries, 2) || map.size() != static_cast<std::size_t>(entries)) return false;
        for (int n = 0; n < entries; n += 2) map.erase(key(n));
        for (int n = 0; n < entries; n += 2) static_cast<void>(map.load_or_compute(key(n), [&] { return value(n + 2); }));
        if (!is_filled(map, entries, 2)) return false;
        if constexpr (std::is_same_v<Map, snapshots>) {
            map.clear();
        } else {
            map.update(key(1), [&](const auto*) { return value(4); });
            const auto taken = map.snapshot();
            map.clear();
            if (taken.size() != static_cast<std::size_t>(entries) || taken.load(key(1)) != value(4)) return false;
        }
        map.flush();
        return map.size() == 0;
    }
};
using kinds = testing::Types<numbers, texts, snapshots>;
struct kind_names {
    template <class Map>
    static std::string GetName(int) {
        return std::is_same_v<Map, numbers> ? "numbers" : std::is_same_v<Map, texts> ? "texts" : "snapshot_map";
    }
};
TYPED_TEST_SUITE(orphans, kinds, kind_names);

TYPED_TEST(orphans, leave_a_child_to_make_use_and_destroy_maps) {
    TypeParam before;
    TestFixture::fill(before, 10, 0);
    EXPECT_EQ(status_of_child([] {
                  for (int i = 0; i < 20; ++i) {
                      TypeParam own;
                      if (!TestFixture::serves(own, 500)) return false;
                      TypeParam other = std::move(own);
                      TestFixture::fill(other, 20, 1);
                      if (!TestFixture::is_filled(other, 20, 1)) return false;
                  }
                  return true;
              }),
              0);
    EXPECT_TRUE(TestFixture::is_filled(before, 10, 0));
}

TYPED_TEST(orphans, are_destroyed_among_maps_that_the_child_makes) {
    // Some were made by this thread and some by one that is not there any more. Garbage of both waits.
    constexpr int maps = 6;
    std::optional<TypeParam> before[maps];
    for (int i = 0; i < maps; i += 2) before[i].emplace();
    for (int i = 0; i < maps; i += 2) TestFixture::fill(*before[i], 30, 0);
    std::thread([&] {
        for (int i = 1; i < maps; i += 2) before[i].emplace();
        for (auto& each : before) TestFixture::fill(*each, 30, 1);
    }).join();
    for (int i = 0; i < maps; ++i) TestFixture::fill(*before[i], 30, i);
    EXPECT_EQ(status_of_child([&] {
                  std::optional<TypeParam> own[maps];
                  for (int i = 0; i < maps; ++i) {
                      if (!TestFixture::serves(own[i].emplace(), 300) || !TestFixture::is_filled(*before[i], 30, i))
                          return false;
                      TypeParam moved = std::move(*before[i]);
                      if (!TestFixture::is_filled(moved, 30, i)) return false;
                      before[i].reset();
                  }
                  for (auto& each : own) {
                      if (!TestFixture::serves(*each, 300)) return false;
                      each.reset();
                  }
                  return true;
              }),
              0);
    for (int i = 0; i < maps; ++i) EXPECT_TRUE(TestFixture::is_filled(*before[i], 30, i));
}

TYPED_TEST(orphans, have_a_child_of_a_child) {
    TypeParam before;
    TestFixture::fill(before, 10, 0);
    EXPECT_EQ(status_of_child([&] {
                  TypeParam own;
                  TestFixture::fill(own, 10, 1);
                  syncmap::before_fork();
                  const int hooked = status_of_child([&] {
                      syncmap::after_fork_in_child();
                      TypeParam third;
                      return TestFixture::is_filled(before, 10, 0) && TestFixture::is_filled(own, 10, 1) &&
                             (std::is_same_v<TypeParam, snapshots> || TestFixture::serves(own, 100)) &&
                             TestFixture::serves(third, 100);
                  });
                  syncmap::after_fork_in_parent();
                  const int unhooked = status_of_child([&] {
                      TypeParam third;
                      TypeParam moved = std::move(own);
                      return TestFixture::is_filled(before, 10, 0) && TestFixture::is_filled(moved, 10, 1) &&
                             TestFixture::serves(third, 100);
                  });
                  return hooked == 0 && unhooked == 0 && TestFixture::serves(own, 100);
              }),
              0);
}

/// Another thread prepares a fork while this one forks without.
TEST(forks, of_one_thread_are_not_prepared_by_another) {
    numbers before;
    before.store(1, 1);
    std::atomic<int> step{0};
    std::thread other([&] {
        syncmap::before_fork();
        step = 1;
        step.notify_all();
        step.wait(1);
        syncmap::after_fork_in_parent();
    });
    step.wait(0);
    EXPECT_EQ(status_of_child([&] {
                  numbers own;
                  own.store(2, 2);
                  numbers moved = std::move(before);
                  return own.load(2) == 2 && moved.load(1) == 1;
              }),
              0);
    step = 2;
    step.notify_all();
    other.join();
    before.store(1, 3);
    EXPECT_EQ(before.load(1), 3);
}

} // namespace orphans_test
