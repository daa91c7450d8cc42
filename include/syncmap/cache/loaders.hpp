// The loaders that a cache is made with: any function of the right form, behind one type for each cache.
//
// A loader may find nothing. A loader of the options says so by an empty optional; what the cache calls returns an optional in
// any case.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include <syncmap/detail/conversions.hpp>
#include <syncmap/detail/value_forms.hpp>

namespace syncmap::cache_detail {

/// How a loader is shown a key: as the cache stores it, a text as a view.
template <class Key>
using loader_key = std::conditional_t<detail::is_text<Key>, std::string_view, const Key&>;

/// Calls a loader of one key, which may want to see the key or not.
template <class F, class K>
decltype(auto) call_loader(F& f, const K& key) {
    if constexpr (std::is_invocable_v<F&, const K&>) {
        return std::invoke(f, key);
    } else {
        static_assert(std::is_invocable_v<F&>, "syncmap: a loader is called as f(key) or f()");
        return std::invoke(f);
    }
}
template <class F, class K>
using loaded_by = std::remove_cvref_t<decltype(call_loader(std::declval<std::remove_reference_t<F>&>(),
                                                           std::declval<const std::remove_cvref_t<K>&>()))>;

/// Calls such a loader of values `T`, and returns what it has found.
template <class T, class F, class K>
std::optional<detail::copied_out_t<T>> load_by(F& f, const K& key) {
    using found = std::optional<detail::copied_out_t<T>>;
    using returned = loaded_by<F, K>;
    static_assert(std::is_same_v<returned, found> || detail::returned_for<T, returned>,
                  "syncmap: a loader returns a value of this cache, or an optional of it");
    if constexpr (std::is_same_v<returned, found>) {
        return call_loader(f, key);
    } else {
        return found(std::in_place, call_loader(f, key));
    }
}

/// The loader of one key. Copies share one function, which threads call at the same time for different keys.
template <class Key, class T>
class loader {
    using found = std::optional<detail::copied_out_t<T>>;

    struct function {
        function() = default;
        function(const function&) = delete;
        function& operator=(const function&) = delete;
        virtual ~function() = default;
        virtual found load(loader_key<Key> key) const = 0;
    };
    template <class F>
    struct function_of final : function {
        F f;
        template <class G>
        explicit function_of(G&& g) : f(std::forward<G>(g)) {}
        found load(loader_key<Key> key) const override { return load_by<T>(f, key); }
    };

public:
    /// No loader.
    loader() noexcept = default;
    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, loader>)
    explicit(false) loader(F&& f) {
        using plain = std::decay_t<F>;
        constexpr bool is_callable = std::is_invocable_v<const plain&, loader_key<Key>> || std::is_invocable_v<const plain&>;
        static_assert(is_callable, "syncmap: .load is called as load(key) or load(), where key is a const Key&. It is const "
                                   "then, since threads call it at the same time: a lambda cannot be mutable");
        if constexpr (is_callable) function_ = std::make_shared<function_of<plain>>(std::forward<F>(f));
    }

    explicit operator bool() const noexcept { return function_ != nullptr; }
    found operator()(loader_key<Key> key) const { return function_->load(key); }

private:
    std::shared_ptr<const function> function_{};
};

} // namespace syncmap::cache_detail
