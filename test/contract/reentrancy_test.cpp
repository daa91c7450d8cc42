// Callbacks that call the map that runs them: every callback x every operation x the same and another key.
//
// Where callbacks are free every operation must work; only a write to the very key that the callback computes throws
// `recursive_update`. Behind a lock an operation works or throws `reentrant_call`. Nowhere may it hang.
#include <iterator>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/concepts.hpp>
#include <syncmap/errors.hpp>

#include "support/maps.hpp"
#include "support/watchdog.hpp"

namespace test {
namespace {

enum class effect { reads, writes, writes_if_present, writes_if_absent, spans_all };

/// One operation on key `i`, as a callback would call it.
template <class Map>
struct operation {
    const char* name;
    effect touches;
    void (*call)(Map&, int);
};

template <class Map>
std::vector<operation<Map>> operations() {
    using mapped = typename Map::mapped_type;
    return {
        {"load", effect::reads, [](Map& m, int i) { static_cast<void>(m.load(key<Map>(i))); }},
        {"contains", effect::reads, [](Map& m, int i) { static_cast<void>(m.contains(key<Map>(i))); }},
        {"visit", effect::reads, [](Map& m, int i) { m.visit(key<Map>(i), [](const mapped&) {}); }},
        {"size", effect::reads, [](Map& m, int) { static_cast<void>(m.size()); }},
        {"approx_size", effect::reads, [](Map& m, int) { static_cast<void>(m.approx_size()); }},
        {"empty", effect::reads, [](Map& m, int) { static_cast<void>(m.empty()); }},
        {"for_each", effect::reads, [](Map& m, int) { m.for_each([](const auto&, const auto&) {}); }},
        {"store", effect::writes, [](Map& m, int i) { m.store(key<Map>(i), value<Map>(77)); }},
        {"insert", effect::writes_if_absent, [](Map& m, int i) { m.insert(key<Map>(i), value<Map>(77)); }},
        {"load_or_store", effect::writes_if_absent,
         [](Map& m, int i) { static_cast<void>(m.load_or_store(key<Map>(i), value<Map>(77))); }},
        {"load_or_compute", effect::writes_if_absent,
         [](Map& m, int i) { static_cast<void>(m.load_or_compute(key<Map>(i), [] { return value<Map>(77); })); }},
        {"exchange", effect::writes, [](Map& m, int i) { static_cast<void>(m.exchange(key<Map>(i), value<Map>(77))); }},
        {"update", effect::writes, [](Map& m, int i) { m.update(key<Map>(i), [](auto*) { return value<Map>(77); }); }},
        {"compare_exchange", effect::writes_if_present,
         [](Map& m, int i) {
             std::optional<mapped> expected = value<Map>(i);
             static_cast<void>(m.compare_exchange(key<Map>(i), expected, value<Map>(77)));
         }},
        {"erase", effect::writes_if_present, [](Map& m, int i) { m.erase(key<Map>(i)); }},
        {"load_and_erase", effect::writes_if_present, [](Map& m, int i) { static_cast<void>(m.load_and_erase(key<Map>(i))); }},
        {"compare_erase", effect::writes_if_present,
         [](Map& m, int i) {
             mapped expected = value<Map>(i);
             static_cast<void>(m.compare_erase(key<Map>(i), expected));
         }},
        {"erase_if", effect::spans_all,
         [](Map& m, int i) { m.erase_if([i](const auto& k, const auto&) { return k == key<Map>(i); }); }},
        {"update of two", effect::writes,
         [](Map& m, int i) {
             if constexpr (syncmap::multi_key_map<Map>) {
                 m.update({key<Map>(i + 7000), key<Map>(i)}, [](auto slots) { slots[1].assign(value<Map>(77)); });
             } else {
                 m.store(key<Map>(i), value<Map>(77));
             }
         }},
        {"clear", effect::spans_all, [](Map& m, int) { m.clear(); }},
        {"reserve", effect::spans_all, [](Map& m, int) { m.reserve(1000); }},
        {"for_each_from", effect::reads,
         [](Map& m, int) {
             const auto nothing = [](const auto&, const auto&) {};
             if constexpr (requires { m.for_each_from({}, nothing); }) static_cast<void>(m.for_each_from({}, nothing));
         }},
        {"flush", effect::reads,
         [](Map& m, int) {
             if constexpr (requires { m.flush(); }) m.flush();
         }},
        {"snapshot", effect::reads,
         [](Map& m, int i) {
             if constexpr (requires { m.snapshot(); }) static_cast<void>(m.snapshot().contains(key<Map>(i)));
         }},
    };
}

constexpr int entries = 20;
constexpr int present = 5;
constexpr int absent = 500;

template <class Map>
void fill(Map& map) {
    for (int i = 0; i < entries; ++i) map.store(key<Map>(i), value<Map>(i));
}

/// What came of one operation inside a callback.
enum class outcome { worked, recursive, reentrant };

template <class Map>
outcome attempt(Map& map, const operation<Map>& op, int i) {
    try {
        op.call(map, i);
        return outcome::worked;
    } catch (const syncmap::recursive_update&) {
        return outcome::recursive;
    } catch (const syncmap::reentrant_call&) {
        return outcome::reentrant;
    }
}

} // namespace

template <class M>
class reentrancy : public ::testing::Test {
protected:
    template <class Family>
    static constexpr bool is_of =
        std::is_same_v<M, typename Family::template of<typename M::key_type, typename M::mapped_type>>;
    template <class... Families>
    static constexpr bool free_in(::testing::Types<Families...>) {
        return ((is_of<Families> && Families::callbacks_are_free) || ...);
    }
    static constexpr bool callbacks_are_free = free_in(families{});

    /// Runs `callback(map, inside)` for each operation on each key; `inside` is to be called from the callback. The
    /// key `computed` (if any) is the one that the callback computes.
    template <class Run>
    static void each_operation(const char* callback, int computed, Run run) {
        for (const auto& op : operations<M>()) {
            for (const int target : {present, present + 1, absent, absent + 1}) {
                const std::string what = std::string(op.name) + " of key " + std::to_string(target) + " inside " + callback +
                                         " of key " + std::to_string(computed);
                const watchdog dog(what);
                M map;
                fill(map);
                std::optional<outcome> result;
                run(map, [&] {
                    if (!result) result = attempt(map, op, target);
                });
                ASSERT_TRUE(result) << what << ": the callback was not called";
                if (!callbacks_are_free) {
                    EXPECT_NE(*result, outcome::recursive) << what;
                } else if (target != computed || op.touches == effect::reads) {
                    EXPECT_EQ(*result, outcome::worked) << what;
                } else if (op.touches == effect::writes || (op.touches == effect::writes_if_present && target == present) ||
                           (op.touches == effect::writes_if_absent && target == absent)) {
                    EXPECT_EQ(*result, outcome::recursive) << what;
                } else { // does not change the computed key as it is, or concerns all keys: either is an answer
                    EXPECT_NE(*result, outcome::reentrant) << what;
                }
                // Whatever happened, nothing is held any more and the map works.
                map.store(key<M>(target), value<M>(1));
                map.store(key<M>(present), value<M>(2));
                EXPECT_EQ(map.load(key<M>(present)), value<M>(2)) << what;
                map.clear();
                fill(map);
                EXPECT_EQ(map.size(), static_cast<std::size_t>(entries)) << what;
            }
        }
    }
};
TYPED_TEST_SUITE(reentrancy, maps, names);

TYPED_TEST(reentrancy, of_a_visitor) {
    this->each_operation("visit", -1, [](auto& map, auto inside) {
        map.visit(key<TypeParam>(present), [&](const auto& v) {
            const auto before = v;
            inside();
            EXPECT_EQ(v, before) << "the value visited stays what it is";
        });
    });
}

TYPED_TEST(reentrancy, of_an_update_of_a_present_key) {
    this->each_operation("update", present, [](auto& map, auto inside) {
        map.update(key<TypeParam>(present), [&](const auto* v) {
            const auto before = *v;
            inside();
            EXPECT_EQ(*v, before) << "the value shown stays what it is";
            return value<TypeParam>(88);
        });
    });
}

TYPED_TEST(reentrancy, of_an_update_of_an_absent_key) {
    this->each_operation("update", absent, [](auto& map, auto inside) {
        map.update(key<TypeParam>(absent), [&](const auto* v) {
            EXPECT_EQ(v, nullptr);
            inside();
            return value<TypeParam>(88);
        });
    });
}

TYPED_TEST(reentrancy, of_an_update_of_two_keys) {
    if constexpr (syncmap::multi_key_map<TypeParam>) {
        this->each_operation("update of two", present, [](auto& map, auto inside) {
            map.update({key<TypeParam>(9000), key<TypeParam>(present)}, [&](auto slots) {
                const auto before = *slots[1].current();
                slots[0].assign(value<TypeParam>(88));
                inside();
                EXPECT_EQ(*slots[1].current(), before) << "the value shown stays what it is";
                slots[1].assign(value<TypeParam>(88));
            });
        });
    }
}

TYPED_TEST(reentrancy, of_a_computation) {
    this->each_operation("load_or_compute", absent, [](auto& map, auto inside) {
        const auto result = map.load_or_compute(key<TypeParam>(absent), [&] {
            inside();
            return value<TypeParam>(88);
        });
        EXPECT_EQ(result.value, value<TypeParam>(88));
        EXPECT_FALSE(result.loaded);
    });
}

TYPED_TEST(reentrancy, of_an_iteration) {
    this->each_operation("for_each", -1, [](auto& map, auto inside) {
        map.for_each([&](const auto& k, const auto& v) {
            const auto key_before = k;
            const auto value_before = v;
            inside();
            EXPECT_EQ(k, key_before);
            EXPECT_EQ(v, value_before);
        });
    });
}

TYPED_TEST(reentrancy, of_a_predicate) {
    this->each_operation("erase_if", -1, [](auto& map, auto inside) {
        map.erase_if([&](const auto& k, const auto& v) {
            const auto value_before = v;
            inside();
            EXPECT_EQ(v, value_before);
            return k == key<TypeParam>(7);
        });
    });
}

TYPED_TEST(reentrancy, of_nested_computations_of_other_keys) {
    const watchdog dog("nested computations of other keys");
    TypeParam map;
    const auto compute = [&](auto& self, int depth) -> typename TypeParam::mapped_type {
        if (depth == 0) return value<TypeParam>(0);
        return map.load_or_compute(key<TypeParam>(depth), [&] { return self(self, depth - 1); }).value;
    };
    if constexpr (TestFixture::callbacks_are_free) {
        EXPECT_EQ(compute(compute, 50), value<TypeParam>(0));
        EXPECT_EQ(map.size(), 50U);
    } else {
        EXPECT_THROW(compute(compute, 50), syncmap::reentrant_call);
        EXPECT_EQ(map.size(), 0U);
    }
}

TYPED_TEST(reentrancy, of_a_computation_that_asks_for_itself_throws_and_leaves_nothing_behind) {
    const watchdog dog("a computation that asks for itself");
    TypeParam map;
    const auto k = key<TypeParam>(1);
    using mapped = typename TypeParam::mapped_type;
    const auto recurse = [&]() -> mapped { return map.load_or_compute(k, [] { return value<TypeParam>(1); }).value; };
    if constexpr (TestFixture::callbacks_are_free) {
        EXPECT_THROW(static_cast<void>(map.load_or_compute(k, recurse)), syncmap::recursive_update);
    } else {
        EXPECT_THROW(static_cast<void>(map.load_or_compute(k, recurse)), syncmap::reentrant_call);
    }
    EXPECT_FALSE(map.contains(k));
    EXPECT_FALSE(map.load_or_compute(k, [] { return value<TypeParam>(2); }).loaded);
}

template <class Family>
class reentrancy_of_types : public ::testing::Test {};
TYPED_TEST_SUITE(reentrancy_of_types, families, names);

/// What a map does to keys and values behind an operation's back.
enum class moment { hash, key_equality, key_copy, key_end, value_equality, value_copy, value_end };
constexpr const char* moment_names[] = {"hash",
                                        "equality of keys",
                                        "copy of a key",
                                        "destructor of a key",
                                        "equality of values",
                                        "copy of a value",
                                        "destructor of a value"};

/// Runs a function once, when the moment comes.
struct at_moment {
    static inline thread_local at_moment* armed = nullptr;
    moment when;
    void (*run)(void*);
    void* argument;
    bool came = false;

    static void has_come(moment m) {
        if (armed == nullptr || armed->when != m) return;
        at_moment& now = *std::exchange(armed, nullptr);
        now.came = true;
        now.run(now.argument);
    }
};

/// A key or value that tells when it is compared, copied and destroyed.
template <moment Equality, moment Copy, moment End>
struct telling {
    explicit telling(int n) noexcept : number(n) {}
    telling(const telling& other) : number(other.number) { at_moment::has_come(Copy); }
    telling& operator=(const telling&) = default;
    ~telling() { at_moment::has_come(End); }
    int number;
    friend bool operator==(const telling& a, const telling& b) {
        at_moment::has_come(Equality);
        return a.number == b.number;
    }
};
using telling_key = telling<moment::key_equality, moment::key_copy, moment::key_end>;
using telling_value = telling<moment::value_equality, moment::value_copy, moment::value_end>;
struct telling_hash {
    std::size_t operator()(const telling_key& key) const {
        at_moment::has_come(moment::hash);
        return static_cast<std::size_t>(key.number);
    }
};

TYPED_TEST(reentrancy_of_types, every_operation_in_every_function_of_keys_and_values_in_every_operation) {
    if constexpr (TypeParam::callbacks_are_free) {
        using map_type = typename TypeParam::template of<telling_key, telling_value, telling_hash>;
        const watchdog dog("operations in the functions of keys and values");
        const auto all = operations<map_type>();
        std::vector<int> came(std::size(moment_names));
        for (const auto& outer : all) {
            for (std::size_t m = 0; m != std::size(moment_names); ++m) {
                for (const auto& inner : all) {
                    for (const auto& [outer_key, inner_key] : {std::pair(present, present), std::pair(present, present + 1),
                                                               std::pair(absent, absent), std::pair(absent, present)}) {
                        map_type map;
                        fill(map);
                        outcome result = outcome::worked;
                        const auto run = [&, target = inner_key] { result = attempt(map, inner, target); };
                        at_moment waiting{static_cast<moment>(m), [](void* f) { (*static_cast<decltype(run)*>(f))(); },
                                          const_cast<std::remove_const_t<decltype(run)>*>(&run)};
                        at_moment::armed = &waiting;
                        outer.call(map, outer_key);
                        at_moment::armed = nullptr;
                        came[m] += waiting.came ? 1 : 0;
                        const std::string what = std::string(inner.name) + " of key " + std::to_string(inner_key) + " in the " +
                                                 moment_names[m] + " in " + outer.name + " of key " + std::to_string(outer_key);
                        const bool computes =
                            std::string(outer.name).starts_with("update") || std::string(outer.name) == "load_or_compute";
                        EXPECT_NE(result, outcome::reentrant) << what;
                        EXPECT_TRUE(result == outcome::worked || (computes && inner_key == outer_key)) << what;
                        map.clear();
                        fill(map);
                        EXPECT_EQ(map.size(), static_cast<std::size_t>(entries)) << what;
                    }
                }
            }
        }
        for (std::size_t m = 0; m != std::size(moment_names); ++m) EXPECT_GT(came[m], 50) << moment_names[m];
    }
}

/// A value whose comparison looks into a map, through a hook.
struct nosy {
    static inline thread_local bool (*look)() = nullptr;
    int number;
    friend bool operator==(const nosy& a, const nosy& b) {
        if (look != nullptr) static_cast<void>(look());
        return a.number == b.number;
    }
};

TYPED_TEST(reentrancy_of_types, a_comparison_of_values_that_reads_the_map) {
    const watchdog dog("a comparison of values that reads the map");
    static typename TypeParam::template of<int, nosy> map;
    for (int i = 0; i < 100; ++i) map.store(i, nosy{i});
    nosy::look = [] { return map.contains(2) && map.load(1).has_value(); };
    nosy expected{1};
    if constexpr (TypeParam::callbacks_are_free) {
        EXPECT_TRUE(map.compare_exchange(1, expected, nosy{10}));
    } else {
        EXPECT_THROW(static_cast<void>(map.compare_exchange(1, expected, nosy{10})), syncmap::reentrant_call);
    }
    nosy::look = nullptr;
    EXPECT_EQ(map.load(1)->number, TypeParam::callbacks_are_free ? 10 : 1);
    map.clear();
}

/// A value whose destructor writes to a map.
struct last_will {
    using hook = void (*)();
    static inline thread_local hook execute = nullptr;
    explicit last_will(bool is_armed) noexcept : armed(is_armed) {}
    last_will(last_will&& other) noexcept : armed(std::exchange(other.armed, false)) {}
    last_will(const last_will&) = delete;
    ~last_will() {
        if (armed && execute != nullptr) execute();
    }
    bool armed;
};

TYPED_TEST(reentrancy_of_types, a_destructor_that_writes_to_the_map) {
    const watchdog dog("a destructor that writes to the map");
    static typename TypeParam::template of<int, last_will> map;
    last_will::execute = [] { map.store(1000, last_will(false)); };
    map.store(1, last_will(true));
    map.erase(1);
    map.store(2, last_will(true));
    map.store(2, last_will(true));
    map.clear();
    map.store(3, last_will(true));
    last_will::execute = nullptr;
    EXPECT_TRUE(map.contains(3));
    map.clear();
}

} // namespace test
