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
    T value;     ///< the value that the map holds: the one found, or the one just stored
    bool loaded; ///< true: the key was there and nothing was stored

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

/// What an `update` callback decides. A callback need not name it, since it converts from all it can mean:
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
    /// A conversion that may lose something, or that has to be asked for: not by way of the optional either.
    template <class U>
        requires(is_value<U> && detail::makeable_from<T, U &&> && !detail::returned_for<T, U &&>)
    update_action(U&&) = delete;

    /// Nothing is to change.
    bool keeps() const noexcept { return kind_ == kind::none; }
    /// The entry is to go.
    bool erases() const noexcept { return kind_ == kind::removal; }
    /// The new value; only if it neither keeps nor erases.
    copied&& value() && noexcept { return *std::move(value_); }

private:
    enum class kind : unsigned char { none, removal, value };
    kind kind_;
    std::optional<copied> value_{};
};

/// One key of an `update` of several: what it has, and what it is to have. A slot that is left alone keeps its key as it is.
template <class T>
class update_slot {
    using copied = detail::copied_out_t<T>;

public:
    explicit update_slot(const T* current) noexcept : current_(current) {}

    /// The present value, null when the key is absent. It does not change until the function returns, also not by the
    /// members below.
    const T* current() const noexcept { return current_; }

    /// The key is to have this value. The last call of these three counts.
    template <class U = copied>
        requires detail::returned_for<T, U&&>
    void assign(U&& value) {
        kind_ = kind::none; // for as long as making the value may throw
        value_.emplace(std::forward<U>(value));
        kind_ = kind::value;
    }
    /// The key is to be absent.
    void erase() noexcept { kind_ = kind::removal; }
    /// The key is to stay as it is.
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
    kept,     ///< nothing changed
    inserted, ///< the key was absent and is present now
    assigned, ///< the key was present and has a new value
    erased    ///< the key was present and is absent now
};

} // namespace syncmap
