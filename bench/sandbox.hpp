// Other people's maps may crash or hang; here they do it in a process of their own.
#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace syncmap::bench {

using bytes = std::vector<std::byte>;

struct sandbox_result {
    std::string failure{}; ///< empty, or how the process ended: "crashes (Segmentation fault)", "hangs"
    bytes answer{};
};

/// Forks; the child runs `work` and its answer comes back. For use while the process has one thread.
sandbox_result run_apart(const std::function<bytes()>& work);

/// Called inside `work`: if the next call does not come within `seconds`, the process hangs and is ended.
void promise_to_return_within(double seconds);

/// Plain values to bytes and back, in order.
class byte_writer {
public:
    template <class T>
        requires std::is_trivially_copyable_v<T>
    void put(const T& value) {
        const auto* const begin = reinterpret_cast<const std::byte*>(&value);
        out_.insert(out_.end(), begin, begin + sizeof value);
    }
    bytes take() { return std::move(out_); }

private:
    bytes out_;
};

class byte_reader {
public:
    explicit byte_reader(const bytes& in) : in_(in) {}
    template <class T>
        requires std::is_trivially_copyable_v<T>
    T get() {
        T value;
        std::memcpy(&value, in_.data() + at_, sizeof value);
        at_ += sizeof value;
        return value;
    }

private:
    const bytes& in_;
    std::size_t at_ = 0;
};

} // namespace syncmap::bench
