// Every allocation and every call of user code of a script that uses all operations fails once, at every k.
#include <chrono>
#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

#include "faults/maps.hpp"
#include "faults/subject.hpp"
#include "support/scale.hpp"
#include "support/watchdog.hpp"

namespace test::faults {
namespace {

constexpr int keys = 72;

/// Growth, a full turn of all operations, two snapshots in between, shrinking, and a clear under a snapshot.
std::vector<step> script() {
    std::vector<step> s;
    const auto each = [&](std::initializer_list<act> acts, int from, int end, int stride) {
        auto next = acts.begin();
        for (int k = from; k < end; k += stride) {
            s.push_back({*next, k, 1000 + static_cast<int>(s.size())});
            if (++next == acts.end()) next = acts.begin();
        }
    };
    const auto once = [&](act what, int number = 0) { s.push_back({what, 3, number}); };
    const auto inserting = {act::store,    act::insert,         act::load_or_store, act::load_or_compute,
                            act::exchange, act::compare_insert, act::update_to,     act::fetch_add};
    const auto overwriting = {act::store,           act::exchange,       act::update_to,     act::compare_exchange,
                              act::compare_in_vain, act::load_or_store,  act::fetch_add,     act::insert,
                              act::load_or_compute, act::update_nothing, act::compare_insert};
    const auto erasing = {act::erase, act::load_and_erase, act::compare_erase, act::update_away};
    const auto reading = {act::load, act::visit};

    each(erasing, 0, 4, 1); // of a map that has no table yet
    each(inserting, 0, 40, 1);
    each(reading, 30, 50, 1);
    once(act::take_snapshot);
    each(overwriting, 0, 33, 1);
    each(erasing, 1, 40, 3);
    once(act::read_snapshot);
    each(inserting, 36, keys, 1); // grows under the snapshot
    once(act::in_steps);
    once(act::size);
    once(act::read_snapshot);
    once(act::erase_if_even);
    once(act::for_each);
    once(act::drop_snapshot);
    once(act::flush);
    each(inserting, 0, 20, 1);
    once(act::take_snapshot);
    each(erasing, 0, keys, 1); // shrinks under the other one
    once(act::read_snapshot);
    once(act::reserve, 300);
    each(inserting, 0, 9, 1);
    once(act::clear);
    once(act::size);
    each(inserting, 2, 7, 1);
    once(act::read_snapshot);
    once(act::drop_snapshot);
    once(act::flush);
    once(act::in_steps);
    return s;
}

} // namespace

template <class Named>
class every_call : public ::testing::Test {};
struct subject_names {
    template <class Named>
    static std::string GetName(int) {
        return Named::name;
    }
};
using subjects = ::testing::Types<inline_words, inline_small_values, node_keys, nodes, texts, texts_of_nodes, behind_mutex,
                                  behind_shared_mutex, with_snapshot>;
TYPED_TEST_SUITE(every_call, subjects, subject_names);

TYPED_TEST(every_call, may_fail_and_nothing_has_changed_and_nothing_is_lost) {
    using map_type = typename TypeParam::type;
    const watchdog watch(std::string("faults in ") + TypeParam::name, std::chrono::seconds(250));
    const std::vector<step> steps = script();
    const std::uint64_t stride = sanitized ? 11 : 1;
    bool failed = true;
    for (std::uint64_t k = 0; failed; k += stride) {
        SCOPED_TRACE("fault " + std::to_string(k));
        {
            map_type map;
            subject<map_type> under_test(map);
            injector::fail_at(k);
            failed = false;
            for (const step& s : steps) {
                under_test.perform(s);
                if (this->HasFailure()) return injector::stop();
                if (!failed && injector::has_failed()) {
                    failed = true;
                    under_test.use_all_keys(0, keys);
                    if (this->HasFailure()) return;
                }
            }
            under_test.compare();
        }
        if (this->HasFailure()) return injector::stop();
        ASSERT_EQ(books::blocks.load(), 0);
        ASSERT_EQ(books::objects.load(), 0);
    }
    injector::report(TypeParam::name);
}

} // namespace test::faults
