// What a concurrent map is, what some maps can do besides, and what an engine has to supply.
//
// Each refinement is one need: "I need the length, and iterate over one instant" is the clause
// `requires exact_size_map<M> && atomic_iteration_map<M>`.
#pragma once

#include <syncmap/detail/language.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include <syncmap/engine/decision.hpp>
#include <syncmap/results.hpp>

namespace syncmap {

template <class Engine>
class basic_map;

namespace detail {

template <class Engine>
Engine engine_of(const basic_map<Engine>&);

/// The engine under a map, for maps made by `basic_map`.
template <class M>
using engine_t = decltype(engine_of(std::declval<const M&>()));

/// Stands for what a user passes to `visit`, `update`, `for_each` and `erase_if`: any function object.
template <class... Args>
struct any_predicate {
    bool operator()(Args...) const;
};
template <class T>
struct any_update {
    keep_t operator()(const T*) const;
};

/// Stands for what a user passes to `update` of several keys.
template <class T>
struct any_slots {
    bool operator()(std::span<update_slot<T>>) const;
};

/// The type of copies of a map's values.
template <class M>
using copied_value_t = copied_out_t<typename M::mapped_type>;

/// Stands for any operation on one key.
template <class T>
struct any_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = true;
    std::memory_order order = std::memory_order_seq_cst;
    engine::decision decide(const T* current);
    made_t<T> make();
};

} // namespace detail

/// What a map promises beyond the concept. For the maps of this library their engine says so; for a map of your own (a
/// decorator, say) specialize this.
template <class M>
struct map_traits {
    /// `size()` is the number of entries at one instant between its call and its return.
    static constexpr bool exact_size = false;
    /// `for_each` sees the whole map as it was at one instant.
    static constexpr bool atomic_iteration = false;
    /// A read waits for no thread: a writer that is stopped in its write stops no reader.
    static constexpr bool lock_free_reads = false;
};

template <class M>
    requires requires {
        detail::engine_t<M>::exact_size;
        detail::engine_t<M>::atomic_iteration;
        detail::engine_t<M>::lock_free_reads;
    }
struct map_traits<M> {
    static constexpr bool exact_size = detail::engine_t<M>::exact_size;
    static constexpr bool atomic_iteration = detail::engine_t<M>::atomic_iteration;
    static constexpr bool lock_free_reads = detail::engine_t<M>::lock_free_reads;
};

/// A map that any number of threads may use at once. Every operation on one key is linearizable, and so are operations on
/// different keys together, unless a write asks for less than `std::memory_order_seq_cst`.
///
/// Operations that need more of the value belong to `copyable_value_map` (a copy: `load`, `exchange`, ...) and
/// `comparable_value_map` (an equality: `compare_exchange`). A map of move-only values is a concurrent map too.
template <class M>
concept concurrent_map =
    std::default_initializable<M> && !std::copyable<M> &&
    requires(M& map, const M& shared, const typename M::key_type& key, typename M::mapped_type&& value, std::size_t count) {
        { shared.contains(key) } -> std::same_as<bool>;
        { shared.visit(key, detail::any_predicate<const typename M::mapped_type&>{}) } -> std::same_as<bool>;
        { map.store(key, std::move(value)) } -> std::same_as<bool>;
        { map.insert(key, std::move(value)) } -> std::same_as<bool>;
        { map.erase(key) } -> std::same_as<bool>;
        { map.update(key, detail::any_update<typename M::mapped_type>{}) } -> std::same_as<update_result>;
        {
            shared.for_each(detail::any_predicate<const typename M::key_type&, const typename M::mapped_type&>{})
        } -> std::same_as<std::size_t>;
        {
            map.erase_if(detail::any_predicate<const typename M::key_type&, const typename M::mapped_type&>{})
        } -> std::same_as<std::size_t>;
        { shared.approx_size() } noexcept -> std::same_as<std::size_t>;
        map.clear();
        map.reserve(count);
        typename M::hasher;
        typename M::key_equal;
        typename M::allocator_type;
    };

template <class M>
concept copyable_value_map = concurrent_map<M> && std::copy_constructible<detail::copied_value_t<M>> &&
                             requires(M& map, const M& shared, const typename M::key_type& key,
                                      const typename M::mapped_type& value, detail::copied_value_t<M> (&make)()) {
                                 { shared.load(key) } -> std::same_as<std::optional<detail::copied_value_t<M>>>;
                                 { map.load_or_store(key, value) } -> std::same_as<load_result<detail::copied_value_t<M>>>;
                                 { map.load_or_compute(key, make) } -> std::same_as<load_result<detail::copied_value_t<M>>>;
                                 { map.exchange(key, value) } -> std::same_as<std::optional<detail::copied_value_t<M>>>;
                                 { map.load_and_erase(key) } -> std::same_as<std::optional<detail::copied_value_t<M>>>;
                             };

template <class M>
concept comparable_value_map =
    copyable_value_map<M> && std::equality_comparable<detail::copied_value_t<M>> &&
    requires(M& map, const typename M::key_type& key, detail::copied_value_t<M>& expected,
             std::optional<detail::copied_value_t<M>>& expected_or_none, const typename M::mapped_type& desired) {
        { map.compare_exchange(key, expected, desired) } -> std::same_as<bool>;
        { map.compare_exchange(key, expected_or_none, desired) } -> std::same_as<bool>;
        { map.compare_erase(key, expected) } -> std::same_as<bool>;
    };

/// `size()` returns the exact length.
template <class M>
concept exact_size_map = concurrent_map<M> && map_traits<M>::exact_size && requires(const M& shared) {
    { shared.size() } -> std::same_as<std::size_t>;
    { shared.empty() } -> std::same_as<bool>;
};

/// Iteration sees one instant of the whole map.
template <class M>
concept atomic_iteration_map = concurrent_map<M> && map_traits<M>::atomic_iteration;

/// Reads wait for no thread.
template <class M>
concept lock_free_read_map = concurrent_map<M> && map_traits<M>::lock_free_reads;

/// `lock()` gives access to the plain map behind the lock, for a sequence of operations.
template <class M>
concept lockable_map = concurrent_map<M> && requires(M& map, const M& shared, const typename M::key_type& key) {
    { map.lock()->erase(key) } -> std::same_as<bool>;
    { shared.lock_shared()->contains(key) } -> std::same_as<bool>;
};

/// `pin()` keeps entries beyond a call.
template <class M>
concept pinnable_map = concurrent_map<M> && requires(const M& shared, const typename M::key_type& key) {
    { static_cast<bool>(shared.pin(key)) };
    { *shared.pin(key) } -> std::convertible_to<const typename M::mapped_type&>;
};

/// `update()` can change several keys in one step.
template <class M>
concept multi_key_map = concurrent_map<M> && requires(M& map, std::span<const detail::given_t<typename M::key_type>> keys) {
    { map.update(keys, detail::any_slots<typename M::mapped_type>{}) } -> std::same_as<bool>;
};

namespace engine {

/// What `basic_map` needs of an engine. It implements the rest of the interface itself.
///
///  `visit(key, f)`      calls `f(const T&)` if the key is present; returns whether it was
///  `write(key, op)`     does what `op` decides about the key, atomically
///  `exclusive(key, op)` the same, but runs `op.decide` once; other writers of the key wait for it
///  `erase_if(f, order)` erases the entries for which `f(const Key&, const T&)` is true, each by a write of that order
///  `for_each(f)`        calls `f(const Key&, const T&)` until it returns false; returns the number of calls
template <class E>
concept map_engine = requires(E& engine, const E& shared, const typename E::key_type& key,
                              detail::any_operation<typename E::mapped_type>& operation, std::size_t count) {
    { shared.visit(key, detail::any_predicate<const typename E::mapped_type&>{}) } -> std::same_as<bool>;
    engine.write(key, operation);
    engine.exclusive(key, operation);
    {
        shared.for_each(detail::any_predicate<const typename E::key_type&, const typename E::mapped_type&>{})
    } -> std::same_as<std::size_t>;
    {
        engine.erase_if(detail::any_predicate<const typename E::key_type&, const typename E::mapped_type&>{}, operation.order)
    } -> std::same_as<std::size_t>;
    { shared.approx_size() } noexcept -> std::same_as<std::size_t>;
    engine.clear();
    engine.reserve(count);
    { shared.hash_function() } -> std::same_as<typename E::hasher>;
    { shared.key_eq() } -> std::same_as<typename E::key_equal>;
    { shared.get_allocator() } -> std::same_as<typename E::allocator_type>;
    { E::exact_size } -> std::convertible_to<bool>;
    { E::atomic_iteration } -> std::convertible_to<bool>;
    { E::lock_free_reads } -> std::convertible_to<bool>;
} && std::constructible_from<E, const typename E::hasher&, const typename E::key_equal&, const typename E::allocator_type&>;

} // namespace engine
} // namespace syncmap
