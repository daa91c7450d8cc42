// Forks between any two steps of other threads: in the child the forking thread is alone with what they left.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <explore/map_pairs.hpp>

#include <syncmap/engine/table/map_registry.hpp>

#include <gtest/gtest.h>

namespace {

using namespace explore;

/// What the child finds: each key as some prefix of its writers' work left it, and everything else consistent with
/// that.
template <class Layout>
void use_alone(visible_map<Layout>& map, std::uint64_t used) {
    const auto count = [&] {
        std::size_t present = 0;
        for (std::uint64_t n = 0; n != used; ++n) present += map.contains(Layout::key(n)) ? 1 : 0;
        return present;
    };
    const std::size_t present = count();
    require(map.size() == present, "the child counts what it finds");
    require(map.for_each([](const auto&, const auto&) {}) == present, "the child walks over what it finds");
    {
        const auto taken = map.snapshot();
        require(taken.size() == present, "the child takes a snapshot of what it finds");
        for (std::uint64_t n = 0; n != used; ++n) map.store(Layout::key(n), typename Layout::mapped_type(1000 + n));
        require(map.size() == used, "the child's inserts are counted");
    }
    const std::vector<typename Layout::key_type> two{Layout::key(keys::first), Layout::key(keys::apart)};
    map.update(two, [](auto slots) {
        require(slots[0].current() != nullptr && slots[1].current() != nullptr, "the child finds both keys");
        slots[0].assign(typename Layout::mapped_type(1000 + keys::first));
        slots[1].assign(typename Layout::mapped_type(1000 + keys::apart));
    });
    for (std::uint64_t n = 0; n != used; ++n) {
        map.update(Layout::key(n), [&](const auto* old) {
            require(old != nullptr && Layout::value_of(*old) == 1000 + n, "the child finds what it stored");
            return typename Layout::mapped_type(2000 + n);
        });
    }
    for (std::uint64_t n = 1; n != used; ++n) require(map.erase(Layout::key(n)), "the child erases what it stored");
    map.flush();
    require(count() == 1 && map.size() == 1, "the child has erased the others");
    map.clear();
    require(map.size() == 0 && count() == 0, "the child has cleared the map");
    map.reserve(40);
    map.store(Layout::key(0), typename Layout::mapped_type(5));
    require(map.load(Layout::key(0)).has_value(), "the child begins anew");
}

/// What a child without hooks does with a map of its own.
template <class Layout>
void use_own() {
    constexpr std::uint64_t used = 10;
    using value_type = typename Layout::mapped_type;
    visible_map<Layout> own;
    for (std::uint64_t n = 0; n != used; ++n) own.store(Layout::key(n), value_type(1000 + n));
    const auto taken = own.snapshot();
    for (std::uint64_t n = 0; n != used; ++n) {
        own.update(Layout::key(n), [](const auto* old) { return value_type(1000 + Layout::value_of(*old)); });
    }
    for (std::uint64_t n = 1; n != used; ++n) require(own.erase(Layout::key(n)), "the child erases what it stored");
    own.flush();
    require(own.size() == 1 && taken.size() == used, "the child's map has what it stored");
}

template <class Layout>
class explored_forks : public testing::Test {
protected:
    /// `hooked`: between the hooks, else the child only reads. `in_child`: which of the two processes goes on.
    static void explore_fork(summary& all, setting where, verb what, bool hooked, bool in_child) {
        const std::string name = std::string(Layout::name) + " fork " + name_of(where) + "|" + name_of(what) +
                                 (!hooked    ? "|read"
                                  : in_child ? "|child"
                                             : "|parent");
        const preparation<Layout> prepared(where, true);
        limits bounds{.preemptions = full_run() ? 2U : 1U,
                      .schedules = full_run() ? 20'000U
                                   : in_child ? (hooked ? 30U : 150U)
                                              : 120U, // a child leaves its fibers behind
                      .random = full_run() ? 2000U
                                : in_child ? 12U
                                           : 15U};
        journal calls;
        all.add(explore::explore(name, bounds, [&] {
            calls.clear();
            recorded_map<Layout> map(calls, prepared.used());
            prepared.bring(map.plain());
            using living = syncmap::engine::map_registry<sync_policy>;
            const auto fork = [&] {
                if (hooked) living::before_fork();
                if (in_child) {
                    scheduler::instance().lose_others();
                    if (hooked) {
                        living::after_fork_in_child();
                        use_alone<Layout>(map.plain(), prepared.used());
                        { const visible_map<Layout> moved(std::move(map.plain())); }
                    } else {
                        // As the system does in each child.
                        syncmap::engine::process<sync_policy>::instance().note_fork();
                        syncmap::engine::writers<sync_policy>::instance().note_fork();
                        for (std::uint64_t n = 0; n != prepared.used(); ++n) {
                            static_cast<void>(map.plain().contains(Layout::key(n)));
                            static_cast<void>(map.plain().load(Layout::key(n)));
                        }
                        use_own<Layout>();
                        { const visible_map<Layout> moved(std::move(map.plain())); }
                        use_own<Layout>();
                    }
                    scheduler::instance().finish();
                }
                living::after_fork_in_parent();
            };
            const auto write = [&] { map.perform(1, make_step(what, keys::first, 0, true)); };
            const auto meanwhile = [&] {
                for (const step& each : prepared.meanwhile()) map.perform(2, each);
            };
            prepared.meanwhile().empty() ? parallel(fork, write) : parallel(fork, write, meanwhile);
            map.perform(0, {verb::for_each, 0});
            map.perform(0, {verb::size, 0});
            map.look_again();
        }));
    }
};

using layouts = testing::Types<inline_layout, node_key_layout, node_layout>;
struct layout_names {
    template <class Layout>
    static std::string GetName(int) {
        return Layout::name[0] == 'i' ? "inline" : Layout::has_integral_value ? "node_key" : "node";
    }
};
TYPED_TEST_SUITE(explored_forks, layouts, layout_names);

TYPED_TEST(explored_forks, let_the_child_read) {
    summary all(std::string(TypeParam::name) + ", reads in the child");
    for (const setting where : all_settings) {
        for (const verb what : {verb::store, verb::erase, verb::update, verb::clear}) {
            this->explore_fork(all, where, what, false, true);
        }
    }
}

TYPED_TEST(explored_forks, let_the_child_write_between_the_hooks) {
    summary all(std::string(TypeParam::name) + ", writes in the child");
    for (const setting where : all_settings) {
        for (const verb what : all_verbs<TypeParam>()) this->explore_fork(all, where, what, true, true);
    }
}

TYPED_TEST(explored_forks, let_the_parent_go_on) {
    summary all(std::string(TypeParam::name) + ", the parent goes on");
    for (const setting where : all_settings) {
        for (const verb what : all_verbs<TypeParam>()) this->explore_fork(all, where, what, true, false);
    }
}

} // namespace
