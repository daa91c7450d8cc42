// The arena; this file also brings the program's operators new and delete.
#include <explore/arena.hpp>
#include <explore/new_delete.hpp>

#include <gtest/gtest.h>

namespace {

using explore::arena;
using explore::reuse;

class arena_test : public testing::Test {
protected:
    ~arena_test() override { memory.close(); }
    arena& memory = arena::instance();
};

TEST_F(arena_test, gives_the_same_addresses_in_every_execution) {
    memory.open(reuse::never);
    void* const first = memory.allocate(40, 16, true);
    void* const second = memory.allocate(100, 64, true);
    memory.open(reuse::never);
    EXPECT_EQ(memory.allocate(40, 16, true), first);
    EXPECT_EQ(memory.allocate(100, 64, true), second);
}

TEST_F(arena_test, notices_every_misuse_of_a_block) {
    memory.open(reuse::never);
    auto* const block = static_cast<std::byte*>(memory.allocate(32, 16, true));
    EXPECT_EQ(memory.check(block + 31), nullptr);
    EXPECT_STREQ(memory.check(block + 32), "access outside of every block");
    EXPECT_STREQ(memory.free(block + 16, 0), "freed an address that is not the start of a block");
    EXPECT_STREQ(memory.free(block, 31), "freed with another size than allocated");
    ASSERT_NE(memory.leak(), nullptr);
    EXPECT_EQ(memory.free(block, 32), nullptr);
    EXPECT_EQ(memory.leak(), nullptr);
    EXPECT_STREQ(memory.check(block), "use after free");
    EXPECT_STREQ(memory.free(block, 32), "double free");
}

TEST_F(arena_test, reuses_freed_blocks_at_once_or_never) {
    memory.open(reuse::never);
    void* block = memory.allocate(48, 16, true);
    EXPECT_EQ(memory.free(block, 48), nullptr);
    EXPECT_NE(memory.allocate(48, 16, true), block);

    memory.open(reuse::at_once);
    block = memory.allocate(48, 16, true);
    EXPECT_EQ(memory.free(block, 48), nullptr);
    EXPECT_EQ(memory.allocate(48, 16, true), block);
    EXPECT_EQ(memory.check(block), nullptr);
}

TEST_F(arena_test, finds_uses_of_the_part_of_a_block_that_rests) {
    memory.open(reuse::by_thread);
    auto* const block = static_cast<std::byte*>(memory.allocate(48, 16, true));
    EXPECT_EQ(memory.forbid(block + 16, 32), nullptr);
    EXPECT_EQ(memory.check(block), nullptr);
    EXPECT_STREQ(memory.check(block + 16), "use of a cached node");
    EXPECT_STREQ(memory.check(block + 47), "use of a cached node");
    memory.allow(block + 16);
    EXPECT_EQ(memory.check(block + 16), nullptr);
    EXPECT_EQ(memory.free(block, 48), nullptr);
}

TEST_F(arena_test, does_not_watch_what_lies_outside) {
    memory.open(reuse::never);
    int here = 0;
    EXPECT_EQ(memory.check(&here), nullptr);
    EXPECT_FALSE(memory.contains(&here));
}

} // namespace
