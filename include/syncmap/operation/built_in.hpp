// The operations of the facade on one key: models of `write_operation`.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <syncmap/detail/functional.hpp>
#include <syncmap/detail/in_place.hpp>
#include <syncmap/detail/value_forms.hpp>
#include <syncmap/operation/write_operation.hpp>
#include <syncmap/results.hpp>
#include <syncmap/synchronized_values.hpp>

namespace syncmap::detail {

/// Copies, conversions and comparisons of such a type run no user code. (An enumeration may have an `==` of its own.)
template <class T>
inline constexpr bool built_in = std::is_arithmetic_v<T> || std::is_pointer_v<T>;
template <class T, class U>
inline constexpr bool scalars = built_in<T> && built_in<std::remove_cvref_t<U>>;

template <class T, class U>
struct store_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool always_assigns = true;
    static constexpr bool runs_user_code = !scalars<T, U>;
    U&& value;
    std::memory_order order = std::memory_order_seq_cst;
    bool existed = false;

    decision decide(const T* current) noexcept {
        existed = current != nullptr;
        return decision::assign;
    }
    U&& make() noexcept { return std::forward<U>(value); }
};

/// The same of a value that the operation keeps.
template <class T, class U>
struct store_own_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool always_assigns = true;
    static constexpr bool runs_user_code = !scalars<T, U>;
    U value;
    std::memory_order order = std::memory_order_seq_cst;
    bool existed = false;

    decision decide(const T* current) noexcept {
        existed = current != nullptr;
        return decision::assign;
    }
    U&& make() noexcept { return std::move(value); }
};

template <class T, class U>
struct insert_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = !scalars<T, U>;
    U&& value;
    std::memory_order order = std::memory_order_seq_cst;
    bool existed = false;

    decision decide(const T* current) noexcept {
        existed = current != nullptr;
        return existed ? decision::keep : decision::assign;
    }
    U&& make() noexcept { return std::forward<U>(value); }
};

/// Does the same as insert_operation with a value that is constructed from any arguments.
template <class T, class... Arguments>
struct emplace_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = !(scalars<T, T> && ... && scalars<T, Arguments>);
    std::tuple<Arguments&&...> arguments;
    std::memory_order order = std::memory_order_seq_cst;
    bool existed = false;

    decision decide(const T* current) noexcept {
        existed = current != nullptr;
        return existed ? decision::keep : decision::assign;
    }
    made_t<T> make() { return std::make_from_tuple<made_t<T>>(std::move(arguments)); }
    template <class Place>
    void make_in(Place&& place) {
        std::apply(place, std::move(arguments));
    }
};

template <class T, class U>
struct load_or_store_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = !scalars<T, U>;
    U&& value;
    std::memory_order order = std::memory_order_seq_cst;
    std::optional<copied_out_t<T>> found{};
    std::optional<copied_out_t<T>> own{};
    bool existed = false;

    decision decide(const T* current) {
        existed = current != nullptr;
        if (existed) {
            found.emplace(*current);
            return decision::keep;
        }
        if (!own) own.emplace(std::forward<U>(value));
        return decision::assign;
    }
    const copied_out_t<T>& make() noexcept { return *own; }
    load_result<copied_out_t<T>> take() { return {existed ? *std::move(found) : *std::move(own), existed}; }
};

/// `previous` is the object that the caller returns. The operation makes it in its place: once the map has changed, nothing
/// has to be moved, so nothing can throw.
template <class T, class U>
struct exchange_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = !scalars<T, U>;
    U&& value;
    std::optional<copied_out_t<T>>& previous;
    std::memory_order order = std::memory_order_seq_cst;

    decision decide(const T* current) {
        if (current != nullptr) {
            previous.emplace(*current);
        } else {
            previous.reset();
        }
        return decision::assign;
    }
    U&& make() noexcept { return std::forward<U>(value); }
};

template <class T>
struct erase_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = false;
    static constexpr bool runs_user_code = false;
    static constexpr bool ignores_value = true;
    std::memory_order order = std::memory_order_seq_cst;
    bool existed = false;

    decision decide(const T* current) noexcept {
        existed = current != nullptr;
        return existed ? decision::erase : decision::keep;
    }
    [[noreturn]] made_t<T> make() noexcept { std::terminate(); }
};

template <class T>
struct load_and_erase_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = false;
    static constexpr bool runs_user_code = !scalars<T, T>;
    std::optional<copied_out_t<T>>& previous; ///< as in exchange_operation
    std::memory_order order = std::memory_order_seq_cst;

    decision decide(const T* current) {
        if (current != nullptr) {
            previous.emplace(*current);
            return decision::erase;
        }
        previous.reset();
        return decision::keep;
    }
    [[noreturn]] made_t<T> make() noexcept { std::terminate(); }
};

/// For engines that let no other thread look at a value: they call `takes` on the value that goes.
template <class T>
struct take_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = false;
    static constexpr bool runs_user_code = !scalars<T, T>;
    std::optional<T>& taken; ///< as `previous` in exchange_operation
    std::memory_order order = std::memory_order_seq_cst;

    decision decide(const T* current) noexcept { return current != nullptr ? decision::erase : decision::keep; }
    void takes(T& value) { taken.emplace(std::move(value)); }
    [[noreturn]] T make() noexcept { std::terminate(); }
};

template <class T>
concept equality_comparable_value = requires(const T& a) {
    { a == a } -> std::convertible_to<bool>;
};

/// Both forms of compare_exchange and compare_erase. `expected` is null if the caller expects no entry.
template <class T, class U, decision OnEqual>
struct compare_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = OnEqual == decision::assign;
    static constexpr bool runs_user_code = !scalars<T, U>;
    const copied_out_t<T>* expected;
    U&& desired;
    std::memory_order order = std::memory_order_seq_cst;
    bool equal = false;
    std::conditional_t<std::is_trivially_destructible_v<copied_out_t<T>>, std::optional<copied_out_t<T>>,
                       in_place<copied_out_t<T>>>
        seen{};

    decision decide(const T* current) {
        if ((current == nullptr) != (expected == nullptr)) {
            equal = false;
        } else {
            equal = current == nullptr || static_cast<bool>(std::equal_to<>()(*current, *expected)); // also of floating point
        }
        if (!equal && current != nullptr) {
            seen.emplace(*current);
        } else {
            seen.reset();
        }
        return equal ? OnEqual : decision::keep;
    }
    U&& make() noexcept { return std::forward<U>(desired); }
};

/// Read-modify-writes of numbers, as those of std::atomic. `Combine` computes the new value, from the present one or from none.
template <class T, class Combine>
struct fetch_operation {
    static constexpr bool depends_on_current = true;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = false;
    T operand;
    std::memory_order order = std::memory_order_seq_cst;
    T previous{};
    T next{};

    decision decide(const T* current) noexcept {
        previous = current != nullptr ? *current : T{};
        next = Combine()(current, previous, operand);
        return decision::assign;
    }
    T make() const noexcept { return next; }
};
/// Wraps as std::atomic does, also for signed integers.
struct sum_of {
    template <class T>
    T operator()(const T*, T now, T operand) const noexcept {
        if constexpr (std::is_integral_v<T>) {
            using bits = std::make_unsigned_t<T>;
            return static_cast<T>(static_cast<bits>(static_cast<bits>(now) + static_cast<bits>(operand)));
        } else {
            return now + operand;
        }
    }
};
struct larger_of {
    template <class T>
    T operator()(const T* there, T now, T operand) const noexcept {
        return there != nullptr && !(now < operand) ? now : operand;
    }
};
struct smaller_of {
    template <class T>
    T operator()(const T* there, T now, T operand) const noexcept {
        return there != nullptr && !(operand < now) ? now : operand;
    }
};
struct bits_of_both {
    template <class T>
    T operator()(const T*, T now, T operand) const noexcept {
        return static_cast<T>(now & operand);
    }
};
struct bits_of_either {
    template <class T>
    T operator()(const T*, T now, T operand) const noexcept {
        return static_cast<T>(now | operand);
    }
};

/// An operation of the user's. If it erases an absent key, it does nothing.
template <class T, class Op>
struct applied_operation {
    static constexpr bool depends_on_current = Op::depends_on_current;
    static constexpr bool may_assign = Op::may_assign;
    static constexpr bool runs_user_code = Op::runs_user_code;
    Op& op;
    std::memory_order order = op.order;

    decision decide(const T* current) {
        const decision wanted = op.decide(current);
        return current == nullptr && wanted == decision::erase ? decision::keep : wanted;
    }
    decltype(auto) make() { return op.make(); }
    template <class Place>
        requires requires(Op& o, Place& place) { o.make_in(place); }
    void make_in(Place&& place) {
        op.make_in(place);
    }
};

/// Shows the present value, or inserts one.
template <class T, class U, class F>
struct insert_or_visit_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = true;
    U&& value;
    F& function;
    std::memory_order order = std::memory_order_seq_cst;
    bool existed = false;

    decision decide(const T* current) {
        existed = current != nullptr;
        if (!existed) return decision::assign;
        detail::invoke(function, shown(*current));
        return decision::keep;
    }
    U&& make() noexcept { return std::forward<U>(value); }
};

template <class T, class F>
struct erase_if_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = false;
    static constexpr bool runs_user_code = true;
    F& condemned;
    std::memory_order order = std::memory_order_seq_cst;
    bool erased = false;

    decision decide(const T* current) {
        erased = current != nullptr && static_cast<bool>(detail::invoke(condemned, *current));
        return erased ? decision::erase : decision::keep;
    }
    [[noreturn]] made_t<T> make() noexcept { std::terminate(); }
};

template <class T, class F, bool Shared>
struct compute_operation {
    static constexpr bool shares_outcome = Shared;
    static constexpr bool keeps_present = true;
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = true;
    F& function;
    std::memory_order order = std::memory_order_seq_cst;
    in_place<copied_out_t<T>> result{};
    bool loaded = false;

    decision decide(const T* current) {
        loaded = current != nullptr;
        if (loaded) {
            result.emplace(*current);
            return decision::keep;
        }
        result.emplace_from([this]() -> decltype(auto) { return detail::invoke(function); });
        return decision::assign;
    }
    const copied_out_t<T>& make() noexcept { return *result; }
};

template <class T, class Returned>
inline constexpr bool is_returned = returned_for<T, Returned&&>;
template <class T>
inline constexpr bool is_returned<T, void> = false; // the facade explains the error

/// What the function of an `update` has returned, in the place where it was returned: a value, an optional, or one of the tags.
template <class T, class Returned>
class update_answer {
    using plain = std::remove_cvref_t<Returned>;
    static constexpr bool is_optional = std::is_same_v<plain, std::optional<copied_out_t<T>>>;
    static constexpr bool is_action = std::is_same_v<Returned, update_action<T>>;
    static constexpr bool is_tag = std::is_same_v<plain, keep_t> || std::is_same_v<plain, std::nullopt_t>;
    static constexpr bool is_value = !is_optional && !is_action && !is_tag && is_returned<T, Returned>;
    /// Anything else is converted to an action first.
    static constexpr bool is_kept_as_it_is = is_optional || is_action || is_tag || is_value;

public:
    template <class Make>
    void emplace_from(Make&& make) {
        answer_.emplace_from(std::forward<Make>(make));
    }
    bool keeps() {
        if constexpr (std::is_same_v<plain, keep_t>) {
            return true;
        } else if constexpr (is_action || !is_kept_as_it_is) {
            return (*answer_).keeps();
        } else {
            return false;
        }
    }
    bool erases() {
        if constexpr (std::is_same_v<plain, std::nullopt_t>) {
            return true;
        } else if constexpr (is_optional) {
            return !(*answer_).has_value();
        } else if constexpr (is_action || !is_kept_as_it_is) {
            return (*answer_).erases();
        } else {
            return false;
        }
    }
    /// Returns what the new value is made from. Only for an answer that neither keeps nor erases.
    decltype(auto) value() {
        if constexpr (is_value) {
            return static_cast<Returned&&>(*answer_);
        } else if constexpr (is_optional) {
            return *static_cast<Returned&&>(*answer_);
        } else if constexpr (is_tag) {
            return unreachable_value();
        } else {
            return static_cast<update_action<T>&&>(*answer_).value();
        }
    }

private:
    [[noreturn]] static made_t<T> unreachable_value() noexcept { std::terminate(); }

    in_place<std::conditional_t<is_kept_as_it_is, Returned, update_action<T>>> answer_{};
};

template <class T, class F>
struct update_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = true;
    F& function;
    std::memory_order order = std::memory_order_seq_cst;
    update_result outcome = update_result::kept;
    update_answer<T, std::invoke_result_t<F&, const T*>> answer{};

    decision decide(const T* current) {
        answer.emplace_from([&]() -> decltype(auto) { return detail::invoke(function, current); });
        if (answer.keeps()) return decision::keep;
        if (!answer.erases()) {
            outcome = current != nullptr ? update_result::assigned : update_result::inserted;
            return decision::assign;
        }
        if (current == nullptr) return decision::keep;
        outcome = update_result::erased;
        return decision::erase;
    }
    decltype(auto) make() { return answer.value(); }
};

} // namespace syncmap::detail
