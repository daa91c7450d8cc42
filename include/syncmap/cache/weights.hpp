// Weights: what an entry counts for where the capacity is no number of entries (docs/cache.md, Weights).
//
// The weight of an entry lies in its node, in the word that links the node once it is removed. So it takes no room. It is
// read where no thread can remove the node: under the bucket's lock, or by the thread that has removed it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <syncmap/cache/option_types.hpp>
#include <syncmap/owned_bytes.hpp>

namespace syncmap {

/// A weigher for `cache_options`: the bytes of an entry's node, and what its key and value own. For types of your own, define
/// `owned_bytes` (owned_bytes.hpp); where it is not known what an object owns, writes throw `std::invalid_argument`.
struct bytes_of_entry {};
inline constexpr bytes_of_entry bytes_of{};

namespace cache_detail {

/// What `cache_options::weigh` is given: nothing, a function, or `bytes_of`.
template <class Key, class T>
class weigher {
public:
    weigher() = default;
    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, weigher> && !std::same_as<std::remove_cvref_t<F>, bytes_of_entry>)
    weigher(F&& f)
        : function_(option_function<called_to_weigh, std::size_t(const Key&, const T&)>(std::forward<F>(f))),
          is_given_(function_ != nullptr) {}
    weigher(bytes_of_entry) noexcept : is_given_(true) {}

    explicit operator bool() const noexcept { return is_given_; }

    /// Throws: what the function throws.
    template <class Entry>
    std::size_t operator()(const Entry& e) const {
        if (function_) return e.has_value() ? function_(e.key(), e.value()) : 1;
        const std::size_t owned = e.owned_bytes();
        if (owned == unknown_bytes)
            throw std::invalid_argument(
                "syncmap: bytes_of: it is not known what an object of this type owns: define owned_bytes");
        return e.block_bytes() + owned;
    }

private:
    std::function<std::size_t(const Key&, const T&)> function_{};
    bool is_given_ = false;
};

/// No entry weighs more: sums of weights do not overflow.
inline constexpr std::size_t most_weight = sizeof(std::size_t) < 8 ? ~std::size_t{0} >> 1 : std::size_t{1} << 40;

/// The weight of an entry that this thread may not lose meanwhile.
template <class Entry>
std::size_t weight_of(const Entry& e) noexcept {
    return static_cast<std::size_t>(e.next_label + 1); // a node that nothing was written to weighs one
}
/// Of a node that is not published yet.
template <class Entry>
void set_weight(Entry& e, std::size_t weight) noexcept {
    e.next_label = std::uint64_t{weight} - 1;
}

} // namespace cache_detail
} // namespace syncmap
