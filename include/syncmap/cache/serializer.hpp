// How keys and values become bytes, for `save` and `load` of a cache (warm_restart.hpp).
//
// Known are types that a copy of their bytes is a copy of (numbers, enumerations, structures of them), strings, `text`, and
// vectors, pairs, optionals and pointers with an owner of known types. For a type of your own, specialise `serializer`:
//
//     template <>
//     struct syncmap::serializer<page> {
//         static constexpr const char* form = "page 1"; // another text when the bytes mean something else
//         static void write(byte_writer& to, const page& p) { to.put(p.title), to.put(p.links); }
//         static page read(byte_reader& from) {
//             auto title = from.get<std::string>();
//             return {std::move(title), from.get<std::vector<link>>()};
//         }
//     };
//
// Bytes are those of the machine, so a file is for machines like the one that wrote it: `load` refuses others.
#pragma once

#include <syncmap/detail/language.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <syncmap/errors.hpp>
#include <syncmap/text.hpp>

namespace syncmap {

template <class T>
struct serializer;

/// Where a `serializer` writes to.
class byte_writer {
public:
    explicit byte_writer(std::string& to) noexcept : to_(to) {}

    /// Appends an object, by the serializer of its type.
    template <class T>
    void put(const T& object) {
        serializer<T>::write(*this, object);
    }
    void put_bytes(const void* from, std::size_t size) { to_.append(static_cast<const char*>(from), size); }

private:
    std::string& to_;
};

/// What a `serializer` reads: the bytes of one key or value, and no others.
class byte_reader {
public:
    explicit byte_reader(std::string_view bytes) noexcept : left_(bytes) {}

    /// Returns the next object, by the serializer of its type. Throws: `snapshot_refused`, if the bytes do not suffice.
    template <class T>
    auto get() {
        return serializer<T>::read(*this);
    }
    /// Returns a view of the next bytes, which is valid until `load` goes on. Throws: `snapshot_refused`, if there are fewer.
    std::string_view get_bytes(std::size_t size) {
        if (size > left_.size()) throw snapshot_refused("an entry is shorter than its type says");
        const std::string_view taken = left_.substr(0, size);
        left_.remove_prefix(size);
        return taken;
    }
    /// Returns the number of elements that follow, which take `bytes_each` at least: one, or more. Throws: `snapshot_refused`,
    /// if the rest is shorter than that: so no memory is allocated for what is not there.
    std::size_t get_count(std::size_t bytes_each);
    std::size_t size() const noexcept { return left_.size(); }

private:
    std::string_view left_;
};

namespace detail {

template <class T>
inline constexpr bool is_reference_like =
    std::is_pointer_v<T> || std::is_member_pointer_v<T> || std::is_null_pointer_v<T> || requires(const T& t) {
        typename T::element_type; // a span
        t.data();
    };
template <class Char, class Traits>
inline constexpr bool is_reference_like<std::basic_string_view<Char, Traits>> = true;
template <class T>
inline constexpr bool is_reference_like<std::reference_wrapper<T>> = true;

/// A copy of the object's bytes is a copy of the object, also in another process.
template <class T>
concept plain_bytes = std::is_trivially_copyable_v<T> && !is_reference_like<T> && !std::is_empty_v<T>;

template <class T>
std::string form_of_bytes() {
    const char* const kind = std::is_same_v<T, bool>       ? "bool"
                             : std::is_floating_point_v<T> ? "float"
                             : std::is_enum_v<T>           ? "enum"
                             : !std::is_integral_v<T>      ? "bytes"
                             : std::is_signed_v<T>         ? "int"
                                                           : "unsigned";
    return kind + std::to_string(sizeof(T));
}

/// Returns what tells the bytes of one type from those of others.
template <class T>
std::string form_of() {
    if constexpr (requires { std::string(serializer<T>::form); }) {
        return std::string(serializer<T>::form);
    } else if constexpr (requires { std::string(serializer<T>::form()); }) {
        return serializer<T>::form();
    } else {
        return "own";
    }
}

} // namespace detail

/// Of a type whose bytes are the object.
template <class T>
struct serializer {
    static_assert(detail::plain_bytes<T>,
                  "syncmap: save and load: it is not known how an object of this type becomes bytes: specialise "
                  "syncmap::serializer for it (syncmap/cache/serializer.hpp)");

    static constexpr bool copies_bytes = true;

    static std::string form() { return detail::form_of_bytes<T>(); }
    static void write(byte_writer& to, const T& object) { to.put_bytes(std::addressof(object), sizeof object); }
    static T read(byte_reader& from) {
        const std::string_view bytes = from.get_bytes(sizeof(T));
        if constexpr (std::is_same_v<T, bool>) {
            if (bytes[0] != 0 && bytes[0] != 1) throw snapshot_refused("a truth value is neither");
            return bytes[0] != 0;
        } else {
            std::array<char, sizeof(T)> copied;
            std::memcpy(copied.data(), bytes.data(), sizeof copied);
            return std::bit_cast<T>(copied);
        }
    }
};

inline std::size_t byte_reader::get_count(std::size_t bytes_each) {
    const auto count = get<std::size_t>();
    if (count > left_.size() / bytes_each) throw snapshot_refused("an entry is shorter than its number of elements says");
    return count;
}

namespace detail {

/// No specialisation says what the bytes of such an object are.
template <class T>
inline constexpr bool copied_as_bytes = requires { serializer<T>::copies_bytes; };

} // namespace detail

template <class Char, class Traits, class Allocator>
struct serializer<std::basic_string<Char, Traits, Allocator>> {
    using string = std::basic_string<Char, Traits, Allocator>;

    static std::string form() { return "string" + std::to_string(sizeof(Char)); }
    static void write(byte_writer& to, const string& s) {
        to.put(s.size());
        to.put_bytes(s.data(), s.size() * sizeof(Char));
    }
    static string read(byte_reader& from) {
        string s(from.get_count(sizeof(Char)), Char());
        const std::string_view bytes = from.get_bytes(s.size() * sizeof(Char));
        if (!s.empty()) std::memcpy(s.data(), bytes.data(), bytes.size());
        return s;
    }
};

/// Reads a view: the cache makes the text of it.
template <>
struct serializer<text> {
    static std::string form() { return "string1"; }
    static void write(byte_writer& to, const text& t) {
        const std::string_view content = t.view();
        to.put(content.size());
        to.put_bytes(content.data(), content.size());
    }
    static std::string_view read(byte_reader& from) { return from.get_bytes(from.get_count(1)); }
};

template <class T, class Allocator>
    requires(!std::is_same_v<T, bool>)
struct serializer<std::vector<T, Allocator>> {
    using vector = std::vector<T, Allocator>;

    static std::string form() { return "vector(" + detail::form_of<T>() + ")"; }
    static void write(byte_writer& to, const vector& v) {
        to.put(v.size());
        if constexpr (detail::copied_as_bytes<T>) {
            to.put_bytes(v.data(), v.size() * sizeof(T));
        } else {
            for (const T& each : v) to.put(each);
        }
    }
    static vector read(byte_reader& from) {
        vector v;
        if constexpr (detail::copied_as_bytes<T> && std::is_default_constructible_v<T>) {
            v.resize(from.get_count(sizeof(T)));
            const std::string_view bytes = from.get_bytes(v.size() * sizeof(T));
            if (!v.empty()) std::memcpy(static_cast<void*>(v.data()), bytes.data(), bytes.size());
        } else {
            const std::size_t count = from.get_count(1);
            v.reserve((std::min)(count, from.size() / sizeof(T) + 1));
            for (std::size_t i = 0; i < count; ++i) v.push_back(from.get<T>());
        }
        return v;
    }
};

template <class A, class B>
struct serializer<std::pair<A, B>> {
    static std::string form() { return "pair(" + detail::form_of<A>() + "," + detail::form_of<B>() + ")"; }
    static void write(byte_writer& to, const std::pair<A, B>& p) {
        to.put(p.first);
        to.put(p.second);
    }
    static std::pair<A, B> read(byte_reader& from) {
        A first = from.get<A>();
        return {std::move(first), from.get<B>()};
    }
};

namespace detail {

/// Of what may be empty, and else leads to a `T`.
template <class Holder, class T>
struct serializer_of_holder {
    static std::string form() { return "optional(" + form_of<T>() + ")"; }
    static void write(byte_writer& to, const Holder& holder) {
        to.put(static_cast<bool>(holder));
        if (holder) to.put(std::as_const(*holder));
    }

protected:
    static bool read_whether(byte_reader& from) { return from.get<bool>(); }
};

} // namespace detail

template <class T>
struct serializer<std::optional<T>> : detail::serializer_of_holder<std::optional<T>, T> {
    static std::optional<T> read(byte_reader& from) {
        if (!serializer::read_whether(from)) return std::nullopt;
        return from.get<T>();
    }
};
/// Of the object that it owns alone. Derived classes need a specialisation of their own.
template <class T>
    requires(!std::is_polymorphic_v<T> && !std::is_array_v<T>)
struct serializer<std::unique_ptr<T>> : detail::serializer_of_holder<std::unique_ptr<T>, std::remove_cv_t<T>> {
    static std::unique_ptr<T> read(byte_reader& from) {
        if (!serializer::read_whether(from)) return nullptr;
        return std::make_unique<T>(from.get<std::remove_cv_t<T>>());
    }
};
/// Of the object: each pointer that is read owns another one.
template <class T>
    requires(!std::is_polymorphic_v<T> && !std::is_array_v<T>)
struct serializer<std::shared_ptr<T>> : detail::serializer_of_holder<std::shared_ptr<T>, std::remove_cv_t<T>> {
    static std::shared_ptr<T> read(byte_reader& from) {
        if (!serializer::read_whether(from)) return nullptr;
        return std::make_shared<T>(from.get<std::remove_cv_t<T>>());
    }
};

} // namespace syncmap
