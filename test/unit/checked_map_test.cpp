// Programs that race on purpose are caught, at the same place every time: one operation stands still in user code
// while another thread calls the map. Programs that do not race are not accused.
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/checked_map.hpp>
#include <syncmap/engine/flat/hash_table.hpp>

#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {
namespace {

using syncmap::map_misuse;
using syncmap::misuse_check;

/// What the handler of these tests throws instead of ending the program.
struct caught : std::runtime_error {
    explicit caught(const map_misuse& m) : std::runtime_error(m.message()), misuse(m) {}
    map_misuse misuse;
};

class throwing_handler {
public:
    throwing_handler() : before_(syncmap::set_misuse_handler([](const map_misuse& m) { throw caught(m); })) {}
    throwing_handler(const throwing_handler&) = delete;
    throwing_handler& operator=(const throwing_handler&) = delete;
    ~throwing_handler() { syncmap::set_misuse_handler(before_); }

private:
    syncmap::misuse_handler before_;
};

/// A hash that runs `inside` once, when it is set.
struct pausing_hash {
    static inline std::function<void()> inside;
    std::size_t operator()(int key) const {
        if (const auto run = std::exchange(inside, nullptr)) run();
        return static_cast<std::size_t>(key);
    }
};

template <misuse_check Check>
using checked = syncmap::checked_map<int, int, Check, pausing_hash>;

template <class Map>
struct operation {
    const char* name;
    bool writes;
    void (*call)(Map&);
};

template <class Map>
const std::vector<operation<Map>>& operations() {
    static const std::vector<operation<Map>> all{
        {"load", false, [](Map& m) { static_cast<void>(m.load(1)); }},
        {"contains", false, [](Map& m) { static_cast<void>(m.contains(1)); }},
        {"visit", false, [](Map& m) { m.visit(1, [](int) {}); }},
        {"for_each", false, [](Map& m) { m.for_each([](int, int) {}); }},
        {"size", false, [](Map& m) { static_cast<void>(m.size()); }},
        {"approx_size", false, [](Map& m) { static_cast<void>(m.approx_size()); }},
        {"empty", false, [](Map& m) { static_cast<void>(m.empty()); }},
        {"store", true, [](Map& m) { m.store(1, 2); }},
        {"insert", true, [](Map& m) { m.insert(1, 2); }},
        {"load_or_store", true, [](Map& m) { static_cast<void>(m.load_or_store(1, 2)); }},
        {"exchange", true, [](Map& m) { static_cast<void>(m.exchange(1, 2)); }},
        {"erase", true, [](Map& m) { m.erase(77); }},
        {"load_and_erase", true, [](Map& m) { static_cast<void>(m.load_and_erase(77)); }},
        {"compare_exchange", true,
         [](Map& m) {
             int expected = 1;
             static_cast<void>(m.compare_exchange(1, expected, 2));
         }},
        {"compare_exchange", true,
         [](Map& m) {
             std::optional<int> expected = 1;
             static_cast<void>(m.compare_exchange(1, expected, 2));
         }},
        {"compare_erase", true,
         [](Map& m) {
             int expected = -1;
             static_cast<void>(m.compare_erase(1, expected));
         }},
        {"fetch_add", true, [](Map& m) { m.fetch_add(1, 2); }},
        {"load_or_compute", true, [](Map& m) { static_cast<void>(m.load_or_compute(1, [] { return 2; })); }},
        {"update", true, [](Map& m) { m.update(1, [](const int*) { return 2; }); }},
        {"erase_if", true, [](Map& m) { m.erase_if([](int, int) { return false; }); }},
        {"clear", true, [](Map& m) { m.clear(); }},
        {"reserve", true, [](Map& m) { m.reserve(1); }},
    };
    return all;
}

/// Runs `intruder` on a thread of its own while this thread is inside `outer`. Whichever of the two was first told of
/// the misuse says what it was told; `by_intruder` says which thread.
struct verdict {
    std::optional<map_misuse> misuse;
    std::string message;
    bool by_intruder = false;
};

template <class Map, class Outer>
verdict beside(Map& map, Outer outer, const operation<Map>& intruder) {
    verdict result;
    const auto note = [&](const caught& c, bool by_intruder) {
        if (!result.misuse) result = {c.misuse, c.what(), by_intruder};
    };
    const auto intrude = [&] {
        std::thread([&] {
            try {
                intruder.call(map);
            } catch (const caught& c) {
                note(c, true);
            }
        }).join();
    };
    try {
        outer(map, intrude);
    } catch (const caught& c) {
        note(c, false);
    }
    return result;
}

const auto inside_visit = [](auto& map, auto& intrude) { map.visit(5, [&](int) { intrude(); }); };
const auto inside_for_each = [](auto& map, auto& intrude) {
    map.for_each([&](int, int) {
        intrude();
        return false;
    });
};
const auto inside_update = [](auto& map, auto& intrude) {
    map.update(5, [&](const int*) {
        intrude();
        return syncmap::keep;
    });
};
const auto inside_the_hash_of_a_load = [](auto& map, auto& intrude) {
    pausing_hash::inside = intrude;
    static_cast<void>(map.load(5));
};
const auto inside_the_hash_of_a_store = [](auto& map, auto& intrude) {
    pausing_hash::inside = intrude;
    map.store(5, 6);
};

void expect_both_named(const verdict& v, const char* outer, const char* intruder, const std::string& what) {
    ASSERT_TRUE(v.misuse) << what << " was not noticed";
    const syncmap::map_access& of_outer = v.by_intruder ? v.misuse->other : v.misuse->noticed;
    const syncmap::map_access& of_intruder = v.by_intruder ? v.misuse->noticed : v.misuse->other;
    EXPECT_STREQ(of_outer.operation, outer) << what;
    EXPECT_STREQ(of_intruder.operation, intruder) << what;
    EXPECT_EQ(of_outer.thread, std::this_thread::get_id()) << what;
    EXPECT_NE(of_intruder.thread, std::this_thread::get_id()) << what;
    EXPECT_FALSE(v.misuse->from_a_callback()) << what;
    for (const auto* access : {&of_outer, &of_intruder}) {
        EXPECT_NE(std::string(access->where.file).find("checked_map_test.cpp"), std::string::npos) << what;
        EXPECT_NE(v.message.find(":" + std::to_string(access->where.line) + " in "), std::string::npos) << what;
        EXPECT_NE(v.message.find(std::string("calls ") + access->operation), std::string::npos) << what;
    }
    EXPECT_NE(of_outer.where.line, of_intruder.where.line) << what;
    EXPECT_NE(v.message.find("\"accounts\""), std::string::npos) << what;
    EXPECT_NE(v.message.find("syncmap::map "), std::string::npos) << what;
}

} // namespace

template <class M>
class checked_map : public ::testing::Test {
protected:
    static constexpr bool exact = std::is_same_v<M, checked<misuse_check::exact>>;
    const watchdog dog_{"checked_map"};
    const throwing_handler handler_{};

    /// Every operation intrudes on one that stands still in user code.
    template <class Outer>
    static void intrude_on(const char* name, bool writes, Outer outer, bool survives_writes = true) {
        for (const auto& intruder : operations<M>()) {
            if (intruder.writes && !survives_writes) continue;
            M map("accounts");
            map.store(1, 1);
            map.store(5, 5);
            const std::string what = std::string(intruder.name) + " inside " + name;
            const verdict v = beside(map, outer, intruder);
            if (!writes && !intruder.writes) {
                EXPECT_FALSE(v.misuse) << what << ": two reads were accused: " << v.message;
                continue;
            }
            expect_both_named(v, name, intruder.name, what);
            // Where readers leave no trace the writer passes, and the reader notices when it ends.
            EXPECT_EQ(v.by_intruder, exact || writes) << what;
        }
    }
};
using checked_maps = ::testing::Types<checked<misuse_check::cheap>, checked<misuse_check::exact>>;
TYPED_TEST_SUITE(checked_map, checked_maps);

TYPED_TEST(checked_map, catches_what_overlaps_a_visit) { this->intrude_on("visit", false, inside_visit); }
TYPED_TEST(checked_map, catches_what_overlaps_an_iteration) { this->intrude_on("for_each", false, inside_for_each); }
TYPED_TEST(checked_map, catches_what_overlaps_an_update) { this->intrude_on("update", true, inside_update); }
TYPED_TEST(checked_map, catches_what_overlaps_a_load_in_its_hash) {
    // Unless the writer is stopped before it begins, the load goes on in a table that is no longer there.
    this->intrude_on("load", false, inside_the_hash_of_a_load, TestFixture::exact);
}
TYPED_TEST(checked_map, catches_what_overlaps_a_store_in_its_hash) {
    this->intrude_on("store", true, inside_the_hash_of_a_store);
}

TYPED_TEST(checked_map, leaves_the_map_alone_when_the_handler_throws_before_the_operation) {
    TypeParam map;
    map.store(5, 5);
    const auto write_twice_at_once = [&] {
        map.update(5, [&](const int*) {
            std::thread([&] { EXPECT_THROW(map.store(6, 6), caught); }).join();
            return syncmap::keep;
        });
    };
    if constexpr (TestFixture::exact) {
        write_twice_at_once();
    } else {
        EXPECT_THROW(write_twice_at_once(), caught) << "here both notice";
    }
    EXPECT_FALSE(map.contains(6));
    EXPECT_EQ(map.size(), 1U) << "and nothing is left that would accuse what comes later";
    map.store(6, 6);
    EXPECT_EQ(map.size(), 2U);
}

TYPED_TEST(checked_map, catches_a_write_from_a_callback_of_the_same_thread) {
    TypeParam map("accounts");
    map.store(5, 5);
    try {
        map.visit(5, [&](int) { map.store(6, 6); });
        FAIL() << "not noticed";
    } catch (const caught& c) {
        EXPECT_TRUE(c.misuse.from_a_callback());
        EXPECT_NE(std::string(c.what()).find("a callback uses"), std::string::npos) << c.what();
    }
    EXPECT_THROW(map.update(5, [&](const int*) { return *map.load(5); }), caught);
}

TYPED_TEST(checked_map, catches_a_move_and_a_swap_from_a_callback_of_the_same_thread) {
    const auto expect_misuse = [](const std::string& operation, const auto& f) {
        TypeParam map("accounts");
        TypeParam other("others");
        map.store(5, 5);
        try {
            map.visit(5, [&](int) { f(map, other); });
            ADD_FAILURE() << operation << " was not noticed";
        } catch (const caught& c) {
            EXPECT_TRUE(c.misuse.from_a_callback());
            // Without a count of readers the outer call notices it, at its end.
            EXPECT_EQ((TestFixture::exact ? c.misuse.noticed : c.misuse.other).operation, operation);
            if (TestFixture::exact) {
                EXPECT_TRUE(map.contains(5)) << "the handler throws before the operation";
            }
        }
    };
    std::optional<TypeParam> taken;
    expect_misuse("a move", [&](TypeParam& map, TypeParam&) { taken.emplace(std::move(map)); });
    expect_misuse("swap", [](TypeParam& map, TypeParam& other) { map.swap(other); });
    expect_misuse("swap", [](TypeParam& map, TypeParam& other) { swap(other, map); });
}

TYPED_TEST(checked_map, names_the_place_of_a_map_without_a_name) {
    TypeParam map; // on this line
    const unsigned line = __LINE__ - 1;
    map.store(5, 5);
    try {
        map.visit(5, [&](int) { map.clear(); });
        FAIL() << "not noticed";
    } catch (const caught& c) {
        const std::string place = "checked_map_test.cpp:" + std::to_string(line) + " that";
        EXPECT_NE(std::string(c.what()).find(place), std::string::npos) << c.what();
    }
}

TYPED_TEST(checked_map, accuses_nobody_of_reading_together) {
    TypeParam map;
    for (int i = 0; i < 100; ++i) map.store(i, i);
    together(crowd, [&](std::size_t) {
        for (int i = 0; i < 2000; ++i) {
            ASSERT_EQ(map.load(i % 100), i % 100);
            ASSERT_FALSE(map.contains(100));
            ASSERT_EQ(map.size(), 100U);
            if (i % 100 == 0) {
                map.for_each([&](int key, int) { ASSERT_TRUE(map.contains(key)); });
            }
        }
    });
}

TYPED_TEST(checked_map, accuses_nobody_of_taking_turns) {
    TypeParam map;
    std::mutex turn;
    together(crowd, [&](std::size_t thread) {
        for (int i = 0; i < 500; ++i) {
            const std::lock_guard lock(turn);
            const int key = static_cast<int>(thread);
            map.fetch_add(key, 1);
            ASSERT_EQ(map.load(key), i + 1);
            map.erase_if([](int, int value) { return value < 0; });
            if (i % 100 == 0) map.reserve(100);
        }
    });
    EXPECT_EQ(map.size(), crowd);
}

TYPED_TEST(checked_map, accuses_nobody_after_an_exception) {
    TypeParam map;
    map.store(1, 1);
    EXPECT_THROW(map.visit(1, [](int) { throw 1; }), int);
    EXPECT_THROW(map.update(1, [](const int*) -> int { throw 1; }), int);
    std::thread([&] { map.store(2, 2); }).join();
    EXPECT_EQ(map.size(), 2U);
}

/// A program that ends at the first misuse, since no handler is set.
void race_without_a_handler() {
    syncmap::checked_map<int, int, misuse_check::exact> map("sessions");
    map.store(1, 1);
    map.update(1, [&](const int*) {
        std::thread([&] { map.erase(1); }).join();
        return syncmap::keep;
    });
}

TEST(checked_map_death, comes_with_the_message) {
    ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_DEATH(race_without_a_handler(), "two threads use the checked_map \"sessions\" at once");
}

TEST(checked_map_that_is_off, is_the_plain_map) {
    using off = syncmap::checked_map<int, int, misuse_check::off>;
    using plain = syncmap::basic_map<syncmap::engine::flat::unlocked<int, int, syncmap::hash<int>, std::equal_to<>,
                                                                     std::allocator<std::pair<const int, int>>>>;
    using table = syncmap::engine::flat::hash_table<int, int, syncmap::hash<int>, std::equal_to<>,
                                                    std::allocator<std::pair<const int, int>>>;
    // Not a byte more than the table itself, and not an instruction: the operations are the plain map's own.
    static_assert(sizeof(off) == sizeof(plain) && sizeof(off) == sizeof(table));
    static_assert(std::is_base_of_v<plain, off>);
    static_assert(std::is_same_v<decltype(&off::size), decltype(&plain::size)>);
    static_assert(std::is_same_v<decltype(&off::template contains<int>), decltype(&plain::template contains<int>)>);
    static_assert(sizeof(syncmap::checked_map<int, int>) > sizeof(plain));

    off map("a name, for nothing");
    const plain& same = map;
    EXPECT_TRUE(map.store(1, 2));
    EXPECT_EQ(same.load(1), 2);
    EXPECT_EQ(map.update(1, [](const int* current) { return *current + 1; }), syncmap::update_result::assigned);
    EXPECT_EQ(map.load(1), 3);
    EXPECT_EQ(map.fetch_add(1, 1), 3);
    EXPECT_TRUE(map.erase(1));
    EXPECT_TRUE(map.empty());
}

} // namespace test
