// Every step of user code (hash, equality, copy, move) of every operation throws once.
#include <cstddef>
#include <map>
#include <optional>

#include <gtest/gtest.h>

#include "support/maps.hpp"
#include "support/types.hpp"

namespace test {

template <class Family>
class exceptions : public ::testing::Test {
protected:
    using map_type = typename Family::template of<fragile, fragile, fragile_hash>;
    using content = std::map<int, int>;

    static content content_of(const map_type& m) {
        content result;
        m.for_each([&](const fragile& k, const fragile& v) { result.emplace(k.number(), v.number()); });
        return result;
    }

    /// Calls `operation` on a map of `entries` entries with the n-th step of user code throwing, for each n until
    /// nothing throws any more. After a throw the map must hold what it held.
    template <class Operation>
    static void fail_at_every_step(int entries, Operation operation) {
        fuse::disarm();
        fragile::alive = 0;
        bool thrown = true;
        for (std::size_t n = 0; thrown; ++n) {
            {
                map_type m;
                for (int i = 0; i < entries; ++i) m.store(fragile(i), fragile(10 * i));
                const content before = content_of(m);
                ASSERT_EQ(before.size(), static_cast<std::size_t>(entries));
                const fragile present(0);
                const fragile absent(entries);
                try {
                    fuse::steps = n;
                    operation(m, present, absent);
                    fuse::disarm();
                    thrown = false;
                } catch (const thrown_on_purpose&) {
                    fuse::disarm();
                    ASSERT_EQ(content_of(m), before) << "step " << n;
                    ASSERT_EQ(m.size(), before.size()) << "step " << n;
                    m.store(fragile(entries + 1), fragile(1)); // no lock was left behind
                    m.erase(fragile(0));
                    ASSERT_EQ(m.size(), before.size() + (entries == 0 ? 1U : 0U)) << "step " << n;
                }
            }
            ASSERT_EQ(fragile::alive, 0) << "step " << n;
            ASSERT_LT(n, 100'000U);
        }
    }

    template <class Operation>
    static void fail_at_every_step(Operation operation) {
        for (const int entries : {1, 2, 6, 7, 12, 13, 24, 40}) { // around the sizes at which tables grow
            fail_at_every_step(entries, operation);
        }
    }
};
TYPED_TEST_SUITE(exceptions, families, names);

TYPED_TEST(exceptions, of_load_change_nothing) {
    this->fail_at_every_step([](auto& m, const fragile& present, const fragile& absent) {
        EXPECT_TRUE(m.load(present));
        EXPECT_FALSE(m.load(absent));
    });
}

TYPED_TEST(exceptions, of_store_on_an_absent_key_change_nothing) {
    this->fail_at_every_step([](auto& m, const fragile&, const fragile& absent) { m.store(absent, 5); });
}

TYPED_TEST(exceptions, of_store_on_a_present_key_change_nothing) {
    this->fail_at_every_step([](auto& m, const fragile& present, const fragile&) { m.store(present, 5); });
}

TYPED_TEST(exceptions, of_insert_change_nothing) {
    this->fail_at_every_step([](auto& m, const fragile&, const fragile& absent) { m.insert(absent, 5); });
}

TYPED_TEST(exceptions, of_load_or_store_change_nothing) {
    this->fail_at_every_step(
        [](auto& m, const fragile& present, const fragile&) { EXPECT_TRUE(m.load_or_store(present, 5).loaded); });
}

TYPED_TEST(exceptions, of_erase_change_nothing) {
    this->fail_at_every_step([](auto& m, const fragile& present, const fragile&) { m.erase(present); });
}

TYPED_TEST(exceptions, of_compare_exchange_change_nothing) {
    this->fail_at_every_step([](auto& m, const fragile& present, const fragile&) {
        std::optional<fragile> expected(0);
        EXPECT_TRUE(m.compare_exchange(present, expected, 5));
    });
}

TYPED_TEST(exceptions, of_compare_erase_change_nothing) {
    this->fail_at_every_step([](auto& m, const fragile& present, const fragile&) {
        fragile expected(0);
        EXPECT_TRUE(m.compare_erase(present, expected));
    });
}

TYPED_TEST(exceptions, of_update_change_nothing) {
    this->fail_at_every_step([](auto& m, const fragile& present, const fragile&) {
        m.update(present, [](const fragile* current) { return fragile(current->number() + 1); });
    });
}

TYPED_TEST(exceptions, of_reserve_change_nothing) {
    this->fail_at_every_step([](auto& m, const fragile&, const fragile&) { m.reserve(200); });
}

} // namespace test
