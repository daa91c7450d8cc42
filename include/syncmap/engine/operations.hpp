// The operations on one key, as engines see them: models of `write_operation` in decision.hpp, made by the facade.
// `given`, where an operation has it, is what `make` makes a value from: for an engine that has a place to assign to.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include <syncmap/engine/decision.hpp>
#include <syncmap/results.hpp>

namespace syncmap::detail {

/// Copying, converting and comparing them calls no code of the user's. (An enumeration may have an `==` of its own.)
template <class T>
inline constexpr bool built_in = std::is_arithmetic_v<T> || std::is_pointer_v<T>;
template <class T, class U>
inline constexpr bool scalars = built_in<T> && built_in<std::remove_cvref_t<U>>;

template <class T, class U>
struct store_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = !scalars<T, U>;
    U&& value;
    std::memory_order order = std::memory_order_seq_cst;
    bool existed = false;

    engine::decision decide(const T* current) noexcept {
        existed = current != nullptr;
        return engine::decision::assign;
    }
    made_t<T> make() { return made_t<T>(given()); }
    U&& given() { return std::forward<U>(value); }
};

template <class T, class U>
struct insert_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = !scalars<T, U>;
    U&& value;
    std::memory_order order = std::memory_order_seq_cst;
    bool existed = false;

    engine::decision decide(const T* current) noexcept {
        existed = current != nullptr;
        return existed ? engine::decision::keep : engine::decision::assign;
    }
    made_t<T> make() { return made_t<T>(given()); }
    U&& given() { return std::forward<U>(value); }
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

    engine::decision decide(const T* current) {
        existed = current != nullptr;
        if (existed) {
            found.emplace(*current);
            return engine::decision::keep;
        }
        if (!own) own.emplace(std::forward<U>(value));
        return engine::decision::assign;
    }
    made_t<T> make() { return std::as_const(*own); }
    const copied_out_t<T>& given() { return *own; }
    load_result<copied_out_t<T>> take() { return {existed ? *std::move(found) : *std::move(own), existed}; }
};

/// `previous` is what the caller returns, made in its place: nothing has to be moved, and so nothing can throw, once the
/// map has changed.
template <class T, class U>
struct exchange_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = !scalars<T, U>;
    U&& value;
    std::optional<copied_out_t<T>>& previous;
    std::memory_order order = std::memory_order_seq_cst;

    engine::decision decide(const T* current) {
        if (current != nullptr) {
            previous.emplace(*current);
        } else {
            previous.reset();
        }
        return engine::decision::assign;
    }
    made_t<T> make() { return made_t<T>(given()); }
    U&& given() { return std::forward<U>(value); }
};

template <class T>
struct erase_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = false;
    static constexpr bool runs_user_code = false;
    std::memory_order order = std::memory_order_seq_cst;
    bool existed = false;

    engine::decision decide(const T* current) noexcept {
        existed = current != nullptr;
        return existed ? engine::decision::erase : engine::decision::keep;
    }
    [[noreturn]] made_t<T> make() { std::terminate(); }
};

template <class T>
struct load_and_erase_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = false;
    static constexpr bool runs_user_code = !scalars<T, T>;
    std::optional<copied_out_t<T>>& previous; ///< as in exchange_operation
    std::memory_order order = std::memory_order_seq_cst;

    engine::decision decide(const T* current) {
        if (current != nullptr) {
            previous.emplace(*current);
            return engine::decision::erase;
        }
        previous.reset();
        return engine::decision::keep;
    }
    [[noreturn]] made_t<T> make() { std::terminate(); }
};

/// As std::optional, but its bytes are zero while it is empty: GCC takes those of an empty optional for a value that is read
/// (its bug 80635), and says so in the middle of a user's build.
template <class T>
class defined_optional {
public:
    defined_optional() noexcept = default;
    defined_optional(const defined_optional&) = delete;
    defined_optional& operator=(const defined_optional&) = delete;
    ~defined_optional() { reset(); }

    template <class From>
    void emplace(const From& value) {
        reset();
        ::new (static_cast<void*>(bytes_)) T(value);
        full_ = true;
    }
    void reset() noexcept {
        if (std::exchange(full_, false)) std::destroy_at(std::addressof(object()));
    }
    explicit operator bool() const noexcept { return full_; }
    T&& operator*() && noexcept { return std::move(object()); }

private:
    T& object() noexcept { return *std::launder(reinterpret_cast<T*>(bytes_)); }

    alignas(T) std::byte bytes_[sizeof(T)]{};
    bool full_ = false;
};

/// Both forms of compare_exchange and compare_erase: `expected` is empty when the caller expects no entry.
template <class T, class U, engine::decision OnEqual>
struct compare_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = OnEqual == engine::decision::assign;
    static constexpr bool runs_user_code = !scalars<T, U>;
    const copied_out_t<T>* expected;
    U&& desired;
    std::memory_order order = std::memory_order_seq_cst;
    bool equal = false;
    std::conditional_t<std::is_trivially_destructible_v<copied_out_t<T>>, std::optional<copied_out_t<T>>,
                       defined_optional<copied_out_t<T>>>
        seen{};

    engine::decision decide(const T* current) {
        if ((current == nullptr) != (expected == nullptr)) {
            equal = false;
        } else {
            equal = current == nullptr || static_cast<bool>(*current == *expected);
        }
        if (!equal && current != nullptr) {
            seen.emplace(*current);
        } else {
            seen.reset();
        }
        return equal ? OnEqual : engine::decision::keep;
    }
    made_t<T> make() { return made_t<T>(given()); }
    U&& given() { return std::forward<U>(desired); }
};

template <class T>
struct fetch_add_operation {
    static constexpr bool depends_on_current = true;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = false;
    T operand;
    std::memory_order order = std::memory_order_seq_cst;
    T previous{};

    engine::decision decide(const T* current) noexcept {
        previous = current != nullptr ? *current : T{};
        return engine::decision::assign;
    }
    T make() noexcept { // wraps as std::atomic does, also for signed T
        using bits = std::make_unsigned_t<T>;
        return static_cast<T>(static_cast<bits>(static_cast<bits>(previous) + static_cast<bits>(operand)));
    }
};

template <class T, class F, bool Shared>
struct compute_operation {
    static constexpr bool shares_outcome = Shared;
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = true;
    F& function;
    std::memory_order order = std::memory_order_seq_cst;
    std::optional<copied_out_t<T>> result{};
    bool loaded = false;

    engine::decision decide(const T* current) {
        loaded = current != nullptr;
        if (loaded) {
            result.emplace(*current);
            return engine::decision::keep;
        }
        result.emplace(std::invoke(function));
        return engine::decision::assign;
    }
    made_t<T> make() { return std::as_const(*result); }
    const copied_out_t<T>& given() { return *result; }
};

template <class T, class F>
struct update_operation {
    static constexpr bool depends_on_current = false;
    static constexpr bool may_assign = true;
    static constexpr bool runs_user_code = true;
    F& function;
    std::memory_order order = std::memory_order_seq_cst;
    update_result outcome = update_result::kept;
    std::optional<update_action<T>> action{};

    engine::decision decide(const T* current) {
        action.emplace(std::invoke(function, current));
        if (action->keeps()) return engine::decision::keep;
        if (!action->erases()) {
            outcome = current != nullptr ? update_result::assigned : update_result::inserted;
            return engine::decision::assign;
        }
        if (current == nullptr) return engine::decision::keep;
        outcome = update_result::erased;
        return engine::decision::erase;
    }
    made_t<T> make() { return std::move(*action).value(); }
};

} // namespace syncmap::detail
