// The plain map behind the locked maps: open addressing in one flat block, for one thread at a time.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <syncmap/detail/aligned_memory.hpp>
#include <syncmap/engine/flat/cell.hpp>
#include <syncmap/engine/flat/group.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/sync/random_word.hpp>

namespace syncmap::engine::flat {

/// An unsynchronised hash map. `lock()` of a locked map hands it out.
///
/// Layout: one block holds a power of two of groups (eight control bytes each, see `group`) and behind them
/// eight slots for each group. A search begins at the group that the low bits of the hash name. It goes on in
/// triangular steps, which reach every group. At most six of eight slots were ever used. So every search finds
/// a group with a slot that was never used, and ends there.
///
/// Strong guarantee: an operation that throws has changed nothing. Erasing moves nothing and hashes nothing.
/// Pointers to values stay valid until an insertion that needs room, `reserve` or `clear`.
template <class Key, class T, class Hash, class KeyEqual, class Allocator>
class hash_table {
    using traits = std::allocator_traits<Allocator>;

    struct slot {
        cell<Key, Allocator> key;
        cell<T, Allocator> value;
    };
    static constexpr std::size_t alignment = (std::max)(alignof(slot), alignof(group));
    struct alignas(alignment) chunk {
        std::byte bytes[alignment];
    };
    using memory = syncmap::detail::aligned_memory<chunk, Allocator>;

    static constexpr std::size_t used_per_group = 6;

    template <bool Const>
    class basic_iterator;

public:
    using key_type = Key;
    using mapped_type = T;
    using size_type = std::size_t;
    using iterator = basic_iterator<false>;
    using const_iterator = basic_iterator<true>;

    /// A slot that a search found, or none; erasing and replacing take one.
    class position {
    public:
        explicit operator bool() const noexcept { return where_ != nullptr; }
        const Key& key() const noexcept { return where_->key.get(); }
        T& value() const noexcept { return where_->value.get(); }

    private:
        friend hash_table;
        explicit position(slot* where) noexcept : where_(where) {}
        slot* where_;
    };

    /// Keeps what an operation removed from the table until the caller has left its lock: destructors are
    /// user code, and may take long.
    class remains {
    public:
        explicit remains(const Allocator& allocator) noexcept : allocator_(allocator) {}
        remains(const remains&) = delete;
        remains& operator=(const remains&) = delete;
        ~remains() {
            if (has_key_) slot_.key.destroy(allocator_);
            if (has_value_) slot_.value.destroy(allocator_);
        }

        /// Of an erased entry.
        T& value() noexcept { return slot_.value.get(); }

    private:
        friend hash_table;
        [[no_unique_address]] Allocator allocator_;
        slot slot_{};
        bool has_key_ = false;
        bool has_value_ = false;
    };

    constexpr hash_table() = default;
    constexpr hash_table(const Hash& hash, const KeyEqual& equal, const Allocator& allocator)
        : hash_(hash), equal_(equal), allocator_(allocator) {}
    /// `other` is empty afterwards.
    hash_table(hash_table&& other) noexcept(std::is_nothrow_copy_constructible_v<Hash> &&
                                            std::is_nothrow_copy_constructible_v<KeyEqual>)
        : hash_(other.hash_), equal_(other.equal_), allocator_(other.allocator_) {
        swap_contents(other);
    }
    hash_table(const hash_table&) = delete;
    hash_table& operator=(const hash_table&) = delete;
    constexpr ~hash_table() {
        if (groups_ != 0) release();
    }

    size_type size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

    // ---- what users of lock() call ----

    /// Returns the value of `key`, or null.
    template <class K>
    T* find(const K& key) noexcept(noexcept(locate(key))) {
        const position found = locate(key);
        return found ? std::addressof(found.value()) : nullptr;
    }
    template <class K>
    const T* find(const K& key) const noexcept(noexcept(locate(key))) {
        const position found = locate(key);
        return found ? std::addressof(found.value()) : nullptr;
    }
    template <class K>
    bool contains(const K& key) const {
        return static_cast<bool>(locate(key));
    }

    /// Sets the value of `key`. Returns true when the key is new.
    template <class K, class U>
    bool store(K&& key, U&& value) {
        if (const position found = locate(key)) {
            remains old(allocator_);
            replace(found, old, [&]() -> U&& { return std::forward<U>(value); });
            return false;
        }
        add(std::forward<K>(key), [&]() -> U&& { return std::forward<U>(value); });
        return true;
    }

    /// Stores only if `key` is absent; returns whether it did.
    template <class K, class U>
    bool insert(K&& key, U&& value) {
        if (locate(key)) return false;
        add(std::forward<K>(key), [&]() -> U&& { return std::forward<U>(value); });
        return true;
    }

    /// Erases `key`; returns whether it was there.
    template <class K>
    bool erase(const K& key) {
        const position found = locate(key);
        if (!found) return false;
        remains old(allocator_);
        erase(found, old);
        return true;
    }

    /// Erases every entry and frees the memory.
    void clear() noexcept {
        if (groups_ != 0) release();
    }

    /// Makes room for `entries` in total.
    void reserve(size_type entries) {
        if (entries > groups_ * used_per_group) rebuild(groups_for(entries));
    }

    /// Frees the memory that the entries do not need.
    void shrink_to_fit() {
        if (size_ == 0) return clear();
        if (groups_for(size_) < groups_) rebuild(groups_for(size_));
    }

    /// Iterators return `std::pair<const Key&, T&>` by value; any insertion ends their validity.
    iterator begin() noexcept { return iterator(*this, 0); }
    iterator end() noexcept { return iterator(*this, groups_); }
    const_iterator begin() const noexcept { return const_iterator(*this, 0); }
    const_iterator end() const noexcept { return const_iterator(*this, groups_); }

    // ---- what the engine calls ----

    template <class K>
    position locate(const K& key) const {
        if (groups_ == 0) return position(nullptr);
        const std::uint64_t hash = hash_of(key);
        const std::uint64_t tag = group::tag(hash);
        for (probe at(*this, hash);; at.advance()) {
            for (auto candidates = at->tagged(tag); candidates; candidates.drop_first()) {
                slot& candidate = slot_array()[at.index() * group::width + candidates.first()];
                if (static_cast<bool>(equal_(std::as_const(candidate.key).get(), key))) return position(&candidate);
            }
            if (at->never_used()) return position(nullptr);
        }
    }

    /// Adds an entry for a key that `locate` did not find. `make` gives the value (engine/making.hpp) once there is room. Key
    /// and value may be made from objects in the table.
    template <class K, class Make>
    void add(K&& key, Make&& make) {
        if (groups_ == 0) rebuild(1);
        const std::uint64_t hash = hash_of(key);
        const std::size_t index = vacancy(hash);
        if (is_never_used(index) && used_ == groups_ * used_per_group) {
            remains fresh(allocator_);
            rebuild(groups_for((std::max)(size_ + 1, size_ + size_ / 2)), [&] {
                fresh.slot_.key.construct(fresh.allocator_, std::forward<K>(key));
                fresh.has_key_ = true;
                fresh.slot_.value.construct_made(fresh.allocator_, make);
                fresh.has_value_ = true;
            });
            return add_prepared(fresh, hash);
        }
        slot& target = slot_array()[index];
        target.key.construct(allocator_, std::forward<K>(key));
        try {
            target.value.construct_made(allocator_, make);
        } catch (...) {
            target.key.destroy(allocator_);
            throw;
        }
        used_ += is_never_used(index) ? 1U : 0U;
        ++size_;
        groups()[index / group::width].fill(index % group::width, group::tag(hash));
    }

    /// Gives the entry the value that `make` gives; the old one moves to `old`. The key stays.
    template <class Make>
    void replace(position found, remains& old, Make&& make) {
        cell<T, Allocator> fresh;
        fresh.construct_made(allocator_, make);
        old.slot_.value.take(allocator_, found.where_->value);
        old.has_value_ = true;
        found.where_->value.take(allocator_, fresh);
    }

    /// Moves the entry out of the table, to `old`.
    void erase(position found, remains& old) noexcept {
        old.slot_.key.take(allocator_, found.where_->key);
        old.slot_.value.take(allocator_, found.where_->value);
        old.has_key_ = old.has_value_ = true;
        forget(static_cast<std::size_t>(found.where_ - slot_array()));
    }

    // ---- for changes of several entries, which must not end half way ----

    template <class K>
    std::uint64_t hash_of(const K& key) const {
        return detail::seeded_hash(hash_, key, seed_);
    }

    /// Makes an entry outside of the table: a value, and a key unless `key` is null.
    template <class Make>
    void prepare(remains& fresh, const Key* key, Make&& make) {
        fresh.slot_.value.construct_made(fresh.allocator_, make);
        fresh.has_value_ = true;
        if (key == nullptr) return;
        fresh.slot_.key.construct(fresh.allocator_, *key);
        fresh.has_key_ = true;
    }

    /// Makes room for `more` entries, so that adding them moves none. May end the validity of positions and hashes.
    void make_room(size_type more) {
        if (more > groups_ * used_per_group - used_) rebuild(groups_for((std::max)(size_ + more, size_ + size_ / 2)));
    }

    /// Moves a prepared entry into the table, which has room for it and lacks its key.
    void add_prepared(remains& fresh, std::uint64_t hash) noexcept {
        const std::size_t index = vacancy(hash);
        slot& target = slot_array()[index];
        target.key.take(allocator_, fresh.slot_.key);
        target.value.take(allocator_, fresh.slot_.value);
        fresh.has_key_ = fresh.has_value_ = false;
        used_ += is_never_used(index) ? 1U : 0U;
        ++size_;
        groups()[index / group::width].fill(index % group::width, group::tag(hash));
    }

    /// Exchanges the entry's value with the prepared one.
    void exchange_value(position found, remains& fresh) noexcept {
        cell<T, Allocator> old;
        old.take(allocator_, found.where_->value);
        found.where_->value.take(allocator_, fresh.slot_.value);
        fresh.slot_.value.take(allocator_, old);
    }

    /// Erases the entries for which `condemned(key, value)` is true; returns how many.
    template <class F>
    size_type erase_if(F&& condemned) {
        size_type erased = 0;
        for (std::size_t g = 0; g != groups_; ++g) {
            for (auto rest = groups()[g].full(); rest; rest.drop_first()) {
                const std::size_t index = g * group::width + rest.first();
                slot& entry = slot_array()[index];
                if (!static_cast<bool>(condemned(std::as_const(entry.key).get(), std::as_const(entry.value).get()))) {
                    continue;
                }
                remains old(allocator_);
                erase(position(&entry), old);
                ++erased;
            }
        }
        return erased;
    }

    /// Exchanges the contents of two tables of equal hash, equality and allocator.
    void swap_contents(hash_table& other) noexcept {
        std::swap(seed_, other.seed_);
        std::swap(block_, other.block_);
        std::swap(groups_, other.groups_);
        std::swap(used_, other.used_);
        std::swap(size_, other.size_);
    }

    size_type group_count() const noexcept { return groups_; }
    const Hash& hash_function() const noexcept { return hash_; }
    const KeyEqual& key_eq() const noexcept { return equal_; }
    const Allocator& get_allocator() const noexcept { return allocator_; }

private:
    /// The walk over the groups that may hold a hash: first the group that the hash names, then others in growing steps.
    class probe {
    public:
        probe(const hash_table& table, std::uint64_t hash) noexcept
            : groups_(table.groups()), mask_(table.groups_ - 1), index_(static_cast<std::size_t>(hash) & mask_) {}
        void advance() noexcept { index_ = (index_ + ++step_) & mask_; }
        std::size_t index() const noexcept { return index_; }
        const group* operator->() const noexcept { return groups_ + index_; }

    private:
        const group* groups_;
        std::size_t mask_;
        std::size_t index_;
        std::size_t step_ = 0;
    };

    static constexpr bool hash_may_throw = [] {
        if constexpr (std::invocable<const Hash&, const Key&, const hash_seed&>) {
            return !std::is_nothrow_invocable_v<const Hash&, const Key&, const hash_seed&>;
        } else {
            return !std::is_nothrow_invocable_v<const Hash&, const Key&>;
        }
    }();

    group* groups() const noexcept { return reinterpret_cast<group*>(block_); }
    slot* slot_array() const noexcept { return reinterpret_cast<slot*>(block_ + chunks_of(sizeof(group) * groups_)); }

    static constexpr std::size_t chunks_of(std::size_t bytes) noexcept { return (bytes + alignment - 1) / alignment; }
    static constexpr std::size_t chunks_in_all(std::size_t groups) noexcept {
        return chunks_of(sizeof(group) * groups) + chunks_of(sizeof(slot) * group::width * groups);
    }

    static std::size_t groups_for(size_type entries) {
        constexpr std::size_t group_bytes = sizeof(group) + sizeof(slot) * group::width;
        constexpr std::size_t most = std::bit_floor((std::numeric_limits<std::ptrdiff_t>::max)() / group_bytes / 2);
        const std::size_t needed = entries / used_per_group + (entries % used_per_group != 0 ? 1 : 0);
        if (needed > most) throw std::length_error("syncmap: more entries asked for than memory can hold");
        return std::bit_ceil(needed);
    }

    bool is_never_used(std::size_t index) const noexcept {
        return groups()[index / group::width].is_never_used(index % group::width);
    }

    /// Returns the first slot on a hash's walk that holds no entry.
    std::size_t vacancy(std::uint64_t hash) const noexcept {
        for (probe at(*this, hash);; at.advance()) {
            if (const auto vacant = at->vacant()) return at.index() * group::width + vacant.first();
        }
    }

    void forget(std::size_t index) noexcept {
        used_ -= groups()[index / group::width].erase(index % group::width) ? 1U : 0U;
        --size_;
    }

    /// Moves every entry to a block of `wanted` groups. Everything that can throw comes first; the last of it is the call of
    /// `before_moving()`.
    void rebuild(std::size_t wanted) {
        rebuild(wanted, [] {});
    }
    template <class F>
    void rebuild(std::size_t wanted, F&& before_moving) {
        const bool first = groups_ == 0;
        hash_table fresh(hash_, equal_, allocator_);
        fresh.seed_ = first ? hash_seed{sync::random_word(), sync::random_word() | 1} : seed_;
        if constexpr (hash_may_throw) {
            std::vector<std::uint64_t, typename traits::template rebind_alloc<std::uint64_t>> hashes(allocator_);
            hashes.reserve(size_);
            for (const auto [key, value] : *this) hashes.push_back(hash_of(key));
            fresh.allocate(wanted);
            before_moving();
            move_entries(fresh, [next = hashes.begin()](const Key&) mutable { return *next++; });
        } else {
            fresh.allocate(wanted);
            before_moving();
            move_entries(fresh, [this](const Key& key) { return hash_of(key); });
        }
        swap_contents(fresh);
    }

    template <class HashOf>
    void move_entries(hash_table& to, HashOf hash_of_next) noexcept {
        for (std::size_t g = 0; g != groups_; ++g) {
            for (auto rest = groups()[g].full(); rest; rest.drop_first()) {
                slot& from = slot_array()[g * group::width + rest.first()];
                const std::uint64_t hash = hash_of_next(std::as_const(from.key).get());
                const std::size_t index = to.vacancy(hash);
                to.slot_array()[index].key.take(allocator_, from.key);
                to.slot_array()[index].value.take(allocator_, from.value);
                to.groups()[index / group::width].fill(index % group::width, group::tag(hash));
            }
            groups()[g] = group();
        }
        to.size_ = to.used_ = std::exchange(size_, 0);
    }

    void allocate(std::size_t wanted) {
        block_ = memory::allocate(allocator_, chunks_in_all(wanted));
        groups_ = wanted;
        std::uninitialized_value_construct_n(groups(), wanted);
        std::uninitialized_default_construct_n(slot_array(), wanted * group::width); // cells start empty: hardly any code
    }

    void release() noexcept {
        for (std::size_t g = 0; g != groups_; ++g) {
            for (auto rest = groups()[g].full(); rest; rest.drop_first()) {
                slot& entry = slot_array()[g * group::width + rest.first()];
                entry.key.destroy(allocator_);
                entry.value.destroy(allocator_);
            }
        }
        memory::deallocate(allocator_, block_, chunks_in_all(groups_));
        block_ = nullptr;
        groups_ = used_ = size_ = 0;
    }

    [[no_unique_address]] Hash hash_{};
    [[no_unique_address]] KeyEqual equal_{};
    [[no_unique_address]] Allocator allocator_{};
    hash_seed seed_{}; // drawn with the first block
    chunk* block_ = nullptr; // groups, then slots
    std::size_t groups_ = 0; // a power of two, or zero: no block
    std::size_t used_ = 0; // slots that are full or were erased
    std::size_t size_ = 0; // slots that are full
};

template <class Key, class T, class Hash, class KeyEqual, class Allocator>
template <bool Const>
class hash_table<Key, T, Hash, KeyEqual, Allocator>::basic_iterator {
    using table = std::conditional_t<Const, const hash_table, hash_table>;
    using mapped = std::conditional_t<Const, const T, T>;

public:
    using value_type = std::pair<const Key&, mapped&>;
    using reference = value_type;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    using iterator_concept = std::forward_iterator_tag;

    basic_iterator() noexcept = default;

    reference operator*() const noexcept {
        slot& entry = table_->slot_array()[group_ * group::width + rest_.first()];
        return {entry.key.get(), entry.value.get()};
    }
    basic_iterator& operator++() noexcept {
        rest_.drop_first();
        if (!rest_) settle(group_ + 1);
        return *this;
    }
    basic_iterator operator++(int) noexcept {
        basic_iterator before = *this;
        ++*this;
        return before;
    }
    friend bool operator==(const basic_iterator&, const basic_iterator&) = default;

private:
    friend hash_table;
    basic_iterator(table& of, std::size_t from) noexcept : table_(&of) { settle(from); }

    void settle(std::size_t from) noexcept { // at the first full slot of the groups from `from` on
        rest_ = group::members(0);
        for (group_ = from; group_ < table_->groups_; ++group_) {
            rest_ = table_->groups()[group_].full();
            if (rest_) break;
        }
    }

    table* table_ = nullptr;
    std::size_t group_ = 0;
    group::members rest_{0};
};

} // namespace syncmap::engine::flat
