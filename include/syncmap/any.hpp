// syncmap::any: a value of any type, as the dynamic map holds its keys and values.
#pragma once

#include <syncmap/detail/language.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <variant>

#include <syncmap/detail/functional.hpp>
#include <syncmap/detail/type_name.hpp>
#include <syncmap/errors.hpp>
#include <syncmap/hash.hpp>

namespace syncmap {

class any;

/// No value: what an `any` holds at first.
struct nil_t {
    explicit nil_t() = default;
};
inline constexpr nil_t nil{};

namespace detail {

/// An `any` holds texts of every form as `std::string`, so that "a", std::string("a") and std::string_view("a") are one key.
template <class T>
concept text = std::same_as<std::decay_t<T>, std::string> || std::same_as<std::decay_t<T>, std::string_view> ||
               std::same_as<std::decay_t<T>, const char*> || std::same_as<std::decay_t<T>, char*>;

template <class T>
using held = std::conditional_t<text<T>, std::string, std::decay_t<T>>;

template <class T>
concept declares_equality = requires(const T& a) {
    { a == a } -> std::convertible_to<bool>;
};

template <class T>
concept has_elements = requires { typename T::value_type; } && !std::same_as<typename T::value_type, T>;

/// Whether `==` compiles. It may be declared and not compile: the standard containers declare it although their elements have
/// none.
template <class T>
struct has_equality : std::bool_constant<declares_equality<T>> {};
template <has_elements T>
struct has_equality<T> : std::bool_constant<has_equality<typename T::value_type>::value && declares_equality<T>> {};
template <class... Ts>
struct has_equality<std::pair<Ts...>> : std::conjunction<has_equality<std::remove_const_t<Ts>>...> {};
template <class... Ts>
struct has_equality<std::tuple<Ts...>> : std::conjunction<has_equality<std::remove_const_t<Ts>>...> {};
template <class... Ts>
struct has_equality<std::variant<Ts...>> : std::conjunction<has_equality<Ts>...> {};

template <class T>
concept has_hash = hashable<T>;

/// Four words: a std::string fits inside, with its own short text, so that short texts need no allocation.
union any_storage {
    void* remote = nullptr;
    alignas(void*) std::byte local[4 * sizeof(void*)];
};

/// A value lies in the `any` itself if it fits and if moving it cannot fail, as moving an `any` never fails.
template <class T>
inline constexpr bool lies_inside =
    sizeof(T) <= sizeof(any_storage) && alignof(T) <= alignof(any_storage) && std::is_nothrow_move_constructible_v<T>;

/// What an `any` knows about the type of its value.
struct any_type {
    const std::type_info* id;
    std::string_view raw_name;
    const void* (*address)(const any_storage&) noexcept;
    void (*copy)(any_storage& to, const any_storage& from);
    void (*move)(any_storage& to, any_storage& from) noexcept; ///< leaves no object in `from`
    void (*destroy)(any_storage&) noexcept;
    bool (*equal)(const void*, const void*);                        ///< null: the type has no operator==
    std::uint64_t (*hash)(const void*, const hash_seed&) = nullptr; ///< null: it has no std::hash, or no operator==
};

template <class T>
struct any_operations {
    static const void* address(const any_storage& s) noexcept {
        if constexpr (lies_inside<T>) {
            return s.local;
        } else {
            return s.remote;
        }
    }
    static T& value(any_storage& s) noexcept { return *std::launder(static_cast<T*>(const_cast<void*>(address(s)))); }
    template <class... Args>
    static void create(any_storage& s, Args&&... args) {
        if constexpr (lies_inside<T>) {
            ::new (static_cast<void*>(s.local)) T(std::forward<Args>(args)...);
        } else {
            s.remote = new T(std::forward<Args>(args)...);
        }
    }
    static void copy(any_storage& to, const any_storage& from) {
        create(to, *std::launder(static_cast<const T*>(address(from))));
    }
    static void move(any_storage& to, any_storage& from) noexcept {
        if constexpr (lies_inside<T>) {
            create(to, std::move(value(from)));
            destroy(from);
        } else {
            to.remote = from.remote;
        }
    }
    static void destroy(any_storage& s) noexcept {
        if constexpr (lies_inside<T>) {
            std::destroy_at(std::addressof(value(s)));
        } else {
            delete std::addressof(value(s));
        }
    }
    static bool equal(const void* a, const void* b) {
        return static_cast<bool>(std::equal_to<>()(*static_cast<const T*>(a), *static_cast<const T*>(b)));
    }
    static std::uint64_t hash(const void* value, const hash_seed& seed) {
        return seeded_hash(syncmap::hash<T>(), *static_cast<const T*>(value), seed);
    }

    static constexpr any_type describe() noexcept {
        any_type type{&typeid(T), raw_type_name<T>(), &address, &copy, &move, &destroy, nullptr, nullptr};
        if constexpr (has_equality<T>::value) {
            type.equal = &equal;
            if constexpr (has_hash<T>) type.hash = &hash;
        }
        return type;
    }
};

template <class T>
inline constexpr any_type any_type_of = any_operations<T>::describe();

} // namespace detail

/// A value of any type that can be copied, or nil; `nullptr` is nil, too. It is Go's `interface{}`, with checked assertions
/// that throw instead of a panic.
///
///     syncmap::any value = "Alice";                  // texts are held as std::string
///     value.as<std::string>();                       // the string
///     value.as<int>();                               // throws: "interface conversion: value is std::string, not int"
///     if (auto* name = value.get_if<std::string>()) // the comma-ok form
///
/// Memory       Values of up to four words, short strings among them, lie in the `any` itself; others are allocated.
/// Copy         copies the value. Hold a `std::shared_ptr` where copies are to share it. Moving never fails and
///              leaves nil.
/// Identity     The type is part of it: `any(1) != any(1L)`. Two nils are equal.
/// Threads      As for an int: any number may read one `any`, a writer must be alone with it.
class any {
public:
    /// Holds nil.
    constexpr any() noexcept {}
    constexpr any(nil_t) noexcept {}
    constexpr any(std::nullptr_t) noexcept {}

    /// Holds a copy of `value` (or what is moved out of it): for arrays and functions a pointer; for `const char*`,
    /// `std::string_view` and string literals a `std::string`. Throws: what the copy throws, `std::bad_alloc`.
    template <class T>
        requires(!std::same_as<std::remove_cvref_t<T>, any>)
    any(T&& value) : any(std::in_place_type<detail::held<T>>, std::forward<T>(value)) {}

    /// Holds a `T` made from `args`.
    template <class T, class... Args>
    explicit any(std::in_place_type_t<T>, Args&&... args) {
        check_type<T>();
        // Asserted, not required: to find out whether a class that can be made from an `any` can be copied, the compiler would
        // need this constructor again.
        static_assert(std::is_copy_constructible_v<T>, "syncmap: an any holds what can be copied: "
                                                       "hold a std::shared_ptr to what cannot");
        detail::any_operations<T>::create(storage_, std::forward<Args>(args)...);
        type_ = &detail::any_type_of<T>;
    }

    any(const any& other) {
        if (other.type_ != nullptr) other.type_->copy(storage_, other.storage_);
        type_ = other.type_;
    }
    any(any&& other) noexcept { take(other); }
    any& operator=(any other) noexcept {
        reset();
        take(other);
        return *this;
    }
    ~any() { reset(); }

    /// Holds nil from now on.
    void reset() noexcept {
        if (type_ != nullptr) std::exchange(type_, nullptr)->destroy(storage_);
    }

    [[nodiscard]] bool is_nil() const noexcept { return type_ == nullptr; }

    /// Returns whether the value is exactly a `T`; there are no conversions.
    template <class T>
    [[nodiscard]] bool is() const noexcept {
        check_type<T>();
        return type_ == &detail::any_type_of<T> || (type_ != nullptr && *type_->id == typeid(T));
    }

    /// Returns the value if it is a `T`, else null. Go: `v, ok := x.(T)`.
    template <class T>
    [[nodiscard]] const T* get_if() const noexcept {
        return is<T>() ? static_cast<const T*>(address()) : nullptr;
    }
    template <class T>
    [[nodiscard]] T* get_if() noexcept {
        return const_cast<T*>(std::as_const(*this).template get_if<T>());
    }

    /// Returns the value, which must be a `T`. Throws `bad_assertion`, which names both types, if it is not. Go: `x.(T)`.
    template <class T>
    [[nodiscard]] const T& as() const& {
        if (const T* const value = get_if<T>()) return *value;
        throw bad_assertion(type_name(), detail::type_name<T>());
    }
    template <class T>
    [[nodiscard]] T& as() & {
        return const_cast<T&>(std::as_const(*this).template as<T>());
    }
    /// Returns the value of a temporary by value: a reference would refer to a destroyed object.
    template <class T>
    [[nodiscard]] T as() && {
        return std::move(as<T>());
    }

    /// Returns the type of the value, `typeid(void)` for nil.
    [[nodiscard]] const std::type_info& type() const noexcept { return is_nil() ? typeid(void) : *type_->id; }
    /// Returns the type's name as in source code: "int", "std::string", "nil".
    [[nodiscard]] std::string type_name() const { return is_nil() ? "nil" : detail::tidy_type_name(type_->raw_name); }

    /// Values of different types differ. Throws `incomparable_type` for two values of one type that has no operator==.
    /// (A template, so that a comparison converts nothing to an `any`.)
    friend bool operator==(const std::same_as<any> auto& a, const std::same_as<any> auto& b) {
        if (a.is_nil() || b.is_nil()) return a.is_nil() == b.is_nil();
        if (a.type_ != b.type_ && *a.type_->id != *b.type_->id) return false;
        if (a.type_->equal == nullptr) throw incomparable_type(a.type_name());
        return a.type_->equal(a.address(), b.address());
    }
    /// Compares with a text as it is, and makes no string.
    friend bool operator==(const std::same_as<any> auto& a, const detail::text auto& b) {
        const std::string* const string = a.template get_if<std::string>();
        return string != nullptr && *string == b;
    }

private:
    friend hash<any>;

    template <class T>
    static constexpr void check_type() noexcept {
        static_assert(std::is_same_v<T, std::decay_t<T>> && !std::is_same_v<T, any> && !std::is_same_v<T, nil_t>,
                      "syncmap: an any holds plain object types, neither const nor references, arrays or anys");
        static_assert(!std::is_same_v<T, std::nullptr_t>, "syncmap: an any made from nullptr is nil: use is_nil()");
        static_assert(!detail::text<T> || std::is_same_v<T, std::string>, "syncmap: an any holds texts as std::string");
    }

    const void* address() const noexcept { return type_->address(storage_); }

    /// Moves the value of `other` into this `any`, which is nil.
    void take(any& other) noexcept {
        if (other.type_ != nullptr) other.type_->move(storage_, other.storage_);
        type_ = std::exchange(other.type_, nullptr);
    }

    detail::any_storage storage_;
    const detail::any_type* type_ = nullptr;
};

/// Hashes the value. Throws `unhashable_type` for a value whose type has no `std::hash` or no operator==.
/// It hashes texts as they are, so that a map looks up "a" without making a string.
template <>
struct hash<any> {
    using is_transparent = void;

    std::uint64_t operator()(const std::same_as<any> auto& key, const hash_seed& seed) const {
        if (key.is_nil()) return detail::mix(0, seed);
        if (key.type_->hash == nullptr) throw unhashable_type(key.type_name());
        return key.type_->hash(key.address(), seed);
    }
    std::uint64_t operator()(const detail::text auto& key, const hash_seed& seed) const {
        return hash<std::string>()(std::string_view(key), seed);
    }
    std::size_t operator()(const std::same_as<any> auto& key) const {
        return static_cast<std::size_t>((*this)(key, hash_seed{}));
    }
    std::size_t operator()(const detail::text auto& key) const { return static_cast<std::size_t>((*this)(key, hash_seed{})); }
};

} // namespace syncmap
