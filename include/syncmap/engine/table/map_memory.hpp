// Memory from the map's allocator: objects, plain memory by cache lines, and what only few maps need.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

#include <syncmap/detail/aligned_memory.hpp>
#include <syncmap/engine/table/core.hpp>

namespace syncmap::engine {

template <class Types>
class map_memory : public core<Types> {
    using base = core<Types>;

public:
    using typename core<Types>::Key;
    using typename core<Types>::T;
    using typename core<Types>::Sync;
    using typename core<Types>::Layout;
    using typename core<Types>::header;
    using typename core<Types>::line_type;
    using typename core<Types>::control;
    using typename core<Types>::rare_type;
    using snapshots_type = typename control::snapshots_type;
    using typename core<Types>::thread_record_type;
    using typename core<Types>::node;
    using typename core<Types>::node_base;
    using typename core<Types>::atomic_word;
    using typename core<Types>::allocator_type;
    using typename core<Types>::hazard_record_type;

    using base::base;

public:
    using base::allocator_;

    template <class U>
    using memory_for = syncmap::detail::aligned_memory<U, allocator_type>;

    template <class U>
    U* make_object() {
        static_assert(std::is_nothrow_default_constructible_v<U>);
        return ::new (static_cast<void*>(memory_for<U>::allocate(allocator_, 1))) U();
    }
    template <class U>
    void destroy_object(U* p) noexcept {
        p->~U();
        memory_for<U>::deallocate(allocator_, p, 1);
    }
    template <class U>
    static void construct_each(U* first, std::size_t count) noexcept {
        static_assert(std::is_nothrow_default_constructible_v<U>);
        for (std::size_t i = 0; i < count; ++i) ::new (static_cast<void*>(first + i)) U();
    }

    /// Plain memory, by cache lines.
    struct alignas(detail::cache_line_bytes) block {
        std::byte bytes[detail::cache_line_bytes];
    };
    static constexpr std::size_t blocks_for(std::size_t bytes) noexcept { return (bytes + sizeof(block) - 1) / sizeof(block); }
    static constexpr std::size_t bytes_of(std::size_t blocks) noexcept { return blocks * sizeof(block); }

    void* make_blocks(std::size_t n) { return memory_for<block>::allocate(allocator_, n); }
    void free_blocks(void* p, std::size_t n) noexcept { memory_for<block>::deallocate(allocator_, static_cast<block*>(p), n); }

    static constexpr std::size_t mapped_from = std::size_t{1} << 18; ///< bytes
    static constexpr bool has_standard_allocator =
        std::is_same_v<allocator_type, std::allocator<typename std::allocator_traits<allocator_type>::value_type>>;
    static constexpr bool uses_pages = Sync::has_pages && has_standard_allocator;

    /// What only few maps need; see rare_part. Throws `bad_alloc`.
    rare_type& more(control& c) {
        if (auto* const rare = c.rare_or_null()) return *rare;
        return make_rare(c);
    }

    /// The same, and what snapshots and the end of contents need; see snapshot_part. Throws `bad_alloc`.
    snapshots_type& snapshots(control& c) {
        if (auto* const made = c.snapshots_or_null()) return *made;
        return make_part<snapshots_type>(more(c).snapshots);
    }

private:
    [[gnu::cold, gnu::noinline]] rare_type& make_rare(control& c) { return make_part<rare_type>(c.rare); }

    template <class Part, class Words>
    Part& make_part(typename Sync::template atomic<Words*>& place) {
        Part* const fresh = make_object<Part>();
        Words* expected = nullptr;
        // release: a thread that finds it sees it whole. acquire: so does the loser of the race.
        const bool mine = place.compare_exchange_strong(expected, fresh, std::memory_order_acq_rel, std::memory_order_acquire);
        if (mine) return *fresh;
        destroy_object(fresh);
        return static_cast<Part&>(*expected);
    }
};

} // namespace syncmap::engine
