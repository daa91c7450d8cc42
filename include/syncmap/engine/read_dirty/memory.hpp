// Makes and destroys the parts of a map, all in memory from the user's allocator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include <syncmap/detail/aligned_memory.hpp>
#include <syncmap/engine/making.hpp>
#include <syncmap/engine/read_dirty/control_block.hpp>
#include <syncmap/engine/read_dirty/entry.hpp>
#include <syncmap/engine/read_dirty/index.hpp>

namespace syncmap::engine::read_dirty_parts {

template <class Key, class T, class Allocator, class Sync>
class memory {
public:
    using entry_type = entry<Key, T, Sync>;
    using value_type = value_node<T, Sync>;
    using index_type = index<entry_type, Sync>;
    using control = control_block<index_type, Sync>;

    constexpr memory() = default;
    constexpr explicit memory(const Allocator& allocator) : allocator_(allocator) {}

    const Allocator& allocator() const noexcept { return allocator_; }

    control* make_control(const hash_seed& seed) const { return make<control>(seed, process<Sync>::instance()); }
    void destroy_control(control* c) const noexcept { unmake(c); }

    /// `make` gives the value, see engine/making.hpp.
    template <class Make>
    value_type* make_value(std::uint64_t hash, Make&& make_object) const {
        value_type* const v = make<value_type>(hash);
        try {
            auto own = allocator_for<T>();
            construct_made(own, std::addressof(v->object), make_object);
        } catch (...) {
            unmake(v);
            throw;
        }
        return v;
    }
    void destroy_value(value_type* v) const noexcept {
        auto own = allocator_for<T>();
        std::allocator_traits<decltype(own)>::destroy(own, std::addressof(v->object));
        unmake(v);
    }

    template <class K>
    entry_type* make_entry(std::uint64_t hash, K&& key) const {
        entry_type* const e = make<entry_type>(hash);
        try {
            auto own = allocator_for<Key>();
            std::allocator_traits<decltype(own)>::construct(own, std::addressof(e->key), std::forward<K>(key));
        } catch (...) {
            unmake(e);
            throw;
        }
        return e;
    }
    /// Destroys the entry without its value, which the caller has taken out.
    void destroy_entry(entry_type* e) const noexcept {
        auto own = allocator_for<Key>();
        std::allocator_traits<decltype(own)>::destroy(own, std::addressof(e->key));
        unmake(e);
    }

    /// Returns an empty index with room for `entries`.
    index_type* make_index(std::size_t entries) const {
        using slot = typename index_type::slot;
        if (entries > index_type::most_entries) throw std::bad_array_new_length();
        const std::size_t count = index_type::slots_for(entries);
        slot* const all = allocate<slot>(count);
        std::uninitialized_value_construct_n(all, count);
        try {
            return make<index_type>(all, count);
        } catch (...) {
            deallocate(all, count);
            throw;
        }
    }
    /// Destroys the index without its entries, which the caller has released.
    void destroy_index(index_type* i) const noexcept {
        deallocate(i->slot_array(), i->slot_count());
        unmake(i);
    }

private:
    template <class U>
    auto allocator_for() const noexcept {
        return typename std::allocator_traits<Allocator>::template rebind_alloc<U>(allocator_);
    }

    template <class U>
    U* allocate(std::size_t n) const {
        return syncmap::detail::aligned_memory<U, Allocator>::allocate(allocator_, n);
    }
    template <class U>
    void deallocate(U* p, std::size_t n) const noexcept {
        syncmap::detail::aligned_memory<U, Allocator>::deallocate(allocator_, p, n);
    }

    template <class U, class... Args>
    U* make(Args&&... args) const {
        U* const p = allocate<U>(1);
        return ::new (static_cast<void*>(p)) U(std::forward<Args>(args)...); // none of the parts' constructors throws
    }
    template <class U>
    void unmake(U* p) const noexcept {
        p->~U();
        deallocate(p, 1);
    }

    [[no_unique_address]] Allocator allocator_{};
};

} // namespace syncmap::engine::read_dirty_parts
