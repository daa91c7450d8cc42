// The types of options: they take what fits, and say in words what does not.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

namespace syncmap::cache_detail {

template <class From>
inline constexpr bool is_duration = false;
template <class Rep, class Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;

/// A time. It is made from every `std::chrono` duration that converts to nanoseconds.
class option_time : public std::chrono::nanoseconds {
    using nanoseconds = std::chrono::nanoseconds;

    template <class From>
    static constexpr nanoseconds made_of(const From& from) {
        static_assert(!std::is_arithmetic_v<From>,
                      "syncmap: a time is a std::chrono duration, and no number: .ttl = std::chrono::seconds(10), or 10s");
        static_assert(std::is_arithmetic_v<From> || std::is_convertible_v<const From&, nanoseconds>,
                      "syncmap: a time is a std::chrono duration of whole nanoseconds: convert it with "
                      "std::chrono::duration_cast<std::chrono::nanoseconds>");
        if constexpr (std::is_convertible_v<const From&, nanoseconds>) {
            return from;
        } else {
            return nanoseconds{};
        }
    }

public:
    template <class From>
        requires(is_duration<From> || std::is_arithmetic_v<From>)
    constexpr explicit(false) option_time(const From& from) : nanoseconds(made_of(from)) {}
};

/// A function, or none, which converts to that `std::function`. `Called::require_form<fits>()` is the error in words.
template <class Called, class Form>
class option_function;
template <class Called, class Result, class... Arguments>
class option_function<Called, Result(Arguments...)> {
    using function = std::function<Result(Arguments...)>;

    template <class F>
    static function made_of(F&& f) {
        using plain = std::decay_t<F>;
        constexpr bool fits = std::is_invocable_r_v<Result, plain&, Arguments...>;
        Called::template require_form<fits>();
        static_assert(std::is_copy_constructible_v<plain>,
                      "syncmap: a function of the options can be copied: a lambda holds a std::shared_ptr, no std::unique_ptr");
        if constexpr (fits && std::is_copy_constructible_v<plain>) {
            return function(std::forward<F>(f));
        } else {
            return function();
        }
    }

public:
    option_function() noexcept = default;
    explicit(false) option_function(std::nullptr_t) noexcept {}
    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, option_function>)
    explicit(false) option_function(F&& f) : function_(made_of(std::forward<F>(f))) {}

    explicit operator bool() const noexcept { return static_cast<bool>(function_); }
    explicit(false) operator const function&() const noexcept { return function_; }

private:
    function function_{};
};

// ---- what the options call ----

struct called_to_weigh {
    template <bool Fits>
    static constexpr void require_form() {
        static_assert(Fits, "syncmap: .weigh is called as weigh(const Key&, const T&), and returns a std::size_t; for bytes "
                            "write .weigh = syncmap::bytes_of");
    }
};
struct called_to_expire {
    template <bool Fits>
    static constexpr void require_form() {
        static_assert(Fits, "syncmap: .expire is called as expire(const Key&, const T&, syncmap::expiry_event), and returns a "
                            "std::chrono duration: how long the entry lives");
    }
};
struct called_for_tags {
    template <bool Fits>
    static constexpr void require_form() {
        static_assert(Fits, "syncmap: .tags_of is called as tags_of(const Key&, const T&), and returns a syncmap::entry_tags");
    }
};
struct called_on_removal {
    template <bool Fits>
    static constexpr void require_form() {
        static_assert(Fits, "syncmap: .on_removal, or .on_removal_in_order, is called as on_removal(const Key&, const T&, "
                            "syncmap::removal)");
    }
};
struct called_on_error {
    template <bool Fits>
    static constexpr void require_form() {
        static_assert(Fits, "syncmap: .on_error is called as on_error(std::exception_ptr)");
    }
};

} // namespace syncmap::cache_detail
