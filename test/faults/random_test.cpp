// One call in a hundred fails, at random, over long sequences of operations: of one thread, and of several that share
// a map. Each thread has keys of its own, whose content it knows exactly, and all meet at a few keys that are computed.
#include <array>
#include <chrono>
#include <cstddef>
#include <string>

#include <gtest/gtest.h>

#include "faults/maps.hpp"
#include "faults/subject.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test::faults {
namespace {

constexpr std::uint64_t one_in_a_hundred = 100; // of 10,000
constexpr int own_keys = 60;

constexpr std::array on_one_key{
    act::store,          act::insert,          act::load_or_store,  act::load_or_compute,  act::exchange,
    act::compare_insert, act::update_to,       act::fetch_add,      act::compare_exchange, act::load,
    act::visit,          act::compare_in_vain, act::update_nothing, act::update_away,      act::erase,
    act::load_and_erase, act::compare_erase,   act::erase};
constexpr std::array on_the_map{act::for_each, act::in_steps,      act::size,          act::take_snapshot, act::read_snapshot,
                                act::flush,    act::drop_snapshot, act::erase_if_even, act::clear};
constexpr std::size_t of_a_crowd = 7; // the first of them, which leave other threads' keys alone

step any_step(random& draw, int first_key, std::size_t map_acts) {
    const int key = first_key + static_cast<int>(draw.below(own_keys));
    const int number = static_cast<int>(draw.below(100'000));
    if (draw.below(64) == 0) return {on_the_map[draw.below(map_acts)], key, number};
    return {on_one_key[draw.below(on_one_key.size())], key, number};
}

/// Keys of all threads: one that fails or waits there must not hold up the others.
template <class Map>
void use_shared_key(Map& map, random& draw) {
    using key_type = typename Map::key_type;
    using mapped = typename Map::mapped_type;
    const key_type key = made_of<key_type>(-1 - static_cast<int>(draw.below(3)));
    const mapped value = made_of<mapped>(static_cast<int>(draw.below(1000)));
    const auto compute = [&]() -> mapped {
        injector::reach(site::callback);
        return value;
    };
    try {
        const injector::armed now;
        switch (draw.below(4)) {
        case 0: static_cast<void>(map.load_or_compute(key, compute)); break;
        case 1: map.update(key, [&](const mapped*) { return compute(); }); break;
        case 2: map.erase(key); break;
        default: map.store(key, value);
        }
    } catch (const std::bad_alloc&) {
    } catch (const thrown_on_purpose&) {}
}

} // namespace

template <class Named>
class random_faults : public ::testing::Test {
protected:
    static void TearDownTestSuite() { injector::report(Named::name); }
};
struct random_names {
    template <class Named>
    static std::string GetName(int) {
        return Named::name;
    }
};
#if defined(SYNCMAP_THREAD_SANITIZER)
using random_subjects = ::testing::Types<inline_words, nodes, with_snapshot>; // it takes long to compile
#else
using random_subjects =
    ::testing::Types<inline_words, inline_small_values, node_keys, nodes, behind_mutex, behind_shared_mutex, with_snapshot>;
#endif
TYPED_TEST_SUITE(random_faults, random_subjects, random_names);

TYPED_TEST(random_faults, of_one_thread_change_nothing) {
    using map_type = typename TypeParam::type;
    const watchdog watch(std::string("random faults in ") + TypeParam::name, std::chrono::seconds(250));
    {
        map_type map;
        subject<map_type> under_test(map);
        random draw(1);
        injector::fail_at_random(one_in_a_hundred, 2);
        for (std::size_t i = 0, end = scaled(60'000); i < end && !this->HasFailure(); ++i) {
            under_test.perform(any_step(draw, 0, on_the_map.size()));
            if (i % 1024 == 0) under_test.compare();
            if (i % 8192 == 0) under_test.use_all_keys(0, own_keys);
        }
        injector::stop();
        under_test.compare();
    }
    ASSERT_EQ(books::blocks.load(), 0);
    ASSERT_EQ(books::objects.load(), 0);
}

TYPED_TEST(random_faults, of_several_threads_change_nothing_and_hold_nobody_up) {
    using map_type = typename TypeParam::type;
    const watchdog watch(std::string("random faults of threads in ") + TypeParam::name, std::chrono::seconds(250));
    constexpr std::size_t threads = 4;
    {
        map_type map;
        together(threads, [&](std::size_t t) {
            const int first = static_cast<int>(t) * own_keys;
            subject<map_type> mine(map);
            mine.check_whole_map(false);
            random draw(t + 1);
            injector::fail_at_random(one_in_a_hundred, t + 100);
            for (std::size_t i = 0, end = scaled(30'000); i < end && !this->HasFailure(); ++i) {
                mine.perform(any_step(draw, first, of_a_crowd));
                if (draw.below(4) == 0) use_shared_key(map, draw);
            }
            injector::stop();
            mine.use_all_keys(first, first + own_keys);
        });
        for (int k = -3; k < 0; ++k) {
            map.store(made_of<typename map_type::key_type>(k), made_of<typename map_type::mapped_type>(0));
        }
        std::size_t seen = 0;
        map.for_each([&](const auto&, const auto&) { ++seen; });
        ASSERT_EQ(map.size(), seen);
    }
    ASSERT_EQ(books::blocks.load(), 0);
    ASSERT_EQ(books::objects.load(), 0);
}

} // namespace test::faults
