// Updates of two keys beside each other and beside everything else: atomic for writers, `size` and snapshots.
//
// Reads of single keys may see one key before and the other after it, so no program here makes two of them.
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <explore/map_bodies.hpp>
#include <explore/map_pairs.hpp>

#include <gtest/gtest.h>

namespace {

using namespace explore;

template <class Layout>
class explored_multi_updates : public testing::Test {};
using layouts = testing::Types<inline_layout, node_key_layout, node_layout>; // texts have the protocol of the other nodes
TYPED_TEST_SUITE(explored_multi_updates, layouts);

step add_to_two(std::uint64_t key, std::uint64_t other, std::uint64_t operand) {
    return {verb::add_to_two, key, operand, {}, other};
}
step swap_two(std::uint64_t key, std::uint64_t other) { return {verb::swap_two, key, 0, {}, other}; }

limits bounds_in(setting where) {
    if (full_run()) return {.preemptions = 3, .schedules = 500'000, .random = 5000};
    const bool small = where == setting::plain || where == setting::clear || where == setting::reclaim;
    return {.preemptions = small ? 2U : 1U, .schedules = small ? 300U : 80U, .random = small ? 20U : 10U};
}

limits weak_bounds() {
    const unsigned more = full_run() ? 100 : 1;
    return {.preemptions = 1, .schedules = 12 * more, .random = 6 * more, .weak = true};
}

TYPED_TEST(explored_multi_updates, beside_one_more_thread) {
    const std::vector<std::vector<step>> others = {
        {add_to_two(keys::apart, keys::first, 100)},
        {swap_two(keys::apart, keys::first)},
        {add_to_two(keys::second, keys::apart, 100)},
        {{verb::store, keys::first, 21}, {verb::store, keys::apart, 22}},
        {{verb::update, keys::apart, 21}, {verb::update, keys::first, 22}},
        {{verb::update_erase, keys::first}, {verb::size, 0}},
        {{verb::erase, keys::first}, {verb::snapshot, 0}},
        {{verb::load, keys::first}, {verb::size, 0}, {verb::snapshot, 0}},
        {{verb::snapshot, 0}, {verb::load, keys::apart}},
        {{verb::clear, 0}, {verb::size, 0}},
    };
    for (const setting where : all_settings) {
        summary all(std::string(TypeParam::name) + ", updates of two keys, " + name_of(where));
        for (const limits& bounds : {bounds_in(where), weak_bounds()}) {
            for (const bool present : {true, false}) {
                for (const auto& other : others) {
                    all.add(explore_program<TypeParam>({where, present, {{add_to_two(keys::first, keys::apart, 11)}, other}},
                                                       bounds));
                    all.add(
                        explore_program<TypeParam>({where, present, {{swap_two(keys::first, keys::second)}, other}}, bounds));
                }
            }
        }
    }
}

TYPED_TEST(explored_multi_updates, in_a_circle) {
    // Three threads want two keys each, so that each of them has what the next one wants.
    summary all(std::string(TypeParam::name) + ", updates of two keys in a circle");
    limits bounds{.preemptions = 2, .schedules = full_run() ? 2'000'000U : 6'000U, .random = full_run() ? 100'000U : 1'000U};
    for (const reuse memory : {reuse::never, reuse::at_once, reuse::by_thread}) {
        bounds.memory = memory;
        all.add(explore_program<TypeParam>({setting::plain,
                                            true,
                                            {{add_to_two(keys::first, keys::apart, 10)},
                                             {swap_two(keys::apart, keys::second)},
                                             {add_to_two(keys::second, keys::first, 1000), {verb::size, 0}}}},
                                           bounds));
    }
}

TYPED_TEST(explored_multi_updates, whose_keys_are_computed_one_by_one_elsewhere) {
    const report r = explore::explore(
        std::string(TypeParam::name) + " two keys beside nested writes",
        {.preemptions = 2, .schedules = full_run() ? 5'000'000U : 10'000U, .random = full_run() ? 100'000U : 1'000U},
        [] { compute_two_keys_one_by_one<TypeParam>(); });
    EXPECT_FALSE(r.failed()) << r.description;
}

TYPED_TEST(explored_multi_updates, that_insert_more_than_a_bucket_holds) {
    const report r = explore::explore(
        std::string(TypeParam::name) + " ten keys into small buckets",
        {.preemptions = 2, .schedules = full_run() ? 1'000'000U : 3'000U, .random = full_run() ? 50'000U : 500U},
        [] { insert_ten_keys<TypeParam>(); });
    EXPECT_FALSE(r.failed()) << r.description;
}

TYPED_TEST(explored_multi_updates, whose_buckets_lie_in_two_tables) {
    const preparation<TypeParam> moving(setting::moving, true);
    for (const std::uint64_t other : {keys::apart, keys::second}) {
        const report r = explore::explore(std::string(TypeParam::name) + " two keys in two tables, 0+" + std::to_string(other),
                                          {.preemptions = full_run() ? 2U : 1U,
                                           .schedules = full_run() ? 1'000'000U : 2'000U,
                                           .random = full_run() ? 20'000U : 100U},
                                          [&] { update_in_two_tables<TypeParam>(moving, other); });
        EXPECT_FALSE(r.failed()) << r.description;
    }
}

TYPED_TEST(explored_multi_updates, whose_buckets_lie_in_two_tables_beside_the_end_of_the_move_and_a_clear) {
    const preparation<TypeParam> moving(setting::moving, true);
    const report r = explore::explore(std::string(TypeParam::name) + " two keys in two tables, one of which is used again",
                                      {.preemptions = full_run() ? 2U : 1U,
                                       .schedules = full_run() ? 1'000'000U : 2'000U,
                                       .random = full_run() ? 20'000U : 100U},
                                      [&] { update_in_two_tables_beside_clear<TypeParam>(moving); });
    EXPECT_FALSE(r.failed()) << r.description;
}

TYPED_TEST(explored_multi_updates, by_chance) {
    summary all(std::string(TypeParam::name) + ", updates of two keys by chance");
    constexpr std::uint64_t places[] = {keys::first, keys::second, keys::apart};
    std::minstd_rand chance(17);
    for (std::uint64_t n = 0, programs = full_run() ? 5000 : 60; n != programs; ++n) {
        map_program program{all_settings[chance() % std::size(all_settings)], chance() % 2 == 0, {}};
        bool has_read = false;
        for (std::uint64_t t = 0, threads = 2 + chance() % 2; t != threads; ++t) {
            std::vector<step> steps;
            for (std::uint64_t left = 1 + chance() % 4; left != 0; --left) {
                const std::uint64_t key = places[chance() % 3];
                std::uint64_t other = key;
                while (other == key) other = places[chance() % 3];
                constexpr verb verbs[] = {verb::add_to_two, verb::swap_two, verb::add_to_two,   verb::swap_two,
                                          verb::store,      verb::update,   verb::update_erase, verb::exchange,
                                          verb::size,       verb::snapshot, verb::clear,        verb::load};
                verb what = verbs[chance() % std::size(verbs)];
                if (what == verb::load && std::exchange(has_read, true)) what = verb::size;
                steps.push_back({what, key, 100 * (t + 1) + 10 * left, {}, other});
            }
            program.threads.push_back(std::move(steps));
        }
        all.add(explore_program<TypeParam>(program, {.preemptions = 1,
                                                     .schedules = 100,
                                                     .random = full_run() ? 2000U : 60U,
                                                     .memory = static_cast<reuse>(n % 3),
                                                     .weak = n % 2 == 0}));
    }
}

} // namespace
