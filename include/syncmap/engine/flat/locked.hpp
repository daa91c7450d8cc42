// The engine of the locked maps: the engine of a map for one thread, behind one lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <syncmap/engine/flat/multi_update.hpp>
#include <syncmap/engine/flat/section.hpp>
#include <syncmap/engine/flat/unlocked.hpp>

namespace syncmap::engine::flat {

template <class Mutex>
concept shared_lockable = requires(Mutex& mutex) {
    mutex.lock_shared();
    mutex.unlock_shared();
};

/// Every operation holds the lock from its first look to its last change, callbacks included; reads share
/// it when `Mutex` can be shared. So every operation is atomic, `for_each` and `erase_if` too.
///
/// An operation destroys what it removed after it has left the lock (except `erase_if`).
///
/// `entries_`, written under the lock and read without it, is the size. A write takes effect in the size when it is stored
/// there. No other operation can distinguish that instant from the unlocking.
///
/// The order of a write makes no difference: the next thread that takes the lock sees all of it. Unlocking is a locked
/// instruction on x86-64, so a size that is read without the lock is not older either.
template <class Key, class T, class Hash, class KeyEqual, class Allocator, class Mutex>
class locked {
    class reading {
    public:
        explicit reading(const locked& map) : map_(map), section_(&map, section::kind::read) {
            if (section_.nested()) return;
            if constexpr (shared_lockable<Mutex>) {
                map_.mutex_.lock_shared();
            } else {
                map_.mutex_.lock();
            }
        }
        reading(const reading&) = delete;
        reading& operator=(const reading&) = delete;
        ~reading() {
            if (section_.nested() || section_.hands_over()) return;
            if constexpr (shared_lockable<Mutex>) {
                map_.mutex_.unlock_shared();
            } else {
                map_.mutex_.unlock();
            }
        }

    private:
        const locked& map_;
        section section_;
    };

    class writing {
    public:
        explicit writing(locked& map) : map_(map), section_(&map, section::kind::write) { map_.mutex_.lock(); }
        writing(const writing&) = delete;
        writing& operator=(const writing&) = delete;
        ~writing() {
            map_.entries_.store(map_.plain_.size(), std::memory_order_release);
            map_.mutex_.unlock();
        }

    private:
        locked& map_;
        section section_;
    };

public:
    using key_type = Key;
    using mapped_type = T;
    using hasher = Hash;
    using key_equal = KeyEqual;
    using allocator_type = Allocator;
    using plain_map = typename unlocked<Key, T, Hash, KeyEqual, Allocator>::plain_map;

    static constexpr bool exact_size = true;
    static constexpr bool atomic_iteration = true;
    static constexpr bool lock_free_reads = false;
    static constexpr bool moves_values_out = true;

    constexpr locked() = default;
    constexpr locked(const Hash& hash, const KeyEqual& equal, const Allocator& allocator) : plain_(hash, equal, allocator) {}

    /// The contents of a map that no other thread uses, and that is empty afterwards. The lock is a new one.
    locked(locked&& other) noexcept(std::is_nothrow_move_constructible_v<unlocked<Key, T, Hash, KeyEqual, Allocator>>)
        : plain_(std::move(other.plain_)), entries_(other.entries_.exchange(0, std::memory_order_relaxed)) {}

    /// The lock, held, and the plain map behind it. Lives on one thread's stack; must not outlive the map.
    class exclusive_access {
    public:
        plain_map& operator*() const noexcept { return map_.plain_.table(); }
        plain_map* operator->() const noexcept { return &map_.plain_.table(); }

    private:
        friend locked;
        explicit exclusive_access(locked& map) : map_(map), writing_(map) {}
        locked& map_;
        writing writing_;
    };
    class shared_access {
    public:
        const plain_map& operator*() const noexcept { return map_.plain_.table(); }
        const plain_map* operator->() const noexcept { return &map_.plain_.table(); }

    private:
        friend locked;
        explicit shared_access(const locked& map) : map_(map), reading_(map) {}
        const locked& map_;
        reading reading_;
    };

    [[nodiscard]] exclusive_access lock() { return exclusive_access(*this); }
    [[nodiscard]] shared_access lock_shared() const { return shared_access(*this); }

    template <class K, class F>
    bool visit(const K& key, F&& f) const {
        const reading inside(*this);
        return plain_.visit(key, std::forward<F>(f));
    }

    template <class K, class F>
    bool visit_entry(const K& key, F&& f) const {
        const reading inside(*this);
        return plain_.visit_entry(key, std::forward<F>(f));
    }

    template <class K, class Op>
    void write(K&& key, Op& op) {
        typename plain_map::remains old(plain_.get_allocator()); // made before the lock, destroyed after it
        const writing inside(*this);
        plain_.write(std::forward<K>(key), op, old);
    }

    template <class K, class Op>
    void exclusive(K&& key, Op& op) {
        write(std::forward<K>(key), op);
    }

    template <class F>
    bool update_all(std::span<const Key> keys, F&& f, std::memory_order) {
        several_changes<plain_map> all(keys); // made before the lock, destroyed after it
        const writing inside(*this);
        return all.apply(plain_.table(), f);
    }

    template <class F>
    std::size_t for_each(F&& f) const {
        const reading inside(*this);
        return plain_.for_each(std::forward<F>(f));
    }

    template <class F>
    std::size_t erase_if(F&& condemned, std::memory_order order) {
        const writing inside(*this);
        return plain_.erase_if(std::forward<F>(condemned), order);
    }

    std::size_t size() const noexcept { return entries_.load(std::memory_order_acquire); }
    std::size_t approx_size() const noexcept { return entries_.load(std::memory_order_relaxed); }

    void clear() {
        plain_map old(plain_.hash_function(), plain_.key_eq(), plain_.get_allocator());
        const writing inside(*this);
        plain_.table().swap_contents(old);
    }

    /// Replaces the contents by those of `other`, which no other thread uses and which is empty afterwards. It exchanges the
    /// tables as they are, so hash and equality must be the same in every map of the type.
    void replace(locked& other)
        requires(std::is_empty_v<Hash> && std::is_empty_v<KeyEqual>)
    {
        if (this == &other) return;
        if (!(plain_.get_allocator() == other.plain_.get_allocator())) {
            throw std::invalid_argument("syncmap: replace: the two maps have different allocators");
        }
        plain_map old(plain_.hash_function(), plain_.key_eq(), plain_.get_allocator());
        const writing inside(*this);
        const writing there(other);
        plain_.table().swap_contents(old);
        plain_.table().swap_contents(other.plain_.table());
    }

    void reserve(std::size_t entries) {
        const writing inside(*this);
        plain_.reserve(entries);
    }

    void shrink_to_fit() {
        const writing inside(*this);
        try {
            plain_.table().shrink_to_fit();
        } catch (...) {
            // The table stays as it is: this operation is not allowed to fail.
        }
    }

    map_stats stats() const {
        const reading inside(*this);
        return plain_.stats();
    }

    Hash hash_function() const { return plain_.hash_function(); }
    KeyEqual key_eq() const { return plain_.key_eq(); }
    Allocator get_allocator() const noexcept { return plain_.get_allocator(); }

private:
    unlocked<Key, T, Hash, KeyEqual, Allocator> plain_{};
    std::atomic<std::size_t> entries_{0};
    mutable Mutex mutex_{};
};

} // namespace syncmap::engine::flat
