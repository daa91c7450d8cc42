// The small value types that the operations take and return.
#pragma once

#include <syncmap/detail/language.hpp>

#include <optional>
#include <type_traits>
#include <utility>

#include <syncmap/detail/value_forms.hpp>

namespace syncmap {

/// What `load_or_store` and `load_or_compute` return; made for `const auto [value, loaded] = …`.
template <class T>
struct load_result {
    T value;     ///< the map's value: the one that the call found, or the one that it stored
    bool loaded; ///< true: the key was present, and the call stored nothing

    friend bool operator==(const load_result&, const load_result&) = default;
};

/// Tag: `load_or_compute(syncmap::unshared, key, f)` shares the outcome of `f` with no waiting thread. If `f` throws, the
/// next thread that waits runs its own function.
struct unshared_t {
    explicit unshared_t() = default;
};
inline constexpr unshared_t unshared{};

/// Tag: an `update` callback returns it to leave the entry exactly as it is.
struct keep_t {
    explicit keep_t() = default;
};
inline constexpr keep_t keep{};

/// What an `update` callback decides. A callback need not name this type, since all of its answers convert to it:
///
///     return value;            store it; also a filled std::optional<T>
///     return std::nullopt;     erase the key, or leave it absent; also an empty std::optional<T>
///     return syncmap::keep;    change nothing
///
/// Name it as the result of a callback that returns several of these: `-> syncmap::update_action<T>`.
template <class T>
class update_action {
    using copied = detail::copied_out_t<T>;
    template <class U>
    static constexpr bool is_value =
        !std::is_same_v<std::remove_cvref_t<U>, std::optional<copied>> &&
        !std::is_same_v<std::remove_cvref_t<U>, update_action> && !std::is_same_v<std::remove_cvref_t<U>, std::nullopt_t> &&
        !std::is_same_v<std::remove_cvref_t<U>, keep_t>;

public:
    update_action(keep_t) noexcept : kind_(kind::none) {}
    update_action(std::nullopt_t) noexcept : kind_(kind::removal) {}
    update_action(std::optional<copied> value) : kind_(value ? kind::value : kind::removal), value_(std::move(value)) {}
    template <class U>
        requires(is_value<U> && detail::returned_for<T, U &&>)
    update_action(U&& value) : kind_(kind::value), value_(std::in_place, std::forward<U>(value)) {}
    /// Refuses a conversion that may lose something or is explicit; the constructor from the optional would accept it.
    template <class U>
        requires(is_value<U> && detail::makeable_from<T, U &&> && !detail::returned_for<T, U &&>)
    update_action(U&&) = delete;

    /// Returns whether the callback changes nothing.
    bool keeps() const noexcept { return kind_ == kind::none; }
    /// Returns whether the callback erases the entry.
    bool erases() const noexcept { return kind_ == kind::removal; }
    /// Returns the new value; only for an action that neither keeps nor erases.
    copied&& value() && noexcept { return *std::move(value_); }

private:
    enum class kind : unsigned char { none, removal, value };
    kind kind_;
    std::optional<copied> value_{};
};

/// One key of an `update` of several keys: its present value, and the change to make. By default a slot changes nothing.
template <class T>
class update_slot {
    using copied = detail::copied_out_t<T>;

public:
    explicit update_slot(const T* current) noexcept : current_(current) {}

    /// Returns the present value, or null if the key is absent. It does not change until the function returns, not even by the
    /// members below.
    const T* current() const noexcept { return current_; }

    /// Gives the key this value when the update takes place. The last call of these three counts.
    template <class U = copied>
        requires detail::returned_for<T, U&&>
    void assign(U&& value) {
        kind_ = kind::none; // while making the value may throw
        value_.emplace(std::forward<U>(value));
        kind_ = kind::value;
    }
    /// Erases the key when the update takes place.
    void erase() noexcept { kind_ = kind::removal; }
    /// Leaves the key as it is.
    void keep() noexcept { kind_ = kind::none; }

    // ---- for the map ----

    bool keeps() const noexcept { return kind_ == kind::none || (kind_ == kind::removal && current_ == nullptr); }
    bool erases() const noexcept { return kind_ == kind::removal; }
    copied&& value() && noexcept { return *std::move(value_); }

private:
    enum class kind : unsigned char { none, removal, value };
    const T* current_;
    kind kind_ = kind::none;
    std::optional<copied> value_{};
};

/// What an `update` did.
enum class update_result : unsigned char {
    kept, ///< nothing changed
    inserted, ///< the key was absent and is present now
    assigned, ///< the key was present and has a new value
    erased ///< the key was present and is absent now
};

} // namespace syncmap
