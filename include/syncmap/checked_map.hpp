// A plain map, for one thread at a time, that reports when it is not used so.
#pragma once

#include <syncmap/detail/language.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <type_traits>
#include <utility>

#include <syncmap/detail/access_monitor.hpp>
#include <syncmap/detail/functional.hpp>
#include <syncmap/detail/source_place.hpp>
#include <syncmap/engine/flat/unlocked.hpp>
#include <syncmap/facade.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/misuse.hpp>

namespace syncmap {

/// How closely a `checked_map` watches.
enum class misuse_check : unsigned char {
    off,   ///< not at all: the plain map, with not a byte and not an instruction more
    cheap, ///< a read looks at one word twice, a write stores a few: sees all overlaps but the shortest
    exact  ///< sees every overlap of two operations; readers on several cores slow each other down
};

/// The flat hash map behind `mutex_map`, without the mutex, and with the operations of `syncmap::map`. It may be used
/// by one thread at a time, or by several that only read; Go says "fatal error: concurrent map writes" otherwise, and
/// so does this: it stops with a message that names the map, both threads, operations and source places, and the type
/// to change to.
///
///     syncmap::checked_map<int, std::string> sessions("sessions");
///
/// Operations take one more argument, their place in the source, which is its own default. None takes a memory order.
/// A callback (and the hash and equality) may read the map from a read; any other call of the same map from a callback
/// is reported, too, since what the outer operation looks at would change. What is held without a call (a reference kept from a
/// callback) is not watched: for that there is the thread sanitizer.
template <class Key, class T, misuse_check Check = misuse_check::cheap, class Hash = hash<Key>,
          class KeyEqual = std::equal_to<>, class Allocator = std::allocator<std::pair<const Key, T>>>
class checked_map : private basic_map<detail::engine_for<Key, T, engine::flat::unlocked<Key, T, Hash, KeyEqual, Allocator>>> {
    using base = basic_map<engine::flat::unlocked<Key, T, Hash, KeyEqual, Allocator>>;
    using monitor = std::conditional_t<Check == misuse_check::cheap, detail::cheap_monitor, detail::exact_monitor>;
    using site = source_place;

public:
    using typename base::allocator_type;
    using typename base::hasher;
    using typename base::key_equal;
    using typename base::key_type;
    using typename base::mapped_type;
    using typename base::size_type;
    using typename base::value_type;

    /// An empty map. The name, for reports, must live as long as the map.
    explicit checked_map(const char* name = "", site made = site::current()) noexcept(noexcept(base()))
        : name_(name), made_(made) {}
    using base::base;
    /// The contents and the name of a map that is empty afterwards. Reported, as a write of that map, if a call on it is under
    /// way: from a callback of that call, or in another thread.
    checked_map(checked_map&& other, site where = site::current()) // NOLINT(performance-noexcept-move-constructor): it reports
        : base(other.given_away(where)), name_(other.name_), made_(other.made_) {}

    template <class K = Key>
    [[nodiscard]] std::optional<T> load(const K& key, site where = site::current()) const {
        return reading("load", where, [&] { return base::load(key); });
    }
    template <class K = Key>
    [[nodiscard]] bool contains(const K& key, site where = site::current()) const {
        return reading("contains", where, [&] { return base::contains(key); });
    }
    template <class K = Key, class F>
    bool visit(const K& key, F&& f, site where = site::current()) const {
        return reading("visit", where, [&] { return base::visit(key, f); });
    }
    template <class F>
    size_type for_each(F&& f, site where = site::current()) const {
        return reading("for_each", where, [&] { return base::for_each(f); });
    }
    [[nodiscard]] size_type size(site where = site::current()) const {
        return reading("size", where, [&] { return base::size(); });
    }
    [[nodiscard]] size_type approx_size(site where = site::current()) const {
        return reading("approx_size", where, [&] { return base::approx_size(); });
    }
    [[nodiscard]] bool empty(site where = site::current()) const {
        return reading("empty", where, [&] { return base::empty(); });
    }

    template <class K = Key, class U = T>
    bool store(K&& key, U&& value, site where = site::current()) {
        return writing("store", where, [&] { return base::store(std::forward<K>(key), std::forward<U>(value)); });
    }
    template <class K = Key, class U = T>
    bool insert(K&& key, U&& value, site where = site::current()) {
        return writing("insert", where, [&] { return base::insert(std::forward<K>(key), std::forward<U>(value)); });
    }
    size_type insert(std::initializer_list<detail::listed_entry<Key, T>> entries, site where = site::current()) {
        return writing("insert", where, [&] { return base::insert(entries); });
    }
    template <class K, class U>
        requires detail::listed_from<Key, T, const K&, const U&>
    size_type insert(std::initializer_list<std::pair<K, U>> entries, site where = site::current()) {
        return writing("insert", where, [&] { return base::insert(entries); });
    }
    template <class Range>
        requires requires(Range& entries) { std::begin(entries) != std::end(entries); }
    size_type insert_range(Range&& entries, site where = site::current()) {
        return writing("insert_range", where, [&] { return base::insert_range(std::forward<Range>(entries)); });
    }
    size_type merge(checked_map& other, site where = site::current()) {
        if (&other == this) return 0;
        return writing("merge", where,
                       [&] { return other.writing("merge", where, [&] { return base::merge(static_cast<base&>(other)); }); });
    }
    template <class K = Key, class U = T>
    [[nodiscard]] load_result<T> load_or_store(K&& key, U&& value, site where = site::current()) {
        return writing("load_or_store", where,
                       [&] { return base::load_or_store(std::forward<K>(key), std::forward<U>(value)); });
    }
    template <class K = Key, class U = T>
    [[nodiscard]] std::optional<T> exchange(K&& key, U&& value, site where = site::current()) {
        return writing("exchange", where, [&] { return base::exchange(std::forward<K>(key), std::forward<U>(value)); });
    }
    template <class K = Key>
    bool erase(const K& key, site where = site::current()) {
        return writing("erase", where, [&] { return base::erase(key); });
    }
    template <class K = Key>
    [[nodiscard]] std::optional<T> take(const K& key, site where = site::current()) {
        return writing("take", where, [&] { return base::take(key); });
    }
    template <class K = Key>
    [[nodiscard]] std::optional<T> load_and_erase(const K& key, site where = site::current()) {
        return writing("load_and_erase", where, [&] { return base::load_and_erase(key); });
    }
    template <class K = Key, class U = T>
    [[nodiscard]] bool compare_exchange(K&& key, T& expected, U&& desired, site where = site::current()) {
        return writing("compare_exchange", where,
                       [&] { return base::compare_exchange(std::forward<K>(key), expected, std::forward<U>(desired)); });
    }
    template <class K = Key, class U = T>
    [[nodiscard]] bool compare_exchange(K&& key, std::optional<T>& expected, U&& desired, site where = site::current()) {
        return writing("compare_exchange", where,
                       [&] { return base::compare_exchange(std::forward<K>(key), expected, std::forward<U>(desired)); });
    }
    template <class K = Key>
    [[nodiscard]] bool compare_erase(const K& key, T& expected, site where = site::current()) {
        return writing("compare_erase", where, [&] { return base::compare_erase(key, expected); });
    }
    template <class K = Key, class U = T, class F>
    bool insert_or_visit(K&& key, U&& value, F&& f, site where = site::current()) {
        return writing("insert_or_visit", where,
                       [&] { return base::insert_or_visit(std::forward<K>(key), std::forward<U>(value), f); });
    }
    /// Reported with the place where the map was made.
    template <class K = Key, class... Arguments>
    bool emplace(K&& key, Arguments&&... arguments) {
        return writing("emplace", made_,
                       [&] { return base::emplace(std::forward<K>(key), std::forward<Arguments>(arguments)...); });
    }
    template <class K = Key, class Op>
    void apply(K&& key, Op&& operation, site where = site::current()) {
        writing("apply", where, [&] { base::apply(std::forward<K>(key), operation); });
    }
    template <class K = Key, class F>
        requires std::predicate<F&, const T&>
    bool erase_if(const K& key, F&& f, site where = site::current()) {
        return writing("erase_if", where, [&] { return base::erase_if(key, f); });
    }
    template <class K = Key, class N = T>
    T fetch_add(K&& key, N operand, site where = site::current())
        requires(detail::is_number<T>)
    {
        return writing("fetch_add", where, [&] { return base::fetch_add(std::forward<K>(key), operand); });
    }
    template <class K = Key, class N = T>
    T fetch_max(K&& key, N operand, site where = site::current())
        requires(detail::is_number<T>)
    {
        return writing("fetch_max", where, [&] { return base::fetch_max(std::forward<K>(key), operand); });
    }
    template <class K = Key, class N = T>
    T fetch_min(K&& key, N operand, site where = site::current())
        requires(detail::is_number<T>)
    {
        return writing("fetch_min", where, [&] { return base::fetch_min(std::forward<K>(key), operand); });
    }
    template <class K = Key, class N = T>
    T fetch_or(K&& key, N operand, site where = site::current())
        requires(detail::is_number<T> && std::integral<T>)
    {
        return writing("fetch_or", where, [&] { return base::fetch_or(std::forward<K>(key), operand); });
    }
    template <class K = Key, class N = T>
    T fetch_and(K&& key, N operand, site where = site::current())
        requires(detail::is_number<T> && std::integral<T>)
    {
        return writing("fetch_and", where, [&] { return base::fetch_and(std::forward<K>(key), operand); });
    }
    template <class K = Key, class F>
    [[nodiscard]] load_result<T> load_or_compute(K&& key, F&& f, site where = site::current()) {
        return writing("load_or_compute", where, [&] { return base::load_or_compute(std::forward<K>(key), f); });
    }
    template <class K = Key, class F>
    [[nodiscard]] load_result<T> load_or_compute(unshared_t, K&& key, F&& f, site where = site::current()) {
        return writing("load_or_compute", where, [&] { return base::load_or_compute(unshared, std::forward<K>(key), f); });
    }
    template <class K = Key, class F>
    update_result update(K&& key, F&& f, site where = site::current()) {
        return writing("update", where, [&] { return base::update(std::forward<K>(key), f); });
    }
    template <class F>
    size_type erase_if(F&& f, site where = site::current()) {
        return writing("erase_if", where, [&] { return base::erase_if(f); });
    }
    template <class Keys, class F, class Projection = std::identity>
    size_type visit_many(Keys&& keys, F&& f, Projection projection = {}, site where = site::current()) const {
        return reading("visit_many", where, [&] { return base::visit_many(keys, f, projection); });
    }
    template <class Keys, class Projection = std::identity>
    size_type load_many(Keys&& keys, std::span<std::optional<T>> results, Projection projection = {},
                        site where = site::current()) const {
        return reading("load_many", where, [&] { return base::load_many(keys, results, projection); });
    }
    template <class Keys, class Projection = std::identity>
    size_type contains_many(Keys&& keys, std::span<bool> results, Projection projection = {},
                            site where = site::current()) const {
        return reading("contains_many", where, [&] { return base::contains_many(keys, results, projection); });
    }
    template <class Keys, class Values>
    size_type store_many(Keys&& keys, Values&& values, site where = site::current()) {
        return writing("store_many", where, [&] { return base::store_many(keys, values); });
    }
    template <class Keys, class Values, class F>
        requires std::invocable<F&, size_type, bool>
    size_type store_many(Keys&& keys, Values&& values, F&& f, site where = site::current()) {
        return writing("store_many", where, [&] { return base::store_many(keys, values, f); });
    }
    template <class Keys>
    size_type erase_many(Keys&& keys, site where = site::current()) {
        return writing("erase_many", where, [&] { return base::erase_many(keys); });
    }
    template <class Keys, class F>
        requires std::invocable<F&, size_type, bool>
    size_type erase_many(Keys&& keys, F&& f, site where = site::current()) {
        return writing("erase_many", where, [&] { return base::erase_many(keys, f); });
    }

    [[nodiscard]] map_stats stats(site where = site::current()) const {
        return reading("stats", where, [&] { return base::stats(); });
    }
    /// Each keeps its name.
    void swap(checked_map& other, site where = site::current()) {
        writing("swap", where, [&] { other.writing("swap", where, [&] { base::swap(static_cast<base&>(other)); }); });
    }
    friend void swap(checked_map& a, checked_map& b) { a.swap(b); }

    void clear(site where = site::current()) {
        writing("clear", where, [&] { base::clear(); });
    }
    void reserve(size_type entries, site where = site::current()) {
        writing("reserve", where, [&] { base::reserve(entries); });
    }

    using base::get_allocator;
    using base::hash_function;
    using base::key_eq;

    // Errors in words: names of other maps, and operations that this map has not.
    using base::operator[];
    using base::at;
    using base::begin;
    using base::bucket_count;
    using base::compute_if_absent;
    using base::count;
    using base::emplace_hint;
    using base::end;
    using base::equal_range;
    using base::extract;
    using base::fetch_sub;
    using base::fetch_xor;
    using base::find;
    using base::flush;
    using base::for_each_from;
    using base::for_each_parallel;
    using base::get;
    using base::insert_or_assign;
    using base::load_or_emplace;
    using base::pin;
    using base::put;
    using base::rehash;
    using base::remove;
    using base::replace;
    using base::set;
    using base::shrink_to_fit;
    using base::snapshot;
    using base::try_emplace;
    using base::upsert;

private:
    template <class F>
    auto reading(const char* operation, site where, F f) const {
        return watched<typename monitor::read>({operation, std::this_thread::get_id(), where}, f);
    }
    template <class F>
    auto writing(const char* operation, site where, F f) {
        return watched<typename monitor::write>({operation, std::this_thread::get_id(), where}, f);
    }

    base&& given_away(site where) {
        writing("a move", where, [] {});
        return static_cast<base&&>(*this);
    }

    template <class Stay, class F>
    auto watched(const map_access& mine, F& f) const {
        const Stay inside(monitor_, mine);
        const auto report = [&](const std::optional<map_access>& other) {
            if (other) [[unlikely]]
                tell(mine, *other);
            return other.has_value();
        };
        const bool reported = report(inside.conflict_at_begin());
        const auto finish = [&] {
            if (!reported) report(inside.conflict_at_end());
        };
        if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
            f();
            finish();
        } else {
            return result_of(f, finish);
        }
    }
    /// A result is not moved: a move that throws would lose what was taken out. (GCC 12 makes a variable in the caller's
    /// place only where it stands in the outermost block, Clang 19 only where the type is written down.)
    template <class F, class End>
    static std::invoke_result_t<F&> result_of(F& f, const End& finish) {
        std::invoke_result_t<F&> result = f();
        finish();
        return result;
    }

    [[gnu::cold, gnu::noinline]] void tell(const map_access& mine, const map_access& other) const {
        detail::current_misuse_handler.load(std::memory_order_acquire)({name_, made_, mine, other});
    }

    const char* name_ = "";
    site made_{};
    mutable monitor monitor_{};
};

/// The plain map itself: it takes a name, and forgets it.
template <class Key, class T, class Hash, class KeyEqual, class Allocator>
class checked_map<Key, T, misuse_check::off, Hash, KeyEqual, Allocator>
    : public basic_map<engine::flat::unlocked<Key, T, Hash, KeyEqual, Allocator>> {
    using base = basic_map<engine::flat::unlocked<Key, T, Hash, KeyEqual, Allocator>>;

public:
    constexpr explicit checked_map(const char* = "") noexcept(noexcept(base())) {}
    using base::base;
};

} // namespace syncmap
