// The loaders that a cache is made with: any function of the right form, behind one type for each cache.
//
// A loader may find nothing. A loader of the options says so by an empty optional; what the cache calls returns an optional in
// any case.
#pragma once

#include <concepts>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

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

// ---- many keys at once ----

/// The form in which a cache keeps keys that it asks a bulk loader for; a text as a string.
template <class Key>
using asked_key = detail::copied_out_t<Key>;

/// Where a bulk loader's values go.
template <class Key, class T>
class loaded_values {
public:
    loaded_values(const loaded_values&) = delete;
    loaded_values& operator=(const loaded_values&) = delete;
    virtual void take(loader_key<Key> key, std::optional<detail::copied_out_t<T>>&& value) = 0;

protected:
    loaded_values() = default;
    ~loaded_values() = default;
};

template <class F, class Key>
concept called_with_keys = std::is_invocable_v<F&, const std::vector<asked_key<Key>>&>;

/// Pairs of a key and a value, or an optional of one.
template <class Pairs, class Key, class T>
concept key_value_pairs = requires(Pairs& pairs) {
    static_cast<asked_key<Key>>((*std::begin(pairs)).first);
    static_cast<std::optional<detail::copied_out_t<T>>>(std::move((*std::begin(pairs)).second));
    std::end(pairs);
};

/// Calls a bulk loader, and gives the values that it has found to `taken`.
template <class Key, class T, class F>
void load_many_by(F& f, const std::vector<asked_key<Key>>& keys, loaded_values<Key, T>& taken) {
    auto&& pairs = std::invoke(f, keys);
    using returned = std::remove_reference_t<decltype(pairs)>;
    static_assert(key_value_pairs<returned, Key, T>,
                  "syncmap: a bulk loader returns pairs of a key and its value: a std::vector<std::pair<Key, T>>, a "
                  "std::unordered_map<Key, T>, or another range of such pairs");
    if constexpr (key_value_pairs<returned, Key, T>) {
        using found = std::optional<detail::copied_out_t<T>>;
        for (auto&& each : pairs) {
            const auto& key = each.first;
            found value(std::move(each.second));
            if constexpr (std::is_convertible_v<decltype(key), loader_key<Key>>) {
                taken.take(key, std::move(value));
            } else {
                taken.take(static_cast<asked_key<Key>>(key), std::move(value));
            }
        }
    }
}

/// The bulk loader of the options, as `loader`.
template <class Key, class T>
class bulk_loader {
    struct function {
        function() = default;
        function(const function&) = delete;
        function& operator=(const function&) = delete;
        virtual ~function() = default;
        virtual void load(const std::vector<asked_key<Key>>& keys, loaded_values<Key, T>& taken) const = 0;
    };
    template <class F>
    struct function_of final : function {
        F f;
        template <class G>
        explicit function_of(G&& g) : f(std::forward<G>(g)) {}
        void load(const std::vector<asked_key<Key>>& keys, loaded_values<Key, T>& taken) const override {
            load_many_by<Key, T>(f, keys, taken);
        }
    };

public:
    /// No loader.
    bulk_loader() noexcept = default;
    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, bulk_loader>)
    explicit(false) bulk_loader(F&& f) {
        using plain = std::decay_t<F>;
        constexpr bool is_callable = called_with_keys<const plain, Key>;
        static_assert(is_callable, "syncmap: .load_many is called as load_many(keys), where keys is a const "
                                   "std::vector<Key>&. It is const then, since threads call it at the same time: a lambda "
                                   "cannot be mutable");
        if constexpr (is_callable) function_ = std::make_shared<function_of<plain>>(std::forward<F>(f));
    }

    explicit operator bool() const noexcept { return function_ != nullptr; }
    void operator()(const std::vector<asked_key<Key>>& keys, loaded_values<Key, T>& taken) const {
        function_->load(keys, taken);
    }

private:
    std::shared_ptr<const function> function_{};
};

} // namespace syncmap::cache_detail
